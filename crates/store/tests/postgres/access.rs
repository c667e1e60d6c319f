//! Who may do what, over which connection, and in which database.

use std::{fs, os::unix::fs::PermissionsExt as _};

use kadscope_store::{Error, Store, StoreUrl};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use crate::{conformance, rows, server::Server};

/// Nothing that anybody is shown holds the password: not the store's name, not an error, not what is printed of a URL.
#[test]
fn the_password_is_shown_nowhere() {
    let server = Server::shared();
    let (_, port) = server.socket();
    let url = format!("postgres://postgres:hunter2@127.0.0.1:{port}/postgres");
    let url = StoreUrl::parse(&url).unwrap();
    let error = Store::open(&url).unwrap_err();
    assert!(error.to_string().contains("password authentication failed"), "{error}");
    let open = Store::open(&server.url(&server.database())).unwrap().unwrap();
    for shown in [format!("{url} {url:?}"), format!("{error} {error:?}"), format!("{open:?} {}", open.name())]
    {
        assert!(!shown.contains("hunter2") && !shown.contains(crate::server::PASSWORD), "{shown}");
    }
}

/// A password may have any character, wherever it stands.
#[test]
fn a_password_may_have_any_character() {
    let server = Server::shared();
    let (directory, port) = server.socket();
    let database = server.database();
    let role = format!("special_{database}");
    let password: String = (' '..='~').chain("äß€".chars()).collect();
    let quoted = password.replace('\'', "''");
    server.sql(
        "postgres",
        &format!(
            "CREATE ROLE {role} LOGIN PASSWORD '{quoted}'; GRANT CREATE ON DATABASE {database} TO {role}"
        ),
    );
    let escape = |byte: u8| format!("%{byte:02X}");
    let escaped = password.bytes().map(escape).collect::<Vec<_>>().concat();
    let passfile = directory.join("special");
    let line = password.replace('\\', "\\\\").replace(':', "\\:");
    fs::write(&passfile, format!("127.0.0.1:{port}:*:{role}:{line}\n")).unwrap();
    fs::set_permissions(&passfile, fs::Permissions::from_mode(0o600)).unwrap();
    let with = |in_url: &str, name: &'static str, value: String| {
        let url = format!("postgres://{role}{in_url}@127.0.0.1:{port}/{database}");
        let variables = kadscope_store::PgVariables::read(|asked| (asked == name).then(|| value.clone()));
        Store::open(&StoreUrl::parse(&url).unwrap().with_variables(&variables)).map(drop)
    };
    with(&format!(":{escaped}"), "HOME", String::new()).unwrap();
    with("", "PGPASSWORD", password.clone()).unwrap();
    with("", "PGPASSFILE", passfile.to_str().unwrap().to_owned()).unwrap();
    let wrong = with("", "PGPASSWORD", password[1..].to_owned());
    assert!(matches!(wrong, Err(Error::Unreachable { .. })), "{wrong:?}");
}

/// Over the socket in a directory, as well.
#[test]
fn a_socket_is_a_host() {
    let server = Server::shared();
    let (directory, port) = server.socket();
    let host = directory.to_str().unwrap().replace('/', "%2F");
    let url = StoreUrl::parse(&format!("postgres://postgres@{host}:{port}/{}", server.database())).unwrap();
    Store::open(&url.with_variables(&server.variables())).unwrap().unwrap();
}

/// A file of certificates as PEM, and a server that has one of its own from the same root.
fn with_tls(server: &Server) -> String {
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    let root = root.self_signed(&root_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let own = own.signed_by(&key, &root, &root_key).unwrap();
    let write = |name: &str, text: String| {
        let path = server.socket().0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        server.give(&path);
        path.to_str().unwrap().to_owned()
    };
    let (certificate, key) = (write("server.crt", own.pem()), write("server.key", key.serialize_pem()));
    let root = write("root.crt", root.pem());
    server.kill();
    server.run(&["ssl=on", &format!("ssl_cert_file={certificate}"), &format!("ssl_key_file={key}")]);
    root
}

/// Each mode refuses what it says, and nothing else.
#[test]
fn as_much_is_verified_as_the_mode_says() {
    let server = Server::start();
    let (database, root) = (server.database(), with_tls(&server));
    let (_, port) = server.socket();
    let other = {
        let key = KeyPair::generate().unwrap();
        let path = server.socket().0.join("other.crt");
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(&path, params.self_signed(&key).unwrap().pem()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let opens = |host: &str, mode: &str, root: &str| {
        let roots = if root.is_empty() { String::new() } else { format!("&sslrootcert={root}") };
        let url = format!("postgres://postgres@{host}:{port}/{database}?sslmode={mode}{roots}");
        let url = StoreUrl::parse(&url).unwrap().with_variables(&server.variables());
        match Store::open(&url) {
            Ok(_) => true,
            Err(Error::Unreachable { reason, .. }) => {
                assert!(reason.contains("certificate"), "{host} {mode}: {reason}");
                false
            }
            Err(error) => panic!("{host} {mode}: {error}"),
        }
    };
    for (host, mode, roots, expected) in [
        ("127.0.0.1", "prefer", "", true),
        ("127.0.0.1", "require", "", true),
        ("127.0.0.1", "require", root.as_str(), true),
        ("127.0.0.1", "require", other.as_str(), false),
        // The certificate is for a name, not for this address.
        ("127.0.0.1", "verify-ca", root.as_str(), true),
        ("127.0.0.1", "verify-full", root.as_str(), false),
        ("localhost", "verify-full", root.as_str(), true),
        ("localhost", "verify-full", other.as_str(), false),
    ] {
        assert_eq!(opens(host, mode, roots), expected, "{host} {mode} {roots}");
    }
    let in_use =
        server.sql(&database, "SELECT count(*) FROM pg_stat_ssl WHERE ssl AND pid = pg_backend_pid()");
    assert_eq!(in_use, "1", "psql prefers TLS, too");
    server.kill();
    server.run(&[]);
    let plain =
        StoreUrl::parse(&format!("postgres://postgres@127.0.0.1:{port}/{database}?sslmode=require")).unwrap();
    let error = Store::open(&plain.with_variables(&server.variables())).unwrap_err();
    assert!(error.to_string().contains("TLS"), "a server without TLS is refused: {error}");
}

/// What is not ours, or newer than we are, is refused and left as it is.
#[test]
fn a_schema_of_others_and_a_newer_layout_are_left_alone() {
    let server = Server::shared();
    let database = server.database();
    server.sql(&database, "CREATE SCHEMA kadscope; CREATE TABLE kadscope.letter (text text)");
    assert!(matches!(Store::open(&server.url(&database)), Err(Error::Layout { .. })));
    let database = server.database();
    assert!(matches!(Store::open_existing(&server.url(&database)), Err(Error::Empty { .. })));
    Store::open(&server.url(&database)).unwrap().unwrap();
    server.sql(&database, "INSERT INTO kadscope.layout (version) VALUES (99)");
    for opened in [
        Store::open(&server.url(&database)).map(drop),
        Store::open_existing(&server.url(&database)).map(drop),
    ] {
        assert!(matches!(opened, Err(Error::NewerDatabase { version: 99, .. })), "{opened:?}");
    }
}

/// Whoever may only read reads, and is told that nothing can be written.
#[tokio::test]
async fn a_reader_without_rights_reads_and_no_more() {
    let server = Server::shared();
    let database = server.database();
    let store = Store::open(&server.url(&database)).unwrap().unwrap();
    conformance::keep(&store, &rows::start(1), rows::crawl(30, 5, true)).await;
    let role = format!("reader_of_{database}");
    let password = crate::server::PASSWORD;
    server.sql(
        &database,
        &format!(
            "CREATE ROLE {role} LOGIN PASSWORD '{password}'; GRANT USAGE ON SCHEMA kadscope TO {role};
             GRANT SELECT ON ALL TABLES IN SCHEMA kadscope TO {role}"
        ),
    );
    let url =
        StoreUrl::parse(&format!("postgres://{role}@127.0.0.1:{}/{database}", server.socket().1)).unwrap();
    let reader = Store::open_existing(&url.with_variables(&server.variables())).unwrap();
    assert!(conformance::read(&reader, rows::start(1).id) == rows::crawl(30, 5, true).collect::<Vec<_>>());
    let refused = reader.begin_run(&rows::start(2));
    assert!(matches!(refused, Err(Error::Refused { .. })), "{:?}", refused.err());
}
