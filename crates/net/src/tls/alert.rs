//! From rustls's errors to the closed classes: by variant, never by text.

use std::borrow::Cow;

use kad::failure::FailureClass;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

use super::certificate::CertificateRefusal;
use crate::foreign::looks_like;

/// Why a channel is over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ChannelError {
    Tls(Error),
    /// What came is no TLS; how it begins.
    Foreign(String),
    /// Our own side failed.
    Local,
}

impl ChannelError {
    /// What an error means that these bytes led to.
    pub(super) fn over(error: Error, bytes: &[u8]) -> Self {
        match error {
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::Foreign(looks_like(bytes)),
            error => Self::Tls(error),
        }
    }
}

impl From<Error> for ChannelError {
    fn from(error: Error) -> Self {
        Self::Tls(error)
    }
}

/// What an error means, with a text where the class does not say it all. `secured` says that the peer has proved before
/// who it is.
pub(crate) fn class_of(error: &ChannelError, secured: bool) -> (FailureClass, Cow<'static, str>) {
    match error {
        ChannelError::Local => (FailureClass::LocalResources, "tls: out of buffers".into()),
        ChannelError::Foreign(looks) => {
            (FailureClass::Malformed, format!("tls: not a message of it: {looks}").into())
        }
        ChannelError::Tls(Error::InvalidCertificate(error)) => {
            let refusal = refusal_of(error);
            (refusal.class(), refusal.to_string().into())
        }
        ChannelError::Tls(error) => {
            let (class, text) = class_of_tls(error, secured);
            (class, text.into())
        }
    }
}

fn class_of_tls(error: &Error, secured: bool) -> (FailureClass, &'static str) {
    match error {
        Error::AlertReceived(alert) => class_of_alert(*alert),
        Error::NoCertificatesPresented => {
            (FailureClass::HandshakeFailed, "tls: a peer without a certificate")
        }
        Error::NoApplicationProtocol => (FailureClass::ProtocolNotSupported, ""),
        Error::PeerIncompatible(_) => (FailureClass::SecurityNotSupported, ""),
        Error::PeerMisbehaved(_) => (FailureClass::ProtocolViolation, "tls: a message against the rules"),
        Error::InvalidMessage(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerSentOversizedRecord => (FailureClass::Malformed, "tls: not a message of it"),
        Error::DecryptError if secured => (FailureClass::Malformed, "tls: a tag that does not fit"),
        Error::FailedToGetCurrentTime | Error::FailedToGetRandomBytes => {
            (FailureClass::LocalResources, "tls: no time or no randomness")
        }
        _ => (FailureClass::HandshakeFailed, "tls: the handshake failed"),
    }
}

const fn class_of_alert(alert: AlertDescription) -> (FailureClass, &'static str) {
    match alert {
        AlertDescription::HandshakeFailure
        | AlertDescription::ProtocolVersion
        | AlertDescription::InsufficientSecurity => (FailureClass::SecurityNotSupported, ""),
        AlertDescription::NoApplicationProtocol => (FailureClass::ProtocolNotSupported, ""),
        _ => (FailureClass::HandshakeFailed, "tls: the peer refused the handshake with an alert"),
    }
}

/// What was found wrong with a certificate.
fn refusal_of(error: &CertificateError) -> CertificateRefusal {
    match error {
        CertificateError::Expired => CertificateRefusal::Expired,
        CertificateError::BadSignature => CertificateRefusal::BadSignature,
        CertificateError::Other(other) => {
            other.0.downcast_ref().copied().unwrap_or(CertificateRefusal::Malformed)
        }
        _ => CertificateRefusal::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_their_classes() {
        for (error, class) in [
            (Error::AlertReceived(AlertDescription::BadCertificate), FailureClass::HandshakeFailed),
            (Error::AlertReceived(AlertDescription::ProtocolVersion), FailureClass::SecurityNotSupported),
            (
                Error::AlertReceived(AlertDescription::NoApplicationProtocol),
                FailureClass::ProtocolNotSupported,
            ),
            (CertificateError::Expired.into(), FailureClass::HandshakeFailed),
            (Error::NoCertificatesPresented, FailureClass::HandshakeFailed),
            (Error::PeerSentOversizedRecord, FailureClass::Malformed),
            (Error::FailedToGetRandomBytes, FailureClass::LocalResources),
        ] {
            assert_eq!(class_of(&error.clone().into(), false).0, class, "{error:?}");
        }
        let error = ChannelError::Tls(Error::DecryptError);
        assert_eq!(class_of(&error, true).0, FailureClass::Malformed);
        assert_eq!(class_of(&error, false).0, FailureClass::HandshakeFailed);
        assert_ne!(refusal_of(&CertificateError::Expired), refusal_of(&CertificateError::BadSignature));
    }
}
