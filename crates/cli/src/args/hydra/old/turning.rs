//! From what an old flag says to options of ours: a function for each row of the table.

use super::{said::Said, table::Turned};

type Result = std::result::Result<Turned, String>;

/// An option with the value as it is.
fn option(name: &'static str, value: impl Into<String>) -> Turned {
    Turned { options: vec![(name, value.into())], note: None }
}

/// One that nothing became of, which is said.
fn nothing(note: &'static str) -> Turned {
    Turned { note: Some(note), ..Turned::default() }
}

/// A text; one that is empty says what the default says.
fn text(name: &'static str, said: &Said) -> Turned {
    if said.value.is_empty() { Turned::default() } else { option(name, &*said.value) }
}

/// A switch of which nothing became, which is said where somebody has switched it on.
fn moot(said: &Said, note: &'static str) -> Result {
    Ok(if said.switch()? { nothing(note) } else { Turned::default() })
}

pub(super) fn heads(said: &Said) -> Result {
    let heads = said.whole()?;
    if heads < 1 {
        return Err(said.wrong("a hydra has at least one head (leave the flag out for one)"));
    }
    Ok(option("heads", heads.to_string()))
}

/// Its text is shown nowhere: what is wrong with it is said by whoever reads the seed.
pub(super) fn seed(said: &Said) -> Turned {
    text("seed-text", said)
}

pub(super) fn offset(said: &Said) -> Result {
    match said.whole()? {
        -1 => Ok(option("offset", "0")),
        offset @ 0.. => Ok(option("offset", offset.to_string())),
        _ => Err(said.wrong("an offset is 0 or more")),
    }
}

pub(super) fn db(said: &Said) -> Turned {
    let is_url = ["postgres://", "postgresql://", "dynamodb://", "sqlite:"]
        .iter()
        .any(|scheme| said.value.starts_with(scheme));
    match said.value.as_str() {
        "" => Turned::default(),
        url if is_url => option("belly", url),
        path => option("belly", format!("sqlite:{path}")),
    }
}

pub(super) fn mem(said: &Said) -> Result {
    Ok(if said.switch()? { option("belly", "memory") } else { Turned::default() })
}

pub(super) fn pstore(said: &Said) -> Turned {
    if said.value.is_empty() {
        Turned::default()
    } else {
        nothing("not used: the peers that heads know are kept in the state directory (--state)")
    }
}

pub(super) fn provider_store(said: &Said) -> Result {
    let value = said.value.as_str();
    if value.is_empty() {
        return Ok(Turned::default());
    }
    if value == "none" {
        return Err(said.wrong("a head that keeps no provider records loses those that it is given; --belly memory keeps them for as long as the process lives"));
    }
    if value.starts_with("https://") || value.starts_with("http://") {
        let note = "it is asked beside the belly, and records that heads are given are kept";
        return Ok(Turned { note: Some(note), ..option("delegated", value) });
    }
    let options = value.strip_prefix("dynamodb://").or_else(|| value.strip_prefix("dynamodb,"));
    match options {
        Some(options) => Ok(option("belly", format!("dynamodb://{}", dynamodb(said, options)?))),
        None => Err(said.wrong("write dynamodb://table=NAME,ttl=24h,queryLimit=N, or an https:// URL")),
    }
}

/// The options of a table in one spelling: each named once, the time with its unit, which the README left out.
fn dynamodb(said: &Said, text: &str) -> std::result::Result<String, String> {
    let form = "the table is written as table=NAME,ttl=24h,queryLimit=N";
    let mut written = Vec::new();
    for part in text.split(',') {
        let (key, value) = part.split_once('=').ok_or_else(|| said.wrong(form))?;
        let seconds = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty();
        match key {
            "table" if !value.is_empty() => written.push(format!("table={value}")),
            "ttl" if seconds => written.push(format!("ttl={value}s")),
            "ttl" if super::go::time_us(value).is_some_and(|time| time > 0) => written.push(part.to_owned()),
            "ttl" => return Err(said.wrong("ttl is a time with its unit, such as 24h")),
            "queryLimit" if value.parse::<i32>().is_ok_and(|limit| limit > 0) => {
                written.push(part.to_owned());
            }
            "queryLimit" => return Err(said.wrong("queryLimit is a whole number from 1 to 2147483647")),
            _ => return Err(said.wrong(form)),
        }
    }
    for key in ["table=", "ttl=", "queryLimit="] {
        if written.iter().filter(|part| part.starts_with(key)).count() != 1 {
            return Err(said.wrong(&format!("{key} must be said once; {form}")));
        }
    }
    Ok(written.join(","))
}

pub(super) fn delegated_timeout(said: &Said) -> Result {
    match said.whole()? {
        0 => Ok(Turned::default()),
        ms @ 1.. => Ok(option("delegated-timeout", format!("{ms}ms"))),
        _ => Err(said.wrong("a timeout is a number of milliseconds")),
    }
}

pub(super) fn api_addr(said: &Said) -> Turned {
    text("api-addr", &Said { value: socket(&said.value), ..said.clone() })
}

pub(super) fn metrics_addr(said: &Said) -> Turned {
    text("metrics-addr", &Said { value: socket(&said.value), ..said.clone() })
}

/// An address as Go listens at it: without a host it is every address, and `localhost` is one.
fn socket(text: &str) -> String {
    match text.rsplit_once(':') {
        Some(("", port)) => format!("0.0.0.0:{port}"),
        Some(("localhost", port)) => format!("127.0.0.1:{port}"),
        _ => text.to_owned(),
    }
}

pub(super) fn relay(said: &Said) -> Result {
    moot(said, "not used: it did nothing in hydra-booster either")
}

pub(super) fn port(said: &Said) -> Result {
    match said.whole()? {
        -1 => Ok(option("port", "0")),
        port @ 0..=65_535 => Ok(option("port", port.to_string())),
        _ => Err(said.wrong("a port is a number up to 65535")),
    }
}

pub(super) fn protocol(said: &Said) -> Result {
    match said.value.as_str() {
        "" | "/ipfs" => Ok(Turned::default()),
        prefix if prefix.starts_with('/') => Ok(option("protocol", format!("{prefix}/kad/1.0.0"))),
        _ => Err(said.wrong("a prefix begins with `/`, as /ipfs does")),
    }
}

pub(super) fn bucket_size(said: &Said) -> Result {
    match said.whole()? {
        0 | 20 => Ok(Turned::default()),
        _ => Err(said.wrong("buckets have 20 peers, as every server of the network expects")),
    }
}

pub(super) fn bootstrap_conc(said: &Said) -> Result {
    match said.whole()? {
        count @ 1.. => Ok(option("joins-at-once", count.to_string())),
        _ => Err(said.wrong("with less than 1 no head would ever join")),
    }
}

pub(super) fn bootstrap(said: &Said) -> Turned {
    match said.value.trim() {
        "none" => option("alone", "true"),
        _ => text("bootstrap", said),
    }
}

pub(super) fn stagger(said: &Said) -> Result {
    Ok(match said.time_us()? {
        0 => option("stagger", "0s"),
        us => option("stagger", format!("{us}us")),
    })
}

pub(super) fn ui(said: &Said) -> Result {
    match said.value.as_str() {
        "logey" | "gooey" | "none" => Ok(option("ui", &*said.value)),
        _ => Err(said.wrong("write logey, gooey or none")),
    }
}

pub(super) fn name(said: &Said) -> Turned {
    text("name", said)
}

pub(super) fn idgen(said: &Said) -> Turned {
    text("idgen", said)
}

pub(super) fn provider_gc(said: &Said) -> Result {
    moot(said, "not used: of several hydras on one belly one collects, by a lease")
}

pub(super) fn providers(said: &Said) -> Result {
    refused(said, "a head that keeps no provider records is no server of the network")
}

pub(super) fn values(said: &Said) -> Result {
    refused(said, "a head that keeps no values is no server of the network")
}

fn refused(said: &Said, why: &str) -> Result {
    if said.switch()? { Err(said.wrong(why)) } else { Ok(Turned::default()) }
}

pub(super) fn no_prefetch(said: &Said) -> Result {
    Ok(option("no-prefetch", said.switch()?.to_string()))
}

pub(super) fn provider_counts(said: &Said) -> Result {
    moot(said, "not used: counting takes no scan, and of several hydras on one belly one counts")
}

pub(super) fn no_tables(said: &Said) -> Result {
    Ok(option("no-tables", said.switch()?.to_string()))
}

pub(super) fn rcmgr(said: &Said) -> Result {
    moot(said, "not used: the bounds are of the whole process (--connections-per-head, --memory-limit)")
}

pub(super) fn rcmgr_limits(said: &Said) -> Turned {
    if said.value.is_empty() {
        Turned::default()
    } else {
        nothing("not read: the bounds are of the whole process (--connections-per-head, --memory-limit)")
    }
}

pub(super) fn high_water(said: &Said) -> Result {
    match said.whole()? {
        high @ 1.. => Ok(option("connections-per-head", high.to_string())),
        _ => Err(said.wrong("a head needs at least one connection")),
    }
}

pub(super) fn low_water(said: &Said) -> Result {
    match said.whole()? {
        0.. => Ok(nothing("not used: the longest idle connection goes when another one comes")),
        _ => Err(said.wrong("a mark is 0 or more")),
    }
}

pub(super) fn grace(said: &Said) -> Result {
    said.time_us()?;
    Ok(nothing("not used: the longest idle connection goes first"))
}

pub(super) fn reframe(said: &Said) -> Turned {
    if said.value.is_empty() {
        Turned::default()
    } else {
        nothing("not used, as in hydra-booster's last version: --delegated URL asks by HTTP")
    }
}

pub(super) fn go_log(_: &Said) -> Turned {
    nothing("not used: --log says what is logged")
}
