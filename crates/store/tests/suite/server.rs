//! A PostgreSQL of the test's own, in a directory that goes with it: started, killed, started again, and ended by its pid.
//!
//! PostgreSQL does not run as root, so root starts it as `nobody`. A shell stands between: it ends the server when its input
//! does, which is when this process has ended, however it did.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpListener},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use kadscope_store::{PgVariables, StoreUrl};
use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, Signal, geteuid, pidfd_open, pidfd_send_signal},
    time::Timespec,
};
use tempfile::TempDir;

/// Who runs the server where this process is root's.
const NOBODY: u32 = 65534;

/// Where packages put the programs of PostgreSQL, below a directory for each version.
const PACKAGED: &str = "/usr/lib/postgresql";

/// The password of everybody.
pub(crate) const PASSWORD: &str = "correct horse/battery@staple";

/// How long a killed process may take to end.
const PATIENCE: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// A server.
#[derive(Debug)]
pub(crate) struct Server {
    directory: TempDir,
    programs: PathBuf,
    port: u16,
    shell: Mutex<Option<Child>>,
    databases: AtomicU32,
}

impl Server {
    /// The one that all tests of this process share as long as one of them uses it.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// Makes one and starts it.
    pub(crate) fn start() -> Self {
        let programs = programs();
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        fs::create_dir(&data).unwrap();
        let password = directory.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        for path in [directory.path(), &data, &password] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            if geteuid().is_root() {
                std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
        let made = unprivileged(Command::new(programs.join("initdb")))
            .args([
                "--no-sync",
                "--username=postgres",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        // A port that nobody has now; if somebody takes it before the server does, the server says so and the test fails.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let server =
            Self { directory, programs, port, shell: Mutex::new(None), databases: AtomicU32::new(0) };
        server.run(&[]);
        server
    }

    /// Starts it again, with further settings.
    pub(crate) fn run(&self, settings: &[&str]) {
        let data = self.data();
        let mut command = unprivileged(Command::new("sh"));
        // The lock file of one that was killed is in the way only as long as something of it lives.
        command.args(["-c", r#""$@" & pid=$!; cat >/dev/null; kill -QUIT $pid 2>/dev/null; wait"#, "sh"]);
        command.arg(self.programs.join("postgres")).arg("-D").arg(&data).arg("-k").arg(self.directory.path());
        command.args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-F"]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut shell = command.spawn().unwrap();
        let mut lines = BufReader::new(shell.stderr.take().unwrap()).lines().map_while(Result::ok);
        *self.shell.lock().unwrap() = Some(shell);
        let mut said = Vec::new();
        let is_ready = lines.by_ref().any(|line| {
            said.push(line);
            said.last().is_some_and(|line| line.contains("database system is ready to accept connections"))
        });
        assert!(is_ready, "PostgreSQL did not start:\n{}", said.join("\n"));
        // Whatever else it says goes nowhere, and it does not wait for anybody to hear it.
        std::thread::spawn(move || lines.for_each(drop));
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn pid(&self) -> Option<Pid> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        Pid::from_raw(file.lines().next()?.parse().ok()?)
    }

    /// Kills it by SIGKILL, with all that serves its connections, and waits until nothing of it lives.
    pub(crate) fn kill(&self) {
        let pid = self.pid().unwrap();
        let raw = pid.as_raw_nonzero();
        let children = fs::read_to_string(format!("/proc/{raw}/task/{raw}/children")).unwrap();
        let children = children.split_whitespace().filter_map(|child| Pid::from_raw(child.parse().ok()?));
        // A descriptor stands for the process even when its number has been given to another. Who has ended needs none.
        let all: Vec<_> = std::iter::once(pid)
            .chain(children)
            .filter_map(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
            .collect();
        for process in &all {
            pidfd_send_signal(process, Signal::KILL).ok();
        }
        for process in &all {
            let ended = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&PATIENCE)).unwrap();
            assert_eq!(ended, 1, "a killed process has not ended within {PATIENCE:?}");
        }
        self.end_shell();
        // Nothing of it lives: what it left would only make the next one look for it.
        fs::remove_file(self.data().join("postmaster.pid")).unwrap();
    }

    fn end_shell(&self) {
        if let Some(mut shell) = self.shell.lock().unwrap().take() {
            drop(shell.stdin.take());
            shell.wait().unwrap();
        }
    }

    /// The directory with its socket, and the port in its name.
    pub(crate) fn socket(&self) -> (&Path, u16) {
        (self.directory.path(), self.port)
    }

    /// Makes a file the server's.
    pub(crate) fn give(&self, path: &Path) {
        assert!(path.starts_with(self.directory.path()));
        if geteuid().is_root() {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    /// Runs SQL in a database.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"))
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-U",
                "postgres",
                "-d",
                database,
            ])
            .args(["-p", &self.port.to_string()])
            .env("PGPASSWORD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        psql.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let output = psql.wait_with_output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// The name of a new database.
    pub(crate) fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// A database as users name it. What waits for it goes into files below the server's directory.
    pub(crate) fn url(&self, database: &str) -> StoreUrl {
        let url = format!("postgres://postgres@127.0.0.1:{}/{database}", self.port);
        StoreUrl::parse(&url).unwrap().with_variables(&self.variables())
    }

    /// What the environment would say.
    pub(crate) fn variables(&self) -> PgVariables {
        let state = self.spills().parent().unwrap().to_str().unwrap().to_owned();
        PgVariables::read(|name| match name {
            "PGPASSWORD" => Some(PASSWORD.to_owned()),
            "XDG_STATE_HOME" => Some(state.clone()),
            _ => None,
        })
    }

    /// Where rows wait.
    pub(crate) fn spills(&self) -> PathBuf {
        self.directory.path().join("state/kadscope")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end_shell();
    }
}

/// The directory with the programs of PostgreSQL.
fn programs() -> PathBuf {
    let on_path =
        env::split_paths(&env::var_os("PATH").unwrap_or_default()).find(|d| d.join("postgres").is_file());
    // A link on the path leads to where its companions are.
    let linked = on_path
        .and_then(|directory| Some(fs::canonicalize(directory.join("postgres")).ok()?.parent()?.to_owned()));
    let packaged =
        fs::read_dir(PACKAGED).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    linked.into_iter().chain(packaged).find(|directory| directory.join("initdb").is_file()).unwrap_or_else(|| {
        panic!("PostgreSQL's server is missing: install it (on Debian and Ubuntu: apt-get install postgresql)")
    })
}

fn unprivileged(mut command: Command) -> Command {
    if geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.current_dir("/");
    command
}
