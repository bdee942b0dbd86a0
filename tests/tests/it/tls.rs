//! TLS on every port, with clients that we did not write: curl, openssl and rsyslog. Certificates are renewed while events come.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use servers::certificates::Authority;
use servers::{free_port, wait_until};

use crate::node::{Node, SOON, get};
use crate::program::Sandbox;
use crate::wired;

/// A process that ends with its handle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.0.kill().is_err();
        let _waited = self.0.wait().is_err();
    }
}

fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().display().to_string()
}

/// Settings of TLS with a certificate of this authority.
fn settings(authority: &Authority, syslog: u16) -> Vec<(&'static str, String)> {
    let (certificate, key) = authority.sign("server");
    vec![("tls.certificate", text(certificate)), ("tls.key", text(key)), ("syslog.tls", format!("127.0.0.1:{syslog}"))]
}

/// Status and body as curl has them; its words where it has none.
fn curl(arguments: &[&str]) -> (String, String) {
    let mut command = Command::new("curl");
    let done = command.args(["--silent", "--show-error", "--max-time", "10", "--write-out", "\n%{http_code}"]);
    let done = done.args(arguments).stdin(Stdio::null()).output().expect("curl runs");
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    let (body, status) = out.rsplit_once('\n').unwrap_or(("", ""));
    (status.to_owned(), format!("{body}{}", String::from_utf8_lossy(&done.stderr)))
}

/// A counter of `/metrics`, 0 where it has not been counted yet.
fn counted(metrics: &str, series: &str) -> u64 {
    let line = metrics.lines().find(|line| line.starts_with(series));
    line.and_then(|line| line.rsplit(' ').next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn every_http_port_speaks_tls_and_tells_who_does_not() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let (mut node, more, syslog) = (Node::new(), free_port(), free_port());
    let mut set = settings(&authority, syslog);
    set.push(("tls.ports", "analyzer.listen:api.listen:api.health_listen".to_owned()));
    set.push(("analyzer.listen_more", format!("127.0.0.1:{more}")));
    node.start(&sandbox, "serve", &set);
    let ca = text(authority.pem());
    for port in [node.ingest, node.api, node.health] {
        for version in ["--http1.1", "--http2"] {
            let (status, body) = curl(&["--cacert", &ca, version, &format!("https://localhost:{port}/live")]);
            assert_eq!(status, "200", "{port} {version}: {body}");
        }
        let (status, body) = curl(&[&format!("https://localhost:{port}/live")]);
        assert_eq!(status, "000", "nobody trusts an unknown authority: {body}");
        let (status, body) = get(port, "/live").unwrap();
        assert_eq!(status, 400, "{body}");
        assert!(body.contains("this port speaks TLS"), "{body}");
    }
    let line = "Nov 23 10:00:00 gate sshd[9]: Failed password for root from 203.0.113.90 port 4000 ssh2\n";
    let events = sandbox.write("events", line.repeat(15));
    let url = format!("https://localhost:{}/ingest", node.ingest);
    let (status, body) = curl(&["--cacert", &ca, "--data-binary", &format!("@{events}"), &url]);
    assert_eq!(status, "200", "{body}");
    let url = format!("https://localhost:{}/api/v1/findings?source.ip=203.0.113.90", node.api);
    wait_until(SOON, "the attack is found", || curl(&["--cacert", &ca, &url]).1.contains("203.0.113.90"));
    // TLS where there is none.
    let (status, _) = curl(&["--insecure", &format!("https://localhost:{more}/live")]);
    assert_eq!(status, "000");
    let (_, metrics) = get(more, "/metrics").unwrap();
    let series = |port: &str, spoken: &str| format!("ingest_misdirected_total{{port=\"{port}\",spoken=\"{spoken}\"}}");
    assert_eq!(counted(&metrics, &series("analyzer.listen_more", "tls")), 1, "{metrics}");
    assert!(counted(&metrics, &series("api.health_listen", "http")) >= 1, "{metrics}");
    let refused = "tls_handshakes_total{port=\"api.listen\",result=\"refused_ours\"}";
    assert_eq!(counted(&metrics, refused), 1, "{metrics}");
    assert!(metrics.contains("certificate_expires_timestamp_seconds{file=\""), "{metrics}");
    let log = std::fs::read_to_string(sandbox.path("serve.out")).unwrap();
    assert!(log.contains("begin with http:") && log.contains("a client speaks http on api.listen"), "{log}");
}

#[test]
fn a_port_that_wants_client_certificates_lets_nobody_else_in() {
    let (sandbox, authority, stranger) = (Sandbox::new(), Authority::new(), Authority::new());
    let (mut node, syslog) = (Node::new(), free_port());
    let mut set = settings(&authority, syslog);
    set.push(("tls.ports", "analyzer.listen:api.listen".to_owned()));
    set.push(("tls.client_ca", text(authority.pem())));
    set.push(("tls.client_ports", "analyzer.listen:syslog.tls".to_owned()));
    node.start(&sandbox, "serve", &set);
    let ca = text(authority.pem());
    let url = format!("https://localhost:{}/live", node.ingest);
    let right = authority.sign("shipper");
    let wrong = stranger.sign("shipper");
    let offered = |(pem, key): &(std::path::PathBuf, std::path::PathBuf)| {
        curl(&["--cacert", &ca, "--cert", &text(pem), "--key", &text(key), &url])
    };
    assert_eq!(offered(&right).0, "200");
    assert_eq!(offered(&wrong).0, "000");
    assert_eq!(curl(&["--cacert", &ca, &url]).0, "000");
    let open = format!("https://localhost:{}/live", node.api);
    assert_eq!(curl(&["--cacert", &ca, &open]).0, "200", "the API asks for none");
    let (_, metrics) = get(node.health, "/metrics").unwrap();
    for (result, number) in [("done", 1), ("no_client_certificate", 1), ("wrong_client_certificate", 1)] {
        let series = format!("tls_handshakes_total{{port=\"analyzer.listen\",result=\"{result}\"}}");
        assert_eq!(counted(&metrics, &series), number, "{result}: {metrics}");
    }
}

/// The serial number of the certificate that a new connection gets.
fn serial(port: u16) -> String {
    let script =
        format!("openssl s_client -connect 127.0.0.1:{port} </dev/null 2>/dev/null | openssl x509 -noout -serial");
    let done = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn certificates_are_renewed_under_traffic_and_a_broken_one_is_not_taken() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let (mut node, syslog) = (Node::new(), free_port());
    node.start(&sandbox, "serve", &settings(&authority, syslog));
    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{syslog}")]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut client = Running(child);
    let mut input = client.0.stdin.take().unwrap();
    let mut sent = 0;
    let mut send = |times: u32| {
        for _ in 0..times {
            writeln!(input, "<38>1 2026-11-23T10:00:00Z gate app 9 - - message {sent}").unwrap();
            sent += 1;
            std::thread::sleep(Duration::from_millis(5));
        }
        sent
    };
    send(100);
    let first = serial(syslog);
    assert!(first.starts_with("serial="), "{first}");
    std::fs::write(authority.path("server.pem"), "no certificate").unwrap();
    let series = |result: &str| format!("tls_reloads_total{{result=\"{result}\"}}");
    let metrics = || get(node.ingest, "/metrics").unwrap().1;
    wait_until(SOON, "the broken file is counted", || {
        send(10);
        counted(&metrics(), &series("broken")) == 1
    });
    assert_eq!(serial(syslog), first, "the old certificate stays in force");
    authority.sign("server");
    wait_until(SOON, "the renewed certificate is in force", || {
        send(10);
        serial(syslog) != first
    });
    let all = send(100);
    let events = "ingest_events_total{source=\"syslog_tls\"}";
    wait_until(SOON, "the connection of before went on", || counted(&metrics(), events) == all);
    let log = std::fs::read_to_string(sandbox.path("serve.out")).unwrap();
    assert!(log.contains("the old one stays in force") && log.contains("has been renewed"), "{log}");
}

#[test]
fn an_unmodified_rsyslog_forwards_over_tls_with_a_client_certificate() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let (mut node, syslog) = (Node::new(), free_port());
    let mut set = settings(&authority, syslog);
    set.push(("tls.client_ca", text(authority.pem())));
    node.start(&sandbox, "serve", &set);
    let (certificate, key) = authority.sign("shipper");
    let input = sandbox.write("input.log", "");
    let action = crate::clients::shipped(
        "rsyslog-tls.conf",
        &[
            ("analyzer.example", "localhost".to_owned()),
            ("6514", syslog.to_string()),
            ("/etc/rsyslog-tls/ca.pem", text(authority.pem())),
            ("/etc/rsyslog-tls/client.pem", text(certificate)),
            ("/etc/rsyslog-tls/client.key", text(key)),
        ],
    );
    let _rsyslog = Running(crate::clients::rsyslog(&sandbox, &input, &action));
    std::thread::sleep(Duration::from_millis(500));
    let line = "Failed password for root from 203.0.113.91 port 4000 ssh2\n";
    std::fs::write(&input, line.repeat(15)).unwrap();
    let path = "/api/v1/findings?source.ip=203.0.113.91";
    wait_until(SOON, "rsyslog over TLS", || {
        let found = node.json(path);
        found["data"].as_array().unwrap().iter().any(|finding| finding["count"].as_u64() >= Some(15))
    });
    let id = node.json(path)["data"][0]["id"].as_str().unwrap().to_owned();
    let detail = node.json(&format!("/api/v1/findings/{id}"));
    assert_eq!(detail["evidence"][0]["source"], "syslog+tls://127.0.0.1", "{detail}");
}

/// A message over TLS; whether what comes back ends so.
fn is_acknowledged(port: u16, ca: &str, message: &[u8], end: &[u8]) -> bool {
    let mut command = Command::new("openssl");
    command.args([
        "s_client",
        "-quiet",
        "-verify_return_error",
        "-CAfile",
        ca,
        "-connect",
        &format!("127.0.0.1:{port}"),
    ]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut client = Running(child);
    client.0.stdin.as_mut().unwrap().write_all(message).unwrap();
    let (mut answer, mut part) = (Vec::new(), [0; 256]);
    while !answer.ends_with(end) {
        match std::io::Read::read(client.0.stdout.as_mut().unwrap(), &mut part).unwrap() {
            0 => return false,
            read => answer.extend_from_slice(&part[..read]),
        }
    }
    true
}

#[test]
fn ports_of_shippers_speak_tls_where_that_is_set() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let mut node = Node::new();
    let [syslog, forward, lumberjack, more] = [(); 4].map(|()| free_port());
    let mut set = settings(&authority, syslog);
    set.push(("tls.ports", "shippers.forward:shippers.lumberjack:analyzer.listen_more".to_owned()));
    set.push(("shippers.forward", format!("127.0.0.1:{forward}")));
    set.push(("shippers.lumberjack", format!("127.0.0.1:{lumberjack}")));
    set.push(("analyzer.listen_more", format!("127.0.0.1:{more}")));
    node.start(&sandbox, "serve", &set);
    let ca = text(authority.pem());
    let line = "{\"message\":\"over TLS\"}\n";
    let window = wired::lumberjack(line);
    assert!(is_acknowledged(forward, &ca, &wired::forward(line, "chunk-1"), b"chunk-1"));
    assert!(is_acknowledged(lumberjack, &ca, &window, b"2A\0\0\0\x01"));
    // Shippers over HTTP: each version of it, gRPC among them, on the further ports.
    let url = format!("https://localhost:{more}/_bulk");
    let body = sandbox.write("bulk", "{\"create\":{}}\n{\"message\":\"over TLS\"}\n");
    let body = format!("@{body}");
    for version in ["--http1.1", "--http2"] {
        let sent = ["--cacert", &ca, version, "-HContent-Type: application/x-ndjson", "--data-binary", &body, &url];
        let (status, answer) = curl(&sent);
        assert_eq!(status, "200", "{answer}");
    }
    // A renewed certificate counts here as well; who speaks no TLS, or trusts another authority, is told of.
    let first = serial(forward);
    authority.sign("server");
    wait_until(SOON, "the renewed certificate is in force", || serial(forward) != first);
    assert!(is_acknowledged(forward, &ca, &wired::forward(line, "chunk-2"), b"chunk-2"));
    assert!(!wired::is_acknowledged(forward, &wired::forward(line, "chunk-3"), b"chunk-3"));
    let other = Authority::new();
    let stranger = text(other.pem());
    assert!(!is_acknowledged(lumberjack, &stranger, &window, b"2A\0\0\0\x01"));
    let plain = "ingest_misdirected_total{port=\"shippers.forward\",spoken=\"forward\"}";
    let refused = "tls_handshakes_total{port=\"shippers.lumberjack\",result=\"refused_ours\"}";
    wait_until(SOON, "both are counted", || {
        let (_, metrics) = get(node.ingest, "/metrics").unwrap();
        (counted(&metrics, plain), counted(&metrics, refused)) == (1, 1)
    });
    let (_, metrics) = get(node.ingest, "/metrics").unwrap();
    for (source, events) in [("forward", 2), ("lumberjack", 1), ("elasticsearch", 2)] {
        let series = format!("ingest_events_total{{source=\"{source}\"}}");
        assert_eq!(counted(&metrics, &series), events, "{source}: {metrics}");
    }
}

#[test]
fn other_protocols_on_the_syslog_ports_are_told_and_never_stored() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let (mut node, syslog) = (Node::new(), free_port());
    node.start(&sandbox, "serve", &settings(&authority, syslog));
    for (port, first) in [
        (node.syslog, &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..]),
        (node.syslog, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        (node.syslog, b"1 open 86 relp_version=0\nrelp_software=x\ncommands=syslog\n"),
        (node.syslog, b"2W\0\0\0\x01"),
        (node.syslog, b"\x93\xa5app.x\xd7\x00"),
        (node.syslog, b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n<38>x\n"),
        (syslog, b"<38>1 2026-11-23T10:00:00Z gate app 9 - - plain\n"),
    ] {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(first).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let read = std::io::Read::read(&mut stream, &mut [0; 64]);
        assert!(matches!(read, Ok(0)) || read.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
    }
    let (_, metrics) = get(node.ingest, "/metrics").unwrap();
    for (port, spoken) in [
        ("syslog.tcp", "tls"),
        ("syslog.tcp", "http"),
        ("syslog.tcp", "relp"),
        ("syslog.tcp", "lumberjack"),
        ("syslog.tcp", "forward"),
        ("syslog.tcp", "proxy"),
        ("syslog.tls", "plain"),
    ] {
        let series = format!("ingest_misdirected_total{{port=\"{port}\",spoken=\"{spoken}\"}}");
        assert_eq!(counted(&metrics, &series), 1, "{port} {spoken}: {metrics}");
    }
    assert!(!metrics.contains("ingest_events_total{source=\"syslog_t"), "nothing was stored: {metrics}");
    let log = std::fs::read_to_string(sandbox.path("serve.out")).unwrap();
    assert!(log.contains("a client speaks tls on syslog.tcp"), "{log}");
}
