//! The runs of a study: one, and those that continue one another.

use schema::{RunId, Tool};
use store::{RunFilter, RunInfo, Store};

use crate::study::read::StudyError;

/// Under which name the parameters of a run say which one it continues: its id as 32 hexadecimal digits.
pub(crate) const CONTINUES: &str = "continues";

/// The run that another one says it continues; `None` if it continues none.
pub(crate) fn continued(run: &RunInfo) -> Option<RunId> {
    run.start.parameters.get(CONTINUES)?.as_str().and_then(RunId::parse)
}

/// All runs of the study of a run in the order of their start, and how many more they continue that are not in the store.
pub(super) fn chain(store: &Store, run: RunId) -> Result<(Vec<RunInfo>, u64), StudyError> {
    let asked_for = store.run(run)?;
    if asked_for.start.tool != Tool::Hoard {
        return Err(StudyError::NotAStudy { run, tool: asked_for.start.tool });
    }
    let all = store.runs(&RunFilter::of(Tool::Hoard))?;
    let find = |id: RunId| all.iter().find(|run| run.start.id == id);
    let mut ids = vec![run];
    let mut missing = 0;
    let mut earliest = asked_for;
    while let Some(before) = continued(&earliest).filter(|before| !ids.contains(before)) {
        let Some(found) = find(before) else {
            missing += 1;
            break;
        };
        ids.push(before);
        earliest = found.clone();
    }
    // Each pass finds those that continue what the passes before found.
    loop {
        let later = all.iter().filter(|run| {
            continued(run).is_some_and(|before| ids.contains(&before)) && !ids.contains(&run.start.id)
        });
        let later: Vec<_> = later.map(|run| run.start.id).collect();
        if later.is_empty() {
            break;
        }
        ids.extend(later);
    }
    let mut runs: Vec<_> = all.into_iter().filter(|run| ids.contains(&run.start.id)).collect();
    runs.sort_by_key(|run| (run.start.started_at, run.start.id));
    Ok((runs, missing))
}
