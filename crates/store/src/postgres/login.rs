//! Where to connect and as whom: what the URL says, else the environment, else what PostgreSQL's own programs take.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::passfile;
use crate::url::{
    PgVariables, PostgresUrl,
    postgres::{Escaped, HostText, Parts, Password, SslMode, parse_port},
};

/// PostgreSQL's own port.
const DEFAULT_PORT: u16 = 5432;

/// Where Debian's PostgreSQL has its socket.
const SOCKETS: &str = "/var/run/postgresql";

/// A database and who asks it, nothing left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    /// A name, an address, or the directory of a socket: that begins with `/`.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) database: String,
    /// `None` if nobody says one: the server may want none.
    pub(crate) password: Option<Password>,
    pub(crate) ssl_mode: SslMode,
    /// The file of the roots that are trusted; `None` for those of the system.
    pub(crate) root_cert: Option<PathBuf>,
}

impl Login {
    /// What a URL and its environment come to.
    pub(crate) fn of(url: &PostgresUrl) -> Result<Self, &'static str> {
        let (parts, variables) = (url.parts.clone()?, &url.variables);
        let or = |part: Option<String>, name| part.or_else(|| variables.get(name).map(str::to_owned));
        let user = or(or(parts.user.clone(), "PGUSER"), "USER").ok_or("it names no user, nor does PGUSER")?;
        let login = Self {
            host: or(parts.host.clone(), "PGHOST").unwrap_or_else(default_host),
            port: port(&parts, variables)?,
            database: or(parts.database.clone(), "PGDATABASE").unwrap_or_else(|| user.clone()),
            user,
            password: None,
            ssl_mode: ssl_mode(&parts, variables)?,
            root_cert: parts
                .root_cert
                .clone()
                .or_else(|| variables.path("PGSSLROOTCERT"))
                .filter(|path| path != Path::new("system")),
        };
        let password = login.find_password(parts, variables);
        Ok(Self { password, ..login })
    }

    fn find_password(&self, parts: Parts, variables: &PgVariables) -> Option<Password> {
        let said =
            parts.password.or_else(|| variables.get("PGPASSWORD").map(|text| Password(text.to_owned())));
        said.or_else(|| {
            let named = parts.passfile.or_else(|| variables.path("PGPASSFILE"));
            let path = named.or_else(|| Some(variables.path("HOME")?.join(".pgpass")))?;
            let host = if self.is_socket() { "localhost" } else { &self.host };
            let wanted =
                passfile::Wanted { host, port: self.port, database: &self.database, user: &self.user };
            passfile::find(&path, wanted)
        })
    }

    /// Whether the host is a directory with a socket in it.
    pub(crate) fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }
}

/// Without the password.
impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, database, .. } = self;
        write!(f, "postgres://{}@{}:{port}/{}", Escaped(user), HostText(host), Escaped(database))
    }
}

fn default_host() -> String {
    if Path::new(SOCKETS).is_dir() { SOCKETS } else { "localhost" }.to_owned()
}

fn port(parts: &Parts, variables: &PgVariables) -> Result<u16, &'static str> {
    match (parts.port, variables.get("PGPORT")) {
        (Some(port), _) => Ok(port),
        (None, Some(text)) => parse_port(text),
        (None, None) => Ok(DEFAULT_PORT),
    }
}

fn ssl_mode(parts: &Parts, variables: &PgVariables) -> Result<SslMode, &'static str> {
    match (parts.ssl_mode, variables.get("PGSSLMODE")) {
        (Some(mode), _) => Ok(mode),
        (None, Some(name)) => SslMode::from_name(name),
        (None, None) => Ok(SslMode::Prefer),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn login(url: &str, variables: &[(&str, &str)]) -> Result<Login, &'static str> {
        let read =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let url = PostgresUrl::new(url.strip_prefix("postgres:").unwrap());
        Login::of(&url.with_variables(PgVariables::read(read)))
    }

    #[test]
    fn the_url_comes_before_the_environment_and_that_before_the_defaults() {
        let said = login(
            "postgres://me:a@db:1/dht?sslmode=disable",
            &[
                ("PGHOST", "x"),
                ("PGPORT", "2"),
                ("PGUSER", "x"),
                ("PGPASSWORD", "x"),
                ("PGSSLMODE", "require"),
            ],
        );
        assert_eq!(said.as_ref().unwrap().to_string(), "postgres://me@db:1/dht");
        assert_eq!(said.as_ref().unwrap().ssl_mode, SslMode::Disable);
        assert_eq!(said.unwrap().password, Some(Password("a".to_owned())));
        let from_environment = login(
            "postgres://",
            &[
                ("PGHOST", "/run/x"),
                ("PGPORT", "2"),
                ("PGUSER", "me"),
                ("PGPASSWORD", "b"),
                ("PGDATABASE", "d"),
                ("PGSSLMODE", "verify-ca"),
                ("PGSSLROOTCERT", "/ca.pem"),
            ],
        )
        .unwrap();
        assert_eq!(from_environment.to_string(), "postgres://me@%2Frun%2Fx:2/d");
        assert_eq!(from_environment.ssl_mode, SslMode::VerifyCa);
        assert_eq!(from_environment.root_cert, Some("/ca.pem".into()));
        assert!(from_environment.is_socket());
        let defaults = login("postgres://db", &[("USER", "me")]).unwrap();
        assert_eq!(defaults.to_string(), "postgres://me@db:5432/me");
        assert_eq!((defaults.ssl_mode, defaults.password), (SslMode::Prefer, None));
    }

    #[test]
    fn what_is_wrong_in_the_environment_is_said() {
        assert!(login("postgres://db", &[]).unwrap_err().contains("PGUSER"));
        assert!(login("postgres://me@db", &[("PGPORT", "x")]).unwrap_err().contains("port"));
        assert!(login("postgres://me@db", &[("PGSSLMODE", "x")]).unwrap_err().contains("verify-full"));
    }

    #[test]
    fn passwords_come_from_the_file_of_the_user_or_the_one_that_is_named() {
        let home = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = home.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            path.to_str().unwrap().to_owned()
        };
        file(".pgpass", "localhost:5432:dht:me:of the socket\ndb:5432:dht:me:of the host\n");
        let (home, named) = (home.path().to_str().unwrap(), file("named", "*:*:*:*:named"));
        let password =
            |url: &str, variables: &[(&str, &str)]| login(url, variables).unwrap().password.map(|p| p.0);
        let of = |url| password(url, &[("HOME", home)]);
        assert_eq!(of("postgres://me@db/dht").as_deref(), Some("of the host"));
        assert_eq!(of("postgres://me@%2Frun/dht").as_deref(), Some("of the socket"));
        assert_eq!(of("postgres://me@db/other"), None);
        assert_eq!(of(&format!("postgres://me@db?passfile={named}")).as_deref(), Some("named"));
        let both = [("HOME", home), ("PGPASSFILE", named.as_str())];
        assert_eq!(password("postgres://me@db/dht", &both).as_deref(), Some("named"));
    }
}
