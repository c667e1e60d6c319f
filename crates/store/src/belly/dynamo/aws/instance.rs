//! What an instance of EC2 is told by its host: credentials and the region, by version 2 of the metadata service.
//!
//! Source: EC2 User Guide, "Use the Instance Metadata Service". Where there is no such service, which is almost everywhere, nobody waits for long.

use std::time::Duration;

use http::{HttpClient, HttpFailure, HttpRequest, HttpUrl};

use super::credentials::{AwsCredentials, AwsFailure};
use crate::belly::dynamo::variables::AwsVariables;

/// What stands for this part of the chain in errors.
const SOURCE: &str = "the instance";

/// Where the service is.
const LINK: &str = "http://169.254.169.254";

/// How long a service that is as near as this may take.
const NEAR: Duration = Duration::from_secs(1);

/// For how long a token is asked, in seconds: it is used at once.
const TOKEN_S: &str = "60";

/// The longest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// A request to somebody who is at hand or not there.
pub(super) fn within_reach(request: HttpRequest) -> HttpRequest {
    request.within(NEAR).at_most(MAX_ANSWER_BYTES)
}

/// What the instance is lent; `None` if this is no instance, or one without a role.
pub(super) async fn ask(
    variables: &AwsVariables,
    client: &HttpClient,
) -> Result<Option<AwsCredentials>, AwsFailure> {
    const ROLES: &str = "latest/meta-data/iam/security-credentials";
    let unusable = |why: &dyn std::fmt::Display| AwsFailure::unusable(SOURCE, why.to_string());
    let Some(metadata) = Metadata::reach(variables, client).await? else { return Ok(None) };
    let Some(roles) = metadata.get(&format!("{ROLES}/")).await.map_err(|failure| unusable(&failure))? else {
        return Ok(None);
    };
    let Some(role) = roles.lines().next().map(str::trim).filter(|role| !role.is_empty()) else {
        return Ok(None);
    };
    let lent = metadata.get(&format!("{ROLES}/{role}")).await.map_err(|failure| unusable(&failure))?;
    let lent = lent.and_then(|text| AwsCredentials::from_json(text.as_bytes()));
    lent.map(Some).ok_or_else(|| unusable(&"what it answers are no credentials"))
}

/// The region that the instance is in; `None` if this is no instance.
pub(super) async fn region(variables: &AwsVariables, client: &HttpClient) -> Option<String> {
    let metadata = Metadata::reach(variables, client).await.ok()??;
    let region = metadata.get("latest/meta-data/placement/region").await.ok()??;
    Some(region.trim().to_owned()).filter(|region| !region.is_empty())
}

/// A metadata service that has given a token.
struct Metadata<'a> {
    client: &'a HttpClient,
    base: HttpUrl,
    token: String,
}

impl<'a> Metadata<'a> {
    async fn reach(variables: &AwsVariables, client: &'a HttpClient) -> Result<Option<Self>, AwsFailure> {
        if variables.get("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        {
            return Ok(None);
        }
        let unusable = |error: http::HttpError| AwsFailure::unusable(SOURCE, error.to_string());
        let base = variables.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(LINK);
        let base: HttpUrl = base.parse().map_err(unusable)?;
        let request = HttpRequest::put(base.below("latest/api/token").map_err(unusable)?, "")
            .header("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_S)
            .map_err(unusable)?;
        // Whatever goes wrong here, this is no instance that says anything.
        match client.send(within_reach(request)).await.and_then(http::HttpAnswer::well) {
            Ok(answer) => Ok(Some(Self { client, base, token: answer.text() })),
            Err(_) => Ok(None),
        }
    }

    /// What stands at a path; `None` if nothing does.
    async fn get(&self, path: &str) -> Result<Option<String>, HttpFailure> {
        let malformed =
            |error: http::HttpError| HttpFailure::new(http::HttpFailureClass::Malformed, error.to_string());
        let request = HttpRequest::get(self.base.below(path).map_err(malformed)?)
            .header("x-aws-ec2-metadata-token", &self.token)
            .map_err(malformed)?;
        let answer = self.client.send(within_reach(request)).await?;
        if answer.status == 404 { Ok(None) } else { Ok(Some(answer.well()?.text())) }
    }
}
