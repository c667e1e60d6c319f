//! A database that goes away, or does not answer: each call says so within its time, and afterwards all is as before.

use std::time::Duration;

use kadscope_store::{Error, LeaseOutcome, PgVariables, Register, RegisterConfig, StoreUrl};
use tokio::time::{Instant, timeout};

use crate::{
    own, parsec,
    proxy::Proxy,
    register::{at, fleets, server},
    server::{PASSWORD, Server},
};

/// The server is killed; no call waits longer than it may, and the next one after it is there again works.
#[tokio::test]
async fn a_call_fails_in_time_while_the_database_is_away_and_works_afterwards() {
    let postgres = Server::start();
    for config in [own(), parsec()] {
        let url = postgres.url(&postgres.database());
        let register = Register::open(&url, config).await.unwrap();
        let id = register.enter_server(&server(1, "a")).await.unwrap();
        let held = register.lease("round", "one", at(3600), at(0)).await.unwrap();
        assert_eq!(held, LeaseOutcome::Held { fence: 1 });
        postgres.kill();
        let begun = Instant::now();
        for failed in [
            register.heartbeat(id, at(1)).await.err(),
            register.servers(&fleets(&["a"]), at(0)).await.err(),
            register.lease("round", "one", at(3600), at(0)).await.err(),
            register.enter_server(&server(2, "a")).await.err(),
        ] {
            assert!(matches!(failed, Some(Error::Unreachable { .. })), "{failed:?}");
        }
        assert!(begun.elapsed() < config.patience * 4);
        postgres.run(&[]);
        register.heartbeat(id, at(2)).await.unwrap();
        assert_eq!(register.servers(&fleets(&["a"]), at(2)).await.unwrap().len(), 1);
        assert_eq!(
            register.lease("round", "one", at(3600), at(0)).await.unwrap(),
            held,
            "a kill takes no lease"
        );
    }
}

/// The server was killed and is there again before anybody asks: who asks hears nothing of it.
#[tokio::test]
async fn a_connection_that_was_lost_meanwhile_is_made_anew() {
    let postgres = Server::start();
    let register = Register::open(&postgres.url(&postgres.database()), parsec()).await.unwrap();
    let id = register.enter_server(&server(1, "a")).await.unwrap();
    for n in 0..3 {
        postgres.kill();
        postgres.run(&[]);
        register.heartbeat(id, at(n)).await.unwrap();
    }
}

/// A network that swallows everything: a call ends when its time is over, and nothing else waits for it.
#[tokio::test]
async fn a_database_that_does_not_answer_is_waited_for_no_longer_than_was_set() {
    let postgres = Server::shared();
    let proxy = Proxy::start(postgres.socket().1).await;
    let url = format!("postgres://postgres@127.0.0.1:{}/{}", proxy.port, postgres.database());
    let variables = PgVariables::read(|name| (name == "PGPASSWORD").then(|| PASSWORD.to_owned()));
    let url = StoreUrl::parse(&url).unwrap().with_variables(&variables);
    let patience = Duration::from_millis(1500);
    let register = Register::open(&url, RegisterConfig { patience, ..own() }).await.unwrap();
    let id = register.enter_server(&server(1, "a")).await.unwrap();
    proxy.pause(true);
    let (begun, all) = (Instant::now(), fleets(&["a"]));
    let (beat, listed) = timeout(patience * 3, async {
        tokio::join!(register.heartbeat(id, at(1)), register.servers(&all, at(0)))
    })
    .await
    .unwrap();
    assert!(begun.elapsed() >= patience);
    for failed in [beat.err(), listed.err()] {
        let Some(Error::Unreachable { reason, .. }) = failed else { panic!("{failed:?}") };
        assert_eq!(reason, "no answer within 1.5s");
    }
    proxy.pause(false);
    register.heartbeat(id, at(2)).await.unwrap();
    assert_eq!(register.servers(&fleets(&["a"]), at(2)).await.unwrap().len(), 1);
}
