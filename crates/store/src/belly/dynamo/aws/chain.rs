//! Where credentials are looked for, one place after the other, and for how long they are kept.
//!
//! The order is that of AWS's programs: the environment, the files of profiles, a web identity, the container, the instance. What is
//! there and cannot be used is an error, so that nobody asks in a name that was not meant. Source: AWS SDKs and Tools Reference
//! Guide, "Standardized credential providers".

use std::{sync::Arc, time::Duration};

use http::HttpClient;
use tokio::sync::Mutex;

use super::{
    container,
    credentials::{AwsCredentials, AwsFailure},
    instance,
    profile::AwsProfiles,
    web_identity,
};
use crate::belly::dynamo::variables::AwsVariables;

/// How long before their end lent credentials are asked for again.
const SPARE: Duration = Duration::from_secs(300);

/// How long it takes at least before the chain is gone through again that had nothing new, while the old credentials hold.
const RETRY: Duration = Duration::from_secs(30);

/// Finds credentials and keeps them while they hold.
#[derive(Debug)]
pub(crate) struct CredentialChain {
    variables: AwsVariables,
    client: HttpClient,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    credentials: Arc<AwsCredentials>,
    /// Until when nothing else is looked for, since the Unix epoch.
    until: Duration,
}

impl CredentialChain {
    pub(crate) fn new(variables: AwsVariables, client: HttpClient) -> Self {
        Self { variables, client, kept: Mutex::new(None) }
    }

    /// Credentials that hold at `now`, since the Unix epoch. Of many who ask at once, one looks for them.
    pub(crate) async fn get(&self, now: Duration) -> Result<Arc<AwsCredentials>, AwsFailure> {
        let mut kept = self.kept.lock().await;
        if let Some(Kept { credentials, until }) = &*kept
            && now < *until
        {
            return Ok(Arc::clone(credentials));
        }
        let found = match self.find(now).await {
            Ok(found) => Arc::new(found),
            Err(failure) => match &*kept {
                Some(Kept { credentials, .. }) if credentials.hold(now, Duration::ZERO) => {
                    Arc::clone(credentials)
                }
                _ => return Err(failure),
            },
        };
        let until =
            found.expires.map_or(Duration::MAX, |expires| expires.saturating_sub(SPARE).max(now + RETRY));
        *kept = Some(Kept { credentials: Arc::clone(&found), until });
        Ok(found)
    }

    /// Forgets what a service took for expired.
    pub(crate) async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    async fn find(&self, now: Duration) -> Result<AwsCredentials, AwsFailure> {
        let (variables, client) = (&self.variables, &self.client);
        if let Some(found) = of_environment(variables)? {
            return Ok(found);
        }
        // Other programs may have written them anew.
        let profiles = AwsProfiles::read(variables)?;
        if let Some(found) = self.of_profile(&profiles)? {
            return Ok(found);
        }
        if let Some(found) = web_identity::ask(variables, &profiles, client, now).await? {
            return Ok(found);
        }
        if let Some(found) = container::ask(variables, client).await? {
            return Ok(found);
        }
        instance::ask(variables, client).await?.ok_or(AwsFailure::NoCredentials)
    }

    fn of_profile(&self, profiles: &AwsProfiles) -> Result<Option<AwsCredentials>, AwsFailure> {
        let named = self.variables.get("AWS_PROFILE");
        let name = named.unwrap_or(DEFAULT_PROFILE);
        if named.is_some() && !profiles.has(name) {
            return Err(AwsFailure::unusable("the files of profiles", format!("there is no profile {name}")));
        }
        profiles.credentials(name)
    }
}

/// The profile that counts if none is named.
pub(super) const DEFAULT_PROFILE: &str = "default";

fn of_environment(variables: &AwsVariables) -> Result<Option<AwsCredentials>, AwsFailure> {
    let get = |name| variables.get(name).map(str::to_owned);
    match (get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")) {
        (Some(access_key), Some(secret_key)) => {
            let session_token = get("AWS_SESSION_TOKEN");
            Ok(Some(AwsCredentials { access_key, secret_key, session_token, expires: None }))
        }
        (None, None) => Ok(None),
        _ => Err(AwsFailure::unusable("the environment", "of the key's id and its secret one is missing")),
    }
}

#[cfg(test)]
mod tests;
