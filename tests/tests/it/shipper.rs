//! Shippers that we did not write: an unmodified rsyslog forwards to us over TCP and UDP with the configuration that is
//! in `deploy/shippers`.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use servers::wait_until;

use crate::node::{Node, SOON};
use crate::oracle::rules;
use crate::program::Sandbox;

struct Rsyslog(Child);

impl Drop for Rsyslog {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.0.kill().is_err();
        let _waited = self.0.wait().is_err();
    }
}

/// Starts rsyslog with our configuration for `protocol`; it reads what is written to a file of its own.
fn rsyslog(sandbox: &Sandbox, node: &Node, protocol: &str) -> (Rsyslog, std::path::PathBuf) {
    let folder = sandbox.path(protocol);
    std::fs::create_dir_all(&folder).unwrap();
    let input = folder.join("input.log");
    std::fs::write(&input, "").unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/shippers/rsyslog.conf");
    let forward = std::fs::read_to_string(shipped).unwrap();
    // The file names TCP to a host; a test changes where to, and for UDP the protocol, nothing else.
    let forward = forward
        .replace("target=\"analyzer.example\"", "target=\"127.0.0.1\"")
        .replace("port=\"5514\"", &format!("port=\"{}\"", node.syslog))
        .replace("protocol=\"tcp\"", &format!("protocol=\"{protocol}\""));
    assert!(
        forward.contains(&format!("protocol=\"{protocol}\"")) && forward.contains("target=\"127.0.0.1\""),
        "{forward}"
    );
    let config = format!(
        "module(load=\"imfile\" mode=\"polling\" pollingInterval=\"1\")\n\
         global(workDirectory=\"{folder}\")\n\
         input(type=\"imfile\" file=\"{input}\" tag=\"sshd:\" facility=\"auth\")\n{forward}",
        folder = folder.display(),
        input = input.display(),
    );
    let path = folder.join("rsyslog.conf");
    std::fs::write(&path, config).unwrap();
    let child = Command::new("rsyslogd")
        .arg("-n")
        .arg("-f")
        .arg(&path)
        .arg("-i")
        .arg(folder.join("pid"))
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("out")).unwrap())
        .spawn()
        .expect("rsyslogd runs: install the package rsyslog");
    (Rsyslog(child), input)
}

#[test]
fn an_unmodified_rsyslog_forwards_over_tcp_and_udp() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[]);
    for (protocol, address) in [("tcp", "203.0.113.40"), ("udp", "203.0.113.41")] {
        let (_rsyslog, input) = rsyslog(&sandbox, &node, protocol);
        std::thread::sleep(Duration::from_millis(500));
        let line = format!("Failed password for root from {address} port 4000 ssh2\n");
        std::fs::write(&input, line.repeat(15)).unwrap();
        let path = format!("/api/v1/findings?source.ip={address}");
        wait_until(SOON, protocol, || node.json(&path)["data"].as_array().is_some_and(|found| !found.is_empty()));
        wait_until(SOON, "all lines came", || {
            let findings = node.json(&path);
            findings["data"].as_array().unwrap().iter().any(|finding| finding["count"].as_u64() >= Some(15))
        });
        let finding = node.json(&path)["data"][0].clone();
        let detail = node.json(&format!("/api/v1/findings/{}", finding["id"].as_str().unwrap()));
        assert_eq!(detail["evidence"][0]["source"], format!("syslog+{protocol}://127.0.0.1"), "{detail}");
        assert!(finding["first_seen"].is_string(), "its time was read: {finding}");
    }
}

#[test]
fn what_an_unmodified_rsyslog_has_compressed_is_read() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[]);
    for (at, (protocol, framing, mode)) in [
        ("tcp", "octet-counted", "single"),
        ("tcp", "traditional", "single"),
        ("udp", "traditional", "single"),
        ("tcp", "octet-counted", "stream:always"),
        ("tcp", "traditional", "stream:always"),
    ]
    .into_iter()
    .enumerate()
    {
        let (address, words) = (format!("203.0.113.{}", 100 + at), format!("{protocol} {framing} {mode}"));
        let action = crate::clients::shipped(
            "rsyslog.conf",
            &[
                ("analyzer.example", "127.0.0.1".to_owned()),
                ("5514", node.syslog.to_string()),
                ("protocol=\"tcp\"", format!("protocol=\"{protocol}\" ziplevel=\"9\" compression.mode=\"{mode}\"")),
                ("octet-counted", framing.to_owned()),
            ],
        );
        let folder = Sandbox::new();
        let input = folder.write("input.log", "");
        let _rsyslog = Rsyslog(crate::clients::rsyslog(&folder, &input, &action));
        std::thread::sleep(Duration::from_millis(500));
        // Long enough to be shorter when compressed.
        let line = format!("Failed password for root from {address} port 4000 ssh2\n");
        let other = format!(
            "Connection closed by authenticating user root {address} port 4000 [preauth] {}\n",
            "-".repeat(200)
        );
        std::fs::write(&input, (line + &other).repeat(15)).unwrap();
        let path = format!("/api/v1/findings?source.ip={address}");
        wait_until(SOON, &words, || {
            let findings = node.json(&path);
            findings["data"].as_array().unwrap().iter().any(|finding| finding["count"].as_u64() >= Some(15))
        });
    }
    let (_, metrics) = crate::node::get(node.api, "/metrics").unwrap();
    let packed = metrics.lines().find_map(|line| line.strip_prefix("ingest_frames_total{result=\"compressed\"} "));
    assert!(packed.and_then(|number| number.parse::<u32>().ok()) >= Some(45), "{metrics}");
}

#[test]
fn half_frames_and_long_messages_are_kept_counted_and_told() {
    use std::io::Write;
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    let mut settings = rules(&sandbox);
    settings.push(("syslog.message_bytes_max", "200".to_owned()));
    node.start(&sandbox, "serve", &settings);
    let probe = |user: &str| format!("{{\"oracle.kind\":\"probe\",\"user.name\":\"{user}\",\"host.name\":\"h\"}}");
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", node.syslog)).unwrap();
    let (one, two) = (probe("u1"), probe("u2"));
    write!(stream, "{one}\n<1>{}\n{two}", "x".repeat(500)).unwrap();
    drop(stream);
    wait_until(SOON, "both events came", || {
        node.json("/api/v1/findings?rule=oracle-one")["data"].as_array().unwrap().len() == 2
    });
    let (_, metrics) = crate::node::get(node.api, "/metrics").unwrap();
    for counted in [
        "ingest_frames_total{result=\"cut\"} 1",
        "ingest_frames_total{result=\"half_frame\"} 1",
        "ingest_events_total{source=\"syslog_tcp\"} 3",
    ] {
        assert!(metrics.contains(counted), "{counted}:\n{metrics}");
    }
    let log = std::fs::read_to_string(sandbox.path("serve.out")).unwrap();
    assert!(log.contains("ended inside a message"), "{log}");
    // Alone, so that its event says that it has been cut.
    let long = probe(&"u".repeat(400));
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(long.as_bytes(), ("127.0.0.1", node.syslog)).unwrap();
    wait_until(SOON, "the datagram was cut", || {
        let (_, metrics) = crate::node::get(node.api, "/metrics").unwrap();
        metrics.contains("ingest_frames_total{result=\"cut\"} 2")
            && metrics.contains("events_altered_total{reason=\"cut\"} 2")
    });
}

#[test]
fn followed_files_go_on_after_a_restart_and_a_rotation() {
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    let path = sandbox.path("app.log");
    settings.push(("tail.paths", path.display().to_string()));
    let probe =
        |number: u32| format!("{{\"oracle.kind\":\"probe\",\"user.name\":\"u{number}\",\"host.name\":\"h\"}}\n");
    let append = |path: &std::path::Path, text: &str| {
        use std::io::Write;
        std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    };
    let counts = |node: &Node| -> Vec<u64> {
        let page = node.json("/api/v1/findings?rule=oracle-one&limit=500");
        page["data"].as_array().unwrap().iter().map(|finding| finding["count"].as_u64().unwrap()).collect()
    };
    let mut node = Node::new();
    append(&path, &(0..20).map(probe).collect::<String>());
    node.start(&sandbox, "serve", &settings);
    wait_until(SOON, "the first lines", || counts(&node).len() == 20);
    assert_eq!(node.stop("serve"), Some(0));
    // While nobody follows: more lines, a rotation, and the new file.
    append(&path, &(20..25).map(probe).collect::<String>());
    std::fs::rename(&path, sandbox.path("app.log.1")).unwrap();
    append(&path, &(25..30).map(probe).collect::<String>());
    node.start(&sandbox, "serve", &settings);
    wait_until(SOON, "the rest of the old file and the new one", || counts(&node).len() == 30);
    append(&path, &probe(30));
    wait_until(SOON, "what is written now", || counts(&node).len() == 31);
    std::thread::sleep(Duration::from_secs(1));
    assert!(counts(&node).iter().all(|count| *count == 1), "no line was read twice");
}

#[test]
fn large_bodies_that_stall_do_not_hold_up_others() {
    use std::io::{Read, Write};
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[]);
    let begin = |megabytes: usize| {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", node.ingest)).unwrap();
        write!(stream, "POST /ingest HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        for _ in 0..megabytes {
            write!(stream, "100000\r\n{}\n\r\n", "x".repeat((1 << 20) - 1)).unwrap();
        }
        stream
    };
    let stalled = [begin(5), begin(5), begin(5)];
    let mut whole = begin(5);
    whole.write_all(b"0\r\n\r\n").unwrap();
    whole.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut answer = [0; 15];
    whole.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    for mut stream in stalled {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        while !String::from_utf8_lossy(&answer).contains("nothing came for 5 s") {
            let read = stream.read(&mut part).unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&part[..read]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 408"));
    }
}
