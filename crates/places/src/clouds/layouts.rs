//! The lists of ranges that providers publish, in their own layouts.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::table::{CloudRange, parse_range};
use crate::SourceError;

/// The ranges of a list, and whose they are where the layout says it.
#[derive(Debug)]
pub(super) struct RangeList {
    pub(super) name: Option<&'static str>,
    pub(super) ranges: BTreeSet<CloudRange>,
}

/// AWS, `ip-ranges.json`. Source: Amazon VPC User Guide, "AWS IP address ranges JSON".
#[derive(Debug, Deserialize)]
struct Aws {
    prefixes: Vec<AwsPrefix>,
    #[serde(default)]
    ipv6_prefixes: Vec<AwsIpv6Prefix>,
}

#[derive(Debug, Deserialize)]
struct AwsPrefix {
    ip_prefix: String,
}

#[derive(Debug, Deserialize)]
struct AwsIpv6Prefix {
    ipv6_prefix: String,
}

/// Google, `cloud.json` (customers of its cloud) and `goog.json` (all of Google). Source: Google Cloud, "Where can I find IP ranges".
#[derive(Debug, Deserialize)]
struct Google {
    prefixes: Vec<GooglePrefix>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GooglePrefix {
    ipv4_prefix: Option<String>,
    ipv6_prefix: Option<String>,
}

/// Azure, `ServiceTags_Public_DATE.json`. Source: Microsoft, "Virtual network service tags".
#[derive(Debug, Deserialize)]
struct Azure {
    values: Vec<AzureTag>,
}

#[derive(Debug, Deserialize)]
struct AzureTag {
    properties: AzureProperties,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AzureProperties {
    address_prefixes: Vec<String>,
}

/// Oracle, `public_ip_ranges.json`. Source: Oracle Cloud Infrastructure, "IP Address Ranges".
#[derive(Debug, Deserialize)]
struct Oracle {
    regions: Vec<OracleRegion>,
}

#[derive(Debug, Deserialize)]
struct OracleRegion {
    cidrs: Vec<OracleCidr>,
}

#[derive(Debug, Deserialize)]
struct OracleCidr {
    cidr: String,
}

/// Reads a list in whatever layout it is.
pub(super) fn list(file: &str, bytes: &[u8]) -> Result<RangeList, SourceError> {
    let wrong = |problem: String| SourceError::NotRanges { file: file.to_owned(), problem };
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is no text".to_owned()))?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(SourceError::Empty { file: file.to_owned() });
    }
    let (name, prefixes) = if text.trim_start().starts_with('{') {
        of_json(text).map_err(wrong)?
    } else {
        (None, of_lines(text))
    };
    let mut ranges = BTreeSet::new();
    for prefix in prefixes {
        let no_range = || wrong(format!("`{}` is no range", crate::database::cut(&prefix, 64)));
        ranges.insert(parse_range(&prefix).ok_or_else(no_range)?);
    }
    if ranges.is_empty() {
        return Err(wrong("there is no range in it".to_owned()));
    }
    Ok(RangeList { name, ranges })
}

/// By the keys that a layout has: whose ranges they are, and the ranges.
fn of_json(text: &str) -> Result<(Option<&'static str>, Vec<String>), String> {
    let json: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let first = &json["prefixes"][0];
    let (name, prefixes) = if json.get("regions").is_some() {
        ("oracle", read::<Oracle>(json).map(Oracle::prefixes))
    } else if json.get("values").is_some() {
        ("azure", read::<Azure>(json).map(Azure::prefixes))
    } else if json.get("ipv6_prefixes").is_some() || first.get("ip_prefix").is_some() {
        ("aws", read::<Aws>(json).map(Aws::prefixes))
    } else if json.get("prefixes").is_some() {
        ("google", read::<Google>(json).map(Google::prefixes))
    } else {
        return Err("none of these has its keys".to_owned());
    };
    prefixes
        .map(|prefixes| (Some(name), prefixes))
        .map_err(|error| format!("it is not as {name} has it: {error}"))
}

fn read<T: for<'de> Deserialize<'de>>(json: Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(json)
}

/// A range at the beginning of each line: Cloudflare's `ips-v4` and `ips-v6` have nothing else, geofeeds (RFC 8805; `DigitalOcean`'s
/// `google.csv`) say behind a comma where it is.
fn of_lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(',').map_or(line, |(range, _)| range).trim().to_owned()).collect()
}

impl Aws {
    fn prefixes(self) -> Vec<String> {
        let ipv4 = self.prefixes.into_iter().map(|prefix| prefix.ip_prefix);
        ipv4.chain(self.ipv6_prefixes.into_iter().map(|prefix| prefix.ipv6_prefix)).collect()
    }
}

impl Google {
    fn prefixes(self) -> Vec<String> {
        self.prefixes
            .into_iter()
            .flat_map(|prefix| [prefix.ipv4_prefix, prefix.ipv6_prefix])
            .flatten()
            .collect()
    }
}

impl Azure {
    fn prefixes(self) -> Vec<String> {
        self.values.into_iter().flat_map(|tag| tag.properties.address_prefixes).collect()
    }
}

impl Oracle {
    fn prefixes(self) -> Vec<String> {
        self.regions.into_iter().flat_map(|region| region.cidrs).map(|cidr| cidr.cidr).collect()
    }
}
