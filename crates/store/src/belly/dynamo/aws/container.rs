//! Credentials that a container is lent by whoever runs it: ECS, EKS and what does as they do.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Container credential provider".

use std::{fs::File, io::Read as _, net::IpAddr};

use http::{HttpClient, HttpRequest, HttpUrl};

use super::{
    credentials::{AwsCredentials, AwsFailure},
    instance::within_reach,
};
use crate::belly::dynamo::variables::AwsVariables;

/// What stands for this part of the chain in errors.
const SOURCE: &str = "the container";

/// Who is asked for a path.
const LINK: &str = "http://169.254.170.2";

/// Who may be asked without TLS, beside loopback: ECS, EKS.
const LENDERS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

/// The most that is read of a file with a token, in bytes.
const MAX_TOKEN_BYTES: u64 = 64 << 10;

/// What the container is lent; `None` if nothing says that it is.
pub(super) async fn ask(
    variables: &AwsVariables,
    client: &HttpClient,
) -> Result<Option<AwsCredentials>, AwsFailure> {
    let unusable = |why: &dyn std::fmt::Display| AwsFailure::unusable(SOURCE, why.to_string());
    let Some(url) = place(variables) else { return Ok(None) };
    let url: HttpUrl = url.parse().map_err(|error| unusable(&error))?;
    let is_lender = url.is_loopback() || url.is_https() || is_lender(url.host());
    if !is_lender {
        return Err(unusable(&"it would be asked without TLS, and is neither ECS, EKS nor on loopback"));
    }
    let mut request = within_reach(HttpRequest::get(url));
    if let Some(token) = token(variables)? {
        request = request.header("authorization", token.trim()).map_err(|error| unusable(&error))?;
    }
    let answer = client.send(request).await.and_then(http::HttpAnswer::well);
    let answer = answer.map_err(|failure| unusable(&failure))?;
    AwsCredentials::from_json(&answer.body)
        .map(Some)
        .ok_or_else(|| unusable(&"what it answers are no credentials"))
}

fn place(variables: &AwsVariables) -> Option<String> {
    let relative =
        variables.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map(|path| format!("{LINK}{path}"));
    relative.or_else(|| Some(variables.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")?.to_owned()))
}

fn is_lender(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|ip| LENDERS.iter().any(|lender| lender.parse() == Ok(ip)))
}

fn token(variables: &AwsVariables) -> Result<Option<String>, AwsFailure> {
    match variables.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(path) => token_in(path).map(Some).map_err(|why| AwsFailure::unusable(SOURCE, why)),
        None => Ok(variables.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(str::to_owned)),
    }
}

/// The token in a file; such files are written anew from time to time.
pub(super) fn token_in(path: &str) -> Result<String, String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_TOKEN_BYTES).read_to_string(&mut text));
    read.map(|_| text).map_err(|error| format!("{path}: {error}"))
}
