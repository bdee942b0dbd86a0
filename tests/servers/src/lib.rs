//! Real servers for tests and benches: PostgreSQL, Redis, a Kafka-protocol broker, a llama.cpp server and S3-compatible storage, each on a free
//! port of the loopback address, in a temporary folder, ended when dropped. A server that cannot be started is a panic
//! that says what is missing: a test that skips would prove nothing.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot have its server must fail")]

mod bucket;
pub mod certificates;

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub use bucket::{Buckets, Fault, FaultProxy};

/// Longest that a server may take to start.
const START_MAX: Duration = Duration::from_secs(60);

/// Ports that are given out: below those that the kernel takes for outgoing connections, so that no client of another
/// test has one when the server that it is for begins to listen.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port that nobody listens on at the moment. Tests that run side by side begin at different places.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let count = u32::from(PORTS.end - PORTS.start);
    let begin = std::process::id().wrapping_mul(97) % count;
    let port = |_| {
        let at = (begin + GIVEN.fetch_add(1, Ordering::Relaxed)) % count;
        let port = PORTS.start + at as u16;
        TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
    };
    (0..count).find_map(port).expect("a free port")
}

/// Waits until the condition holds; panics with the words otherwise.
pub fn wait_until(longest: Duration, words: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < longest, "waited {longest:?} in vain: {words}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Where the broker, the model and the Python that serves it are: see `deploy/scripts/test-tools.sh`.
fn tools() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    std::env::var_os("TEST_TOOLS").map_or_else(|| target.join("test-tools"), PathBuf::from)
}

/// A tool that `make test` puts there.
pub fn tool(name: &str) -> PathBuf {
    let path = tools().join(name);
    assert!(path.exists(), "{} is missing: run deploy/scripts/test-tools.sh, as `make test` does", path.display());
    path
}

/// A process that ends with its handle.
#[derive(Debug)]
struct Process {
    child: Option<Child>,
    log: PathBuf,
}

impl Process {
    fn start(mut command: Command, log: &Path) -> Self {
        let out = File::create(log).expect("a log file");
        command.stdin(Stdio::null()).stdout(out.try_clone().expect("a handle")).stderr(out).process_group(0);
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
        Process { child: Some(child), log: log.to_owned() }
    }

    fn wait_for_port(&mut self, port: u16, words: &str) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || started.elapsed() > START_MAX {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                panic!("{words} did not start ({ended:?}):\n{log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(child) = &self.child {
            let group = rustix::process::Pid::from_child(child);
            // It may have ended by itself.
            let _gone = rustix::process::kill_process_group(group, signal).is_err();
        }
    }

    /// Stops or continues the process and those that it started, which may have groups of their own.
    fn signal_family(&self, signal: rustix::process::Signal) {
        self.signal(signal);
        let Some(child) = &self.child else { return };
        for id in children_of(child.id()) {
            if let Some(id) = rustix::process::Pid::from_raw(id) {
                // It may have ended by itself.
                let _gone = rustix::process::kill_process(id, signal).is_err();
            }
        }
    }

    fn end(&mut self, signal: rustix::process::Signal) {
        self.signal(signal);
        if let Some(mut child) = self.child.take() {
            child.wait().expect("the process can be waited for");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(rustix::process::Signal::KILL);
    }
}

/// Ids of the processes that a process has started.
fn children_of(parent: u32) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").expect("/proc can be read");
    let child = |entry: std::io::Result<std::fs::DirEntry>| {
        let id: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name may hold blanks: state and parent stand behind its closing bracket.
        let of: u32 = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()?;
        (of == parent).then_some(id)
    };
    entries.filter_map(child).collect()
}

/// Whether this process is root, as which PostgreSQL refuses to run.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A PostgreSQL server with superuser `coreagent` and no password.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    folder: tempfile::TempDir,
    port: u16,
    databases: std::sync::atomic::AtomicU32,
    /// Such as `jit=off`.
    settings: Vec<String>,
}

/// Deadlocks with the services of a test, after which a statement is given up.
const DEADLOCKS_MAX: u32 = 10;

impl Postgres {
    /// Makes a cluster and starts it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts with settings, such as `jit=off`.
    pub fn start_with(settings: &[String]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(folder.path()).status().expect("chown");
            assert!(owned.success(), "there is no user `postgres`: install the package postgresql");
        }
        let port = free_port();
        let server = Postgres { process: None, folder, port, databases: 0.into(), settings: settings.to_vec() };
        let made = server
            .command("initdb")
            .args(["--username=coreagent", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"])
            .arg(server.data())
            .output()
            .expect("initdb runs: install the package postgresql");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut server = server;
        server.start_again();
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of PostgreSQL, as the user that it wants.
    fn command(&self, program: &str) -> Command {
        let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .expect("PostgreSQL is installed: install the package postgresql")
            .filter_map(|entry| Some(entry.ok()?.path().join("bin").join(program)))
            .filter(|path| path.exists())
            .collect();
        versions.sort();
        let path = versions.pop().unwrap_or_else(|| panic!("{program} is missing: install the package postgresql"));
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/");
        command
    }

    /// Starts the server on the same port and data.
    pub fn start_again(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path()).arg("-p").arg(self.port.to_string());
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60", "-c", "shared_buffers=256MB"]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let mut process = Process::start(command, &self.folder.path().with_extension("log"));
        process.wait_for_port(self.port, "PostgreSQL");
        self.process = Some(process);
        wait_until(START_MAX, "PostgreSQL accepts statements", || self.runs("SELECT 1"));
    }

    /// Stands still with all of its connections: its clients see a server that does not answer.
    pub fn freeze(&self) {
        if let Some(process) = &self.process {
            process.signal_family(rustix::process::Signal::STOP);
        }
    }

    pub fn thaw(&self) {
        if let Some(process) = &self.process {
            process.signal_family(rustix::process::Signal::CONT);
        }
    }

    /// Ends the server at once, as a crash would.
    pub fn stop(&mut self) {
        // A process that stands still ends when it goes on.
        self.thaw();
        if let Some(mut process) = self.process.take() {
            process.end(rustix::process::Signal::QUIT);
        }
    }

    fn runs(&self, statement: &str) -> bool {
        let mut command = self.command("psql");
        command.args(["--quiet", "--no-psqlrc", "--host=127.0.0.1", "--username=coreagent", "--dbname=postgres"]);
        command.arg("--port").arg(self.port.to_string()).arg("--command").arg(statement);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// The address of a new, empty database.
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("core_agent_{number}");
        assert!(self.runs(&format!("CREATE DATABASE {name}")), "cannot create the database {name}");
        format!("postgres://coreagent@127.0.0.1:{}/{name}", self.port)
    }

    /// Runs statements in a database that [`Postgres::database`] made.
    pub fn execute(&self, database: &str, statements: &str) {
        let mut command = self.command("psql");
        command.args([
            "--quiet",
            "--no-psqlrc",
            "--set=ON_ERROR_STOP=1",
            "--dbname",
            database,
            "--command",
            statements,
        ]);
        // All statements of one command are one transaction: where it was the victim of a deadlock, nothing of it was done.
        for _ in 0..DEADLOCKS_MAX {
            let done = command.output().expect("psql runs");
            let said = String::from_utf8_lossy(&done.stderr);
            if done.status.success() {
                return;
            }
            assert!(said.contains("deadlock detected"), "{said}");
        }
        panic!("{DEADLOCKS_MAX} deadlocks, one after the other");
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Resident memory of the server's processes is not what tests measure; its process group is, to be stopped.
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
        let log = self.folder.path().with_extension("log");
        let _kept = std::fs::remove_file(log).is_err();
    }
}

/// A Redis server that keeps nothing on disk.
#[derive(Debug)]
pub struct Redis {
    process: Option<Process>,
    folder: tempfile::TempDir,
    port: u16,
}

impl Redis {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Redis { process: None, folder, port: free_port() };
        server.start_again();
        server
    }

    pub fn start_again(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]).arg(self.port.to_string());
        command.current_dir(self.folder.path());
        let mut process = Process::start(command, &self.folder.path().join("redis.log"));
        process.wait_for_port(self.port, "Redis");
        self.process = Some(process);
    }

    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end(rustix::process::Signal::KILL);
        }
    }

    /// Stands still without losing anything: its clients see a server that does not answer.
    pub fn freeze(&self) {
        if let Some(process) = &self.process {
            process.signal(rustix::process::Signal::STOP);
        }
    }

    pub fn thaw(&self) {
        if let Some(process) = &self.process {
            process.signal(rustix::process::Signal::CONT);
        }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Forgets everything.
    pub fn flush(&self) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("Redis answers");
        stream.write_all(b"FLUSHALL\r\n").expect("a command");
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"+OK\r\n");
    }
}

/// A broker that speaks Kafka's protocol and keeps topics in memory.
#[derive(Debug)]
pub struct Broker {
    process: Option<Process>,
    folder: tempfile::TempDir,
    port: u16,
    /// What clients are told to connect to.
    advertised: String,
}

impl Broker {
    pub fn start() -> Self {
        let port = free_port();
        Self::advertised_as(port, format!("127.0.0.1:{port}"))
    }

    /// Tells its clients to come to `localhost` on another port.
    pub fn behind(door: u16) -> Self {
        Self::advertised_as(free_port(), format!("localhost:{door}"))
    }

    fn advertised_as(port: u16, advertised: String) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Broker { process: None, folder, port, advertised };
        server.start_again();
        server
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn start_again(&mut self) {
        let mut command = Command::new(tool("tansu"));
        let address = format!("tcp://{}", self.address());
        let advertised = format!("tcp://{}", self.advertised);
        command.args(["broker", "--listener-url", &address, "--advertised-listener-url", &advertised]);
        command.args(["--storage-engine", "memory://tansu/"]).current_dir(self.folder.path());
        let mut process = Process::start(command, &self.folder.path().join("broker.log"));
        process.wait_for_port(self.port, "the broker");
        self.process = Some(process);
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Stands still without losing anything: its clients see a broker that does not answer.
    pub fn freeze(&self) {
        if let Some(process) = &self.process {
            process.signal(rustix::process::Signal::STOP);
        }
    }

    pub fn thaw(&self) {
        if let Some(process) = &self.process {
            process.signal(rustix::process::Signal::CONT);
        }
    }
}

/// llama.cpp's HTTP server with the small model.
#[derive(Debug)]
pub struct Llama {
    process: Option<Process>,
    folder: tempfile::TempDir,
    port: u16,
}

/// The whole start script: model, address, one slot and one thread: threads that wait for each other
/// spin, and on a busy machine they spin for minutes.
const LLAMA_SCRIPT: &str = "
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.hostnames = ['127.0.0.1'] if hasattr(params, 'hostnames') else None
params.port = int(sys.argv[2])
params.n_ctx = 4096
params.n_parallel = 1
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
while True: time.sleep(3600)
";

impl Llama {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Llama { process: None, folder, port: free_port() };
        server.start_again();
        server
    }

    pub fn start_again(&mut self) {
        let mut command = Command::new(tool("python/bin/python"));
        command.arg("-c").arg(LLAMA_SCRIPT).arg(tool("model.gguf")).arg(self.port.to_string());
        let mut process = Process::start(command, &self.folder.path().join("llama.log"));
        process.wait_for_port(self.port, "the llama.cpp server");
        self.process = Some(process);
    }

    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end(rustix::process::Signal::KILL);
        }
    }

    /// Stands still without losing anything: its clients see a server that does not answer.
    pub fn freeze(&self) {
        if let Some(process) = &self.process {
            process.signal(rustix::process::Signal::STOP);
        }
    }

    pub fn thaw(&self) {
        if let Some(process) = &self.process {
            process.signal(rustix::process::Signal::CONT);
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
