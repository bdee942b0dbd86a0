//! The service over HTTP, as a process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use servers::free_port;

use crate::program::{Run, Sandbox, collect, samples};

/// A running service on free ports, stopped when dropped.
pub(crate) struct Service {
    child: Option<Child>,
    pub(crate) port: u16,
    health_port: u16,
}

/// The analyzer of the process on free ports, without syslog.
fn quiet_analyzer(command: &mut Command) {
    command.env("C0DI3_ANALYZER_LISTEN", format!("127.0.0.1:{}", free_port()));
    command.env("C0DI3_SYSLOG_UDP", "").env("C0DI3_SYSLOG_TCP", "");
}

impl Service {
    pub(crate) fn start(sandbox: &Sandbox, store: &str) -> Self {
        let (port, health_port) = (free_port(), free_port());
        let mut command = sandbox.command(&["serve", "--store", store]);
        command.env("C0DI3_API_LISTEN", format!("127.0.0.1:{port}"));
        command.env("C0DI3_API_HEALTH_LISTEN", format!("127.0.0.1:{health_port}"));
        quiet_analyzer(&mut command);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let service = Service { child: Some(child), port, health_port };
        let started = Instant::now();
        while service.get("/live").is_none() {
            assert!(started.elapsed() < Duration::from_secs(20), "the service did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        service
    }

    fn get(&self, path: &str) -> Option<(u16, String)> {
        request(self.port, path)
    }

    pub(crate) fn get_json(&self, path: &str) -> Value {
        let (status, body) = self.get(path).expect("the service answers");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).expect("a JSON body")
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    fn end(mut self) -> Run {
        collect(self.child.take().unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Status and body; `None` where nobody listens.
pub(crate) fn request(port: u16, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    reader.read_line(&mut head).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut chunked = false;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? <= 2 {
            break;
        }
        chunked |= line.to_lowercase().starts_with("transfer-encoding: chunked");
    }
    let mut body = String::new();
    reader.read_to_string(&mut body).ok()?;
    Some((status, if chunked { unchunk(&body) } else { body }))
}

fn unchunk(mut body: &str) -> String {
    let mut out = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        out.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
    out
}

#[test]
fn a_replay_is_seen_through_the_api_with_its_evidence() {
    let sandbox = Sandbox::new();
    let service = Service::start(&sandbox, "sqlite:a.db");
    assert_eq!(service.get_json("/api/v1/findings")["data"].as_array().unwrap().len(), 0);
    let replay = sandbox.run(&["replay", "--store", "sqlite:a.db", &samples()]);
    let printed = replay.lines().len();
    let page = service.get_json("/api/v1/findings?limit=500");
    assert_eq!(page["data"].as_array().unwrap().len(), printed);
    let brute = service.get_json("/api/v1/findings?source.ip=198.51.100.20&severity=P1");
    let id = brute["data"][0]["id"].as_str().unwrap();
    let detail = service.get_json(&format!("/api/v1/findings/{id}"));
    let evidence = detail["evidence"].as_array().unwrap();
    assert!(evidence[0]["original"].as_str().unwrap().contains("Failed password for root from 198.51.100.20"));
    let started = Instant::now();
    while service.get_json("/api/v1/stats")["findings"] != printed {
        assert!(started.elapsed() < Duration::from_secs(10), "the hot aggregates follow the store");
        std::thread::sleep(Duration::from_millis(50));
    }
    let (status, metrics) = service.get("/metrics").unwrap();
    assert_eq!(status, 200);
    assert!(
        metrics.contains("http_server_request_duration_seconds_bucket") && metrics.contains("le=\"2\""),
        "{metrics}"
    );
    assert!(!metrics.contains(id), "labels never hold values from outside");
    let (status, health) = request(service.health_port, "/health").unwrap();
    assert_eq!(status, 200);
    assert!(health.contains("\"store\":{\"status\":\"pass\""), "{health}");
}

#[test]
fn a_port_in_use_is_told_with_the_remedy() {
    let sandbox = Sandbox::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = sandbox.run(&["serve", "--listen", &address, "--store", "sqlite:a.db"]);
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("cannot listen on") && run.err.contains("C0DI3_API_LISTEN"), "{}", run.err);
    assert!(run.err.contains("in use"), "{}", run.err);
}

#[test]
fn sigterm_drains_and_ends_in_order() {
    let sandbox = Sandbox::new();
    let service = Service::start(&sandbox, "sqlite:a.db");
    // A request that is only half sent when the signal comes is still answered.
    let mut half = TcpStream::connect(("127.0.0.1", service.port)).unwrap();
    half.write_all(b"GET /api/v1/findings HTTP/1.1\r\nHost: localhost\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    service.signal("-TERM");
    std::thread::sleep(Duration::from_millis(150));
    let (status, _) = request(service.port, "/ready").expect("still answers while it drains");
    assert_eq!(status, 503);
    half.write_all(b"Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let run = service.end();
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.err.contains("stopped"), "{}", run.err);
}

#[test]
fn slow_clients_do_not_hold_the_service() {
    let sandbox = Sandbox::new();
    let service = Service::start(&sandbox, "sqlite:a.db");
    let slow: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", service.port)).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
            stream
        })
        .collect();
    assert_eq!(request(service.port, "/live").unwrap().0, 200);
    assert_eq!(request(service.health_port, "/live").unwrap().0, 200);
    let mut first = slow.into_iter().next().unwrap();
    first.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let mut answer = Vec::new();
    assert!(first.read_to_end(&mut answer).is_ok(), "a client that sends no whole head is cut off");
}

#[test]
fn logs_go_to_three_rotated_files_when_a_folder_is_given() {
    let sandbox = Sandbox::new();
    let config = sandbox.write("c.toml", "[log]\nfolder = \"logs\"\nrotate_bytes = 2000\nrotate_files = 2\n");
    let (port, health) = (free_port(), free_port());
    let mut command = sandbox.command(&["--config", &config, "serve", "--store", "sqlite:a.db"]);
    command.env("C0DI3_API_LISTEN", format!("127.0.0.1:{port}"));
    command.env("C0DI3_API_HEALTH_LISTEN", format!("127.0.0.1:{health}"));
    quiet_analyzer(&mut command);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let service = Service { child: Some(child), port, health_port: health };
    let started = Instant::now();
    while service.get("/live").is_none() {
        assert!(started.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    for _ in 0..60 {
        service.get("/api/v1/findings");
    }
    service.signal("-TERM");
    service.end();
    let names = ["core-agent.log", "error.log", "access.log", "access.log.1", "access.log.2"];
    for name in names {
        assert!(sandbox.path("logs").join(name).exists(), "{name}");
    }
    assert!(!sandbox.path("logs/access.log.3").exists(), "no more than two old files are kept");
    let access = std::fs::read_to_string(sandbox.path("logs/access.log.1")).unwrap();
    assert!(access.contains("\"GET /api/v1/findings HTTP/1.1\" 200") && access.contains("\"req-"), "{access}");
}
