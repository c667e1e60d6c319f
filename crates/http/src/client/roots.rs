//! By whom certificates of the web are to be signed.

use std::{fmt, path::Path, sync::Arc};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// The roots that certificates are verified by. Cheap to clone; by default there are none, and nobody is trusted.
#[derive(Clone)]
pub struct WebRoots(Arc<RootCertStore>);

impl WebRoots {
    /// All certificates of a text in PEM that can be trusted, at least one.
    pub fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        Self::of(certificates.map_err(|error| error.to_string())?)
    }

    /// The same of a file.
    pub fn from_file(path: &Path) -> Result<Self, String> {
        let certificates =
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let in_file = |error: String| format!("the roots in {} cannot be read: {error}", path.display());
        Self::of(certificates.map_err(|error| in_file(error.to_string()))?).map_err(in_file)
    }

    /// Those of the system, or of the file that `SSL_CERT_FILE` names.
    #[cfg(feature = "system-roots")]
    pub fn of_system() -> Result<Self, String> {
        Self::of(rustls_native_certs::load_native_certs().certs)
            .map_err(|_| "the system has no root certificate to verify servers by".to_owned())
    }

    /// The roots themselves, for those who verify by further rules.
    pub fn certificates(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.0)
    }

    fn of(certificates: Vec<CertificateDer<'static>>) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        // Old systems' collections hold some that no program of today reads.
        store.add_parsable_certificates(certificates);
        if store.is_empty() {
            Err("there is no root certificate".to_owned())
        } else {
            Ok(Self(Arc::new(store)))
        }
    }
}

impl Default for WebRoots {
    fn default() -> Self {
        Self(Arc::new(RootCertStore::empty()))
    }
}

impl fmt::Debug for WebRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebRoots({})", self.0.len())
    }
}
