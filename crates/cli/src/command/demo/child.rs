//! The network of the demo, in a process of its own: what the crawl costs is then the crawl's alone.
//!
//! The process ends when its stdin does, so it outlives neither an error nor a kill of this one.

use std::{ffi::OsStr, process::Stdio};

use anyhow::Context as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{self, ChildStdin, Command},
};

use super::judged::Files;
use crate::{args::DemoArgs, command::testnet::Announcement, exit::Failed};

/// The longest announcement that is read, in bytes.
const MAX_ANNOUNCEMENT: u64 = 1 << 20;

/// Variables of ours that the network of a demo keeps: what is logged, and how.
const KEPT: [&str; 2] = ["KADSCOPE_LOG", "KADSCOPE_LOG_FORMAT"];

/// Variables by which systemd speaks to the one process that it has started.
const OF_SYSTEMD: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

fn is_not_for_child(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    OF_SYSTEMD.contains(&&*name) || (name.starts_with("KADSCOPE_") && !KEPT.contains(&&*name))
}

/// A network that runs.
#[derive(Debug)]
pub(super) struct Child {
    process: process::Child,
    stdin: Option<ChildStdin>,
    announcement: Announcement,
}

impl Child {
    /// Starts it, and waits until it can be dialled.
    pub(super) async fn start(args: &DemoArgs, scenario: &str, files: &Files) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(program);
        command.args(["testnet", "--json", "--until-eof", "--scenario", scenario]);
        command.arg("--truth").arg(&files.truth);
        if let Some(events) = &files.events {
            command.arg("--events").arg(events);
        }
        if let Some(peers) = args.peers {
            command.arg("--peers").arg(peers.to_string());
        }
        if args.ground.one_address {
            command.arg("--one-address");
        }
        if args.force {
            command.arg("--force");
        }
        if args.ground.world {
            // It inherits the namespace that was made for us.
            command.arg("--world=here");
        }
        if let Some(seed) = args.seed {
            command.arg("--seed").arg(seed.to_string());
        }
        // What the user's environment says to testnets, and whom it wants to be told of this command, is not for this one.
        for name in std::env::vars_os().map(|(name, _)| name).filter(|name| is_not_for_child(name)) {
            command.env_remove(name);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        // A group of its own, so that a Ctrl-C on the terminal is for the crawl alone, which ends the network itself.
        command.process_group(0);
        let mut process = command.spawn().context("cannot start the testnet")?;
        let stdin = process.stdin.take();
        let stdout = process.stdout.take().context("the testnet has no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout.take(MAX_ANNOUNCEMENT)).read_line(&mut line).await?;
        if line.is_empty() {
            // It has said why on stderr.
            return Err(Failed::testnet(process.wait().await?).into());
        }
        let announcement =
            serde_json::from_str(&line).context("the testnet announced itself in an unknown way")?;
        Ok(Self { process, stdin, announcement })
    }

    /// What it said of itself.
    pub(super) const fn announcement(&self) -> &Announcement {
        &self.announcement
    }

    /// Ends it, and waits for its end.
    pub(super) async fn end(mut self) -> Announcement {
        drop(self.stdin.take());
        if let Err(error) = self.process.wait().await {
            tracing::warn!(%error, "the testnet did not end in good order");
        }
        self.announcement
    }
}
