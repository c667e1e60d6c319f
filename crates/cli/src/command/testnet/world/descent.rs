//! Who ends with whom: what the system is asked for, and who is left to be ended by hand.

use std::{fs, io};

use rustix::process::{Pid, Signal, WaitOptions, getppid, kill_process, waitpid};

/// How often children are looked for: those of a child that was ended become ours, and can have children again.
const MAX_ROUNDS: usize = 64;

/// From now on processes whose parents have ended become children of this one instead of the system's first process.
pub(super) fn adopt_orphans() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

/// Asks the system to kill this process when its parent ends. An error if that has happened already.
pub(super) fn end_with(parent: i32) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() == Pid::from_raw(parent) {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::NotFound, "it has ended already"))
    }
}

/// Kills all children of this process, and theirs, and waits until they are gone.
pub(super) fn end_children() {
    for _ in 0..MAX_ROUNDS {
        let children = children();
        if children.is_empty() {
            return;
        }
        for &child in &children {
            // One that has ended by itself is only waited for.
            kill_process(child, Signal::KILL).ok();
        }
        for child in children {
            waitpid(Some(child), WaitOptions::empty()).ok();
        }
    }
    tracing::warn!("processes that the command has started are still there");
}

fn children() -> Vec<Pid> {
    let own = rustix::process::getpid();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_child = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok();
        stat.and_then(|stat| parent_in(&stat)).and_then(Pid::from_raw) == Some(own)
    };
    pids.filter(is_child).filter_map(Pid::from_raw).collect()
}

/// The parent in `/proc/PID/stat`: the second field behind the name, which is in parentheses and may hold some.
fn parent_in(stat: &str) -> Option<i32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        assert_eq!(parent_in("12 (cat) S 7 12 12 0 -1"), Some(7));
        assert_eq!(parent_in("12 (a) S 9 (b) R 7 12 12 0 -1"), Some(7));
        assert_eq!(parent_in("12 (cat"), None);
    }
}
