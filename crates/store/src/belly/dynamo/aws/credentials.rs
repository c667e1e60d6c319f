//! Who asks: a name, what only it knows, and until when that holds.

use std::{fmt, time::Duration};

use schema::Timestamp;
use serde_json::Value;

/// What requests are signed with. Shown by its name alone.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsCredentials {
    /// The access key's id, which is no secret.
    pub access_key: String,
    pub(super) secret_key: String,
    /// Stands in each request where credentials are lent.
    pub(super) session_token: Option<String>,
    /// Until when they hold, since the Unix epoch; `None` if nobody says.
    pub expires: Option<Duration>,
}

/// Why there is nothing to sign with. No text has a secret in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsFailure {
    /// Nothing of the chain says who asks.
    #[error(
        "there are no credentials: neither the environment, the files of profiles, a web identity, the container nor the instance has any"
    )]
    NoCredentials,
    /// Something of the chain is there and cannot be used; what follows in the chain is not asked.
    #[error("the credentials of {source_name} cannot be used: {why}")]
    Unusable {
        /// What of the chain.
        source_name: &'static str,
        /// Why not.
        why: String,
    },
    /// Nothing says which region.
    #[error("there is no region: set AWS_REGION, or write region=... into the URL")]
    NoRegion,
    /// The endpoint is no URL.
    #[error("the endpoint cannot be asked: {0}")]
    Endpoint(String),
}

impl AwsFailure {
    pub(super) fn unusable(source_name: &'static str, why: impl Into<String>) -> Self {
        Self::Unusable { source_name, why: why.into() }
    }
}

impl AwsCredentials {
    /// Whether they hold for longer than this.
    pub(super) fn hold(&self, now: Duration, spare: Duration) -> bool {
        self.expires.is_none_or(|expires| expires > now.saturating_add(spare))
    }

    /// What containers and instances answer: an object with `AccessKeyId`, `SecretAccessKey`, `Token` and `Expiration`. `None` if it is
    /// none.
    pub fn from_json(text: &[u8]) -> Option<Self> {
        let object: Value = serde_json::from_slice(text).ok()?;
        let field = |name: &str| Some(object.get(name)?.as_str()?.to_owned());
        Some(Self {
            access_key: field("AccessKeyId")?,
            secret_key: field("SecretAccessKey")?,
            session_token: field("Token"),
            expires: field("Expiration").map(|text| moment(&text)),
        })
    }

    /// What STS answers: an XML document with the same fields, but `SessionToken`. `None` if it is none.
    pub fn from_xml(text: &str) -> Option<Self> {
        let field = |name: &str| {
            let (_, behind) = text.split_once(&format!("<{name}>"))?;
            let (value, _) = behind.split_once(&format!("</{name}>"))?;
            // What stands in these fields has no need of anything that XML escapes.
            (!value.contains(['<', '&'])).then(|| value.trim().to_owned())
        };
        Some(Self {
            access_key: field("AccessKeyId")?,
            secret_key: field("SecretAccessKey")?,
            session_token: Some(field("SessionToken")?),
            expires: field("Expiration").map(|text| moment(&text)),
        })
    }
}

/// `2026-11-27T22:00:00Z`, with or without milliseconds. What is none of it has expired: it is asked for again.
fn moment(text: &str) -> Duration {
    let text = if text.len() == 20 { text.replace('Z', ".000Z") } else { text.to_owned() };
    let micros = Timestamp::parse(&text).map_or(0, |moment| moment.0);
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

impl fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsCredentials")
            .field("access_key", &self.access_key)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: Duration = Duration::from_secs(1_764_280_800);

    #[test]
    fn what_containers_instances_and_sts_say_is_read() {
        let json = br#"{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"S/+=","Token":"T","Expiration":"2025-11-27T22:00:00Z"}"#;
        let xml = "<R><Credentials><SessionToken>T</SessionToken><SecretAccessKey>S/+=</SecretAccessKey>
            <Expiration>2025-11-27T22:00:00.000Z</Expiration><AccessKeyId>A</AccessKeyId></Credentials></R>";
        let read = AwsCredentials::from_json(json).unwrap();
        assert_eq!(Some(read.clone()), AwsCredentials::from_xml(xml));
        assert_eq!(
            (read.access_key.as_str(), read.secret_key.as_str(), read.expires),
            ("A", "S/+=", Some(UNTIL))
        );
        let [early, late] = [2, 1].map(|s| UNTIL.saturating_sub(Duration::from_secs(s)));
        assert!(read.hold(early, Duration::from_secs(1)) && !read.hold(late, Duration::from_secs(1)));
        assert!(!format!("{read:?}").contains("S/+="), "{read:?}");
        assert_eq!(AwsCredentials::from_json(b"{\"AccessKeyId\":\"A\"}"), None);
        assert_eq!(AwsCredentials::from_xml("<AccessKeyId>A"), None);
        let odd = br#"{"AccessKeyId":"A","SecretAccessKey":"S","Expiration":"soon"}"#;
        assert_eq!(AwsCredentials::from_json(odd).unwrap().expires, Some(Duration::ZERO));
    }
}
