//! What names a belly in `DynamoDB`: `dynamodb://table=T,ttl=24h,queryLimit=10000`, as hydra-booster's code reads it, and
//! `dynamodb,table=T,ttl=86400,queryLimit=10000`, as its page says it.

use std::{fmt, time::Duration};

use kad::records::PROVIDE_VALIDITY;

use super::variables::AwsVariables;

/// The longest name of a table, in characters (Source: `DynamoDB`'s limits on names).
const MAX_TABLE: usize = 255;

/// How many providers of a key are read at most, if nobody says otherwise.
const DEFAULT_QUERY_LIMIT: u32 = 1024;

/// Records in tables of `DynamoDB`, and what the environment says of how to reach them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamoUrl {
    /// The table of provider records.
    pub table: String,
    /// The table of values; `None` for the table's name with `-values` behind it.
    pub values: Option<String>,
    /// How long a provider record is kept at most.
    pub ttl: Duration,
    /// How many providers of a key are read at most.
    pub query_limit: u32,
    /// The region, before what the environment says.
    pub region: Option<String>,
    /// Whom to ask instead of AWS, before what the environment says.
    pub endpoint: Option<String>,
    pub(super) variables: AwsVariables,
    pub(super) now: Duration,
}

impl DynamoUrl {
    /// Whether a text is meant to be one.
    pub fn is_meant(text: &str) -> bool {
        text == "dynamodb" || text.starts_with("dynamodb:") || text.starts_with("dynamodb,")
    }

    /// Reads either form; what is wrong with it otherwise.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let settings = text.strip_prefix("dynamodb://").or_else(|| text.strip_prefix("dynamodb,"));
        let settings = settings.ok_or("write dynamodb://table=NAME")?;
        let mut url = Self {
            table: String::new(),
            values: None,
            ttl: PROVIDE_VALIDITY,
            query_limit: DEFAULT_QUERY_LIMIT,
            region: None,
            endpoint: None,
            variables: AwsVariables::default(),
            now: Duration::ZERO,
        };
        let mut known = Vec::new();
        for setting in settings.split(',') {
            let (name, value) =
                setting.split_once('=').ok_or("each setting is NAME=VALUE, with commas between")?;
            if value.is_empty() {
                return Err("a setting has no value");
            }
            if known.contains(&name) {
                return Err("a setting is there twice");
            }
            known.push(name);
            url.set(name, value)?;
        }
        if url.table.is_empty() { Err("it names no table: write dynamodb://table=NAME") } else { Ok(url) }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "table" => self.table = table(value)?,
            "values" => self.values = Some(table(value)?),
            "ttl" => self.ttl = lifetime(value)?,
            "queryLimit" => {
                let limit = value.parse().ok().filter(|limit| (1..=i32::MAX as u32).contains(limit));
                self.query_limit = limit.ok_or("queryLimit is a number of providers, 1 at least")?;
            }
            "region" => self.region = Some(value.to_owned()),
            "endpoint" => self.endpoint = Some(value.to_owned()),
            _ => return Err("its settings are table, values, ttl, queryLimit, region and endpoint"),
        }
        Ok(())
    }

    /// The same, with what the environment says of AWS and what time it is, since the Unix epoch. Without, requests are signed as of 1970,
    /// which AWS refuses.
    #[must_use]
    pub fn with_variables(self, variables: AwsVariables, now: Duration) -> Self {
        Self { variables, now, ..self }
    }

    /// The table of values.
    pub fn values_table(&self) -> String {
        self.values.clone().unwrap_or_else(|| format!("{}-values", self.table))
    }
}

/// As it is read back.
impl fmt::Display for DynamoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, values, ttl, query_limit, region, endpoint, .. } = self;
        write!(f, "dynamodb://table={table},ttl={}s,queryLimit={query_limit}", ttl.as_secs())?;
        for (name, value) in [("values", values), ("region", region), ("endpoint", endpoint)] {
            if let Some(value) = value {
                write!(f, ",{name}={value}")?;
            }
        }
        Ok(())
    }
}

fn table(name: &str) -> Result<String, &'static str> {
    let is_name =
        name.len() <= MAX_TABLE && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if is_name {
        Ok(name.to_owned())
    } else {
        Err("a table's name has letters, digits, `_`, `-` and `.`, 255 at most")
    }
}

/// A lifetime as Go writes it (`24h`, `1h30m`), or in whole seconds.
fn lifetime(text: &str) -> Result<Duration, &'static str> {
    let read = match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => go_duration(text),
    };
    let is_sane = |ttl: &Duration| (1..=PROVIDE_VALIDITY.as_secs() * 365).contains(&ttl.as_secs());
    read.filter(is_sane).ok_or("ttl is a time such as 24h or 1h30m, or a number of seconds, 1 s at least")
}

/// A sequence of numbers with units, without a sign (Source: Go's `time.ParseDuration`).
fn go_duration(text: &str) -> Option<Duration> {
    let (mut rest, mut sum) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(digits);
        let unit_len = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, next) = behind.split_at(unit_len);
        let unit_s = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit_s).ok()?;
        sum = sum.checked_add(part)?;
        rest = next;
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, u64, u32) {
        let url = DynamoUrl::parse(text).unwrap();
        assert_eq!(DynamoUrl::parse(&url.to_string()).unwrap(), url);
        (url.table, url.ttl.as_secs(), url.query_limit)
    }

    #[test]
    fn both_forms_of_the_original_are_read() {
        assert_eq!(read("dynamodb://table=T,ttl=24h,queryLimit=10000"), ("T".into(), 86_400, 10_000));
        assert_eq!(read("dynamodb,table=T,ttl=86400,queryLimit=7"), ("T".into(), 86_400, 7));
        assert_eq!(read("dynamodb://ttl=1h30m,table=a_b-c.d"), ("a_b-c.d".into(), 5400, DEFAULT_QUERY_LIMIT));
        assert_eq!(read("dynamodb://table=T").1, PROVIDE_VALIDITY.as_secs());
        let url =
            DynamoUrl::parse("dynamodb://table=T,values=V,region=eu-west-1,endpoint=http://127.0.0.1:1")
                .unwrap();
        assert_eq!(DynamoUrl::parse(&url.to_string()).unwrap(), url);
        assert_eq!((url.values_table().as_str(), url.region.as_deref()), ("V", Some("eu-west-1")));
        assert_eq!(DynamoUrl::parse("dynamodb://table=T").unwrap().values_table(), "T-values");
    }

    #[test]
    fn what_is_mistyped_is_refused() {
        for text in [
            "dynamodb://",
            "dynamodb://ttl=24h",
            "dynamodb://table=",
            "dynamodb://table=a b",
            "dynamodb://table=T,table=U",
            "dynamodb://table=T,ttl=",
            "dynamodb://table=T,ttl=0s",
            "dynamodb://table=T,ttl=24x",
            "dynamodb://table=T,ttl=-1h",
            "dynamodb://table=T,ttl=1e300h",
            "dynamodb://table=T,queryLimit=0",
            "dynamodb://table=T,queryLimit=2147483648",
            "dynamodb://table=T,limit=1",
            "dynamodb:table=T",
        ] {
            DynamoUrl::parse(text).expect_err(text);
            assert!(DynamoUrl::is_meant(text));
        }
    }

    #[test]
    fn times_are_read_as_go_reads_them() {
        let millis = |text| go_duration(text).map(|time| time.as_millis());
        assert_eq!(millis("1.5h"), Some(5_400_000));
        assert_eq!(millis("1h2m3s4ms"), Some(3_723_004));
        assert_eq!(millis(""), None);
        assert_eq!(millis("h"), None);
        assert_eq!(millis("5"), None);
    }
}
