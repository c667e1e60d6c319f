//! Certificates of the web, as they stand below a secure WebSocket: who vouches for names, and who believes it.
//!
//! An [`Authority`] signs certificates for the names of a network of our own, [`Roots`] are those that a dialler trusts.
//! libp2p's certificates, which vouch for peers, are elsewhere; what a dialler makes of either is in `ws`.

use std::{fmt, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair,
    KeyUsagePurpose, NameConstraints,
};
use rustls::{
    ClientConfig, Error, RootCertStore,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{ServerCertVerified, ServerCertVerifier},
    },
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime, pem::PemObject},
    sign::{CertifiedKey, SigningKey},
    version::TLS13,
};

use super::PROVIDER;

/// A certificate could not be made, or the text holds none that can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// There was no randomness, or the name is none.
    #[error("no certificate can be made for {0}")]
    Make(String),
    /// The text is no PEM, or what is in it is no certificate.
    #[error("no certificates in PEM: {0}")]
    Read(String),
}

/// Signs certificates for names below one domain. Its key is never told to anybody, and ends with it.
pub struct Authority {
    root: rcgen::Certificate,
    key: KeyPair,
    /// The key of all certificates that it signs.
    server_key: KeyPair,
    signer: Arc<dyn SigningKey>,
}

impl Authority {
    /// A new one, whose certificate says that it speaks for this domain and no other.
    pub fn new(domain: &str) -> Result<Self, RootsError> {
        let failed = |_| RootsError::Make(domain.to_owned());
        let (key, server_key) = (KeyPair::generate().map_err(failed)?, KeyPair::generate().map_err(failed)?);
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, format!("kadscope testnet: {domain}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(domain.to_owned())],
            excluded_subtrees: Vec::new(),
        });
        let root = params.self_signed(&key).map_err(failed)?;
        let pkcs8 = PrivatePkcs8KeyDer::from(server_key.serialize_der());
        let signer = aws_lc_rs::sign::any_ecdsa_type(&pkcs8.into())
            .map_err(|_| RootsError::Make(domain.to_owned()))?;
        Ok(Self { root, key, server_key, signer })
    }

    /// Its own certificate as a text that programs read (PEM).
    pub fn root_pem(&self) -> String {
        self.root.pem()
    }

    /// A certificate for a name below its domain.
    pub fn certify(&self, name: &str) -> Result<NamedCertificate, RootsError> {
        let failed = |_| RootsError::Make(name.to_owned());
        let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let signed = params.signed_by(&self.server_key, &self.root, &self.key).map_err(failed)?;
        let chain = vec![signed.der().clone()];
        Ok(NamedCertificate(Arc::new(CertifiedKey::new(chain, Arc::clone(&self.signer)))))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// A certificate for a name, with its key. Cheap to clone.
#[derive(Debug, Clone)]
pub struct NamedCertificate(pub(crate) Arc<CertifiedKey>);

/// The roots that certificates of names are verified by. Cheap to clone; by default there are none.
#[derive(Debug, Clone, Default)]
pub struct Roots(Option<Arc<WebPkiServerVerifier>>);

impl Roots {
    /// All certificates of a text in PEM that can be trusted, at least one.
    pub fn from_pem(pem: &[u8]) -> Result<Self, RootsError> {
        let failed = |error: &dyn fmt::Display| RootsError::Read(error.to_string());
        let mut store = RootCertStore::empty();
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        // Old systems' collections hold some that no program of today reads.
        store.add_parsable_certificates(all.map_err(|error| failed(&error))?);
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&PROVIDER));
        Ok(Self(Some(verifier.build().map_err(|error| failed(&error))?)))
    }

    /// What speaks TLS 1.3 to servers of the web whose certificate is signed by a root. An error without roots, too.
    pub(crate) fn client(&self, protocol: &[u8]) -> Result<ClientConfig, Error> {
        let unknown = Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let verifier = self.0.clone().ok_or(unknown)?;
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
            .with_protocol_versions(&[&TLS13])?
            .with_webpki_verifier(verifier)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(config)
    }

    /// Verifies that a certificate is one for this name, signed by a root. An error where there are no roots, too.
    pub(crate) fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let unknown = Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let verifier = self.0.as_ref().ok_or(unknown)?;
        verifier.verify_server_cert(certificate, others, name, &[], now)
    }
}
