//! `kadscope export`: the rows of a crawl for others, at a level of privacy.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
    sync::Arc,
};

use anyhow::Context as _;
use kad::opt_out::OptOut;
use schema::{RunId, RunState};
use store::{RunInfo, Store};
use tokio_util::sync::CancellationToken;

use crate::{
    args::{ExportArgs, Format, List, Privacy, What},
    exit::{Code, Failed},
    export::{CrawlRow, Names, Pseudonyms, Row, Sink, Veil, Verdicts},
    input, output,
    outputs::{InUse, Kind, Output},
    render::text::{counted, grouped},
    signals::{MAX_ENDING, StopOnSignal},
};

/// The shortest key, in bytes.
const MIN_KEY_BYTES: usize = 32;

/// The longest key, in bytes.
const MAX_KEY_BYTES: u64 = 4096;

/// What is written, and what of it.
struct Export<'a> {
    store: &'a Store,
    crawl: RunInfo,
    privacy: Privacy,
    veil: Veil,
    opt_out: Arc<OptOut>,
    names: Names,
    stop: CancellationToken,
}

pub(crate) fn run(args: &ExportArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    let Format::Ndjson = args.format;
    let signals = StopOnSignal::listen(MAX_ENDING)?;
    let stop = signals.token().clone();
    let opt_out = args.opt_out.load()?;
    let veil = veil(args)?;
    let store = Store::open_existing(&args.store)?;
    note_inputs(args, in_use);
    let crawl = super::crawls::find(&store, args.crawl)?;
    let names = Names::read(&store, crawl.start.id, &opt_out, &veil)?;
    let export = Export { store: &store, crawl, privacy: args.privacy, veil, opt_out, names, stop };
    let kinds = kinds(&args.what);
    let code = open(&kinds, args, in_use).and_then(|sinks| export.write(&kinds, sinks, &args.out));
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

/// Remembers what is read, once the store is open: its log stands beside it then.
fn note_inputs(args: &ExportArgs, in_use: &mut InUse) {
    in_use.store(&args.store);
    args.opt_out.note(in_use);
    if let Some(key) = &args.key_file {
        in_use.read("the key", key);
    }
}

fn veil(args: &ExportArgs) -> Result<Veil, Failed> {
    Ok(match (args.privacy, &args.key_file) {
        (Privacy::AsIs, _) => Veil::AsIs,
        (Privacy::WithoutIps, _) => Veil::WithoutIps,
        (Privacy::Pseudonymised, Some(path)) => Veil::Pseudonymised(Pseudonyms::new(&read_key(path)?)),
        (Privacy::Pseudonymised, None) => {
            return Err(Failed::usage("pseudonyms need a key: --key-file FILE"));
        }
    })
}

fn read_key(path: &Path) -> Result<Vec<u8>, Failed> {
    const ADVICE: &str = "make one with `openssl rand -hex 32 > FILE`";
    let key = input::read_bytes(path, "the key", MAX_KEY_BYTES)
        .map_err(|error| Failed::usage(format!("{error}\n{ADVICE}")))?;
    if key.len() < MIN_KEY_BYTES {
        let length = key.len();
        return Err(Failed::usage(format!(
            "the key {} has {length} bytes, and less than {MIN_KEY_BYTES} can be guessed\n{ADVICE}",
            path.display()
        )));
    }
    Ok(key)
}

/// Each once, and in order.
fn kinds(asked: &[List<What>]) -> Vec<What> {
    What::ALL.into_iter().filter(|kind| asked.iter().any(|list| list.0.contains(kind))).collect()
}

impl Export<'_> {
    fn write(&self, kinds: &[What], mut sinks: Vec<Sink>, out: &Path) -> anyhow::Result<Code> {
        let mut rows = Vec::new();
        for (index, &kind) in kinds.iter().enumerate() {
            let last = sinks.len() - 1;
            let Some(sink) = sinks.get_mut(index.min(last)) else { continue };
            let before = sink.rows;
            if !self.write_kind(kind, sink).with_context(|| format!("could not write {}", out.display()))? {
                output::note("stopped; no file was written");
                return Ok(Code::Cancelled);
            }
            rows.push(counted(sink.rows - before, kind.one(), kind.name()));
        }
        for sink in sinks {
            sink.keep().with_context(|| format!("could not write {}", out.display()))?;
        }
        self.tell(&rows);
        Ok(Code::Done)
    }

    fn tell(&self, rows: &[String]) {
        let Self { crawl, names, .. } = self;
        let state = match crawl.state {
            RunState::Succeeded => String::new(),
            state => format!(" ({state})"),
        };
        let left_out = match names.left_out {
            0 => String::new(),
            1 => "; 1 peer was left out, who asked not to be measured".to_owned(),
            peers => format!("; {} peers were left out, who asked not to be measured", grouped(peers)),
        };
        let lists = match self.opt_out.entries() as u64 {
            0 => String::new(),
            entries => format!(" (opt-out lists: {} in force)", counted(entries, "entry", "entries")),
        };
        let rows = rows.join(", ");
        output::note(&format!("rows of crawl {}{state}: {rows}{left_out}{lists}", crawl.start.id));
    }

    /// Writes all rows of a kind; `false` if it was stopped.
    fn write_kind(&self, kind: What, sink: &mut Sink) -> anyhow::Result<bool> {
        let id = self.crawl.start.id;
        match kind {
            What::Crawl => self.write_crawl(sink)?,
            What::Peers => {
                let verdicts = Verdicts::read(self.store, id)?;
                for (number, name) in self.names.iter() {
                    if self.stop.is_cancelled() {
                        return Ok(false);
                    }
                    sink.row(&Row::peer(id, name, verdicts.of(number)))?;
                }
            }
            What::Visits => return self.write_visits(id, sink),
            What::Neighbors => return self.write_neighbors(id, sink),
        }
        Ok(!self.stop.is_cancelled())
    }

    fn write_crawl(&self, sink: &mut Sink) -> anyhow::Result<()> {
        let RunInfo { start, end, state, .. } = &self.crawl;
        let mut parameters = start.parameters.clone();
        if let Some(parameters) = parameters.as_object_mut() {
            // They may have asked not to be measured since.
            parameters.remove("bootstrap");
        }
        let is_open = self.veil.is_open();
        sink.row(&Row::Crawl(Box::new(CrawlRow {
            crawl_id: start.id,
            network: &start.network,
            state: *state,
            started_at: start.started_at,
            finished_at: end.as_ref().map(|end| end.finished_at),
            version: &start.version,
            seed: start.seed,
            privacy: self.privacy,
            peers: self.names.iter().count() as u64,
            peers_left_out: self.names.left_out,
            vantage: is_open.then_some(&start.vantage),
            parameters: is_open.then_some(parameters),
        })))?;
        Ok(())
    }

    fn write_visits(&self, id: RunId, sink: &mut Sink) -> anyhow::Result<bool> {
        for visit in self.store.visits(id)? {
            if self.stop.is_cancelled() {
                return Ok(false);
            }
            let visit = visit?;
            if let Some(name) = self.names.get(visit.peer) {
                sink.row(&Row::visit(id, name, &visit, &self.veil, &self.opt_out))?;
            }
        }
        Ok(true)
    }

    fn write_neighbors(&self, id: RunId, sink: &mut Sink) -> anyhow::Result<bool> {
        for entry in self.store.neighbors(id)? {
            if self.stop.is_cancelled() {
                return Ok(false);
            }
            let (peer, neighbors) = entry?;
            if let Some(row) = Row::neighbors(id, peer, &neighbors, &self.names) {
                sink.row(&row)?;
            }
        }
        Ok(true)
    }
}

/// One sink for each kind in a directory, or one for all.
fn open(kinds: &[What], args: &ExportArgs, in_use: &mut InUse) -> anyhow::Result<Vec<Sink>> {
    let out = args.out.as_path();
    let failed = |path: &Path, error| Failed::usage(format!("cannot write to {}: {error}", path.display()));
    if out == Path::new("-") {
        return Ok(vec![Sink::stdout()]);
    }
    let mut sink = |path: &Path| -> anyhow::Result<Sink> {
        in_use.admit(Output { what: "the export", path, kind: Kind::Rows, force: args.force })?;
        Ok(Sink::file(path).map_err(|error| failed(path, error))?)
    };
    if !out.is_dir() && !out.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Ok(vec![sink(out)?]);
    }
    fs::create_dir_all(out).map_err(|error| failed(out, error))?;
    kinds.iter().map(|kind| sink(&out.join(kind.name()).with_extension("ndjson"))).collect()
}
