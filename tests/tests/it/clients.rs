//! Clients that we did not write push failed logins in their own protocols: each is told that all was taken, and each attack is
//! found, once, with all its events. Where the clients are: `deploy/scripts/test-clients.sh`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use servers::{free_port, wait_until};

use crate::node::{Node, SOON, get};
use crate::program::Sandbox;

/// Failed logins of each client.
const COUNT: usize = 15;

/// A process that ends with its handle.
struct Shipping(Child);

impl Drop for Shipping {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.0.kill().is_err();
        let _waited = self.0.wait().is_err();
    }
}

fn tools() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let tools = std::env::var_os("TEST_TOOLS").map_or_else(|| target.join("test-tools"), PathBuf::from);
    let clients = tools.join("clients");
    assert!(clients.exists(), "{} is missing: run deploy/scripts/test-clients.sh", clients.display());
    clients
}

fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A configuration of ours, with another host, port and folder.
pub(crate) fn shipped(name: &str, replaced: &[(&str, String)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/shippers").join(name);
    let mut text = std::fs::read_to_string(path).unwrap();
    for (from, to) in replaced {
        assert!(text.contains(from), "{name} has no `{from}`");
        text = text.replace(from, to);
    }
    text
}

/// An rsyslog that reads lines of `sshd` from a file and does with them what the configuration says.
pub(crate) fn rsyslog(sandbox: &Sandbox, input: &str, action: &str) -> Child {
    let config = format!(
        "module(load=\"imfile\" mode=\"polling\" pollingInterval=\"1\")\nglobal(workDirectory=\"{}\")\n\
         input(type=\"imfile\" file=\"{input}\" tag=\"sshd:\" facility=\"auth\")\n{action}",
        sandbox.root().display()
    );
    let config = sandbox.write("rsyslog.conf", config);
    let own = "usr/lib/x86_64-linux-gnu";
    let root = tools().join("root").join(own);
    let mut command = Command::new("rsyslogd");
    command.arg("-M").arg(format!("/{own}/rsyslog:{}", root.join("rsyslog").display()));
    command.env("LD_LIBRARY_PATH", &root).args(["-n", "-f", &config, "-i"]).arg(sandbox.path("pid"));
    let out = std::fs::File::create(sandbox.path("rsyslog.out")).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out).spawn().expect("rsyslogd runs")
}

/// All events of the attack, in one finding.
fn is_found(node: &Node, address: &str) -> bool {
    let findings = node.json(&format!("/api/v1/findings?source.ip={address}"));
    findings["data"].as_array().unwrap().iter().any(|finding| finding["count"].as_u64() >= Some(COUNT as u64))
}

/// Runs a client of `tests/clients` to its end.
fn push(port: u16, language: &str, client: &str, address: &str, token: Option<&str>) {
    let (clients, count) = (tools(), COUNT.to_string());
    let port = port.to_string();
    let mut command = match language {
        "python" => Command::new(clients.join("python/bin/python")),
        _ => Command::new("node"),
    };
    let file = if language == "python" { "clients/push.py" } else { "clients/push.mjs" };
    command.arg(sources(file)).args([client, &port, address, &count]);
    if language == "node" {
        command.arg(clients.join("node"));
    }
    command.args(token);
    let done = command.stdin(Stdio::null()).output().expect("the client runs");
    let told = String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{language} {client}: {told}");
}

const CLIENTS: [(&str, &str); 12] = [
    ("python", "elasticsearch"),
    ("python", "opensearch"),
    ("python", "splunk"),
    ("python", "loki"),
    ("python", "otlp"),
    ("python", "otlp_grpc"),
    ("python", "gelf"),
    ("node", "elasticsearch"),
    ("node", "splunk"),
    ("node", "loki"),
    ("node", "otlp"),
    ("node", "otlp_grpc"),
];

/// Clients of protocols that have ports of their own: the setting of the port.
const WIRED: [(&str, &str, &str); 12] = [
    ("python", "forward", "shippers.forward"),
    ("node", "forward", "shippers.forward"),
    ("node", "forward_packed", "shippers.forward"),
    ("node", "forward_compressed", "shippers.forward"),
    ("python", "lumberjack", "shippers.lumberjack"),
    ("node", "lumberjack", "shippers.lumberjack"),
    ("python", "gelf_tcp", "shippers.gelf_tcp"),
    ("python", "pygelf_tcp", "shippers.gelf_tcp"),
    ("node", "gelf_tcp", "shippers.gelf_tcp"),
    ("python", "gelf_udp", "shippers.gelf_udp"),
    ("python", "pygelf_udp", "shippers.gelf_udp"),
    ("node", "gelf_udp", "shippers.gelf_udp"),
];

/// A free port for each protocol that has one of its own, and the settings that say so.
fn wired() -> (BTreeMap<&'static str, u16>, Vec<(&'static str, String)>) {
    let keys = ["shippers.forward", "shippers.lumberjack", "shippers.gelf_tcp", "shippers.gelf_udp"];
    let ports: BTreeMap<_, _> = keys.map(|key| (key, free_port())).into_iter().collect();
    let settings = ports.iter().map(|(key, port)| (*key, format!("127.0.0.1:{port}"))).collect();
    (ports, settings)
}

#[test]
fn clients_of_protocols_with_ports_of_their_own_are_understood_and_their_attacks_found() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    let (ports, settings) = wired();
    node.start(&sandbox, "serve", &settings);
    let clients = WIRED.iter().enumerate().map(|(at, client)| (format!("203.0.113.{}", 90 + at), client));
    for (address, (language, client, setting)) in clients.clone() {
        push(ports[setting], language, client, &address, None);
    }
    for (address, (language, client, _)) in clients {
        wait_until(SOON, &format!("{language} {client} ({address})"), || is_found(&node, &address));
    }
    let (_, metrics) = get(node.ingest, "/metrics").unwrap();
    for source in ["forward", "lumberjack", "gelf_tcp", "gelf_udp"] {
        assert!(metrics.contains(&format!("ingest_events_total{{source=\"{source}\"}}")), "{source}:\n{metrics}");
    }
    let dropped = metrics.lines().filter(|line| line.starts_with("ingest_dropped_total{") && !line.ends_with(" 0"));
    assert!(!metrics.contains("ingest_poison_total") && dropped.count() == 0, "{metrics}");
}

#[test]
fn peers_of_forward_show_that_they_know_the_key() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    let (ports, mut settings) = wired();
    settings.push(("shippers.forward_shared_key", "open sesame".to_owned()));
    node.start(&sandbox, "serve", &settings);
    for client in ["forward", "forward_compressed"] {
        push(ports["shippers.forward"], "node", client, "203.0.113.88", Some("open sesame"));
    }
    found(&node, "203.0.113.88", "both modes, with the key");
    let wrong = std::panic::catch_unwind(|| {
        push(ports["shippers.forward"], "node", "forward", "203.0.113.89", Some("a guess"));
    });
    assert!(wrong.is_err(), "a client with another key is told");
    let (_, metrics) = get(node.ingest, "/metrics").unwrap();
    assert!(metrics.contains("ingest_refusals_total{source=\"forward\",reason=\"wrong_key\"} 1"), "{metrics}");
}

#[test]
fn clients_of_every_protocol_are_understood_and_their_attacks_found() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[]);
    for (at, (language, client)) in CLIENTS.iter().enumerate() {
        push(node.ingest, language, client, &format!("203.0.113.{}", 50 + at), None);
    }
    for (at, (language, client)) in CLIENTS.iter().enumerate() {
        let address = format!("203.0.113.{}", 50 + at);
        wait_until(SOON, &format!("{language} {client} ({address})"), || is_found(&node, &address));
    }
    let (_, metrics) = get(node.ingest, "/metrics").unwrap();
    for source in ["elasticsearch", "splunk", "loki", "otlp", "otlp_grpc", "gelf"] {
        assert!(metrics.contains(&format!("ingest_events_total{{source=\"{source}\"}}")), "{source}:\n{metrics}");
    }
    assert!(!metrics.contains("ingest_poison_total"), "{metrics}");
}

#[test]
fn clients_bring_their_token_in_their_own_way() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    let made = sandbox.run(&["token", "create", "--role", "ingest", "--name", "ship"]);
    let token = made
        .out
        .lines()
        .find(|line| line.starts_with("c0di3_"))
        .unwrap_or_else(|| panic!("{}", made.err))
        .trim()
        .to_owned();
    node.start(&sandbox, "serve", &[("auth.tokens", "true".to_owned())]);
    for (language, client) in CLIENTS.into_iter().filter(|(_, client)| *client != "gelf") {
        push(node.ingest, language, client, "203.0.113.70", Some(&token));
    }
}

/// Waits until the attack of a shipper that runs on is found.
fn found(node: &Node, address: &str, words: &str) {
    wait_until(Duration::from_secs(60), words, || is_found(node, address));
}

#[test]
fn an_unmodified_rsyslog_sends_as_to_elasticsearch_and_waits_while_we_are_away() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[]);
    let input = sandbox.write("input.log", "");
    let action = shipped(
        "rsyslog-elasticsearch.conf",
        &[
            ("analyzer.example", "127.0.0.1".to_owned()),
            ("5001", node.ingest.to_string()),
            ("/var/log/c0di3-errors.json", sandbox.path("errors.json").display().to_string()),
            ("action.resumeInterval=\"5\"", "action.resumeInterval=\"1\"".to_owned()),
        ],
    );
    let action = action.replace("load=\"omelasticsearch\"", &format!("load=\"{}\"", omelasticsearch()));
    let config = format!(
        "module(load=\"imfile\" mode=\"polling\" pollingInterval=\"1\")\nglobal(workDirectory=\"{}\")\n\
         input(type=\"imfile\" file=\"{input}\" tag=\"sshd:\" facility=\"auth\")\n{action}",
        sandbox.root().display()
    );
    let config = sandbox.write("rsyslog.conf", config);
    let mut command = Command::new("rsyslogd");
    command.args(["-n", "-f", &config, "-i"]).arg(sandbox.path("pid"));
    let out = std::fs::File::create(sandbox.path("out")).unwrap();
    let _rsyslog =
        Shipping(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out).spawn().expect("rsyslogd runs"));
    std::thread::sleep(Duration::from_millis(500));
    let lines = |address: &str| format!("Failed password for root from {address} port 4000 ssh2\n").repeat(COUNT);
    std::fs::write(&input, lines("203.0.113.80")).unwrap();
    found(&node, "203.0.113.80", "omelasticsearch");
    assert_eq!(node.stop("serve"), Some(0));
    std::fs::write(&input, lines("203.0.113.80") + &lines("203.0.113.81")).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    node.start(&sandbox, "serve", &[]);
    found(&node, "203.0.113.81", "what came while we were away");
    assert!(!sandbox.path("errors.json").exists(), "nothing was thrown away");
}

/// The module, where the system has it or where the test's tools are.
fn omelasticsearch() -> String {
    let name = "usr/lib/x86_64-linux-gnu/rsyslog/omelasticsearch.so";
    let places = [PathBuf::from("/").join(name), tools().join("root").join(name)];
    let found = places.iter().find(|place| place.exists());
    found
        .unwrap_or_else(|| panic!("omelasticsearch is missing: run deploy/scripts/test-clients.sh"))
        .display()
        .to_string()
}

/// A program that was unpacked, not installed.
fn unpacked(path: &str) -> Command {
    let root = tools().join("root");
    let mut command = Command::new(root.join(path));
    let libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/syslog-ng", "lib/systemd"];
    let libraries = libraries.map(|folder| root.join(folder).display().to_string()).join(":");
    command.env("LD_LIBRARY_PATH", libraries).stdin(Stdio::null());
    command
}

fn syslog_ng(sandbox: &Sandbox, config: &str) -> Shipping {
    let mut command = unpacked("usr/sbin/syslog-ng");
    command.arg("-F").arg("--no-caps").args(["-f", config]);
    command.arg("--module-path").arg(tools().join("root/usr/lib/syslog-ng/3.38"));
    for (option, name) in [("-R", "persist"), ("-p", "pid"), ("-c", "control")] {
        command.arg(option).arg(sandbox.path(name));
    }
    let out = std::fs::File::create(sandbox.path("syslog-ng.out")).unwrap();
    Shipping(command.stdout(Stdio::null()).stderr(out).spawn().expect("syslog-ng runs"))
}

#[test]
fn an_unmodified_syslog_ng_sends_as_to_elasticsearch_and_as_lines() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[]);
    let ours = shipped("syslog-ng.conf", &[("analyzer.example:5001", format!("127.0.0.1:{}", node.ingest))]);
    let (first, last) = ours.rsplit_once("log {").unwrap();
    assert!(last.contains("d_c0di3_bulk"));
    let root = tools().join("root");
    let scl = root.join("usr/share/syslog-ng/include/scl/elasticsearch/elastic-http.conf");
    let scl = if scl.exists() { scl } else { root.join("usr/share/syslog-ng/include/scl/elasticsearch/plugin.conf") };
    let [bulk, lines] = ["bulk.log", "lines.log"].map(|name| sandbox.write(name, ""));
    let config = sandbox.write(
        "syslog-ng.conf",
        format!(
            "@version: 3.38\n@include \"{}\"\noptions {{ stats-freq(0); time-reopen(1); }};\n\
             source s_bulk {{ file(\"{bulk}\" follow-freq(1) program-override(\"sshd\")); }};\n\
             source s_lines {{ file(\"{lines}\" follow-freq(1) program-override(\"sshd\")); }};\n{first}\n\
             log {{ source(s_bulk); destination(d_c0di3_bulk); }};\nlog {{ source(s_lines); destination(d_c0di3_lines); }};\n",
            scl.display()
        ),
    );
    let _running = syslog_ng(&sandbox, &config);
    std::thread::sleep(Duration::from_secs(1));
    for (path, address) in [(&bulk, "203.0.113.82"), (&lines, "203.0.113.83")] {
        let line = |at: usize| {
            format!("Nov 23 10:00:{at:02} gate sshd[9]: Failed password for root from {address} port 4000 ssh2\n")
        };
        std::fs::write(path, (0..COUNT).map(line).collect::<String>()).unwrap();
    }
    found(&node, "203.0.113.82", "elasticsearch-http");
    found(&node, "203.0.113.83", "http");
}

#[test]
fn the_journals_own_upload_is_taken_and_its_attack_found() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[]);
    let entry = |at: usize| {
        format!(
            "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID=0123456789abcdef0123456789abcdef\n_HOSTNAME=gate\n\
             SYSLOG_IDENTIFIER=sshd\n_PID=9\nPRIORITY=6\nMESSAGE=Failed password for root from 203.0.113.84 port 4000 ssh2\n\n",
            1_795_428_000_000_000 + at * 1_000_000,
            at + 1
        )
    };
    let export = sandbox.write("export", (0..COUNT).map(entry).collect::<String>());
    let journal = sandbox.path("test.journal");
    let made = unpacked("lib/systemd/systemd-journal-remote").arg("-o").arg(&journal).arg(&export).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let ours = shipped("journal-upload.conf", &[("analyzer.example:5001", format!("127.0.0.1:{}", node.ingest))]);
    let url = ours.lines().find_map(|line| line.strip_prefix("URL=")).unwrap();
    let mut command = unpacked("lib/systemd/systemd-journal-upload");
    command.arg(format!("--url={url}")).arg(format!("--file={}", journal.display()));
    command.arg(format!("--save-state={}", sandbox.path("state").display()));
    let out = std::fs::File::create(sandbox.path("upload.out")).unwrap();
    let _running = Shipping(command.stdout(Stdio::null()).stderr(out).spawn().expect("systemd-journal-upload runs"));
    found(&node, "203.0.113.84", "systemd-journal-upload");
}

#[test]
fn an_unmodified_syslog_ng_sends_as_to_graylog() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    let (ports, settings) = wired();
    node.start(&sandbox, "serve", &settings);
    let to = ports["shippers.gelf_tcp"].to_string();
    let ours = shipped(
        "syslog-ng-graylog2.conf",
        &[("analyzer.example", "127.0.0.1".to_owned()), ("port(12201)", format!("port({to})"))],
    );
    let root = tools().join("root");
    let scl = root.join("usr/share/syslog-ng/include/scl/graylog2/plugin.conf");
    let input = sandbox.write("gelf.log", "");
    let config = sandbox.write(
        "syslog-ng.conf",
        format!(
            "@version: 3.38\n@include \"{}\"\noptions {{ stats-freq(0); time-reopen(1); }};\n\
             source s_src {{ file(\"{input}\" follow-freq(1) program-override(\"sshd\")); }};\n{ours}",
            scl.display()
        ),
    );
    let _running = syslog_ng(&sandbox, &config);
    std::thread::sleep(Duration::from_secs(1));
    let line = |at: usize| {
        format!("Nov 23 10:00:{at:02} gate sshd[9]: Failed password for root from 203.0.113.87 port 4000 ssh2\n")
    };
    std::fs::write(&input, (0..COUNT).map(line).collect::<String>()).unwrap();
    found(&node, "203.0.113.87", "graylog2");
}

#[test]
fn an_unmodified_syslog_ng_sends_syslog_with_lengths_as_lines_and_as_datagrams() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[]);
    let here = [("analyzer.example", "127.0.0.1".to_owned()), ("port(5514)", format!("port({})", node.syslog))];
    let ours = shipped("syslog-ng-syslog.conf", &here);
    let (destinations, last) = ours.rsplit_once("log {").unwrap();
    assert!(last.contains("d_c0di3_syslog"));
    let datagrams = destinations.split("destination ").last().unwrap();
    let datagrams = datagrams
        .replace("d_c0di3_network", "d_datagrams")
        .replace("c0di3-network", "c0di3-datagrams")
        .replace("\"tcp\"", "\"udp\"");
    let mut config = format!(
        "@version: 3.38\noptions {{ stats-freq(0); time-reopen(1); }};\n{destinations}\ndestination {datagrams}\n"
    );
    let ways =
        [("d_c0di3_syslog", "203.0.113.110"), ("d_c0di3_network", "203.0.113.111"), ("d_datagrams", "203.0.113.112")];
    let inputs = ways.map(|(way, _)| sandbox.write(&format!("{way}.log"), ""));
    for ((way, _), input) in ways.iter().zip(&inputs) {
        config += &format!("source s_{way} {{ file(\"{input}\" follow-freq(1) program-override(\"sshd\")); }};\n");
        config += &format!("log {{ source(s_{way}); destination({way}); }};\n");
    }
    let config = sandbox.write("syslog-ng.conf", config);
    let _running = syslog_ng(&sandbox, &config);
    std::thread::sleep(Duration::from_secs(1));
    for ((_, address), input) in ways.iter().zip(&inputs) {
        let line = |at: usize| {
            format!("Nov 23 10:00:{at:02} gate sshd[9]: Failed password for root from {address} port 4000 ssh2\n")
        };
        std::fs::write(input, (0..COUNT).map(line).collect::<String>()).unwrap();
    }
    for (way, address) in ways {
        found(&node, address, way);
    }
    let (_, metrics) = get(node.ingest, "/metrics").unwrap();
    assert!(!metrics.contains("ingest_frames_total{result=\"wrong_count\"}"), "{metrics}");
}

#[test]
fn an_unmodified_logger_sends_over_tcp_and_udp() {
    let sandbox = Sandbox::new();
    let mut node = Node::new();
    node.start(&sandbox, "serve", &[]);
    let port = node.syslog.to_string();
    let ways: [&[&str]; 4] = [&["-T", "--octet-count"], &["-T"], &["-T", "--rfc3164"], &["-d"]];
    for (at, way) in ways.iter().enumerate() {
        let line = format!("Failed password for root from 203.0.113.{} port 4000 ssh2\n", 120 + at);
        let input = sandbox.write("input", line.repeat(COUNT));
        let mut command = Command::new("logger");
        command.args(["-n", "127.0.0.1", "-P", &port, "-t", "sshd", "-p", "auth.info", "-f", &input]).args(*way);
        let done = command.stdin(Stdio::null()).output().expect("logger runs: install the package bsdutils");
        assert!(done.status.success(), "{way:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    for (at, way) in ways.iter().enumerate() {
        found(&node, &format!("203.0.113.{}", 120 + at), &format!("logger {way:?}"));
    }
}
