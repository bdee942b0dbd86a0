//! Which of our ports speak TLS, and with what, from as written to as meant. It reads no certificate.

use ingest::tls::TlsFiles;

use super::file::ConfigFile;
use super::meant::TlsConfig;
use super::problems::Problems;
use super::value::filled_path;

/// Ports that may speak TLS in place of what they speak without.
const CHOICE: [&str; 7] = [
    "analyzer.listen",
    "analyzer.listen_more",
    "api.listen",
    "api.health_listen",
    "shippers.forward",
    "shippers.lumberjack",
    "shippers.gelf_tcp",
];
/// Ports that speak nothing else.
const ALWAYS: [&str; 2] = ["syslog.tls", "syslog.relp_tls"];

pub(super) fn check_tls(file: &ConfigFile, problems: &mut Problems) -> TlsConfig {
    let section = &file.agent.tls;
    let mut ports: Vec<&'static str> = Vec::new();
    for written in &section.ports {
        match CHOICE.into_iter().find(|known| known == written) {
            Some(known) => ports.push(known),
            None if ALWAYS.contains(&written.as_str()) => {}
            None => problems.keep("tls.ports", format!("`{written}` is not one of {}", CHOICE.join(", "))),
        }
    }
    ports.extend(ALWAYS.into_iter().filter(|key| is_open(file, key)));
    let files = files(file, &ports, problems);
    let client_ports = if section.client_ports.is_empty() { ports.clone() } else { chosen(file, &ports, problems) };
    if filled_path(&section.client_ca).is_none() && !section.client_ports.is_empty() {
        problems.keep("tls.client_ports", "tls.client_ca has to say whose certificates clients need");
    }
    TlsConfig { files, ports, client_ports }
}

fn chosen(file: &ConfigFile, ports: &[&'static str], problems: &mut Problems) -> Vec<&'static str> {
    let mut chosen = Vec::new();
    for written in &file.agent.tls.client_ports {
        match ports.iter().find(|port| *port == written) {
            Some(port) => chosen.push(*port),
            None => problems.keep("tls.client_ports", format!("`{written}` speaks no TLS: see tls.ports")),
        }
    }
    chosen
}

fn is_open(file: &ConfigFile, key: &str) -> bool {
    match key {
        "syslog.tls" => !file.sources.syslog.tls.is_empty(),
        "syslog.relp_tls" => !file.sources.syslog.relp_tls.is_empty(),
        _ => false,
    }
}

fn files(file: &ConfigFile, ports: &[&str], problems: &mut Problems) -> Option<TlsFiles> {
    let section = &file.agent.tls;
    let client_ca = filled_path(&section.client_ca);
    match (filled_path(&section.certificate), filled_path(&section.key)) {
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key, client_ca }),
        (None, None) if ports.is_empty() && client_ca.is_none() => None,
        (None, None) => {
            let speaking = if ports.is_empty() { "tls.client_ca".to_owned() } else { ports.join(", ") };
            problems.keep("tls.certificate, tls.key", format!("must be set: {speaking} needs them"));
            None
        }
        _ => {
            problems.keep("tls.certificate, tls.key", "need each other");
            None
        }
    }
}
