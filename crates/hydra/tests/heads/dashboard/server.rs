//! A real Prometheus of the test's own, on loopback, in a directory that goes with it.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// Where `scripts/test.sh` unpacks it, below the root of the repository.
const UNPACKED: &str = "target/prometheus/usr/bin/prometheus";

/// How long it may take to be there, or to have seen something.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is asked meanwhile.
const AGAIN: Duration = Duration::from_millis(100);

/// A Prometheus that scrapes one target. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Prometheus {
    address: SocketAddr,
    process: Child,
    _directory: TempDir,
}

/// One of the lines of an answer: its labels, and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) labels: serde_json::Map<String, serde_json::Value>,
    pub(crate) value: f64,
}

impl Prometheus {
    /// Begins to scrape what is at an address, twice a second.
    pub(crate) async fn of(target: SocketAddr) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let config = format!(
            "global:\n  scrape_interval: 500ms\nscrape_configs:\n  - job_name: hydra\n    static_configs:\n      - targets: ['{target}']\n"
        );
        let file = directory.path().join("prometheus.yml");
        fs::write(&file, config).expect("written");
        // The port may be taken in between, by whoever is very quick.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
        let process = Command::new(program())
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={free}"))
            .arg("--log.level=error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Prometheus begins");
        let prometheus = Self { address: free, process, _directory: directory };
        prometheus.until("up == 1", |up| up.len() == 1).await;
        prometheus
    }

    /// What a query gives now; nothing as long as it does not answer.
    pub(crate) async fn query(&self, query: &str) -> Vec<Sample> {
        let url = format!("http://{}/api/v1/query?query={}", self.address, encoded(query));
        let Ok(reply) = http::ask(&url, None).await else { return Vec::new() };
        let answer: serde_json::Value = serde_json::from_str(&reply.text).unwrap_or_default();
        let sample = |of: &serde_json::Value| {
            let labels = of["metric"].as_object().cloned().unwrap_or_default();
            Some(Sample { labels, value: of["value"][1].as_str()?.parse().ok()? })
        };
        answer["data"]["result"]
            .as_array()
            .map(|all| all.iter().filter_map(sample).collect())
            .unwrap_or_default()
    }

    /// Asks until the answer is as it is to be.
    pub(crate) async fn until(&self, query: &str, is_so: impl Fn(&[Sample]) -> bool) -> Vec<Sample> {
        let began = Instant::now();
        loop {
            let answer = self.query(query).await;
            if is_so(&answer) {
                return answer;
            }
            assert!(began.elapsed() < PATIENCE, "{query}: {answer:?}");
            sleep(AGAIN).await;
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The program: unpacked beside what is built, or installed.
pub(crate) fn program() -> PathBuf {
    let unpacked = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(UNPACKED);
    if unpacked.exists() { unpacked } else { "prometheus".into() }
}

/// A query as part of a URL.
fn encoded(query: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    query
        .bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
