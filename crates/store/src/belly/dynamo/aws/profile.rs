//! The files `~/.aws/config` and `~/.aws/credentials`: profiles with settings.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files". Of settings below a setting (indented lines)
//! nothing is read.

use std::{collections::BTreeMap, fs, io::Read as _, path::Path};

use super::credentials::{AwsCredentials, AwsFailure};
use crate::belly::dynamo::variables::AwsVariables;

/// The most that is read of a file, in bytes: more than anybody writes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What stands for this part of the chain in errors.
const SOURCE: &str = "the files of profiles";

/// Ways to credentials that a profile can name and that are not gone here.
const NOT_GONE: [&str; 4] = ["credential_process", "sso_session", "sso_start_url", "source_profile"];

/// The settings of all profiles.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AwsProfiles(BTreeMap<String, BTreeMap<String, String>>);

impl AwsProfiles {
    /// Both files' profiles by their texts. Where both say something, the credentials' file is right.
    pub fn parse(config: &str, credentials: &str) -> Self {
        let mut profiles = Self::default();
        profiles.add(config, |section| {
            let name = section.strip_prefix("profile").filter(|name| name.starts_with(char::is_whitespace));
            name.map(str::trim).or_else(|| (section == "default").then_some(section))
        });
        profiles.add(credentials, Some);
        profiles
    }

    /// The files that the environment names, or the user's own; one that is not there has nothing in it.
    pub(crate) fn read(variables: &AwsVariables) -> Result<Self, AwsFailure> {
        let text =
            |name, in_home| variables.file(name, in_home).map_or(Ok(String::new()), |path| file_text(&path));
        let config = text("AWS_CONFIG_FILE", ".aws/config")?;
        Ok(Self::parse(&config, &text("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")?))
    }

    fn add<'t>(&mut self, text: &'t str, profile: impl Fn(&'t str) -> Option<&'t str>) {
        let mut current = None;
        for line in text.lines() {
            let is_below = line.starts_with([' ', '\t']);
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(section) = line.strip_prefix('[') {
                current = section.split_once(']').and_then(|(section, _)| profile(section.trim()));
                continue;
            }
            let (Some(name), Some((key, value)), false) = (current, line.split_once('='), is_below) else {
                continue;
            };
            // A comment begins behind white space.
            let value =
                value.split_once(" #").or_else(|| value.split_once(" ;")).map_or(value, |(value, _)| value);
            let settings = self.0.entry(name.to_owned()).or_default();
            drop(settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// A setting of a profile; `None` if it is not there or empty.
    pub fn get(&self, profile: &str, setting: &str) -> Option<&str> {
        self.0.get(profile)?.get(setting).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The credentials that a profile has; `None` if it has none.
    pub fn credentials(&self, profile: &str) -> Result<Option<AwsCredentials>, AwsFailure> {
        let key = |name| self.get(profile, name).map(str::to_owned);
        let keys = (key("aws_access_key_id"), key("aws_secret_access_key"));
        if let (Some(access_key), Some(secret_key)) = keys {
            let session_token = key("aws_session_token");
            return Ok(Some(AwsCredentials { access_key, secret_key, session_token, expires: None }));
        }
        match NOT_GONE.iter().find(|way| self.get(profile, way).is_some()) {
            Some(way) => {
                Err(AwsFailure::unusable(SOURCE, format!("{way} is not supported (profile {profile})")))
            }
            None => Ok(None),
        }
    }

    /// Whether there is a profile of this name.
    pub(super) fn has(&self, profile: &str) -> bool {
        self.0.contains_key(profile)
    }
}

fn file_text(path: &Path) -> Result<String, AwsFailure> {
    let unusable =
        |error: &dyn std::fmt::Display| AwsFailure::unusable(SOURCE, format!("{}: {error}", path.display()));
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(unusable(&error)),
    };
    let mut text = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut text).map_err(|error| unusable(&error))?;
    String::from_utf8(text).map_err(|_| unusable(&"it is no text"))
}

/// Which profiles there are, without their settings.
impl std::fmt::Debug for AwsProfiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "# a comment
[default]
region = eu-west-1 # here
aws_access_key_id=OLD
[profile  work]
region=us-east-2
s3 =
  region = no
[other]
region=no
[profile odd
region=no
[profile sso]
sso_session = x
";
    const CREDENTIALS: &str = "[default]\naws_access_key_id = A\naws_secret_access_key = s;e#c=\n[work]\nAWS_ACCESS_KEY_ID=B\naws_secret_access_key=t\naws_session_token=u\n[half]\naws_access_key_id=C";

    #[test]
    fn profiles_are_read_from_both_files() {
        let profiles = AwsProfiles::parse(CONFIG, CREDENTIALS);
        let keys = |profile| {
            profiles.credentials(profile).unwrap().map(|found| (found.access_key, found.secret_key))
        };
        assert_eq!(keys("default"), Some(("A".into(), "s;e#c=".into())));
        assert_eq!(keys("work"), Some(("B".into(), "t".into())));
        assert_eq!(keys("half"), None);
        assert_eq!(keys("nobody"), None);
        assert_eq!(profiles.get("default", "region"), Some("eu-west-1"));
        assert_eq!(profiles.get("work", "region"), Some("us-east-2"));
        assert_eq!(profiles.get("other", "region"), None, "in the config, a profile says that it is one");
        assert!(!format!("{profiles:?}").contains("s;e#c="), "{profiles:?}");
        let sso = profiles.credentials("sso").unwrap_err().to_string();
        assert!(sso.contains("sso_session is not supported"), "{sso}");
    }
}
