//! A node under siege: hostile traffic over TCP and QUIC against a node in a process of its own, whose connections, tasks,
//! descriptors and memory are counted, while somebody honest goes on asking.
//!
//! A program of its own instead of many tests in one process: what the node takes could not be told from what the
//! besiegers take. `siege besieged` is the node; without that every attack is tried, or those whose names have a word
//! of the arguments in them.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends at the first error")]
#![expect(clippy::print_stdout, reason = "it tells how it goes as other tests do")]

mod attacks;
mod besieged;
mod counts;
mod honest;
mod quic;
mod siege;
mod tcp;
mod wire;

use tokio::runtime::Builder;

use self::{attacks::Attack, siege::Siege};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if args.first().is_some_and(|arg| arg == besieged::NAME) {
        return runtime.block_on(besieged::live());
    }
    let is_wanted = |attack: &&Attack| args.is_empty() || args.iter().any(|word| attack.name.contains(word));
    let attacks: Vec<&Attack> = attacks::ALL.iter().filter(is_wanted).collect();
    println!("running {} tests", attacks.len());
    for attack in &attacks {
        let report = runtime.block_on(Siege::lay(attack));
        println!("test {} ... ok ({report})", attack.name);
    }
    println!("test result: ok. {} passed; 0 failed; 0 ignored", attacks.len());
}
