//! Why a namespace is refused, as far as the system lets one tell.

use std::io;

/// Settings that are read, below `/proc/sys`.
const CLONE: &str = "kernel/unprivileged_userns_clone";
const APPARMOR: &str = "kernel/apparmor_restrict_unprivileged_userns";
const MAX_USER: &str = "user/max_user_namespaces";
const MAX_NET: &str = "user/max_net_namespaces";

/// What to do, from the error and from what the settings are: `read` gives the text of a file below `/proc/sys`.
pub(super) fn advice(error: &io::Error, read: impl Fn(&str) -> Option<String>) -> String {
    let is = |setting: &str, value: &str| read(setting).is_some_and(|text| text.trim() == value);
    let set = |setting: &str, value: &str| {
        format!("this system forbids it; as root: sysctl {}={value}", setting.replace('/', "."))
    };
    if is(CLONE, "0") {
        return set(CLONE, "1");
    }
    for setting in [MAX_USER, MAX_NET] {
        if is(setting, "0") {
            return set(setting, "10000");
        }
    }
    if error.kind() == io::ErrorKind::PermissionDenied && is(APPARMOR, "1") {
        return set(APPARMOR, "0");
    }
    match error.raw_os_error() {
        Some(nix::libc::ENOSPC) => {
            "there are too many namespaces, or too many within each other: end some, or raise \
             user.max_user_namespaces and user.max_net_namespaces"
        }
        Some(nix::libc::EINVAL) => "this kernel was built without user or network namespaces",
        _ => {
            "something forbids it that cannot be told from here, a container's seccomp filter for instance \
             (docker run --security-opt seccomp=unconfined), or run it as root"
        }
    }
    .to_owned()
}

/// Reads a setting of the system.
pub(super) fn setting(name: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/sys/{name}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The advice for an error number in a system with these settings.
    fn given(errno: i32, settings: &[(&str, &str)]) -> String {
        advice(&io::Error::from_raw_os_error(errno), |name| {
            settings.iter().find(|(known, _)| *known == name).map(|(_, value)| format!("{value}\n"))
        })
    }

    #[test]
    fn the_setting_that_forbids_it_is_named() {
        let (eperm, enospc) = (nix::libc::EPERM, nix::libc::ENOSPC);
        for (advice, named) in [
            (given(eperm, &[(CLONE, "0")]), "sysctl kernel.unprivileged_userns_clone=1"),
            (given(eperm, &[(CLONE, "1"), (APPARMOR, "1")]), "apparmor_restrict_unprivileged_userns=0"),
            (given(enospc, &[(MAX_USER, "0")]), "sysctl user.max_user_namespaces="),
            (given(enospc, &[(MAX_USER, "9"), (MAX_NET, "0")]), "sysctl user.max_net_namespaces="),
            (given(enospc, &[(MAX_USER, "9"), (APPARMOR, "1")]), "too many namespaces"),
            (given(nix::libc::EINVAL, &[]), "built without"),
            (given(eperm, &[(APPARMOR, "0")]), "seccomp"),
        ] {
            assert!(advice.contains(named), "{named}: {advice}");
        }
    }
}
