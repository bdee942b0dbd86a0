//! Settings that are sound each by itself, and do not go together. Asks nothing outside the configuration.

use std::net::SocketAddr;

use toml::Value;

use super::found::{Complaint, fault, note};
use crate::config::Config;

/// Everything that contradicts something else.
pub(super) fn contradictions(config: &Config, written: &Value) -> Vec<Complaint> {
    let mut found = Vec::new();
    found.extend(exposed(config));
    found.extend(twice(config));
    found.extend(ingest(config, written));
    found.extend(told(config, written));
    found.extend(unencrypted(config));
    let (lateness, gap) = (config.correlation.lateness_us, config.correlation.fold_gap_us);
    if lateness > gap {
        let what = "what comes late would begin findings anew: it is longer than correlation.fold_gap";
        found.push(fault("correlation.lateness", what, "make it shorter, or correlation.fold_gap longer"));
    }
    for (key, section) in [("trusted_proxies", "api"), ("trusted_proxies", "input")] {
        let all = texts(written, section, key).into_iter().find(|network| network.ends_with("/0"));
        if let Some(network) = all {
            let what = format!("{network} is everybody: whoever asks may say who he is");
            found.push(fault(&format!("{section}.{key}"), what, "name the networks of your own proxies"));
        }
    }
    found
}

/// Every port that this configuration opens, with its setting.
pub(super) fn ports(config: &Config) -> Vec<(&'static str, SocketAddr)> {
    let mut ports = vec![
        ("api.listen", config.agent.listen),
        ("api.health_listen", config.agent.health_listen),
        ("analyzer.listen", config.analyzer.http.listen),
    ];
    ports.extend(config.analyzer.http.listen_more.iter().map(|address| ("analyzer.listen_more", *address)));
    ports.extend(config.analyzer.syslog.tcp.map(|address| ("syslog.tcp", address)));
    let (syslog, shippers) = (&config.analyzer.syslog, &config.analyzer.shippers);
    for (key, address) in [
        ("syslog.tls", syslog.tls),
        ("syslog.relp", syslog.relp),
        ("syslog.relp_tls", syslog.relp_tls),
        ("shippers.forward", shippers.forward),
        ("shippers.lumberjack", shippers.lumberjack),
        ("shippers.gelf_tcp", shippers.gelf_tcp),
    ] {
        ports.extend(address.map(|address| (key, address)));
    }
    ports
}

fn exposed(config: &Config) -> Vec<Complaint> {
    let open = ports(config).into_iter().filter(|(key, address)| {
        !config.access.tokens
            && matches!(*key, "api.listen" | "analyzer.listen" | "analyzer.listen_more")
            && !address.ip().is_loopback()
    });
    let told = |(key, address): (&str, SocketAddr)| {
        let what = format!("{address} is open to others, and auth.tokens is false: the service will not start");
        fault(key, what, "set auth.tokens = true and make a token, or listen on 127.0.0.1")
    };
    open.map(told).collect()
}

/// Ports that others reach, on which tokens and events go as they are.
fn unencrypted(config: &Config) -> Vec<Complaint> {
    let speaks = |key: &str| key.ends_with("tls") || config.access.tls.ports.contains(&key);
    let open = ports(config).into_iter().filter(|(key, address)| !address.ip().is_loopback() && !speaks(key));
    let told = |(key, address): (&str, SocketAddr)| {
        let (what, remedy) = match key {
            "syslog.tcp" | "syslog.relp" => {
                ("events come", "use the port with TLS beside it, or let nobody listen on the way")
            }
            _ => (
                "tokens and events go",
                "name it in tls.ports, or have a proxy with TLS in front and nobody on the way",
            ),
        };
        note(key, format!("{what} over {address} without TLS"), remedy)
    };
    open.map(told).collect()
}

fn twice(config: &Config) -> Vec<Complaint> {
    let ports = ports(config);
    let pairs = ports.iter().enumerate().flat_map(|(at, one)| ports.iter().skip(at + 1).map(move |other| (one, other)));
    let same = pairs.filter(|(one, other)| one.1 == other.1 && one.1.port() != 0);
    let told = |(one, other): (&(&str, SocketAddr), &(&str, SocketAddr))| {
        fault(other.0, format!("{} is the address of {} as well", other.1, one.0), "give each its own port")
    };
    same.map(told).collect()
}

fn ingest(config: &Config, written: &Value) -> Vec<Complaint> {
    let mut found = Vec::new();
    if config.analyzer.kafka.is_none() && !texts(written, "kafka", "topics").is_empty() {
        found.push(fault("kafka.topics", "no topic is read: kafka.brokers is empty", "name the brokers, or no topics"));
    }
    let limits = config.analyzer.syslog.connections;
    if limits.each > limits.all {
        let what = format!("{} from one address are more than {} in all", limits.each, limits.all);
        found.push(fault("syslog.connections_per_address_max", what, "make it less than syslog.connections_max"));
    }
    if limits.idle.is_none() {
        let what = "connections that nobody uses any more are kept for ever";
        found.push(note("syslog.idle_timeout", what, "set it to longer than senders are quiet, such as 1h"));
    }
    found
}

fn told(config: &Config, written: &Value) -> Vec<Complaint> {
    let mut found = Vec::new();
    for endpoint in tables(written, "webhooks", "endpoints") {
        let text = |key: &str| endpoint.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("format") != "slack" && text("secret").is_empty() {
            let what =
                format!("{} gets notices without a signature: it cannot tell them from anybody else's", text("name"));
            found.push(fault("webhooks.endpoints", what, "give it a secret: whsec_ and 32 random bytes in base64"));
        }
    }
    if !config.notify.endpoints.is_empty() && config.notify.link.is_none() {
        let what = "notices name incidents, and nobody can follow a link to them";
        found.push(note("notify.link", what, "set it to the address of the API, as people reach it"));
    }
    if config.log.rotate_bytes == 0 && config.log.folder.is_some() && !logrotate_is_there() {
        let what = "log files are never rotated: it is 0, and there is no /etc/logrotate.d/core-agent";
        found.push(fault("log.rotate_bytes", what, "install deploy/logrotate/core-agent, or set a size"));
    }
    found
}

fn logrotate_is_there() -> bool {
    std::path::Path::new("/etc/logrotate.d/core-agent").exists()
}

fn list<'a>(written: &'a Value, section: &str, key: &str) -> &'a [Value] {
    let value = written.get(section).and_then(|section| section.get(key));
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A list of texts as written.
pub(super) fn texts(written: &Value, section: &str, key: &str) -> Vec<String> {
    list(written, section, key).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn tables<'a>(written: &'a Value, section: &str, key: &str) -> Vec<&'a toml::Table> {
    list(written, section, key).iter().filter_map(Value::as_table).collect()
}
