//! Settings of the analyzer and its sources, from as written to as meant.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use event::Network;
use ingest::block_reader::LINE_BYTES_MAX;
use ingest::spool::SpoolOptions;
use ingest::syslog::ConnectionLimits;
use ingest::tail::TailOptions;

use super::file::{ShippersSection, SourceSections, SyslogSection, TailSection};
use super::kafka::check_kafka;
use super::meant::{AnalyzerConfig, HttpConfig, ShippersConfig, SyslogConfig};
use super::problems::Problems;
use super::value::filled;
use crate::clock;
use crate::senders::parse_silence;

/// Longest that connections may be read after SIGTERM.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// The analyzer and its sources.
pub(super) fn check_analyzer(written: &SourceSections, problems: &mut Problems) -> AnalyzerConfig {
    check_limits(written, problems);
    let (analyzer, syslog, spool) = (&written.analyzer, &written.syslog, &written.spool);
    AnalyzerConfig {
        instance: analyzer.instance.clone(),
        jobs: analyzer.jobs,
        commit_interval: Duration::from_millis(analyzer.commit_interval_ms),
        checkpoint_interval: Duration::from_millis(analyzer.checkpoint_interval_ms),
        silence: check_silence(&analyzer.silence, problems),
        http: HttpConfig {
            listen: problems.address("analyzer.listen", &analyzer.listen),
            listen_more: check_more(&analyzer.listen_more, problems),
            proxies: proxies("analyzer.proxy_protocol_from", &analyzer.proxy_protocol_from, problems),
            body_bytes_max: analyzer.body_bytes_max,
            bodies_bytes_max: analyzer.bodies_bytes_max,
        },
        syslog: check_syslog(syslog, problems),
        shippers: check_shippers(&written.shippers, &analyzer.instance, problems),
        spool: SpoolOptions {
            folder: spool.folder.clone(),
            bytes_max: spool.bytes_max,
            segment_bytes: spool.segment_bytes,
            reserve_bytes: spool.reserve_bytes,
        },
        kafka: check_kafka(&written.kafka, problems),
        tail: check_tail(&written.tail, problems),
    }
}

fn proxies(key: &str, written: &[String], problems: &mut Problems) -> Arc<[Network]> {
    written.iter().filter_map(|network| problems.check(key, network.parse())).collect()
}

/// Addresses with commas between them.
fn check_more(listed: &str, problems: &mut Problems) -> Vec<SocketAddr> {
    let texts = listed.split(',').map(str::trim).filter(|text| !text.is_empty());
    texts.map(|text| problems.address("analyzer.listen_more", text)).collect()
}

fn check_silence(entries: &[String], problems: &mut Problems) -> Vec<(String, i64)> {
    let mut silence = Vec::new();
    for entry in entries {
        match parse_silence(entry) {
            Some(set) => silence.push(set),
            None => problems.keep("analyzer.silence", format!("`{entry}` is not SENDER=SPAN, such as forward://=10m")),
        }
    }
    silence
}

fn check_limits(written: &SourceSections, problems: &mut Problems) {
    let (analyzer, syslog, spool) = (&written.analyzer, &written.syslog, &written.spool);
    if analyzer.instance.is_empty() || analyzer.instance == "replay" {
        problems.keep("analyzer.instance", "must be a name, and not `replay`");
    }
    for (key, number) in [
        ("syslog.message_bytes_max", syslog.message_bytes_max as u64),
        ("syslog.connections_max", syslog.connections_max as u64),
        ("syslog.connections_per_address_max", syslog.connections_per_address_max as u64),
        ("shippers.connections_max", written.shippers.connections_max as u64),
        ("shippers.connections_per_address_max", written.shippers.connections_per_address_max as u64),
        ("spool.segment_bytes", spool.segment_bytes),
        ("analyzer.body_bytes_max", analyzer.body_bytes_max),
        ("analyzer.commit_interval_ms", analyzer.commit_interval_ms),
    ] {
        if number == 0 {
            problems.keep(key, "must be above 0");
        }
    }
    if analyzer.bodies_bytes_max < api::ingest::BODIES_BYTES_MIN {
        problems.keep("analyzer.bodies_bytes_max", format!("must be at least {}", api::ingest::BODIES_BYTES_MIN));
    }
    if syslog.message_bytes_max > LINE_BYTES_MAX {
        problems.keep("syslog.message_bytes_max", format!("must not be above {LINE_BYTES_MAX}"));
    }
    if spool.bytes_max < spool.segment_bytes.saturating_mul(2) {
        problems
            .keep("spool.bytes_max", "must be at least twice spool.segment_bytes: only whole files can be given back");
    }
}

fn check_syslog(section: &SyslogSection, problems: &mut Problems) -> SyslogConfig {
    SyslogConfig {
        udp: problems.optional_address("syslog.udp", &section.udp),
        tcp: problems.optional_address("syslog.tcp", &section.tcp),
        tls: problems.optional_address("syslog.tls", &section.tls),
        relp: problems.optional_address("syslog.relp", &section.relp),
        relp_tls: problems.optional_address("syslog.relp_tls", &section.relp_tls),
        proxies: proxies("syslog.proxy_protocol_from", &section.proxy_protocol_from, problems),
        message_bytes_max: section.message_bytes_max,
        connections: ConnectionLimits {
            all: section.connections_max,
            each: section.connections_per_address_max,
            idle: problems.optional_duration("syslog.idle_timeout", &section.idle_timeout),
        },
        drain_timeout: check_drain(&section.drain_timeout, problems),
    }
}

fn check_shippers(section: &ShippersSection, instance: &str, problems: &mut Problems) -> ShippersConfig {
    ShippersConfig {
        forward: problems.optional_address("shippers.forward", &section.forward),
        forward_shared_key: filled(&section.forward_shared_key),
        lumberjack: problems.optional_address("shippers.lumberjack", &section.lumberjack),
        gelf_tcp: problems.optional_address("shippers.gelf_tcp", &section.gelf_tcp),
        gelf_udp: problems.optional_address("shippers.gelf_udp", &section.gelf_udp),
        connections: ConnectionLimits {
            all: section.connections_max,
            each: section.connections_per_address_max,
            idle: problems.optional_duration("shippers.idle_timeout", &section.idle_timeout),
        },
        // Not the name of the machine: a peer on the same one would take us for itself.
        host: format!("c0di3.{instance}"),
    }
}

/// Kubernetes waits 30 s in all: for this, the requests that are open, and the last commit.
fn check_drain(text: &str, problems: &mut Problems) -> Duration {
    let span = problems.duration("syslog.drain_timeout", text);
    if span > DRAIN_MAX {
        problems.keep("syslog.drain_timeout", format!("must be at most {} s", DRAIN_MAX.as_secs()));
    }
    span
}

fn check_tail(section: &TailSection, problems: &mut Problems) -> Option<TailOptions> {
    if section.files_max == 0 {
        problems.keep("tail.files_max", "must be above 0");
    }
    let mut wanted = Vec::new();
    for path in &section.paths {
        wanted.extend(problems.check("tail.paths", path.display().to_string().parse()));
    }
    let options = TailOptions { wanted, files_max: section.files_max, clock: clock::now };
    (!section.paths.is_empty()).then_some(options)
}
