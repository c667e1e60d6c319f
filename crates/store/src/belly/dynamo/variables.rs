//! What the environment says of AWS. The library does not read it: whoever opens a belly hands it in.

use std::{collections::BTreeMap, fmt, path::PathBuf};

/// The values of [`AwsVariables::NAMES`]. What is shown of them is which are set.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AwsVariables(BTreeMap<&'static str, String>);

impl AwsVariables {
    /// Every variable that says something (Source: AWS SDKs and Tools Reference Guide, "Settings reference"), and where files of
    /// the user are.
    pub const NAMES: &[&str] = &[
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "HOME",
    ];

    /// What `read` finds for each name. One that is empty counts as not set.
    pub fn read(read: impl Fn(&str) -> Option<String>) -> Self {
        let set = |&name: &&'static str| Some((name, read(name).filter(|value| !value.is_empty())?));
        Self(Self::NAMES.iter().filter_map(set).collect())
    }

    /// The value of a variable; `None` if it is not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A file that a variable names, or one below the user's own directory.
    pub fn file(&self, name: &str, in_home: &str) -> Option<PathBuf> {
        let named = self.get(name).map(PathBuf::from);
        named.or_else(|| Some(PathBuf::from(self.get("HOME")?).join(in_home)))
    }
}

impl fmt::Debug for AwsVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
