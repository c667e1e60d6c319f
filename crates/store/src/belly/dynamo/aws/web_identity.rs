//! Credentials for a token that somebody else vouches by, as pods of Kubernetes have one: STS is asked for them.
//!
//! Source: AWS STS API Reference, `AssumeRoleWithWebIdentity`. The request is not signed: the token is what it shows.

use std::{fmt::Write as _, time::Duration};

use http::{HttpAnswer, HttpClient, HttpRequest};

use super::{
    chain::DEFAULT_PROFILE,
    container::token_in,
    credentials::{AwsCredentials, AwsFailure},
    place::{Place, Service},
    profile::AwsProfiles,
};
use crate::belly::dynamo::variables::AwsVariables;

/// What stands for this part of the chain in errors.
const SOURCE: &str = "the web identity";

/// What is lent; `None` if nothing names a token and a role.
pub(super) async fn ask(
    variables: &AwsVariables,
    profiles: &AwsProfiles,
    client: &HttpClient,
    now: Duration,
) -> Result<Option<AwsCredentials>, AwsFailure> {
    let unusable = |why: &dyn std::fmt::Display| AwsFailure::unusable(SOURCE, why.to_string());
    let profile = variables.get("AWS_PROFILE").unwrap_or(DEFAULT_PROFILE);
    let said = |variable, setting| variables.get(variable).or_else(|| profiles.get(profile, setting));
    let Some(file) = said("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file") else { return Ok(None) };
    let role =
        said("AWS_ROLE_ARN", "role_arn").ok_or_else(|| unusable(&"no role is named (AWS_ROLE_ARN)"))?;
    let named = said("AWS_ROLE_SESSION_NAME", "role_session_name").map(str::to_owned);
    let session = named.unwrap_or_else(|| format!("kadscope-{}", now.as_secs()));
    let token = token_in(file).map_err(|why| unusable(&why))?;
    let place = Place::of(Service::Sts, variables, profiles, None, client).await?;
    let mut body = String::from("Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
    for (name, value) in
        [("RoleArn", role), ("RoleSessionName", &session), ("WebIdentityToken", token.trim())]
    {
        body.extend(["&", name, "=", &form_encoded(value)]);
    }
    let request = HttpRequest::post(place.url, body)
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .map_err(|error| unusable(&error))?;
    let answer =
        client.send(request).await.and_then(HttpAnswer::well).map_err(|failure| unusable(&failure))?;
    AwsCredentials::from_xml(&answer.text())
        .map(Some)
        .ok_or_else(|| unusable(&"what STS answers are no credentials"))
}

/// Whatever is neither a letter, a digit nor one of `-_.~` as `%` and two digits.
fn form_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing into a text does not fail.
            write!(encoded, "%{byte:02X}").ok();
        }
    }
    encoded
}
