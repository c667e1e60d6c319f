//! Another process: the test program itself, run for the one test that starts it, which then finds what it is to do.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Set in a child: a number that says what to do, and the file to do it with.
const CHILD: &str = "KADSCOPE_STORE_TEST_CHILD";

/// Runs `test` in a process of its own.
pub(crate) fn spawn(test: &str, path: &Path, number: u8) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(CHILD, format!("{number} {}", path.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What [`spawn`] told this process; `None` in the parent.
pub(crate) fn child() -> Option<(u8, PathBuf)> {
    let told = env::var(CHILD).ok()?;
    let (number, path) = told.split_once(' ').unwrap();
    Some((number.parse().unwrap(), path.into()))
}

/// Carries a future out.
pub(crate) fn in_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
