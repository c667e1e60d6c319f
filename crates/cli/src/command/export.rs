//! `kadscope export`: rows of any kind and run for others, at a level of privacy.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
    sync::Arc,
};

use anyhow::Context as _;
use kad::opt_out::OptOut;
use report::{Export, RowKind};
use schema::{RunState, Timestamp, Tool, Veil};
use store::{RunFilter, RunInfo, Store};
use tokio_util::sync::CancellationToken;

use crate::{
    args::{CrawlName, ExportArgs, Format},
    clock,
    exit::{Code, Failed},
    export::Sink,
    output,
    outputs::{InUse, Kind, Output},
    render::text::{counted, grouped},
    signals::{MAX_ENDING, StopOnSignal},
    veil::veil,
};

/// What is written, and how.
struct Order<'a> {
    store: &'a Store,
    format: Format,
    kinds: Vec<RowKind>,
    without: Vec<String>,
    veil: Veil,
    opt_out: Arc<OptOut>,
    stop: CancellationToken,
}

pub(crate) fn run(args: &ExportArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    let signals = StopOnSignal::listen(MAX_ENDING)?;
    let stop = signals.token().clone();
    let opt_out = args.opt_out.load()?;
    let veil = veil(args.privacy, args.key_file.as_deref())?;
    let store = Store::open_existing(&args.store)?;
    note_inputs(args, in_use);
    let runs = runs(&store, args)?;
    let kinds = kinds(&store, &runs, args)?;
    let without = args.without.iter().flat_map(|list| list.0.clone()).collect();
    let order = Order { store: &store, format: args.format, kinds, without, veil, opt_out, stop };
    let code = order.open(args, in_use).and_then(|sinks| order.write(&runs, sinks, &args.out));
    // Who reads stdout may stop reading: that is not an error.
    let closed = |error: &anyhow::Error| {
        error.chain().any(|cause| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
        })
    };
    match code {
        Err(error) if closed(&error) => Ok(Code::Done),
        code => code,
    }
}

/// The runs that are meant, in the order of their start.
fn runs(store: &Store, args: &ExportArgs) -> anyhow::Result<Vec<RunInfo>> {
    let ago = |ago: std::time::Duration| {
        i64::try_from(ago.as_micros())
            .map_or(Timestamp(i64::MIN), |ago| Timestamp(clock::now().0.saturating_sub(ago)))
    };
    let filter = RunFilter {
        tool: args.tool.as_deref().and_then(Tool::from_name),
        network: args.network.clone(),
        since: args.since.map(ago),
        until: args.until.map(ago),
    };
    let name = args.run.or((filter == RunFilter::default()).then_some(CrawlName::Latest));
    let runs = match name {
        Some(name) => vec![super::crawls::named(store, name, &filter)?],
        None => store.runs(&filter)?,
    };
    if runs.is_empty() {
        return Err(Failed::usage(format!("{}: there is no such run in this store", store.name())).into());
    }
    Ok(runs)
}

/// Each once, and in order: those that were asked for, or else all that the runs have.
fn kinds(store: &Store, runs: &[RunInfo], args: &ExportArgs) -> anyhow::Result<Vec<RowKind>> {
    let mut kinds = RowKind::all();
    if args.rows.is_empty() {
        let mut found = Vec::new();
        for kind in kinds {
            let mut has = runs.iter().map(|run| kind.is_in(store, run));
            if has.try_fold(false, |any, has| has.map(|has| any || has))? {
                found.push(kind);
            }
        }
        return Ok(found);
    }
    kinds.retain(|kind| args.rows.iter().any(|list| list.0.iter().any(|name| name == kind.name())));
    Ok(kinds)
}

/// Remembers what is read, once the store is open: its log stands beside it then.
fn note_inputs(args: &ExportArgs, in_use: &mut InUse) {
    in_use.store(&args.store);
    args.opt_out.note(in_use);
    if let Some(key) = &args.key_file {
        in_use.read("the key", key);
    }
}

impl Order<'_> {
    /// One sink for each kind in a directory, or one for all.
    fn open(&self, args: &ExportArgs, in_use: &mut InUse) -> anyhow::Result<Vec<Sink>> {
        let out = args.out.as_path();
        let failed =
            |path: &Path, error| Failed::usage(format!("cannot write to {}: {error}", path.display()));
        let is_directory = out.is_dir() || out.as_os_str().as_encoded_bytes().ends_with(b"/");
        if self.format == Format::Csv && self.kinds.len() > 1 && !is_directory {
            let advice = "a table has one kind of rows: say which with --rows KIND, or export to a directory";
            return Err(Failed::usage(advice).into());
        }
        if out == Path::new("-") {
            return Ok(vec![Sink::stdout()]);
        }
        let mut sink = |path: &Path| -> anyhow::Result<Sink> {
            in_use.admit(Output { what: "the export", path, kind: Kind::Rows, force: args.force })?;
            Ok(Sink::file(path).map_err(|error| failed(path, error))?)
        };
        if !is_directory {
            return Ok(vec![sink(out)?]);
        }
        fs::create_dir_all(out).map_err(|error| failed(out, error))?;
        let file = |kind: &RowKind| out.join(kind.name()).with_extension(self.format.extension());
        self.kinds.iter().map(|kind| sink(&file(kind))).collect()
    }

    fn write(&self, runs: &[RunInfo], mut sinks: Vec<Sink>, out: &Path) -> anyhow::Result<Code> {
        let context = || format!("could not write {}", out.display());
        if self.format == Format::Csv {
            for (kind, sink) in self.kinds.iter().zip(&mut sinks) {
                sink.headings(&kind.headings(&self.without)).with_context(context)?;
            }
        }
        let mut written = Written { rows: vec![0; self.kinds.len()], left_out: 0 };
        for run in runs {
            if !self.write_run(run, &mut sinks, &mut written).with_context(context)? {
                output::note("stopped; no file was written");
                return Ok(Code::Cancelled);
            }
        }
        for sink in sinks {
            sink.keep().with_context(context)?;
        }
        self.tell(runs, &written);
        Ok(Code::Done)
    }

    /// Writes all rows of a run; `false` if it was stopped.
    fn write_run(&self, run: &RunInfo, sinks: &mut [Sink], written: &mut Written) -> anyhow::Result<bool> {
        let export = Export::begin((self.store, run), (&self.veil, &self.opt_out), &self.without)?;
        written.left_out += export.names.left_out();
        let last = sinks.len().saturating_sub(1);
        for (index, &kind) in self.kinds.iter().enumerate() {
            let Some(sink) = sinks.get_mut(index.min(last)) else { continue };
            let before = sink.rows;
            let is_whole = export.each::<anyhow::Error>(kind, |row| {
                match self.format {
                    Format::Ndjson => sink.row(row)?,
                    Format::Csv => sink.record(&row.record())?,
                }
                Ok(!self.stop.is_cancelled())
            })?;
            written.rows[index] += sink.rows - before;
            if !is_whole || self.stop.is_cancelled() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn tell(&self, runs: &[RunInfo], written: &Written) {
        let of = match runs {
            [run] => {
                let state = match run.state {
                    RunState::Succeeded => String::new(),
                    state => format!(" ({state})"),
                };
                format!("{} {}{state}", run.start.tool, run.start.id)
            }
            runs => counted(runs.len() as u64, "run", "runs"),
        };
        let rows: Vec<_> = self
            .kinds
            .iter()
            .zip(&written.rows)
            .map(|(kind, &rows)| format!("{} {}", grouped(rows), kind.name()))
            .collect();
        let left_out = match written.left_out {
            0 => String::new(),
            1 => "; 1 peer was left out, who asked not to be measured".to_owned(),
            peers => format!("; {} peers were left out, who asked not to be measured", grouped(peers)),
        };
        let lists = match self.opt_out.entries() as u64 {
            0 => String::new(),
            entries => format!(" (opt-out lists: {} in force)", counted(entries, "entry", "entries")),
        };
        output::note(&format!("rows of {of}: {}{left_out}{lists}", rows.join(", ")));
    }
}

/// How much was written.
struct Written {
    /// Rows of each kind.
    rows: Vec<u64>,
    /// Peers of all runs that were left out, each counted once a run.
    left_out: u64,
}
