//! The roots by which certificates of the web are verified: those of a file that the user names, or the system's.

use std::path::{Path, PathBuf};

use http::WebRoots;
use net::Roots;

use crate::{exit::Failed, input};

/// The most that is read of a file of roots, in bytes.
const MAX_ROOTS_BYTES: u64 = 4 << 20;

/// The file that says otherwise than the system does, as OpenSSL, Go and others have it.
const VARIABLE: &str = "SSL_CERT_FILE";

/// Where systems keep them: Debian, Fedora, SUSE; Alpine, the BSDs and macOS.
const PLACES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The roots in a file; none without one.
pub(crate) fn given(file: Option<&Path>) -> Result<Roots, Failed> {
    let Some(path) = file else { return Ok(Roots::default()) };
    let pem = input::read_bytes(path, "the root certificates", MAX_ROOTS_BYTES)?;
    Roots::from_pem(&pem).map_err(|error| {
        Failed::usage(format!("cannot use the root certificates in {}: {error}", path.display()))
    })
}

/// The same, and those of the system without a file; none where it has none at a usual place.
pub(crate) fn given_or_systems(file: Option<&Path>) -> Result<Roots, Failed> {
    if file.is_some() { given(file) } else { given(systems().as_deref()) }
}

/// The system's for those who ask services by HTTPS; none where it has none at a usual place.
pub(crate) fn of_services() -> Result<WebRoots, Failed> {
    let Some(path) = systems() else { return Ok(WebRoots::default()) };
    WebRoots::from_file(&path).map_err(Failed::usage)
}

fn systems() -> Option<PathBuf> {
    let named = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    named.or_else(|| PLACES.iter().map(PathBuf::from).find(|path| path.is_file()))
}
