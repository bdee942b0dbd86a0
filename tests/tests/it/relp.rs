//! RELP: an unmodified rsyslog, plain and over TLS; wrong input gets the answer that makes a client keep its data. And proxies that say
//! for whom they speak. That what was acknowledged survives kills is proved with the other protocols.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::time::Duration;

use servers::certificates::Authority;
use servers::{free_port, wait_until};

use crate::node::{Node, SOON, get, send};
use crate::program::Sandbox;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.0.kill().is_err();
        let _waited = self.0.wait().is_err();
    }
}

fn attack(address: &str) -> String {
    format!("Failed password for root from {address} port 4000 ssh2\n").repeat(15)
}

/// The attack is found with all its events; the name of its source.
fn found(node: &Node, address: &str, words: &str) -> String {
    let path = format!("/api/v1/findings?source.ip={address}");
    wait_until(Duration::from_secs(60), words, || {
        let found = node.json(&path);
        found["data"].as_array().unwrap().iter().any(|finding| finding["count"].as_u64() >= Some(15))
    });
    let id = node.json(&path)["data"][0]["id"].as_str().unwrap().to_owned();
    node.json(&format!("/api/v1/findings/{id}"))["evidence"][0]["source"].as_str().unwrap().to_owned()
}

/// Our configuration for omrelp, with or without its lines about TLS.
fn omrelp(node_port: u16, authority: Option<&Authority>) -> String {
    let name = if authority.is_some() { "rsyslog-relp-tls.conf" } else { "rsyslog-relp.conf" };
    let port = if authority.is_some() { "2515" } else { "2514" };
    let mut replaced = vec![
        ("analyzer.example", "localhost".to_owned()),
        (port, node_port.to_string()),
        ("action.resumeInterval=\"5\"", "action.resumeInterval=\"1\"".to_owned()),
    ];
    if let Some(authority) = authority {
        let (certificate, key) = authority.sign("shipper");
        replaced.push(("/etc/rsyslog-tls/ca.pem", authority.pem().display().to_string()));
        replaced.push(("/etc/rsyslog-tls/client.pem", certificate.display().to_string()));
        replaced.push(("/etc/rsyslog-tls/client.key", key.display().to_string()));
    }
    crate::clients::shipped(name, &replaced)
}

#[test]
fn an_unmodified_rsyslog_is_answered_and_sends_again_what_was_not() {
    let sandbox = Sandbox::new();
    let (mut node, relp) = (Node::new(), free_port());
    let settings = [("syslog.relp", format!("127.0.0.1:{relp}"))];
    node.start(&sandbox, "serve", &settings);
    let input = sandbox.write("input.log", "");
    let _rsyslog = Running(crate::clients::rsyslog(&sandbox, &input, &omrelp(relp, None)));
    std::thread::sleep(Duration::from_millis(500));
    std::fs::write(&input, attack("203.0.113.92")).unwrap();
    assert_eq!(found(&node, "203.0.113.92", "omrelp"), "relp://127.0.0.1");
    assert_eq!(node.stop("serve"), Some(0));
    std::fs::write(&input, attack("203.0.113.92") + &attack("203.0.113.93")).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    node.start(&sandbox, "serve", &settings);
    found(&node, "203.0.113.93", "what came while we were away");
}

#[test]
fn an_unmodified_rsyslog_speaks_relp_over_tls() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let (mut node, relp) = (Node::new(), free_port());
    let (certificate, key) = authority.sign("server");
    let settings = [
        ("syslog.relp_tls", format!("127.0.0.1:{relp}")),
        ("tls.certificate", certificate.display().to_string()),
        ("tls.key", key.display().to_string()),
        ("tls.client_ca", authority.pem().display().to_string()),
    ];
    node.start(&sandbox, "serve", &settings);
    let input = sandbox.write("input.log", "");
    let _rsyslog = Running(crate::clients::rsyslog(&sandbox, &input, &omrelp(relp, Some(&authority))));
    std::thread::sleep(Duration::from_millis(500));
    std::fs::write(&input, attack("203.0.113.94")).unwrap();
    assert_eq!(found(&node, "203.0.113.94", "omrelp over TLS"), "relp+tls://127.0.0.1");
}

/// A client that reads its answers.
struct Client {
    stream: BufReader<TcpStream>,
    transaction: u32,
}

impl Client {
    fn open(port: u16) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut client = Client { stream: BufReader::new(stream), transaction: 0 };
        client.send("open", "relp_version=0\nrelp_software=test\ncommands=syslog\n")?;
        let answer = client.answer()?;
        assert!(answer.starts_with("200 OK\nrelp_version=0\n") && answer.contains("commands=syslog"), "{answer}");
        Some(client)
    }

    fn send(&mut self, command: &str, data: &str) -> Option<()> {
        self.transaction += 1;
        let space = if data.is_empty() { "" } else { " " };
        let frame = format!("{} {command} {}{space}{data}\n", self.transaction, data.len());
        self.stream.get_mut().write_all(frame.as_bytes()).ok()
    }

    /// The data of the next answer.
    fn answer(&mut self) -> Option<String> {
        let mut length = Vec::new();
        for _ in 0..3 {
            length.clear();
            let mut byte = [0];
            loop {
                self.stream.read_exact(&mut byte).ok()?;
                if matches!(byte[0], b' ' | b'\n') {
                    break;
                }
                length.push(byte[0]);
            }
        }
        let length: usize = String::from_utf8(length).ok()?.parse().ok()?;
        let mut data = vec![0; length + usize::from(length > 0)];
        self.stream.read_exact(&mut data).ok()?;
        data.pop();
        String::from_utf8(data).ok()
    }
}

#[test]
fn wrong_relp_is_answered_so_that_the_client_keeps_its_data() {
    let sandbox = Sandbox::new();
    let (mut node, relp) = (Node::new(), free_port());
    let settings = [("syslog.relp", format!("127.0.0.1:{relp}")), ("syslog.message_bytes_max", "1000".to_owned())];
    node.start(&sandbox, "serve", &settings);
    let talk = |text: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", relp)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        // What was not read makes the end a reset.
        let _reset = stream.read_to_string(&mut answer).is_err();
        answer
    };
    for (text, answered) in [
        ("1 open 31 relp_version=7\ncommands=syslog\n\n", "1 rsp 51 500 only version 0"),
        ("1 open 15 commands=other\n\n", "1 rsp 51 500"),
        ("1 syslog 5 <38>x\n", "1 rsp 34 500 this command"),
        ("<38>Nov 23 10:00:00 gate sshd: x\n", ""),
        ("2W\0\0\0\x01", ""),
        ("\x16\x03\x01\x02", ""),
    ] {
        let answer = talk(text);
        assert!(answer.starts_with(answered) && answer.is_empty() == answered.is_empty(), "{text}: {answer}");
    }
    let mut client = Client::open(relp).unwrap();
    let long = format!("<38>{}", "x".repeat(5000));
    client.send("syslog", &long).unwrap();
    assert_eq!(client.answer().as_deref(), Some("200 OK"), "cut, or it would come again for ever");
    client.send("close", "").unwrap();
    assert_eq!(client.answer().as_deref(), Some(""));
    let mut rest = String::new();
    client.stream.read_line(&mut rest).unwrap();
    assert_eq!(rest, "0 serverclose 0\n");
    let (_, metrics) = get(node.ingest, "/metrics").unwrap();
    assert!(metrics.contains("ingest_frames_total{result=\"cut\"} 1"), "{metrics}");
    assert!(metrics.contains("ingest_events_total{source=\"relp\"} 1"), "{metrics}");
}

/// A stream that begins with a header of the PROXY protocol.
fn proxied(port: u16, header: &[u8], text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(header).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

#[test]
fn trusted_proxies_say_for_whom_they_speak_and_nobody_else() {
    let sandbox = Sandbox::new();
    let (mut node, relp) = (Node::new(), free_port());
    let settings = [
        ("syslog.relp", format!("127.0.0.1:{relp}")),
        ("syslog.proxy_protocol_from", "127.0.0.0/8".to_owned()),
        ("analyzer.proxy_protocol_from", "127.0.0.0/8".to_owned()),
    ];
    node.launch(&sandbox, "serve", &settings);
    wait_until(SOON, "serve", || get(node.api, "/live").is_some());
    let line = |address: &str| format!("<38>Nov 23 10:00:00 gate sshd[9]: {}", attack(address).lines().next().unwrap());
    let lines = |address: &str| format!("{}\n", line(address)).repeat(15);
    let header = b"PROXY TCP4 192.0.2.7 192.0.2.8 40000 514\r\n";
    let second = [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".as_slice(), &[192, 0, 2, 9, 192, 0, 2, 8, 1, 2, 3, 4]].concat();
    drop(proxied(node.syslog, header, &lines("203.0.113.95")));
    assert_eq!(found(&node, "203.0.113.95", "version 1"), "syslog+tcp://192.0.2.7");
    let frames = lines("203.0.113.96")
        .lines()
        .enumerate()
        .map(|(at, line)| format!("{} syslog {} {line}\n", at + 2, line.len()))
        .collect::<String>();
    let open = "1 open 31 relp_version=0\ncommands=syslog\n\n";
    let _relp = proxied(relp, &second, &(open.to_owned() + &frames));
    assert_eq!(found(&node, "203.0.113.96", "version 2"), "relp://192.0.2.9");
    let body = lines("203.0.113.97");
    let request = format!(
        "POST /ingest HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut answer = String::new();
    proxied(node.ingest, header, &request).read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(found(&node, "203.0.113.97", "over HTTP").contains("192.0.2.7"));
    // Without a header.
    let mut stream = proxied(node.syslog, b"", &lines("203.0.113.98"));
    let read = stream.read(&mut [0; 8]);
    assert!(read.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset) || read_is_end(&mut stream));
    let (_, metrics) = get(node.api, "/metrics").unwrap();
    assert!(
        metrics.contains("ingest_proxy_headers_refused_total{port=\"syslog.tcp\",reason=\"broken\"} 1"),
        "{metrics}"
    );
    assert!(send(node.ingest, "GET", "/live", &[], b"").is_none(), "HTTP without a header ends as well");
}

fn read_is_end(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0; 8]), Ok(0))
}
