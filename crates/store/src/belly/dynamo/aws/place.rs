//! Where a service is: its region, and whom to ask there.

use http::{HttpClient, HttpUrl};

use super::{chain::DEFAULT_PROFILE, credentials::AwsFailure, instance, profile::AwsProfiles};
use crate::belly::dynamo::variables::AwsVariables;

/// A service of AWS.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Service {
    DynamoDb,
    Sts,
}

/// A region, and who is asked.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) url: HttpUrl,
}

/// What a belly's URL says of it, before all else.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Said<'a> {
    pub(crate) region: Option<&'a str>,
    pub(crate) endpoint: Option<&'a str>,
}

impl Service {
    /// Its name in signatures and hosts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::Sts => "sts",
        }
    }

    const fn variable(self) -> &'static str {
        match self {
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Sts => "AWS_ENDPOINT_URL_STS",
        }
    }
}

impl Place {
    /// By what is said, the environment, the profile and the instance, in this order.
    pub(crate) async fn of(
        service: Service,
        variables: &AwsVariables,
        profiles: &AwsProfiles,
        said: Option<Said<'_>>,
        client: &HttpClient,
    ) -> Result<Self, AwsFailure> {
        let said = said.unwrap_or_default();
        let profile = variables.get("AWS_PROFILE").unwrap_or(DEFAULT_PROFILE);
        let region = said
            .region
            .or_else(|| variables.get("AWS_REGION"))
            .or_else(|| variables.get("AWS_DEFAULT_REGION"))
            .or_else(|| profiles.get(profile, "region"));
        let region = match region {
            Some(region) => region.to_owned(),
            None => instance::region(variables, client).await.ok_or(AwsFailure::NoRegion)?,
        };
        let is_name = region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_name {
            return Err(AwsFailure::Endpoint("the region's name is none".to_owned()));
        }
        let endpoint = said
            .endpoint
            .or_else(|| variables.get(service.variable()))
            .or_else(|| variables.get("AWS_ENDPOINT_URL"))
            .or_else(|| profiles.get(profile, "endpoint_url"));
        let endpoint = endpoint.map_or_else(|| usual(service, &region), str::to_owned);
        let url =
            endpoint.parse().map_err(|error: http::HttpError| AwsFailure::Endpoint(error.to_string()))?;
        Ok(Self { region, url })
    }
}

/// Where a service is that nobody says to be elsewhere. Source: AWS General Reference, "Service endpoints".
fn usual(service: Service, region: &str) -> String {
    let china = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://{}.{region}.amazonaws.com{china}", service.name())
}
