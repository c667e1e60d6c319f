//! Tables and lists of clouds: what is in which, and which of several says it.

use proptest::prelude::*;

use super::*;

/// The layouts as their providers document them, with ranges for documentation.
const AWS: &str = r#"{"syncToken": "1", "createDate": "2026-11-01-00-00-00",
    "prefixes": [{"ip_prefix": "192.0.2.0/25", "region": "eu-west-1", "network_border_group": "eu-west-1", "service": "AMAZON"},
                 {"ip_prefix": "192.0.2.0/25", "region": "eu-west-1", "network_border_group": "eu-west-1", "service": "EC2"}],
    "ipv6_prefixes": [{"ipv6_prefix": "2001:db8:a::/48", "region": "eu-west-1", "service": "EC2", "network_border_group": "eu-west-1"}]}"#;
const GOOGLE: &str = r#"{"syncToken": "1", "creationTime": "2026-11-01T00:00:00", "prefixes": [
    {"ipv4Prefix": "198.51.100.0/24", "service": "Google Cloud", "scope": "africa-south1"},
    {"ipv6Prefix": "2001:db8:b::/48", "service": "Google Cloud", "scope": "africa-south1"}]}"#;
const AZURE: &str = r#"{"changeNumber": 1, "cloud": "Public", "values": [{"name": "AzureCloud.westeurope", "id": "AzureCloud.westeurope",
    "properties": {"changeNumber": 1, "region": "westeurope", "regionId": 18, "platform": "Azure", "systemService": "",
    "addressPrefixes": ["203.0.113.0/26", "2001:db8:c::/48"], "networkFeatures": null}}]}"#;
const ORACLE: &str = r#"{"last_updated_timestamp": "2026-11-01T00:00:00.000000", "regions": [{"region": "us-phoenix-1",
    "cidrs": [{"cidr": "203.0.113.64/26", "tags": ["OCI"]}]}]}"#;
const CLOUDFLARE: &str = "203.0.113.128/26\n2001:db8:d::/48\n";
const DIGITALOCEAN: &str =
    "203.0.113.192/26,NL,NL-NH,Amsterdam,1098 XH\n2001:db8:e::/48,NL,NL-NH,Amsterdam,1098 XH\n";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn each_providers_list_is_read_in_its_own_layout() {
    let mut clouds = Clouds::default();
    for (name, file) in [
        (None, AWS),
        (None, GOOGLE),
        (None, AZURE),
        (None, ORACLE),
        (Some("cloudflare"), CLOUDFLARE),
        (Some("digitalocean"), DIGITALOCEAN),
    ] {
        clouds = clouds.with_list("list", name, file.as_bytes()).unwrap();
    }
    for (address, cloud) in [
        ("192.0.2.127", Some("aws")),
        ("192.0.2.128", None),
        ("2001:db8:a:ffff::1", Some("aws")),
        ("198.51.100.7", Some("google")),
        ("2001:db8:b::1", Some("google")),
        ("203.0.113.1", Some("azure")),
        ("2001:db8:c::1", Some("azure")),
        ("203.0.113.127", Some("oracle")),
        ("203.0.113.128", Some("cloudflare")),
        ("2001:db8:d::1", Some("cloudflare")),
        ("203.0.113.255", Some("digitalocean")),
        ("2001:db8:e::1", Some("digitalocean")),
        ("2001:db8:f::1", None),
    ] {
        assert_eq!(clouds.name_of(ip(address)), cloud, "{address}");
    }
    assert_eq!(clouds.len(), 11, "the range that AWS names for two services is one");
}

#[test]
fn a_list_that_is_none_is_refused_by_name() {
    let refused =
        |name, text: &str| Clouds::default().with_list("a file", name, text.as_bytes()).unwrap_err();
    assert_eq!(refused(Some("x"), " \n"), SourceError::Empty { file: "a file".into() });
    assert_eq!(refused(None, CLOUDFLARE), SourceError::NoName { file: "a file".into() });
    for (text, problem) in [
        ("{\"prefixes\": ", "it is no JSON"),
        ("{\"other\": 1}", "none of these has its keys"),
        ("{\"prefixes\": []}", "there is no range in it"),
        ("{\"values\": [{\"name\": 1}]}", "it is not as azure has it"),
        ("{\"regions\": [{\"cidrs\": [{\"cidr\": \"192.0.2.0/33\"}]}]}", "`192.0.2.0/33` is no range"),
        ("<html>", "`<html>` is no range"),
        ("1.1.1.1/8 and more", "is no range"),
    ] {
        let error = refused(Some("x"), text).to_string();
        assert!(error.starts_with("a file: ") && error.contains(problem), "{text}: {error}");
    }
    let error = Clouds::default().with_list("a file", None, b"\xff\xfe").unwrap_err().to_string();
    assert!(error.contains("it is no text"), "{error}");
}

#[test]
fn a_range_says_more_than_a_network_and_a_long_one_more_than_a_short_one() {
    let table = "# whose\n\n10.0.0.0/8 wide\n10.1.0.0/16 narrow\n10.1.2.3 single host\nAS64496 by network\n2001:db8::/32 six\n";
    let clouds = Clouds::parse("table", table).unwrap();
    for (address, name) in [
        ("10.0.255.255", "wide"),
        ("10.1.0.0", "narrow"),
        ("10.1.2.2", "narrow"),
        ("10.1.2.3", "single host"),
        ("10.1.2.4", "narrow"),
        ("10.2.0.0", "wide"),
        ("::ffff:10.1.0.1", "narrow"),
        ("2001:db8::1", "six"),
    ] {
        assert_eq!(
            clouds.cloud_of(ip(address), Some(64496)),
            Some((name, CloudEvidence::Range)),
            "{address}"
        );
    }
    let outside = ip("11.0.0.0");
    assert_eq!(clouds.cloud_of(outside, Some(64496)), Some(("by network", CloudEvidence::Asn)));
    assert_eq!((clouds.cloud_of(outside, Some(1)), clouds.cloud_of(outside, None)), (None, None));
}

#[test]
fn lines_that_are_none_are_named() {
    for line in ["10.0.0.0/8", "10.0.0.0/33 x", "AS x", "AS1x y", "AS99999999999 x", "x y", "10.0.0/8 x"] {
        let parsed = Clouds::parse("table", &format!("# first\n{line}"));
        assert_eq!(parsed, Err(SourceError::Line { file: "table".into(), line: 2 }), "{line}");
    }
    assert_eq!(Clouds::parse("all", "0.0.0.0/0 all").unwrap().name_of(ip("9.9.9.9")), Some("all"));
}

#[test]
fn the_table_that_comes_with_the_project_is_read_and_says_from_where_it_is() {
    let clouds = Clouds::shipped().unwrap();
    assert!(clouds.len() > 50);
    for (asn, name) in [(16509, "aws"), (396_982, "google"), (24940, "hetzner"), (14061, "digitalocean")] {
        assert_eq!(clouds.cloud_of(ip("192.0.2.1"), Some(asn)), Some((name, CloudEvidence::Asn)));
    }
    assert!(SHIPPED.starts_with("# ") && SHIPPED.contains("read 2026-"));
}

proptest! {
    #[test]
    fn the_longest_range_that_an_address_is_in_says_whose_it_is(
        ranges in prop::collection::vec((any::<u8>(), 24u8..=32), 0..40),
        asked in any::<u8>(),
    ) {
        let lines: Vec<String> = ranges
            .iter()
            .enumerate()
            .map(|(index, (last, length))| format!("192.0.2.{last}/{length} {index}"))
            .collect();
        let clouds = Clouds::parse("table", &lines.join("\n")).unwrap();
        // By looking at each: the longest, and of two that are equal the first.
        let covers = |last: u8, length: u8| u32::from(last ^ asked) >> (32 - length) == 0;
        let mut longest: Option<(u8, usize)> = None;
        for (index, &(last, length)) in ranges.iter().enumerate() {
            if covers(last, length) && longest.is_none_or(|(there, _)| length > there) {
                longest = Some((length, index));
            }
        }
        let expected = longest.map(|(_, index)| index.to_string());
        prop_assert_eq!(clouds.name_of(ip(&format!("192.0.2.{asked}"))), expected.as_deref());
    }
}
