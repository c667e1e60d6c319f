//! Credentials of AWS, in files of profiles and as services lend them: none without a key's id, and no secret is ever shown.

use store::belly::{AwsCredentials, AwsProfiles};

/// What the secret in the corpus is called: nothing else is looked for, since what is no secret may hold the same letters.
const SECRET: &str = "hunter22hunter22";

/// Reads the bytes as both files of profiles, and as answers.
pub fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (config, keys) = text.split_once('\0').unwrap_or((text, text));
    let profiles = AwsProfiles::parse(config, keys);
    for profile in ["default", "work"] {
        match profiles.credentials(profile) {
            Ok(Some(found)) => shown(profiles.get(profile, "aws_access_key_id"), &found),
            Ok(None) => {
                let has_both = profiles.get(profile, "aws_access_key_id").is_some()
                    && profiles.get(profile, "aws_secret_access_key").is_some();
                assert!(!has_both, "credentials are there and not found");
            }
            Err(failure) => assert!(!failure.to_string().contains(SECRET), "{failure}"),
        }
    }
    for found in [AwsCredentials::from_json(bytes), AwsCredentials::from_xml(text)].into_iter().flatten() {
        shown(None, &found);
    }
}

fn shown(access_key: Option<&str>, found: &AwsCredentials) {
    assert!(access_key.is_none_or(|key| key == found.access_key));
    assert!(found.access_key.contains(SECRET) || !format!("{found:?}").contains(SECRET), "{found:?}");
}
