//! The chain beside lenders on loopback: who is asked, in which order, and for how long that holds.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use http::HttpClientConfig;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
};

use super::*;

const NOW: Duration = Duration::from_secs(1_764_280_800);
const IN_AN_HOUR: &str = "2025-11-27T23:00:00Z";

/// Somebody who lends credentials, and what was asked of it.
struct Lender {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    times: Arc<AtomicUsize>,
    /// Ends with it.
    _serving: JoinSet<()>,
}

impl Lender {
    /// Answers by the first line of what it is asked: the path's beginning, and the body. Else 404.
    async fn new(answers: &'static [(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heads, times) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (said, asked) = (Arc::clone(&heads), Arc::clone(&times));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 16 << 10];
                let length = stream.read(&mut request).await.unwrap();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let number = asked.fetch_add(1, SeqCst);
                let answer = answers.iter().find(|(line, _)| request.starts_with(line));
                let (status, body) = answer.map_or(("404 Not Found", String::new()), |(_, body)| {
                    ("200 OK", body.replace("NUMBER", &number.to_string()))
                });
                said.lock().unwrap().push(request);
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { port, heads, times, _serving: serving }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// A chain in an environment that has nothing but this.
fn chain(variables: &[(&str, &str)]) -> CredentialChain {
    let variables = AwsVariables::read(|name| {
        let found = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        // Nobody asks what is not loopback.
        found.or_else(|| (name == "AWS_EC2_METADATA_DISABLED").then(|| "true".to_owned()))
    });
    CredentialChain::new(variables, HttpClient::new(HttpClientConfig::default()).unwrap())
}

async fn key(chain: &CredentialChain) -> Result<String, AwsFailure> {
    chain.get(NOW).await.map(|found| found.access_key.clone())
}

fn file(directory: &TempDir, name: &str, text: &str) -> String {
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_comes_before_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let keys = "[default]\naws_access_key_id=OF_PROFILE\naws_secret_access_key=s\n[work]\naws_access_key_id=OF_WORK\naws_secret_access_key=s\n";
    let (keys, none) = (file(&directory, "keys", keys), file(&directory, "none", ""));
    let lender =
        Lender::new(&[("GET /lent ", r#"{"AccessKeyId":"OF_CONTAINER","SecretAccessKey":"s"}"#)]).await;
    let container = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", lender.url("/lent"));
    let container = (container.0, container.1.as_str());
    let environment = [("AWS_ACCESS_KEY_ID", "OF_ENVIRONMENT"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let shared = ("AWS_SHARED_CREDENTIALS_FILE", keys.as_str());
    let both = [&environment[..], &[shared, container]].concat();
    assert_eq!(key(&chain(&both)).await.unwrap(), "OF_ENVIRONMENT");
    assert_eq!(key(&chain(&[shared, container])).await.unwrap(), "OF_PROFILE");
    assert_eq!(key(&chain(&[shared, ("AWS_PROFILE", "work"), container])).await.unwrap(), "OF_WORK");
    assert_eq!(
        key(&chain(&[("AWS_SHARED_CREDENTIALS_FILE", &none), container])).await.unwrap(),
        "OF_CONTAINER"
    );
    assert_eq!(key(&chain(&[])).await.unwrap_err(), AwsFailure::NoCredentials);
}

#[tokio::test]
async fn what_is_there_and_cannot_be_used_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let sso = file(&directory, "config", "[default]\nsso_session=x\n");
    let refused = [
        vec![("AWS_ACCESS_KEY_ID", "A")],
        vec![("AWS_CONFIG_FILE", sso.as_str())],
        vec![("AWS_PROFILE", "nobody")],
        vec![("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"), ("AWS_ROLE_ARN", "r"), ("AWS_REGION", "r")],
        vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/lent")],
        vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/lent")],
    ];
    for variables in refused {
        let failure = key(&chain(&variables)).await.unwrap_err();
        assert!(matches!(failure, AwsFailure::Unusable { .. }), "{variables:?}: {failure}");
    }
}

#[tokio::test]
async fn a_container_shows_its_token() {
    let directory = tempfile::tempdir().unwrap();
    let token = file(&directory, "token", "secret-of-the-pod\n");
    let lender = Lender::new(&[("GET /lent ", r#"{"AccessKeyId":"A","SecretAccessKey":"s"}"#)]).await;
    let chain = chain(&[
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &lender.url("/lent")),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token),
    ]);
    assert_eq!(key(&chain).await.unwrap(), "A");
    assert!(lender.heads()[0].contains("authorization: secret-of-the-pod\r\n"), "{:?}", lender.heads());
}

#[tokio::test]
async fn an_instance_is_asked_with_a_token_and_for_its_region() {
    let lender = Lender::new(&[
        ("PUT /latest/api/token ", "the-token"),
        ("GET /latest/meta-data/iam/security-credentials/ ", "role\n"),
        (
            "GET /latest/meta-data/iam/security-credentials/role ",
            r#"{"AccessKeyId":"I","SecretAccessKey":"s","Token":"t"}"#,
        ),
        ("GET /latest/meta-data/placement/region ", "eu-west-1"),
    ])
    .await;
    let variables = [
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", lender.url("")),
        ("AWS_EC2_METADATA_DISABLED", "false".to_owned()),
    ];
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let chain = chain(&variables);
    assert_eq!(key(&chain).await.unwrap(), "I");
    assert_eq!(instance::region(&chain.variables, &chain.client).await.as_deref(), Some("eu-west-1"));
    let heads = lender.heads();
    assert!(heads[0].contains("x-aws-ec2-metadata-token-ttl-seconds: 60\r\n"), "{heads:?}");
    assert!(heads[1].contains("x-aws-ec2-metadata-token: the-token\r\n"), "{heads:?}");
}

#[tokio::test]
async fn a_web_identity_is_changed_for_credentials_at_sts() {
    const ANSWER: &str = "<AssumeRoleWithWebIdentityResponse><AccessKeyId>W</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
        <SessionToken>t</SessionToken><Expiration>2025-11-27T23:00:00Z</Expiration></AssumeRoleWithWebIdentityResponse>";
    let directory = tempfile::tempdir().unwrap();
    let token = file(&directory, "token", "a.b+c/d=\n");
    let lender = Lender::new(&[("POST / ", ANSWER)]).await;
    let chain = chain(&[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &token),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL_STS", &lender.url("")),
    ]);
    assert_eq!(key(&chain).await.unwrap(), "W");
    let asked = lender.heads().concat();
    assert!(asked.contains("WebIdentityToken=a.b%2Bc%2Fd%3D"), "{asked}");
    assert!(asked.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx"), "{asked}");
}

#[tokio::test]
async fn what_is_lent_is_kept_and_asked_for_again_before_it_ends() {
    const LENT: &str =
        r#"{"AccessKeyId":"NUMBER","SecretAccessKey":"s","Token":"t","Expiration":"2025-11-27T23:00:00Z"}"#;
    assert!(LENT.contains(IN_AN_HOUR));
    let lender = Lender::new(&[("GET /lent ", LENT)]).await;
    let chain = Arc::new(chain(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &lender.url("/lent"))]));
    let mut asking = JoinSet::new();
    for _ in 0..20 {
        let chain = Arc::clone(&chain);
        asking.spawn(async move { chain.get(NOW).await.unwrap().access_key.clone() });
    }
    assert_eq!(asking.join_all().await, vec!["0"; 20]);
    let at = async |minutes: u64| {
        chain.get(NOW + Duration::from_secs(60 * minutes)).await.unwrap().access_key.clone()
    };
    assert_eq!(at(54).await, "0");
    assert_eq!(at(56).await, "1");
    assert_eq!(lender.times.load(SeqCst), 2);
    chain.forget().await;
    assert_eq!(at(56).await, "2");
}

#[tokio::test]
async fn files_are_read_anew_when_a_service_took_the_credentials_for_expired() {
    let directory = tempfile::tempdir().unwrap();
    let keys = |id| format!("[default]\naws_access_key_id={id}\naws_secret_access_key=s\n");
    let path = file(&directory, "keys", &keys("OLD"));
    let chain = chain(&[("AWS_SHARED_CREDENTIALS_FILE", &path)]);
    assert_eq!(key(&chain).await.unwrap(), "OLD");
    file(&directory, "keys", &keys("NEW"));
    assert_eq!(key(&chain).await.unwrap(), "OLD");
    chain.forget().await;
    assert_eq!(key(&chain).await.unwrap(), "NEW");
}
