//! How much memory this process may have, as its control group says.
//!
//! Source: the kernel's docs on cgroup v2 (`memory.max`) and v1 (`memory.limit_in_bytes`), and `cgroups(7)`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Version 1 says a number near 2^63 for no limit.
const NO_LIMIT_V1: u64 = 1 << 60;

/// The limit in bytes; `None` where there is none, or no control groups.
pub fn memory_limit() -> Option<u64> {
    within(Path::new("/"))
}

/// The same of a system whose root is that directory.
fn within(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    groups.lines().filter_map(|line| of_group(root, line)).min()
}

/// The lowest limit of a group and of those that it is in. A line is `NUMBER:CONTROLLERS:PATH`.
fn of_group(root: &Path, line: &str) -> Option<u64> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    let (base, file) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        _ if controllers.split(',').any(|name| name == "memory") => {
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
        }
        _ => return None,
    };
    let base = root.join(base);
    let group = base.join(path.trim_start_matches('/'));
    let groups = group.ancestors().take_while(|group| group.starts_with(&base)).map(PathBuf::from);
    groups.filter_map(|group| limit_in(&fs::read_to_string(group.join(file)).ok()?)).min()
}

fn limit_in(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|&limit| limit < NO_LIMIT_V1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system with these files.
    fn limit(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        within(root.path())
    }

    #[test]
    fn the_lowest_limit_above_a_process_holds() {
        let of_v2 = "proc/self/cgroup";
        let own = ("sys/fs/cgroup/a/b/memory.max", "2000000\n");
        let above = ("sys/fs/cgroup/a/memory.max", "1000000\n");
        assert_eq!(limit(&[(of_v2, "0::/a/b\n"), own]), Some(2_000_000));
        assert_eq!(limit(&[(of_v2, "0::/a/b\n"), own, above]), Some(1_000_000));
        assert_eq!(limit(&[(of_v2, "0::/a/b\n"), ("sys/fs/cgroup/a/b/memory.max", "max\n")]), None);
        assert_eq!(limit(&[(of_v2, "0::/\n"), ("sys/fs/cgroup/memory.max", "5\n")]), Some(5));
        assert_eq!(limit(&[(of_v2, "0::/a/b\n")]), None);
        assert_eq!(limit(&[]), None);
    }

    #[test]
    fn the_first_version_is_read_too() {
        let groups = ("proc/self/cgroup", "3:cpu:/x\n2:memory:/docker/1\n1:name=systemd:/\n");
        let file = "sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes";
        assert_eq!(limit(&[groups, (file, "4096\n")]), Some(4096));
        assert_eq!(limit(&[groups, (file, "9223372036854771712\n")]), None);
    }
}
