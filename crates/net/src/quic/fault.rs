//! From quinn's errors to the closed classes: by variant and code, never by text.

use kad::failure::{Failure, FailureClass, Phase};
use quinn::{ConnectError, ConnectionError, TransportErrorCode, VarInt};

use crate::yamux::{
    CONNECTION_RATE_LIMITED, CONNECTION_RESOURCE_LIMIT, STREAM_RATE_LIMITED, STREAM_RESOURCE_LIMIT,
};

/// The range of transport errors that carry an alert of TLS (RFC 9001, section 4.8).
const CRYPTO_ERRORS: std::ops::RangeInclusive<u64> = 0x100..=0x1ff;

/// The code with which a peer resets a stream whose protocol it does not speak (libp2p's error codes). The reset overtakes
/// its answer to the proposal.
const STREAM_NEGOTIATION_FAILED: u32 = 0x1001;

/// Alerts of TLS (RFC 8446, section 6).
const HANDSHAKE_FAILURE: u64 = 40;
const PROTOCOL_VERSION: u64 = 70;
const INSUFFICIENT_SECURITY: u64 = 71;
const NO_APPLICATION_PROTOCOL: u64 = 120;

/// Why a dial could not begin.
pub(super) fn not_begun(error: &ConnectError) -> Failure {
    let class = match error {
        ConnectError::InvalidRemoteAddress(_) => FailureClass::AddressNotAvailable,
        ConnectError::EndpointStopping | ConnectError::CidsExhausted => FailureClass::LocalResources,
        _ => FailureClass::Other,
    };
    of_class(Phase::Connect, class, error)
}

/// Why a connection is over, in the phase in which it was.
pub(super) fn lost(phase: Phase, error: &ConnectionError) -> Failure {
    let class = match error {
        ConnectionError::VersionMismatch => FailureClass::ProtocolNotSupported,
        ConnectionError::Reset => FailureClass::ConnectionReset,
        ConnectionError::TimedOut => FailureClass::Timeout,
        ConnectionError::LocallyClosed => FailureClass::Cancelled,
        ConnectionError::CidsExhausted => FailureClass::LocalResources,
        ConnectionError::ApplicationClosed(close) => closed_by_application(close.error_code),
        ConnectionError::ConnectionClosed(close) => match close.error_code {
            TransportErrorCode::NO_ERROR | TransportErrorCode::APPLICATION_ERROR => {
                FailureClass::ConnectionClosed
            }
            // The server has no room; it is there.
            TransportErrorCode::CONNECTION_REFUSED => FailureClass::ResourceLimit,
            code => alert(code).unwrap_or(FailureClass::Other),
        },
        ConnectionError::TransportError(error) => match error.code {
            TransportErrorCode::INTERNAL_ERROR => FailureClass::LocalResources,
            code => alert(code).unwrap_or(FailureClass::ProtocolViolation),
        },
    };
    let of_tls = matches!(error, ConnectionError::ConnectionClosed(close) if alert(close.error_code).is_some())
        || matches!(error, ConnectionError::TransportError(error) if alert(error.code).is_some());
    of_class(if of_tls { Phase::Secure } else { phase }, class, error)
}

/// Why the peer has reset a stream.
pub(super) fn reset_class(code: VarInt) -> FailureClass {
    match u32::try_from(code.into_inner()) {
        Ok(STREAM_NEGOTIATION_FAILED) => FailureClass::ProtocolNotSupported,
        Ok(STREAM_RESOURCE_LIMIT | STREAM_RATE_LIMITED) => FailureClass::ResourceLimit,
        _ => FailureClass::StreamReset,
    }
}

fn closed_by_application(code: VarInt) -> FailureClass {
    match u32::try_from(code.into_inner()) {
        Ok(CONNECTION_RESOURCE_LIMIT | CONNECTION_RATE_LIMITED) => FailureClass::ResourceLimit,
        _ => FailureClass::ConnectionClosed,
    }
}

/// What an alert of TLS means; `None` for other codes.
fn alert(code: TransportErrorCode) -> Option<FailureClass> {
    let code = u64::from(code);
    CRYPTO_ERRORS.contains(&code).then_some(match code & 0xff {
        HANDSHAKE_FAILURE | PROTOCOL_VERSION | INSUFFICIENT_SECURITY => FailureClass::SecurityNotSupported,
        NO_APPLICATION_PROTOCOL => FailureClass::ProtocolNotSupported,
        _ => FailureClass::HandshakeFailed,
    })
}

/// A failure, with the text where the class does not say it all.
fn of_class(phase: Phase, class: FailureClass, error: &impl std::error::Error) -> Failure {
    match class {
        FailureClass::Other
        | FailureClass::HandshakeFailed
        | FailureClass::ProtocolViolation
        | FailureClass::LocalResources => Failure::with_detail(phase, class, &error.to_string()),
        class => Failure::new(phase, class),
    }
}

#[cfg(test)]
mod tests {
    use quinn::{ApplicationClose, ConnectionClose};

    use super::*;

    fn closed(code: TransportErrorCode) -> ConnectionError {
        ConnectionError::ConnectionClosed(ConnectionClose {
            error_code: code,
            frame_type: None,
            reason: bytes::Bytes::new(),
        })
    }

    fn application(code: u32) -> ConnectionError {
        let error_code = VarInt::from_u32(code);
        ConnectionError::ApplicationClosed(ApplicationClose { error_code, reason: bytes::Bytes::new() })
    }

    #[test]
    fn resets_of_streams_have_their_classes() {
        for (code, class) in [
            (0, FailureClass::StreamReset),
            (STREAM_NEGOTIATION_FAILED, FailureClass::ProtocolNotSupported),
            (STREAM_RESOURCE_LIMIT, FailureClass::ResourceLimit),
        ] {
            assert_eq!(reset_class(VarInt::from_u32(code)), class);
        }
    }

    #[test]
    fn ends_have_their_classes() {
        for (error, phase, class) in [
            (closed(TransportErrorCode::CONNECTION_REFUSED), Phase::Connect, FailureClass::ResourceLimit),
            (closed(TransportErrorCode::NO_ERROR), Phase::Connect, FailureClass::ConnectionClosed),
            (closed(TransportErrorCode::APPLICATION_ERROR), Phase::Connect, FailureClass::ConnectionClosed),
            (closed(TransportErrorCode::crypto(42)), Phase::Secure, FailureClass::HandshakeFailed),
            (closed(TransportErrorCode::crypto(40)), Phase::Secure, FailureClass::SecurityNotSupported),
            (closed(TransportErrorCode::crypto(120)), Phase::Secure, FailureClass::ProtocolNotSupported),
            (closed(TransportErrorCode::FLOW_CONTROL_ERROR), Phase::Connect, FailureClass::Other),
            (application(0), Phase::Connect, FailureClass::ConnectionClosed),
            (application(CONNECTION_RESOURCE_LIMIT), Phase::Connect, FailureClass::ResourceLimit),
            (ConnectionError::Reset, Phase::Connect, FailureClass::ConnectionReset),
            (ConnectionError::TimedOut, Phase::Connect, FailureClass::Timeout),
            (ConnectionError::VersionMismatch, Phase::Connect, FailureClass::ProtocolNotSupported),
        ] {
            let failure = lost(Phase::Connect, &error);
            assert_eq!((failure.phase, failure.class), (phase, class), "{error:?}");
        }
    }
}
