//! What holds in a network namespace of a world, tried in one. A program of its own instead of many tests in one
//! process, because a namespace is entered before there is a second thread.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails, in its helpers too")]
#![expect(clippy::print_stdout, reason = "it tells how it goes as other tests do")]

#[cfg(target_os = "linux")]
mod echo;
#[cfg(target_os = "linux")]
mod elsewhere;
#[cfg(target_os = "linux")]
mod ground;
#[cfg(target_os = "linux")]
mod routes;

/// A check and its name.
#[cfg(target_os = "linux")]
type Check = (&'static str, fn());

#[cfg(target_os = "linux")]
fn main() {
    ground::go_in();
    let checks = [ground::CHECKS, routes::CHECKS, elsewhere::CHECKS].concat();
    println!("running {} tests", checks.len());
    for (name, check) in &checks {
        check();
        println!("test {name} ... ok");
    }
    println!("test result: ok. {} passed; 0 failed; 0 ignored", checks.len());
}

#[cfg(not(target_os = "linux"))]
fn main() {
    use kadscope_jail::{Namespace, NamespaceError, enter, only_loopback};
    assert!(matches!(enter(Namespace::Own), Err(NamespaceError::NotLinux)));
    assert!(matches!(only_loopback(), Err(NamespaceError::NotLinux)));
    println!("test result: ok. 2 passed; 0 failed; 0 ignored");
}
