//! Logs of a life: refused with a line, or a history in which everyone comes and goes by turns.
//!
//! `@` and a letter stand for the id of a peer of a small world, so that the corpus does not depend on how its keys are
//! made: `@a` to `@d` never leave it, the others come and go.

use std::sync::{Arc, LazyLock};

use testnet::{
    History, ObservedDuring, Scenario, Truth, World,
    event_log::{LogError, read},
    life::Moment,
};

/// The most text that is read: more does not show more.
const MAX_BYTES: usize = 16 * 1024;

/// A world in which all but the first ones come, go, move and change their ids.
const SCENARIO: &str = "peers = 24\nbootstrap = 4\n[[life.classes]]\nname = 'a'\nshare = 1.0\n\
    up = { law = 'exponential', median_s = 600 }\ndown = { law = 'exponential', median_s = 600 }\n\
    moves = { share = 0.5, addresses = 3 }\nrotates = { share = 0.5, ids = 2 }";

static WORLD: LazyLock<Option<Arc<World>>> =
    LazyLock::new(|| Some(Arc::new(World::generate(&Scenario::parse(SCENARIO, "small").ok()?))));

/// The small world.
pub fn world() -> &'static Arc<World> {
    WORLD.as_ref().unwrap_or_else(|| unreachable!("the scenario is one"))
}

/// What a log says of the small world, with names in place of ids.
pub fn history(world: &Arc<World>, text: &str) -> Result<Option<History>, LogError> {
    read(world, with_ids(world, text).as_bytes())
}

/// Reads the bytes as a log.
pub fn check(bytes: &[u8]) {
    let world = world();
    if bytes.len() > MAX_BYTES {
        return;
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return assert!(read(world, bytes).is_err() || !bytes.ends_with(b"\n"), "what is no text is a log");
    };
    let lines = text.matches('\n').count();
    match history(world, text) {
        Ok(history) => {
            let Some(history) = history else { unreachable!("peers come and go") };
            assert_eq!(history.len(), lines);
            coherent(world, &history);
        }
        Err(LogError::Line { line, problem }) => {
            assert!((1..=lines).contains(&line) && !problem.is_empty(), "line {line} of {lines}");
        }
        Err(LogError::Unreadable(error)) => unreachable!("text cannot be read: {error}"),
    }
}

/// Peers that stay come first, then those that do not.
fn with_ids(world: &World, text: &str) -> String {
    let mut peers: Vec<u32> = world.peers().collect();
    peers.sort_by_key(|peer| !world.bootstrap().contains(peer));
    let mut text = text.to_owned();
    for (letter, peer) in ('a'..='x').zip(peers) {
        text = text.replace(&format!("@{letter}"), &world.peer_id(peer).to_base58());
    }
    text
}

fn coherent(world: &Arc<World>, history: &History) {
    let (from, until) = (Moment::NEVER, history.until());
    assert!(until < Moment::ENDLESS);
    for peer in world.peers() {
        let sessions = history.sessions(peer, from, Moment::ENDLESS);
        assert_eq!(sessions.is_none(), world.bootstrap().contains(&peer));
        let sessions = sessions.unwrap_or_default();
        assert!(sessions.iter().all(|session| session.from <= session.to));
        assert!(sessions.windows(2).all(|two| two[0].to <= two[1].from), "{peer} is up twice at once");
        let begun = sessions.iter().all(|session| session.from <= until);
        assert!(begun, "{peer} comes after the end");
        history.neighbors(peer, until);
        history.named(peer, Moment::START, until);
    }
    let nothing = ObservedDuring { visits: Vec::new() };
    let verdict = Truth::of(Arc::clone(world)).judge_during(history, &nothing, std::time::Duration::ZERO);
    assert_eq!((verdict.visits, verdict.wrong_outcomes, verdict.edges), (0, 0, 0));
}
