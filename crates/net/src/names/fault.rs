//! From the resolver's errors to the closed classes: by variant and code, never by text.

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use kad::failure::{Failure, FailureClass, Phase};

/// Why a name did not resolve.
pub(super) fn failure(error: &NetError) -> Failure {
    let class = match error {
        NetError::Timeout => FailureClass::Timeout,
        NetError::Dns(DnsError::NoRecordsFound(none)) => class_of(none.response_code),
        NetError::Dns(DnsError::ResponseCode(code)) => class_of(*code),
        NetError::Busy => FailureClass::LocalResources,
        _ => FailureClass::NameServerFailed,
    };
    match error {
        NetError::Timeout | NetError::Dns(_) => Failure::new(Phase::Dns, class),
        error => Failure::with_detail(Phase::Dns, class, &error.to_string()),
    }
}

const fn class_of(code: ResponseCode) -> FailureClass {
    match code {
        ResponseCode::NoError | ResponseCode::NXDomain => FailureClass::NameNotFound,
        _ => FailureClass::NameServerFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_their_classes() {
        let code = |code| NetError::Dns(DnsError::ResponseCode(code));
        for (error, class) in [
            (NetError::Timeout, FailureClass::Timeout),
            (code(ResponseCode::NXDomain), FailureClass::NameNotFound),
            (code(ResponseCode::ServFail), FailureClass::NameServerFailed),
            (code(ResponseCode::Refused), FailureClass::NameServerFailed),
            (NetError::NoConnections, FailureClass::NameServerFailed),
            (NetError::Busy, FailureClass::LocalResources),
        ] {
            let failure = failure(&error);
            assert_eq!((failure.phase, failure.class), (Phase::Dns, class), "{error}");
        }
    }
}
