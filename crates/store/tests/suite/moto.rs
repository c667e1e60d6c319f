//! A moto of the test's own, which answers as DynamoDB does: started on loopback, and ended with the test by its pid.
//!
//! A shell stands between: it ends the server when its input does, which is when this process has ended, however it did.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use kadscope_store::{
    BellyUrl,
    belly::{AwsVariables, DynamoUrl},
};

/// A server.
#[derive(Debug)]
pub(crate) struct Moto {
    shell: Child,
    port: u16,
}

/// Where `scripts/moto.sh` puts it.
fn program(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/moto/bin").join(name);
    assert!(program.exists(), "moto is missing: scripts/moto.sh sets it up");
    program
}

impl Moto {
    pub(crate) fn start() -> Self {
        // A port that nobody has now; if somebody takes it before the server does, the server says so and the test fails.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut shell = Command::new("sh")
            .args(["-c", r#""$@" & pid=$!; cat >/dev/null; kill -KILL $pid 2>/dev/null; wait"#, "sh"])
            .arg(program("python"))
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dynamodb/serve.py"))
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(shell.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let is_ready = lines.by_ref().any(|line| {
            said.push(line);
            said.last().is_some_and(|line| line.contains("Running on"))
        });
        assert!(is_ready, "moto did not start:\n{}", said.join("\n"));
        // Whatever else it says goes nowhere, and it does not wait for anybody to hear it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { shell, port }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A belly in this table and one beside it for values.
    pub(crate) fn url(&self, settings: &str) -> BellyUrl {
        belly_url(settings, &self.endpoint())
    }

    /// Does what hydra-booster does to its tables, and gives back what that printed.
    pub(crate) fn old(&self, arguments: &[&str], input: &str) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dynamodb/old.py");
        let mut old = Command::new(program("python"))
            .arg(script)
            .arg(self.endpoint())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        old.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = old.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().ok();
    }
}

/// A belly at an endpoint, asked by somebody whom the environment names.
pub(crate) fn belly_url(settings: &str, endpoint: &str) -> BellyUrl {
    let variables = AwsVariables::read(|name| {
        let value = match name {
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "test",
            "AWS_REGION" => "us-east-1",
            "AWS_ENDPOINT_URL_DYNAMODB" => endpoint,
            _ => return None,
        };
        Some(value.to_owned())
    });
    let url = DynamoUrl::parse(&format!("dynamodb://{settings}")).unwrap();
    BellyUrl::Dynamo(Box::new(url)).with_aws(&variables, wall_time())
}

#[expect(clippy::disallowed_methods, reason = "requests are signed with the time that it is")]
fn wall_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
