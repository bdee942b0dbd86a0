//! Services as processes, in either shape: one process on the embedded stores, or analyzer and agent on servers. And
//! the plainest HTTP client that shows status, headers and body.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use servers::{free_port, wait_until};

use crate::program::Sandbox;

/// Longest wait for something that should come soon.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Ports and settings of one installation.
pub(crate) struct Node {
    children: Vec<(String, Child)>,
    logs: std::collections::BTreeSet<std::path::PathBuf>,
    pub(crate) api: u16,
    pub(crate) health: u16,
    pub(crate) ingest: u16,
    pub(crate) syslog: u16,
    /// Another program than the one under test.
    pub(crate) program: Option<std::path::PathBuf>,
}

impl Node {
    /// Serves the store and the archive of a replay of this log.
    pub(crate) fn over_archive_of(log: String) -> (Sandbox, Node) {
        let sandbox = Sandbox::new();
        let path = sandbox.write("access.log", log);
        let replayed = sandbox.run(&["replay", "--store", "sqlite:a.db", "--archive", "events", &path]);
        assert_eq!(replayed.code, Some(0), "{}", replayed.err);
        let mut node = Node::new();
        let folder = sandbox.path("events").display().to_string();
        let store = format!("sqlite:{}", sandbox.path("a.db").display());
        node.start(&sandbox, "serve", &[("store.url", store), ("archive.folder", folder)]);
        (sandbox, node)
    }

    pub(crate) fn new() -> Self {
        let [api, health, ingest, syslog] = [(); 4].map(|()| free_port());
        Node {
            children: Vec::new(),
            logs: std::collections::BTreeSet::new(),
            api,
            health,
            ingest,
            syslog,
            program: None,
        }
    }

    /// Starts a command with the settings (`section.key` = value in the environment) and waits until it is ready.
    pub(crate) fn start(&mut self, sandbox: &Sandbox, command: &str, settings: &[(&str, String)]) {
        self.launch(sandbox, command, settings);
        let port = if command == "analyzer" { self.ingest } else { self.api };
        wait_until(SOON, command, || get(port, "/live").is_some());
    }

    /// Starts a command without waiting for it.
    pub(crate) fn launch(&mut self, sandbox: &Sandbox, command: &str, settings: &[(&str, String)]) {
        let config = sandbox.path("c0di3.toml");
        let mut arguments = vec![command];
        let config = config.display().to_string();
        if std::path::Path::new(&config).exists() {
            arguments.extend(["--config", &config]);
        }
        let program = self.program.as_deref().unwrap_or(std::path::Path::new(crate::program::PROGRAM));
        let mut process = sandbox.command_of(program, &arguments);
        for (name, value) in [
            ("api.listen", format!("127.0.0.1:{}", self.api)),
            ("api.health_listen", format!("127.0.0.1:{}", self.health)),
            ("analyzer.listen", format!("127.0.0.1:{}", self.ingest)),
            ("syslog.tcp", format!("127.0.0.1:{}", self.syslog)),
            ("syslog.udp", format!("127.0.0.1:{}", self.syslog)),
            // What is tested says nothing of the machine's disk.
            ("health.disk_warn_percent", "100".to_owned()),
            ("health.disk_fail_percent", "100".to_owned()),
            ("agent.analyzer_url", format!("http://127.0.0.1:{}", self.ingest)),
        ]
        .into_iter()
        .chain(settings.iter().map(|(name, value)| (*name, value.clone())))
        {
            process.env(format!("C0DI3_{}", name.replace('.', "_").to_uppercase()), value);
        }
        self.logs.insert(sandbox.path(&format!("{command}.out")));
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(sandbox.path(&format!("{command}.out")))
            .unwrap();
        let child = process.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.children.push((command.to_owned(), child));
    }

    fn child(&mut self, command: &str) -> &mut Child {
        &mut self.children.iter_mut().find(|(name, _)| name == command).expect("it was started").1
    }

    /// The process.
    pub(crate) fn id(&mut self, command: &str) -> u32 {
        self.child(command).id()
    }

    pub(crate) fn signal(&mut self, command: &str, signal: &str) {
        let id = self.id(command).to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Ends a process as a crash would.
    pub(crate) fn kill(&mut self, command: &str) {
        let child = self.child(command);
        child.kill().unwrap();
        child.wait().unwrap();
        self.children.retain(|(name, _)| name != command);
    }

    /// Ends a process in order; its exit code.
    pub(crate) fn stop(&mut self, command: &str) -> Option<i32> {
        self.signal(command, "-TERM");
        let code = self.child(command).wait().unwrap().code();
        self.children.retain(|(name, _)| name != command);
        code
    }

    /// Exit code of a process that has ended by now.
    pub(crate) fn forget(&mut self, command: &str) -> Option<i32> {
        let code = self.child(command).try_wait().unwrap().expect("it has ended").code();
        self.children.retain(|(name, _)| name != command);
        code
    }

    /// Most memory that a process ever had resident, in MB.
    pub(crate) fn peak_mb(&mut self, command: &str) -> u64 {
        self.memory_kb(command, "VmHWM") / 1024
    }

    /// Memory of a process, as the kernel names it (`VmRSS`: what is resident now), in KiB.
    pub(crate) fn memory_kb(&mut self, command: &str, what: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child(command).id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn is_running(&mut self, command: &str) -> bool {
        self.child(command).try_wait().unwrap().is_none()
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, body) = get(self.api, path).expect("the agent answers");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for log in &self.logs {
                let text = std::fs::read_to_string(log).unwrap_or_default();
                let told: Vec<&str> = text.lines().filter(|line| !line.contains("access: request")).collect();
                println!("--- {}\n{}", log.display(), told[told.len().saturating_sub(60)..].join("\n"));
            }
        }
        for (_, child) in &mut self.children {
            // It may have ended by itself.
            let _gone = child.kill().is_err();
            let _waited = child.wait().is_err();
        }
    }
}

/// Status of a part of `/health`.
pub(crate) fn part_status(health: &Value, name: &str) -> String {
    health["checks"][name]["status"].as_str().unwrap_or("missing").to_owned()
}

pub(crate) fn get(port: u16, path: &str) -> Option<(u16, String)> {
    send(port, "GET", path, &[], b"").map(|(status, _, body)| (status, body))
}

/// Status, head and body; `None` where nobody answers.
pub(crate) fn send(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<(u16, String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(40))).ok()?;
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let (head, body) = (String::from_utf8_lossy(&answer[..end]).into_owned(), &answer[end + 4..]);
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunk(body) } else { body.to_vec() };
    Some((status, head, String::from_utf8_lossy(&body).into_owned()))
}

fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = body.windows(2).position(|bytes| bytes == b"\r\n") {
        let size = std::str::from_utf8(&body[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let (size, rest) = (size.unwrap_or(0), &body[end + 2..]);
        if size == 0 {
            break;
        }
        out.extend_from_slice(&rest[..size]);
        body = &rest[size + 2..];
    }
    out
}

/// A receiver of webhooks: keeps every request, answers 204.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    pub(crate) requests: Arc<Mutex<Vec<(String, String)>>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut bytes = Vec::new();
                let mut part = [0; 8192];
                loop {
                    let read = stream.read(&mut part).unwrap_or(0);
                    bytes.extend_from_slice(&part[..read]);
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    if let Some((head, body)) = text.split_once("\r\n\r\n") {
                        let length =
                            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
                        if length.unwrap_or(0) <= body.len() {
                            kept.lock().unwrap().push((head.to_owned(), body.to_owned()));
                            break;
                        }
                    }
                    if read == 0 {
                        break;
                    }
                }
                let _answered = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
            }
        });
        Receiver { port, requests }
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.requests.lock().unwrap().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }
}
