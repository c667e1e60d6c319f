//! `kadscope store copy`: runs from one store to another.

use schema::{RunId, RunState};
use serde::Serialize;
use store::{Error, RunFilter, RunInfo, Store};

use crate::{
    args::CopyArgs,
    command::crawl::place,
    exit::{Code, Failed},
    output,
    render::text::counted,
};

/// What was copied.
#[derive(Debug, Serialize)]
struct Copied {
    /// From where.
    from: String,
    /// Where to.
    to: String,
    /// The runs that were copied, in the order of their start.
    runs: Vec<CopiedRun>,
    /// Runs that were there before, the same in every row.
    present: Vec<RunId>,
    /// Runs that are under way, and were left out.
    under_way: Vec<RunId>,
}

/// One run that was copied, and compared when it was there.
#[derive(Debug, Serialize)]
struct CopiedRun {
    /// Its name.
    run_id: RunId,
    /// Peers that it heard of.
    peers: u64,
    /// Its rows, of every kind.
    rows: u64,
}

pub(super) async fn run(args: &CopyArgs) -> anyhow::Result<Code> {
    if args.from == args.to {
        return Err(Failed::usage("FROM and TO are the same store").into());
    }
    let from = Store::open_existing(&args.from)?;
    let runs = from.runs(&RunFilter::default())?;
    let to = Store::open(&args.to)?.ok_or(Error::NothingKept)?;
    let mut done = Copied {
        from: place(&args.from),
        to: place(&args.to),
        runs: Vec::new(),
        present: Vec::new(),
        under_way: Vec::new(),
    };
    for run in &runs {
        copy(&from, &to, run, &mut done).await?;
    }
    if args.json {
        output::print_json(&done)?;
    } else {
        output::print_text(&text(&done))?;
    }
    Ok(Code::Done)
}

async fn copy(from: &Store, to: &Store, run: &RunInfo, done: &mut Copied) -> anyhow::Result<()> {
    let run_id = run.start.id;
    if run.state == RunState::Running {
        done.under_way.push(run_id);
        return Ok(());
    }
    match from.copy_run(run_id, to).await {
        Ok(totals) => {
            from.compare_run(run_id, to)?;
            done.runs.push(CopiedRun { run_id, peers: totals.peers, rows: totals.rows });
        }
        Err(Error::RunExists { .. }) => {
            from.compare_run(run_id, to)?;
            done.present.push(run_id);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn text(done: &Copied) -> String {
    let rows: u64 = done.runs.iter().map(|run| run.rows).sum();
    let runs = |count: usize| counted(count as u64, "run", "runs");
    let mut text = format!(
        "{} with {} copied to {}, and compared row by row\n",
        runs(done.runs.len()),
        counted(rows, "row", "rows"),
        done.to
    );
    for (runs_left, why) in
        [(&done.present, "there before, the same"), (&done.under_way, "under way: not copied")]
    {
        if !runs_left.is_empty() {
            text.extend([&runs(runs_left.len()), " ", why, "\n"]);
        }
    }
    text
}
