//! The suite of every register, on PostgreSQL: in tables of its own and in Parsec's; what only a database has, and what Go's programs
//! do with the same tables.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first error")]

#[path = "register_postgres/foreign.rs"]
mod foreign;
#[path = "register_postgres/go.rs"]
mod go;
#[path = "register_postgres/kept.rs"]
mod kept;
#[path = "register_postgres/outages.rs"]
mod outages;
#[path = "suite/proxy.rs"]
#[expect(dead_code, reason = "statements are counted elsewhere")]
mod proxy;
#[path = "suite/register.rs"]
mod register;
#[path = "suite/rows.rs"]
#[expect(dead_code, reason = "runs have rows elsewhere")]
mod rows;
#[path = "suite/server.rs"]
#[expect(dead_code, reason = "it is filled up elsewhere")]
mod server;

use std::sync::Arc;

use kadscope_store::{Register, RegisterConfig};
use server::Server;

/// In tables of its own.
fn own() -> RegisterConfig {
    RegisterConfig::default()
}

/// In Parsec's.
fn parsec() -> RegisterConfig {
    RegisterConfig { parsec_tables: true, ..RegisterConfig::default() }
}

/// An empty database, and what two programs have open in it.
async fn place(config: RegisterConfig) -> (Arc<Server>, Register, Register) {
    let server = Server::shared();
    let url = server.url(&server.database());
    let (one, other) = tokio::join!(Register::open(&url, config), Register::open(&url, config));
    (server, one.unwrap(), other.unwrap())
}

macro_rules! on_postgres {
    ($layout:ident: $($name:ident)+; $($both:ident)+) => {
        mod $layout { $(
            #[tokio::test]
            async fn $name() {
                let (_server, register, _other) = crate::place(crate::$layout()).await;
                crate::register::$name(&register).await;
            }
        )+ $(
            #[tokio::test]
            async fn $both() {
                let (_server, register, other) = crate::place(crate::$layout()).await;
                crate::register::$both(&register, &other).await;
            }
        )+ }
    };
}

macro_rules! on_both {
    ($($names:tt)*) => {
        on_postgres! { own: $($names)* }
        on_postgres! { parsec: $($names)* }
    };
}

on_both! {
    a_server_is_alive_as_long_as_it_says_so
    a_server_that_begins_anew_takes_the_place_of_its_earlier_entry
    a_server_that_was_never_entered_is_named
    many_enter_at_once
    a_holder_that_was_away_does_not_come_back_as_the_holder;
    what_a_server_says_of_itself_is_read_back
    schedulers_are_told_apart
    a_lease_has_one_holder_whose_number_grows
    of_many_that_ask_at_once_one_has_the_lease
}
