//! An S3-compatible server for tests, and a proxy in front of it that is slow, refuses, cuts bodies and loses replies when it is told
//! to. The server keeps its objects in memory.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::{Process, free_port, tool};

/// Longest wait of the proxy for either side.
const PATIENCE: Duration = Duration::from_secs(60);

/// An S3-compatible server with one bucket, `events`.
#[derive(Debug)]
pub struct Buckets {
    _process: Process,
    _folder: tempfile::TempDir,
    port: u16,
}

impl Buckets {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let mut command = Command::new(tool("lake/bin/moto_server"));
        command.args(["--host", "127.0.0.1", "--port"]).arg(port.to_string()).current_dir(folder.path());
        let mut process = Process::start(command, &folder.path().join("buckets.log"));
        process.wait_for_port(port, "the S3-compatible server");
        let server = Buckets { _process: process, _folder: folder, port };
        let (status, _) = server.ask("PUT", "/events");
        assert_eq!(status, 200, "a bucket can be made");
        server
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Status and body of a request without a signature, which this server allows.
    fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server answers");
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// Names of all objects of the bucket.
    pub fn objects(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let (status, body) = self.ask("GET", &format!("/events?list-type=2&start-after={after}"));
            assert_eq!(status, 200, "{body}");
            let keys = body.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
            let page: Vec<String> = keys.map(str::to_owned).collect();
            let is_whole = !body.contains("<IsTruncated>true");
            after = page.last().map(|last| last.replace('=', "%3D")).unwrap_or_default();
            all.extend(page);
            if is_whole {
                return all;
            }
        }
    }
}

/// What the proxy can do to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Waits before it passes the request on.
    Slow(Duration),
    /// Answers 503, as a store does that is asked too much; the server never hears of it.
    Busy,
    /// Passes half of the body on, and closes both sides.
    CutRequest,
    /// Lets the server do it, and closes without its reply.
    LostReply,
    /// Passes half of the answer's body on, and closes.
    CutAnswer,
    /// Closes every connection.
    Down,
}

#[derive(Debug, Default)]
struct Plan {
    /// The faults take turns.
    faults: Vec<Fault>,
    /// Which of so many requests has one.
    every: usize,
    seen: usize,
    done: BTreeMap<Fault, usize>,
}

/// A proxy before a server of HTTP.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    plan: Arc<Mutex<Plan>>,
}

impl FaultProxy {
    /// Passes on to the port, without faults at first.
    pub fn before(server: u16) -> FaultProxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let plan: Arc<Mutex<Plan>> = Arc::default();
        let shared = Arc::clone(&plan);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let plan = Arc::clone(&shared);
                std::thread::spawn(move || {
                    // Either side may end at any time.
                    let _ended = serve(&stream, server, &plan).is_err();
                    let _closed = stream.shutdown(Shutdown::Both).is_err();
                });
            }
        });
        FaultProxy { port, plan }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on every so-manieth request has one of the faults, in turn; none where the list is empty.
    pub fn disturb(&self, every: usize, faults: &[Fault]) {
        let mut plan = self.plan.lock().expect("no panic");
        (plan.every, plan.faults) = (every.max(1), faults.to_vec());
    }

    /// How often each fault was done.
    pub fn done(&self) -> BTreeMap<Fault, usize> {
        self.plan.lock().expect("no panic").done.clone()
    }
}

/// The fault of the next request, if it has one.
fn next_fault(plan: &Mutex<Plan>) -> Option<Fault> {
    let mut plan = plan.lock().expect("no panic");
    if plan.faults.is_empty() {
        return None;
    }
    plan.seen += 1;
    if !plan.seen.is_multiple_of(plan.every) {
        return None;
    }
    let turn = plan.seen / plan.every % plan.faults.len();
    let fault = plan.faults[turn];
    *plan.done.entry(fault).or_default() += 1;
    Some(fault)
}

/// One request after another of a connection.
fn serve(client: &TcpStream, server: u16, plan: &Mutex<Plan>) -> std::io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(client.try_clone()?);
    let mut client = client.try_clone()?;
    while let Some((head, body)) = message(&mut reader, true)? {
        let fault = next_fault(plan);
        match fault {
            Some(Fault::Down) => return Ok(()),
            Some(Fault::Busy) => {
                let answer = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
                let length = answer.len();
                write!(client, "HTTP/1.1 503 Slow Down\r\nContent-Length: {length}\r\n\r\n{answer}")?;
                continue;
            }
            Some(Fault::Slow(pause)) => std::thread::sleep(pause),
            _ => {}
        }
        let mut upstream = TcpStream::connect(("127.0.0.1", server))?;
        upstream.set_read_timeout(Some(PATIENCE))?;
        upstream.write_all(&head)?;
        if fault == Some(Fault::CutRequest) && !body.is_empty() {
            upstream.write_all(&body[..body.len() / 2])?;
            return upstream.shutdown(Shutdown::Both);
        }
        upstream.write_all(&body)?;
        let is_head = head.starts_with(b"HEAD ");
        let answer = message(&mut BufReader::new(&upstream), !is_head)?;
        let Some((head, body)) = answer else { return Ok(()) };
        match fault {
            Some(Fault::LostReply) => return Ok(()),
            Some(Fault::CutAnswer) => {
                client.write_all(&head)?;
                return client.write_all(&body[..body.len() / 2]);
            }
            _ => {
                client.write_all(&head)?;
                client.write_all(&body)?;
            }
        }
    }
    Ok(())
}

/// Head and body of a request or an answer; `None` at the end of the connection.
fn message(reader: &mut impl BufRead, has_body: bool) -> std::io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let (mut head, mut length) = (Vec::new(), None);
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&line).to_lowercase();
        if let Some(value) = text.strip_prefix("content-length:") {
            length = value.trim().parse::<usize>().ok();
        }
        head.extend_from_slice(&line);
        if line == b"\r\n" {
            break;
        }
    }
    let mut body = Vec::new();
    match length {
        _ if !has_body => {}
        Some(length) => {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        }
        // An answer whose length is not told ends with its connection; a request has no body then.
        None if head.starts_with(b"HTTP/") => {
            reader.read_to_end(&mut body)?;
        }
        None => {}
    }
    Ok(Some((head, body)))
}
