//! What Amazon ECS says of the task that a server runs in: its region's name is in the environment, its size and address in its metadata.
//! Source: the task metadata endpoint, version 4, of a container (Parsec reads the same).

use std::{env, net::IpAddr, time::Duration};

use http::{HttpClient, HttpClientConfig, HttpRequest, HttpUrl};
use serde::Deserialize;

use crate::{args::EntryArgs, exit::Failed, output};

/// How long the endpoint may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of the task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Task {
    /// In 1,024ths of a core, and in MiB.
    pub(super) limits: Option<(u32, u32)>,
    /// Where it is reached within its network.
    pub(super) address: Option<IpAddr>,
    /// The name of its region; empty if nobody says.
    pub(super) region: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    networks: Vec<TaskNetwork>,
}

#[derive(Debug, Default, Deserialize)]
struct Limits {
    #[serde(rename = "CPU", default)]
    cpu: f64,
    #[serde(rename = "Memory", default)]
    memory: f64,
}

#[derive(Debug, Deserialize)]
struct TaskNetwork {
    #[serde(rename = "NetworkMode", default)]
    mode: String,
    #[serde(rename = "IPv4Addresses", default)]
    addresses: Vec<IpAddr>,
}

impl Task {
    /// Reads what the options and the environment say of it: the JSON itself wins over the URL.
    pub(super) async fn read(args: &EntryArgs) -> Result<Self, Failed> {
        let variable = |name| env::var(name).ok().filter(|text| !text.is_empty());
        let json = args.ecs_metadata.clone().or_else(|| variable("ECS_CONTAINER_METADATA"));
        let url = args.ecs_metadata_uri_v4.clone().or_else(|| variable("ECS_CONTAINER_METADATA_URI_V4"));
        let mut task = match (json, url) {
            (Some(json), _) => Self::of(&json)?,
            (None, Some(url)) => Self::of(&asked(&url).await?)?,
            (None, None) => Self::default(),
        };
        task.region = args.region.clone().or_else(|| variable("AWS_REGION")).unwrap_or_default();
        if task.region.is_empty() {
            output::note("no region is known: --region says where the server is");
        }
        Ok(task)
    }

    fn of(json: &str) -> Result<Self, Failed> {
        let read: Metadata = serde_json::from_str(json)
            .map_err(|error| Failed::usage(format!("the metadata of ECS cannot be read: {error}")))?;
        let whole = |number: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is within the bounds"
            )]
            let whole = number.clamp(1.0, f64::from(i32::MAX)) as u32;
            whole
        };
        let mut address = read.networks.iter().filter(|network| network.mode == "awsvpc");
        Ok(Self {
            limits: Some((whole(read.limits.cpu), whole(read.limits.memory))),
            address: address.find_map(|network| network.addresses.first()).copied(),
            region: String::new(),
        })
    }
}

async fn asked(url: &str) -> Result<String, Failed> {
    let failed = |what: String| Failed::usage(format!("the metadata of ECS cannot be had at {url}: {what}"));
    let url: HttpUrl = url.parse().map_err(|error: http::HttpError| failed(error.to_string()))?;
    let config = HttpClientConfig { request_time: PATIENCE, ..HttpClientConfig::default() };
    let client = HttpClient::new(config).map_err(|error| failed(error.to_string()))?;
    let answer = client.send(HttpRequest::get(url)).await.map_err(|failure| failed(failure.to_string()))?;
    if answer.status == 200 { Ok(answer.text()) } else { Err(failed(format!("status {}", answer.status))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_says_its_size_and_where_it_is() {
        let json = r#"{"DockerId":"x","Limits":{"CPU":512,"Memory":1024},"Networks":[
            {"NetworkMode":"bridge","IPv4Addresses":["172.17.0.2"]},{"NetworkMode":"awsvpc","IPv4Addresses":["10.0.2.106"]}]}"#;
        let task = Task::of(json).unwrap();
        assert_eq!((task.limits, task.address), (Some((512, 1024)), Some([10, 0, 2, 106].into())));
        assert_eq!(Task::of("{}").unwrap().limits, Some((1, 1)));
        assert!(Task::of("[7]").is_err() && Task::of("").is_err());
    }
}
