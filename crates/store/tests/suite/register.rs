//! What every register does, whatever keeps it. A test of a backend calls these with one that is its own and empty.

use std::time::Duration;

use kadscope_store::{
    Error, LeaseOutcome, Register, RegisteredServer, SchedulerEntry, ServerEntry, ServerId,
};
use schema::{Strategy, Timestamp};
use serde_json::json;
use tokio::task::JoinSet;

use crate::rows;

/// When it all begins.
pub(crate) const BEGUN: Timestamp = Timestamp(1_795_000_000_000_001);

/// So many seconds after that.
pub(crate) fn at(seconds: u64) -> Timestamp {
    BEGUN.after(Duration::from_secs(seconds))
}

/// The server number `n`.
pub(crate) fn server(n: u32, fleet: &str) -> ServerEntry {
    ServerEntry {
        fleet: fleet.to_owned(),
        region: format!("region-{}", n % 7),
        peer: rows::peer(n),
        http: ([127, 0, 0, 11], 7070 + u16::try_from(n % 10_000).unwrap()).into(),
        peer_port: Some(4001),
        cpu: 512,
        memory: 1024,
        strategy: Some(Strategy::ALL[n as usize % 5]),
        version: "0.1.0".to_owned(),
        command: "kadscope perf server --fleet 'é\u{1}'".to_owned(),
        dependencies: json!({ "Deps": [{ "Path": "a", "Version": "1" }] }),
        entered_at: at(u64::from(n)),
    }
}

pub(crate) fn fleets(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Without what a register adds to what a server was built from.
pub(crate) fn as_entered(mut server: RegisteredServer) -> RegisteredServer {
    if let Some(fields) = server.entry.dependencies.as_object_mut() {
        fields.retain(|name, _| name == "Deps");
    }
    server
}

async fn all(register: &Register) -> Vec<RegisteredServer> {
    register.all_servers().await.unwrap().into_iter().map(as_entered).collect()
}

async fn alive(register: &Register, names: &[&str], since: Timestamp) -> Vec<ServerId> {
    let servers = register.servers(&fleets(names), since).await.unwrap();
    servers.iter().map(|server| server.id).collect()
}

/// All that a server said of itself is read back, by another opening, too.
pub(crate) async fn what_a_server_says_of_itself_is_read_back(register: &Register, other: &Register) {
    let mut bare = ServerEntry { peer_port: None, region: String::new(), ..server(1, "b") };
    bare.http = ([0, 0, 0, 0, 0, 0, 0, 1], 7070).into();
    let mut ids = Vec::new();
    for entry in [server(0, "a"), bare.clone()] {
        ids.push(register.enter_server(&entry).await.unwrap());
    }
    register.heartbeat(ids[1], at(70)).await.unwrap();
    let expected = [
        RegisteredServer { id: ids[0], entry: server(0, "a"), last_heartbeat: None, offline_since: None },
        RegisteredServer { id: ids[1], entry: bare, last_heartbeat: Some(at(70)), offline_since: None },
    ];
    assert_eq!(all(other).await, expected);
    let found = other.servers(&fleets(&["b"]), at(70)).await.unwrap();
    assert_eq!(found.into_iter().map(as_entered).collect::<Vec<_>>(), expected[1..]);
}

/// A server counts as alive from its first heartbeat on, until its last is too old or somebody calls it offline; a heartbeat
/// takes that back.
pub(crate) async fn a_server_is_alive_as_long_as_it_says_so(register: &Register) {
    let [a, b, c] = [server(3, "a"), server(1, "b"), server(2, "a")];
    let [first, second, third] = [
        register.enter_server(&a).await.unwrap(),
        register.enter_server(&b).await.unwrap(),
        register.enter_server(&c).await.unwrap(),
    ];
    assert_eq!(alive(register, &["a", "b"], at(0)).await, []);
    for (id, seconds) in [(third, 60), (second, 61), (first, 62)] {
        register.heartbeat(id, at(seconds)).await.unwrap();
    }
    assert_eq!(alive(register, &["a", "b"], at(60)).await, [first, second, third], "as they were entered");
    assert_eq!(alive(register, &["a"], at(60)).await, [first, third]);
    assert_eq!(alive(register, &["a", "b"], at(61)).await, [first, second]);
    assert_eq!(alive(register, &[], at(60)).await, []);
    assert_eq!(alive(register, &["c", "a' OR true --"], at(60)).await, []);
    register.offline(first, at(63)).await.unwrap();
    assert_eq!(alive(register, &["a", "b"], at(60)).await, [second, third]);
    let listed = all(register).await;
    assert_eq!((listed[0].offline_since, listed[0].last_heartbeat), (Some(at(63)), Some(at(62))));
    register.heartbeat(first, at(120)).await.unwrap();
    assert_eq!(alive(register, &["a", "b"], at(60)).await, [first, second, third]);
    assert_eq!(all(register).await[0].entry, a, "nothing else has changed");
}

/// A server that begins anew under its old identity is one server, not two.
pub(crate) async fn a_server_that_begins_anew_takes_the_place_of_its_earlier_entry(register: &Register) {
    let earlier = register.enter_server(&server(1, "a")).await.unwrap();
    let other = register.enter_server(&server(2, "a")).await.unwrap();
    for id in [earlier, other] {
        register.heartbeat(id, at(10)).await.unwrap();
    }
    let anew = ServerEntry { entered_at: at(20), ..server(1, "a") };
    let anew = register.enter_server(&anew).await.unwrap();
    register.heartbeat(anew, at(21)).await.unwrap();
    assert_eq!(alive(register, &["a"], at(10)).await, [other, anew]);
    assert_eq!(all(register).await[0].offline_since, Some(at(20)));
}

/// Who was never entered is named.
pub(crate) async fn a_server_that_was_never_entered_is_named(register: &Register) {
    let id = ServerId(77);
    for done in [register.heartbeat(id, at(1)).await, register.offline(id, at(1)).await] {
        assert!(matches!(done, Err(Error::UnknownServer { id: 77, .. })), "{done:?}");
    }
}

/// Many enter, and say that they are alive, at once.
pub(crate) async fn many_enter_at_once(register: &Register) {
    let mut entering = JoinSet::new();
    for n in 0..60 {
        let register = register.clone();
        entering.spawn(async move {
            let id = register.enter_server(&server(n, "a")).await.unwrap();
            register.heartbeat(id, at(100)).await.unwrap();
            register.enter_scheduler(&scheduler()).await.unwrap();
            (id, n)
        });
    }
    let mut entered = entering.join_all().await;
    entered.sort_unstable();
    let found = register.servers(&fleets(&["a"]), at(100)).await.unwrap();
    let found: Vec<_> = found.into_iter().map(as_entered).map(|server| (server.id, server.entry)).collect();
    let expected: Vec<_> = entered.into_iter().map(|(id, n)| (id, server(n, "a"))).collect();
    assert_eq!(found, expected);
}

pub(crate) fn scheduler() -> SchedulerEntry {
    SchedulerEntry {
        fleets: fleets(&["a", "b,\"c\""]),
        version: "0.1.0".to_owned(),
        dependencies: json!({}),
        entered_at: at(0),
    }
}

/// Each scheduler has a number of its own.
pub(crate) async fn schedulers_are_told_apart(register: &Register, other: &Register) {
    let first = register.enter_scheduler(&scheduler()).await.unwrap();
    let second = other.enter_scheduler(&scheduler()).await.unwrap();
    assert!(first.0 >= 1 && second > first, "{first:?} {second:?}");
}

/// Asks for a lease until it is given; whoever goes by what he is told lets the time pass.
pub(crate) async fn taken_over(
    register: &Register,
    name: &str,
    holder: &str,
    length: Duration,
    mut now: Timestamp,
) -> u64 {
    loop {
        match register.lease(name, holder, now.after(length), now).await.unwrap() {
            LeaseOutcome::Held { fence } => return fence,
            LeaseOutcome::HeldBy { until, .. } => now = now.max(until),
        }
    }
}

/// One has the lease; its number stays while it is renewed in time, and grows with each who has it then.
pub(crate) async fn a_lease_has_one_holder_whose_number_grows(register: &Register, other: &Register) {
    let (long, now) = (Duration::from_secs(3600), at(0));
    let ask = async |from: &Register, name: &str, holder: &str| {
        from.lease(name, holder, now.after(long), now).await.unwrap()
    };
    assert_eq!(ask(register, "round", "one").await, LeaseOutcome::Held { fence: 1 });
    assert_eq!(ask(other, "round", "one").await, LeaseOutcome::Held { fence: 1 }, "renewed");
    let LeaseOutcome::HeldBy { holder, until } = ask(other, "round", "two").await else {
        panic!("there are two holders");
    };
    assert_eq!(holder, "one");
    assert!(until >= now.after(Duration::from_secs(3500)), "{until}");
    assert_eq!(ask(other, "another", "two").await, LeaseOutcome::Held { fence: 1 }, "each name is a lease");
    other.release("round", "two").await.unwrap();
    assert!(matches!(ask(other, "round", "two").await, LeaseOutcome::HeldBy { .. }), "it was not two's");
    register.release("round", "one").await.unwrap();
    assert_eq!(ask(other, "round", "two").await, LeaseOutcome::Held { fence: 2 });
    assert!(matches!(ask(register, "round", "one").await, LeaseOutcome::HeldBy { .. }));
}

/// A holder that is away for longer than its lease loses it, and is never taken for its holder again: neither while somebody
/// else has it, nor afterwards, nor if nobody had it meanwhile.
pub(crate) async fn a_holder_that_was_away_does_not_come_back_as_the_holder(register: &Register) {
    let (short, long) = (Duration::from_millis(50), Duration::from_secs(3600));
    let held = register.lease("round", "one", at(0).after(short), at(0)).await.unwrap();
    assert_eq!(held, LeaseOutcome::Held { fence: 1 });
    assert_eq!(taken_over(register, "round", "two", short, at(0)).await, 2);
    assert_eq!(taken_over(register, "round", "one", long, at(1)).await, 3, "one is a new holder");
    let refused = register.lease("round", "two", at(2).after(long), at(2)).await.unwrap();
    assert!(matches!(refused, LeaseOutcome::HeldBy { holder, .. } if holder == "one"));
    // Alone: it asks once more when its time is over.
    let held = register.lease("alone", "one", at(0).after(short), at(0)).await.unwrap();
    assert_eq!(held, LeaseOutcome::Held { fence: 1 });
    let mut now = at(0);
    let fence = loop {
        now = now.after(short * 2);
        tokio::time::sleep(short * 2).await;
        match register.lease("alone", "one", now.after(short), now).await.unwrap() {
            LeaseOutcome::Held { fence: 1 } => {}
            LeaseOutcome::Held { fence } => break fence,
            outcome @ LeaseOutcome::HeldBy { .. } => panic!("{outcome:?}"),
        }
    };
    assert_eq!(fence, 2);
}

/// Of many that ask for a lease at once one has it.
pub(crate) async fn of_many_that_ask_at_once_one_has_the_lease(register: &Register, other: &Register) {
    let mut asking = JoinSet::new();
    for n in 0..20 {
        let from = if n % 2 == 0 { register } else { other }.clone();
        asking.spawn(
            async move { from.lease("round", &format!("holder {n}"), at(3600), at(0)).await.unwrap() },
        );
    }
    let outcomes = asking.join_all().await;
    let held = outcomes.iter().filter(|outcome| matches!(outcome, LeaseOutcome::Held { fence: 1 }));
    assert_eq!(held.count(), 1, "{outcomes:?}");
}
