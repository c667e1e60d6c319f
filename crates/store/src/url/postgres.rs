//! The name of a database as users write it: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=...`.
//!
//! What is shown of it is put together from its parts, and the password is none of those that are shown. So a name that is not
//! understood is not an error of the reading but of the opening: whoever reads options prints what could not be read.

use std::{fmt, path::PathBuf};

use super::variables::PgVariables;

/// A password. It is compared and sent, and shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(pub(crate) String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A PostgreSQL database, and what the environment adds to what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    pub(crate) parts: Result<Parts, &'static str>,
    pub(crate) variables: PgVariables,
}

/// What a URL says; what it leaves open comes from the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Password>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) database: Option<String>,
    pub(crate) ssl_mode: Option<SslMode>,
    pub(crate) root_cert: Option<PathBuf>,
    pub(crate) passfile: Option<PathBuf>,
}

/// How much TLS a connection must have, by the names that PostgreSQL's own programs give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SslMode {
    /// None.
    Disable,
    /// If the server has it; nothing is verified. The default.
    Prefer,
    /// It must; nothing is verified, unless a file of roots is named.
    Require,
    /// Its certificate comes from a root that is trusted.
    VerifyCa,
    /// And is for the host that was dialled.
    VerifyFull,
}

impl SslMode {
    const ALL: [(&'static str, Self); 5] = [
        ("disable", Self::Disable),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
    ];

    /// The mode of a name.
    pub(crate) fn from_name(name: &str) -> Result<Self, &'static str> {
        let found = Self::ALL.into_iter().find(|&(known, _)| known == name);
        found.map(|(_, mode)| mode).ok_or(BAD_SSL_MODE)
    }
}

const BAD_SSL_MODE: &str = "sslmode is one of disable, prefer, require, verify-ca and verify-full";
pub(crate) const BAD_PORT: &str = "the port is no number from 1 to 65535";
const BAD_ESCAPE: &str = "a `%` is not followed by two hexadecimal digits";
const BAD_NAME: &str = "what stands behind the host is no database's name (a password with `/`, `?`, `#` or `@` in it has \
                        them as %2F, %3F, %23 and %40)";
const BAD_PARAMETER: &str = "a parameter is not known (known: host, port, user, password, dbname, sslmode, sslrootcert, \
                             passfile)";

impl PostgresUrl {
    /// Whether a name of a store is one of a database.
    pub(crate) fn is_scheme(scheme: &str) -> bool {
        scheme == "postgres" || scheme == "postgresql"
    }

    /// Reads what stands behind the scheme and its colon.
    pub(crate) fn new(behind_scheme: &str) -> Self {
        Self { parts: Parts::parse(behind_scheme), variables: PgVariables::default() }
    }

    /// A name of a kind that is not known, with a user in it.
    pub(crate) fn unknown() -> Self {
        Self { parts: Err("there is no such kind of store"), variables: PgVariables::default() }
    }

    /// The same, with what the environment says where the URL says nothing.
    #[must_use]
    pub fn with_variables(self, variables: PgVariables) -> Self {
        Self { variables, ..self }
    }

    /// The directory for rows that wait while the database is away; `None` if the environment names no home.
    pub fn spills(&self) -> Option<PathBuf> {
        let home = || Some(self.variables.path("HOME")?.join(".local/state"));
        let state = self.variables.path("XDG_STATE_HOME").filter(|path| path.is_absolute());
        Some(state.or_else(home)?.join("kadscope"))
    }
}

/// Without the password: `postgres://USER@HOST:PORT/DATABASE`, less what is not written. `postgres://...` where it is not
/// understood.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        let Ok(parts) = &self.parts else { return f.write_str("...") };
        if let Some(user) = &parts.user {
            write!(f, "{}@", Escaped(user))?;
        }
        if let Some(host) = &parts.host {
            write!(f, "{}", HostText(host))?;
        }
        if let Some(port) = parts.port {
            write!(f, ":{port}")?;
        }
        if let Some(database) = &parts.database {
            write!(f, "/{}", Escaped(database))?;
        }
        Ok(())
    }
}

/// A host as a URL has it: an IPv6 address in brackets, the directory of a socket escaped.
pub(crate) struct HostText<'a>(pub(crate) &'a str);

impl fmt::Display for HostText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.contains(':') || self.0.starts_with('/') {
            return Escaped(self.0).fmt(f);
        }
        f.write_str("[")?;
        for (place, part) in self.0.split(':').enumerate() {
            f.write_str(if place == 0 { "" } else { ":" })?;
            Escaped(part).fmt(f)?;
        }
        f.write_str("]")
    }
}

/// Text with what means something in a URL escaped.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                    write!(f, "{}", char::from(byte))?;
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

impl Parts {
    fn parse(behind_scheme: &str) -> Result<Self, &'static str> {
        let rest = behind_scheme.strip_prefix("//").ok_or("`//` is missing behind the scheme")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) =
            user.split_once(':').map_or((user, None), |(user, secret)| (user, Some(secret)));
        if [user, database].iter().any(|text| text.contains(['/', '@', '#', ':'])) {
            return Err(BAD_NAME);
        }
        let mut parts = Self {
            user: written(user)?,
            password: password.map(decoded).transpose()?.map(Password),
            database: written(database)?,
            ..Self::default()
        };
        parts.host_and_port(host)?;
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').ok_or("a parameter has no value")?;
            parts.parameter(name, decoded(value)?)?;
        }
        Ok(parts)
    }

    fn host_and_port(&mut self, text: &str) -> Result<(), &'static str> {
        let (host, port) = match text.strip_prefix('[') {
            Some(bracketed) => {
                let (host, behind) = bracketed.split_once(']').ok_or("the host's `[` has no `]`")?;
                (host, behind.strip_prefix(':').or_else(|| behind.is_empty().then_some("")).ok_or(BAD_PORT)?)
            }
            None => text.split_once(':').unwrap_or((text, "")),
        };
        if host.contains(',') || port.contains(',') {
            return Err("several hosts are named, and one is asked");
        }
        self.host = written(host)?;
        self.port = if port.is_empty() { None } else { Some(parse_port(port)?) };
        Ok(())
    }

    fn parameter(&mut self, name: &str, value: String) -> Result<(), &'static str> {
        let some = |value: String| Some(value).filter(|value| !value.is_empty());
        match name {
            "user" => self.user = some(value),
            "password" => self.password = Some(Password(value)),
            "host" => self.host = some(value),
            "port" => self.port = Some(parse_port(&value)?),
            "dbname" => self.database = some(value),
            "sslmode" => self.ssl_mode = Some(SslMode::from_name(&value)?),
            "sslrootcert" => self.root_cert = Some(value.into()),
            "passfile" => self.passfile = Some(value.into()),
            _ => return Err(BAD_PARAMETER),
        }
        Ok(())
    }
}

/// A port that is not 0.
pub(crate) fn parse_port(text: &str) -> Result<u16, &'static str> {
    text.parse().ok().filter(|&port| port != 0).ok_or(BAD_PORT)
}

/// Text that is there; `None` for an empty one.
fn written(text: &str) -> Result<Option<String>, &'static str> {
    if text.is_empty() { Ok(None) } else { decoded(text).map(Some) }
}

/// Text without its escapes.
fn decoded(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        // A sign is a number's for `from_str_radix`, and no digit.
        let (digits, behind) = rest.split_at_checked(2).ok_or(BAD_ESCAPE)?;
        let digits = str::from_utf8(digits).ok().filter(|text| text.bytes().all(|c| c.is_ascii_hexdigit()));
        bytes.push(u8::from_str_radix(digits.ok_or(BAD_ESCAPE)?, 16).map_err(|_| BAD_ESCAPE)?);
        rest = behind;
    }
    String::from_utf8(bytes).map_err(|_| "an escaped text is no UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Parts {
        PostgresUrl::new(text.strip_prefix("postgres:").unwrap()).parts.unwrap()
    }

    #[test]
    fn every_part_is_understood() {
        let all =
            parts("postgres://me:s%40cret@db.example:5433/dht?sslmode=verify-full&sslrootcert=/x/ca.pem");
        assert_eq!(all.user.as_deref(), Some("me"));
        assert_eq!(all.password, Some(Password("s@cret".to_owned())));
        assert_eq!((all.host.as_deref(), all.port), (Some("db.example"), Some(5433)));
        assert_eq!(all.database.as_deref(), Some("dht"));
        assert_eq!(all.ssl_mode, Some(SslMode::VerifyFull));
        assert_eq!(all.root_cert, Some("/x/ca.pem".into()));
        assert_eq!(parts("postgres://"), Parts::default());
        let socket = Parts { host: Some("/var/run/postgresql".into()), ..Parts::default() };
        assert_eq!(parts("postgres://%2Fvar%2Frun%2Fpostgresql"), socket);
        assert_eq!(parts("postgres:///?host=/var/run/postgresql"), socket);
        assert_eq!(parts("postgres://[::1]:5433").host.as_deref(), Some("::1"));
    }

    #[test]
    fn what_is_shown_is_read_back_but_for_the_password() {
        for (text, shown) in [
            ("postgres://me:secret@db/dht?sslmode=require", "postgres://me@db/dht"),
            ("postgres://db:5433?user=me&password=secret", "postgres://me@db:5433"),
            ("postgres://%2Frun/a%2Fb", "postgres://%2Frun/a%2Fb"),
            ("postgres://[::1]:5433/x", "postgres://[::1]:5433/x"),
            // A zone, and what is no address though it has a colon.
            ("postgres://[fe80::1%25eth0]", "postgres://[fe80::1%25eth0]"),
            ("postgres://?host=a:b]/c", "postgres://[a:b%5D%2Fc]"),
            ("postgres://db?user=&dbname=&host=", "postgres://"),
        ] {
            let url = PostgresUrl::new(text.strip_prefix("postgres:").unwrap());
            assert_eq!(url.to_string(), shown);
            assert_eq!(PostgresUrl::new(shown.strip_prefix("postgres:").unwrap()).to_string(), shown);
            assert!(!format!("{url:?}").contains("secret"));
        }
    }

    /// Whatever is wrong with a URL, and wherever its password ends by mistake, nothing shows a part of it.
    #[test]
    fn no_part_of_a_password_is_shown_of_a_url_that_is_not_understood() {
        for text in [
            "//me:hun/ter2@db/dht",
            "//me:hunt?er2@db/dht",
            "//me:hunter2",
            "//me:5432/hunter2@db/dht",
            "//me:5432?hunter2@db/dht",
            "//me:hunter2%4@db",
            "//me:hunter2%+4@db",
            "me:hunter2@db",
            "//me:hunter2@db?sslmode=hunter2",
            "//me@db?hunter2=1",
            "//me@db:hunter2",
        ] {
            let url = PostgresUrl::new(text);
            assert!(url.parts.is_err(), "{text}");
            let shown = format!("{url} {url:?}");
            assert!(!shown.contains("hun") && !shown.contains("ter2"), "{shown}");
        }
    }

    /// A password that holds what ends one is still whole where there is no doubt.
    #[test]
    fn the_last_at_sign_ends_the_password() {
        for password in ["p@ss:w", "hunt#er2"] {
            let said = parts(&format!("postgres://me:{password}@db"));
            assert_eq!(said.password, Some(Password(password.to_owned())));
            assert_eq!(said.host.as_deref(), Some("db"));
        }
    }
}
