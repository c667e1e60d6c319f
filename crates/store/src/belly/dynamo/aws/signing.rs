//! Signatures of requests, version 4. Source: AWS, "Create a signed AWS API request".

use std::{fmt::Write as _, time::Duration};

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HttpError, HttpRequest, HttpUrl};
use schema::Timestamp;
use sha2::{Digest as _, Sha256};

use super::credentials::AwsCredentials;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// For what a signature is good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signing<'a> {
    pub(crate) credentials: &'a AwsCredentials,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    /// Since the Unix epoch. A service takes requests of the last minutes alone.
    pub(crate) now: Duration,
}

/// A POST with these headers and a signature.
pub(crate) fn signed(
    signing: &Signing<'_>,
    url: &HttpUrl,
    headers: &[(&'static str, &str)],
    body: Vec<u8>,
) -> Result<HttpRequest, HttpError> {
    let moment = amz_date(signing.now);
    let mut all = vec![("host", url.authority()), ("x-amz-date", &moment)];
    all.extend_from_slice(headers);
    all.extend(signing.credentials.session_token.as_deref().map(|token| ("x-amz-security-token", token)));
    all.sort_unstable();
    let authorization = signing.authorization("POST", url, &all, &body);
    let mut request = HttpRequest::post(url.clone(), body).header("authorization", &authorization)?;
    for (name, value) in all {
        // The client says itself which host it asks.
        if name != "host" {
            request = request.header(name, value)?;
        }
    }
    Ok(request)
}

impl Signing<'_> {
    /// The value of `Authorization`. Headers are sorted, their names in small letters, and what a path or a query escapes is escaped.
    fn authorization(&self, method: &str, url: &HttpUrl, headers: &[(&str, &str)], body: &[u8]) -> String {
        let moment = amz_date(self.now);
        let day = moment.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let mut canonical = format!("{method}\n{}\n{}\n", url.path(), url.query().unwrap_or_default());
        for (name, value) in headers {
            canonical.extend([name, ":", value.trim(), "\n"]);
        }
        canonical.extend(["\n", &names, "\n", &hex(&Sha256::digest(body))]);
        let to_sign = format!("{ALGORITHM}\n{moment}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let first = format!("AWS4{}", self.credentials.secret_key);
        let key = [day, self.region, self.service, "aws4_request"]
            .iter()
            .fold(first.into_bytes(), |key, part| keyed(&key, part));
        let signature = hex(&keyed(&key, &to_sign));
        let credential = format!("{}/{scope}", self.credentials.access_key);
        format!("{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}")
    }
}

/// HMAC-SHA-256 (RFC 2104).
fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a text does not fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// `20150830T123600Z`.
fn amz_date(now: Duration) -> String {
    let text = Timestamp(i64::try_from(now.as_micros()).unwrap_or(i64::MAX)).to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> AwsCredentials {
        AwsCredentials {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
            expires: None,
        }
    }

    /// The request "get-vanilla" of AWS's published test suite of signatures.
    #[test]
    fn a_published_request_has_its_published_signature() {
        let credentials = credentials();
        let now = Duration::from_secs(1_440_938_160);
        assert_eq!(amz_date(now), "20150830T123600Z");
        let signing = Signing { credentials: &credentials, region: "us-east-1", service: "service", now };
        let url: HttpUrl = "https://example.amazonaws.com/".parse().unwrap();
        let headers = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
        assert_eq!(
            signing.authorization("GET", &url, &headers, b""),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
    }
}
