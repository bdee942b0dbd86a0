//! A folder with a file of every kind of log: no line is left without a dataset, and each attack is found, plain and compressed.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::program::Sandbox;

/// File of `tests/formats`, the attacker in it, and part of the title of a finding that names the attacker; nothing where the
/// file holds no attack on us, or its lines do not tell who asked (Envoy) or are of our own machines (Squid).
#[rustfmt::skip]
const FILES: &[(&str, &str, &str)] = &[
    ("docker-json.log", "203.0.113.10", "SQL injection"),
    ("cri.log", "203.0.113.11", "SQL injection"),
    ("docker-compose.log", "203.0.113.12", "SQL injection"),
    ("journal.json", "203.0.113.13", "SSH"),
    ("journal-export.log", "203.0.113.14", "SSH"),
    ("filebeat.json", "203.0.113.15", "SQL injection"),
    ("fluent-bit.json", "203.0.113.16", "SQL injection"),
    ("cloudwatch.json", "203.0.113.17", "SQL injection"),
    ("relay.log", "203.0.113.18", "SSH"),
    ("nginx.json", "203.0.113.19", "SQL injection"),
    ("caddy.json", "203.0.113.20", "SQL injection"),
    ("traefik.json", "203.0.113.21", "SQL injection"),
    ("envoy.json", "203.0.113.22", "SQL injection"),
    ("suricata-eve.json", "203.0.113.23", "SQL injection"),
    ("zeek-http.json", "203.0.113.24", "SQL injection"),
    ("mongodb.json", "203.0.113.25", "ogin"),
    ("nextcloud.json", "203.0.113.26", "ogin"),
    ("keycloak.json", "203.0.113.27", "ogin"),
    ("okta.json", "203.0.113.28", "ogin"),
    ("cloudtrail.json", "203.0.113.29", "ogin"),
    ("cloudtrail-records.json", "203.0.113.201", "ogin"),
    ("kubernetes-audit.json", "203.0.113.30", ""),
    ("nginx-error.log", "203.0.113.31", "Path traversal"),
    ("apache-error.log", "203.0.113.32", "ogin"),
    ("haproxy.log", "203.0.113.33", "SQL injection"),
    ("iis.log", "203.0.113.34", "SQL injection"),
    ("alb.log", "203.0.113.35", "SQL injection"),
    ("elb.log", "203.0.113.36", "SQL injection"),
    ("s3.log", "203.0.113.37", "file"),
    ("cloudfront.log", "203.0.113.38", "SQL injection"),
    ("squid.log", "203.0.113.39", ""),
    ("envoy.log", "203.0.113.40", ""),
    ("proxy-manager.log", "203.0.113.41", "SQL injection"),
    ("ingress-nginx.log", "203.0.113.42", "SQL injection"),
    ("uwsgi.log", "203.0.113.43", "SQL injection"),
    ("modsecurity.json", "203.0.113.44", "SQL injection"),
    ("exim.log", "203.0.113.45", "ogin"),
    ("postfix.log", "203.0.113.46", "ogin"),
    ("dovecot.log", "203.0.113.47", "ogin"),
    ("vsftpd.log", "203.0.113.48", "ogin"),
    ("mysql.log", "203.0.113.49", "ogin"),
    ("mssql.log", "203.0.113.50", "ogin"),
    ("asterisk.log", "203.0.113.51", "ogin"),
    ("openvpn.log", "203.0.113.52", "ogin"),
    ("gitea.log", "203.0.113.53", "ogin"),
    ("vaultwarden.log", "203.0.113.54", "ogin"),
    ("proxmox.log", "203.0.113.55", "ogin"),
    ("auth.log", "203.0.113.56", "SSH"),
    ("solaris-auth.log", "203.0.113.57", "SSH"),
    ("openwrt.log", "203.0.113.58", "SSH"),
    ("netfilter.log", "203.0.113.59", "Port scan"),
    ("pfsense.log", "203.0.113.60", "Port scan"),
    ("cisco-asa.log", "203.0.113.61", "Port scan"),
    ("cisco-ios.log", "203.0.113.62", "Port scan"),
    ("fortigate.log", "203.0.113.63", "Port scan"),
    ("paloalto.log", "203.0.113.64", "Port scan"),
    ("mikrotik.log", "203.0.113.65", "ogin"),
    ("cef.log", "203.0.113.66", "ogin"),
    ("leef.log", "203.0.113.67", "ogin"),
    ("logfmt.log", "203.0.113.68", "SQL injection"),
    ("dpkg.log", "203.0.113.69", ""),
    ("apt-history.log", "203.0.113.70", ""),
    ("dnf.log", "203.0.113.71", ""),
    ("dmesg.log", "203.0.113.72", ""),
    ("windows-event.xml", "203.0.113.73", "ogin"),
    ("application.log", "203.0.113.74", ""),
    ("windows-security.evtx", "203.0.113.75", "ogin"),
    ("btmp", "203.0.113.76", "ogin"),
    ("wtmp", "203.0.113.77", ""),
    ("utf16.log", "203.0.113.78", "SSH"),
];

/// Datasets of lines that nothing was understood of.
const UNKNOWN: [&str; 4] = ["text", "unparsed", "json", ""];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("formats")
}

#[test]
fn the_table_names_every_file() {
    let mut files: Vec<String> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let mut named: Vec<&str> = FILES.iter().map(|(name, ..)| *name).collect();
    files.sort();
    named.sort_unstable();
    assert_eq!(files, named);
}

#[test]
fn every_line_has_a_dataset() {
    let sandbox = Sandbox::new();
    let mut unknown = Vec::new();
    for (name, ..) in FILES {
        let run = sandbox.run(&["parse", &folder().join(name).display().to_string()]);
        for event in run.lines() {
            let dataset = event["event.dataset"].as_str().unwrap_or("");
            if UNKNOWN.contains(&dataset) && event["event.original"] != "" {
                unknown.push(format!("{name}: {dataset}: {}", event["event.original"]));
            }
        }
    }
    assert!(unknown.is_empty(), "{} line(s) without a dataset:\n{}", unknown.len(), unknown.join("\n"));
}

#[test]
fn what_can_be_read_is_listed_with_an_example_of_each() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["formats", "--output", "json"]);
    let rows = run.lines();
    assert_eq!(run.code, Some(0), "{}", run.err);
    for kind in ["format", "program", "shape"] {
        assert!(rows.iter().filter(|row| row["kind"] == kind).count() > 40, "{kind}");
    }
    assert!(rows.iter().all(|row| row["example"].as_str().is_some_and(|example| !example.is_empty())));
    assert_eq!(sandbox.run(&["formats"]).out.lines().count(), rows.len() + 1);
}

/// Titles of findings, with the attacker that each names.
fn found(sandbox: &Sandbox, folder: &Path) -> Vec<(String, String)> {
    let run = sandbox.run(&["replay", "--store", "none", "--out", "ndjson", &folder.display().to_string()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let named = |finding: &Value| (finding["rule.title"].as_str().unwrap_or("").to_owned(), finding.to_string());
    run.lines().iter().map(named).collect()
}

fn missing(findings: &[(String, String)]) -> Vec<String> {
    let is_found = |address: &str, title: &str| {
        let quoted = format!("\"{address}\"");
        findings.iter().any(|(known, text)| known.contains(title) && text.contains(&quoted))
    };
    let missed = FILES.iter().filter(|(_, address, title)| !title.is_empty() && !is_found(address, title));
    missed.map(|(name, address, title)| format!("{name}: no `{title}` by {address}")).collect()
}

#[test]
fn every_attack_is_found_plain_and_compressed() {
    let sandbox = Sandbox::new();
    let plain = found(&sandbox, &folder());
    assert!(missing(&plain).is_empty(), "{:#?}", missing(&plain));
    for (name, ..) in FILES {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&std::fs::read(folder().join(name)).unwrap()).unwrap();
        sandbox.write(&format!("packed/{name}.gz"), packed.finish().unwrap());
    }
    let packed = found(&sandbox, &sandbox.path("packed"));
    let titles = |findings: &[(String, String)]| {
        let mut titles: Vec<String> = findings.iter().map(|(title, _)| title.clone()).collect();
        titles.sort();
        titles
    };
    assert_eq!(titles(&plain), titles(&packed));
}
