//! The servers that the configuration names: each is asked once, for a bounded time, side by side. Nothing is written to any.

use std::path::Path;
use std::time::Duration;

use api::health::{HealthCheck, HealthStatus};
use archive::{ArchiveError, ArchivePlace};
use event::Timestamp;
use notify::Llm;
use store::{Look, RedisHot};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::found::{Complaint, fault, note};
use crate::checks::AnalyzerCheck;
use crate::config::Config;
use crate::tls::analyzer_client;
use crate::traces::traces_client;

/// Longest wait for a server.
const PATIENCE: Duration = Duration::from_secs(5);
/// The oldest PostgreSQL that is known to do.
const POSTGRES_MIN: i64 = 150_000;
/// What one agent and one analyzer take of its connections.
const CONNECTIONS_MIN: i64 = 13;
/// Clocks that differ by more are told, in microseconds.
const CLOCKS_MAX_US: i64 = 5_000_000;
/// Age of a backup and of a drill from which they are told, in hours.
const BACKUP_HOURS: i64 = 26;
const DRILL_HOURS: i64 = 192;
const HOUR_US: i64 = 3_600_000_000;

pub(super) async fn look(config: &Config, now: Timestamp) -> Vec<Complaint> {
    let (store, redis, model, analyzer, kafka, traces) =
        tokio::join!(store(config, now), redis(config), model(config), analyzer(config), kafka(config), traces(config));
    [store, redis, model, analyzer, kafka, traces].concat()
}

async fn store(config: &Config, now: Timestamp) -> Vec<Complaint> {
    let url = &config.store.url;
    let path = url.strip_prefix("sqlite:");
    if path.is_some_and(|path| !std::path::Path::new(path).exists()) {
        // The first start makes it.
        return Vec::new();
    }
    match timeout(PATIENCE, store::look(url, now)).await {
        Ok(Ok(look)) => known(config, &look, now),
        Ok(Err(error)) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            let remedy = "start it, or mend address, name and password in store.url";
            vec![fault("store.url", format!("{error}: {cause}"), remedy)]
        }
        Err(_) => vec![fault("store.url", "it does not answer", "start it, or open the way to it")],
    }
}

/// A folder that is not the archive whose files the store knows: the analyzer does not start. A bucket is not asked here.
fn lost_archive(config: &Config, look: &Look) -> Option<Complaint> {
    let (files, name) = &look.archive;
    let folder = config.store.archive.place.as_ref().filter(|place| !place.is_bucket() && *files > 0)?;
    let place = ArchivePlace::from(Path::new(&folder.folder));
    let what = match archive::is_owned(&place, name) {
        Ok(true) | Err(ArchiveError::Io { .. }) => return None,
        Ok(false) => format!("the {files} files of events that the store knows are not in {place}"),
        Err(error) => error.to_string(),
    };
    let remedy = "mount its disk, or name its folder; where it is lost, `c0di3 archive forget-missing --reason TEXT`";
    Some(fault("archive.folder", what, remedy))
}

fn known(config: &Config, look: &Look, now: Timestamp) -> Vec<Complaint> {
    let mut found = Vec::new();
    if let Some(server) = look.server {
        if server.version < POSTGRES_MIN {
            found.push(fault("store.url", format!("PostgreSQL {} is too old", server.version), "15 or newer"));
        }
        if server.connections_max < CONNECTIONS_MIN {
            let what = format!("max_connections of PostgreSQL is {}", server.connections_max);
            let remedy = format!("set it to {CONNECTIONS_MIN} for each pair of agent and analyzer, and some more");
            found.push(fault("store.url", what, remedy));
        }
        if (server.now.0 - now.0).abs() > CLOCKS_MAX_US {
            let seconds = (server.now.0 - now.0) / 1_000_000;
            let what = format!("the clock of PostgreSQL is {seconds} s ahead of ours");
            found.push(fault("clock", what, "let both follow the same time servers (timedatectl)"));
        }
    }
    if !look.is_migrated {
        let what = "the tables of this version are not there yet";
        found.push(note("store.url", what, "the first start makes them, or `c0di3 db migrate`"));
        return found;
    }
    if look.server.is_some() && !look.makes_months {
        let what = "this role does not own the table `audit`: its months get no tables, and old entries go row by row";
        found.push(note(
            "store.url",
            what,
            "let one role migrate and run, or ALTER TABLE audit OWNER TO that of store.url",
        ));
    }
    found.extend(lost_archive(config, look));
    if config.access.tokens && look.tokens == 0 {
        let what = "there is no valid token: nobody can log in";
        found.push(fault("auth.tokens", what, "`c0di3 token create --role admin --name NAME`"));
    }
    if let Some(ahead) = look.tasks.iter().find(|task| task.at.0 - now.0 > CLOCKS_MAX_US) {
        let what = format!("{} succeeded at {}, which has not come yet: this clock is behind", ahead.name, ahead.at);
        found.push(fault("clock", what, "set the clock (timedatectl)"));
    }
    for (name, hours, remedy) in [
        ("backup", BACKUP_HOURS, "deploy/scripts/backup-db.sh, daily"),
        ("drill", DRILL_HOURS, "deploy/scripts/drill-db.sh, weekly"),
    ] {
        // A file is copied; there is no task that tells of it.
        let last = look.tasks.iter().find(|task| task.name == name);
        match last {
            _ if look.server.is_none() => {}
            None => found.push(note(name, "it has never been done", remedy)),
            Some(task) if now.0 - task.at.0 > hours * HOUR_US => {
                found.push(fault(name, format!("the last one that succeeded was at {}", task.at), remedy));
            }
            Some(_) => {}
        }
    }
    found
}

async fn redis(config: &Config) -> Vec<Complaint> {
    let Some(url) = &config.agent.cache_url else { return Vec::new() };
    let asked = match RedisHot::open(url, "doctor".to_owned()) {
        Ok(redis) => timeout(PATIENCE, redis.memory_policy()).await.ok().and_then(Result::ok),
        Err(_) => None,
    };
    let Some((policy, bytes)) = asked else {
        let remedy = "start it, or empty cache.url: statistics are then counted in memory";
        return vec![fault("cache.url", "Redis does not answer", remedy)];
    };
    let mut found = Vec::new();
    if policy != "noeviction" {
        let what =
            format!("maxmemory-policy of Redis is {policy}: counts would vanish one by one, and nobody would know");
        found.push(fault("cache.url", what, "CONFIG SET maxmemory-policy noeviction, and so in redis.conf"));
    }
    if bytes == 0 {
        let what = "Redis may take all memory of its machine";
        found.push(note("cache.url", what, "CONFIG SET maxmemory 256mb, and so in redis.conf"));
    }
    found
}

async fn model(config: &Config) -> Vec<Complaint> {
    let Some(options) = config.agent.llm.clone() else { return Vec::new() };
    let asked = match Llm::new(options) {
        Ok(llm) => timeout(PATIENCE, llm.health())
            .await
            .map_err(|_| "it does not answer".to_owned())
            .and_then(|health| health.map(drop).map_err(|error| error.to_string())),
        Err(error) => Err(error.to_string()),
    };
    let told = |what: String| fault("llm.url", what, "start it, or empty llm.url: summaries are then by template");
    asked.err().map(told).into_iter().collect()
}

/// Asked with a request that holds no span, which a receiver takes.
async fn traces(config: &Config) -> Vec<Complaint> {
    let Some(traces) = &config.log.traces else { return Vec::new() };
    let client = match traces_client(traces) {
        Ok(client) => client,
        Err(error) => return vec![fault("traces.ca", format!("{error:#}"), "name a file with certificates in PEM")],
    };
    let mut request = client.post(traces.endpoint.clone()).header("content-type", "application/x-protobuf");
    if let Some(authorization) = &traces.authorization {
        request = request.header("authorization", authorization.as_str());
    }
    let what = match timeout(PATIENCE, request.send()).await {
        Ok(Ok(answer)) if answer.status().is_success() => return Vec::new(),
        Ok(Ok(answer)) => format!("the receiver of traces answers {}", answer.status()),
        _ => "the receiver of traces does not answer: spans are dropped".to_owned(),
    };
    let remedy = "start it, mend its address or traces.authorization, or empty traces.endpoint";
    vec![fault("traces.endpoint", what, remedy)]
}

async fn analyzer(config: &Config) -> Vec<Complaint> {
    let Some(url) = config.agent.analyzer_url.clone() else { return Vec::new() };
    let client = match analyzer_client(config.agent.analyzer_ca.as_deref()) {
        Ok(client) => client,
        Err(error) => {
            let remedy = "name a file with certificates in PEM";
            return vec![fault("agent.analyzer_ca", format!("{error:#}"), remedy)];
        }
    };
    let seen = AnalyzerCheck { client, url }.check().await;
    let what = seen.output.unwrap_or_default();
    match seen.status {
        HealthStatus::Pass => Vec::new(),
        HealthStatus::Warn => vec![note("agent.analyzer_url", what, "see the analyzer's /health")],
        HealthStatus::Fail => vec![fault("agent.analyzer_url", what, "start the analyzer, or mend the address")],
    }
}

async fn kafka(config: &Config) -> Vec<Complaint> {
    let Some(options) = &config.analyzer.kafka else { return Vec::new() };
    let mut silent = Vec::new();
    for broker in options.brokers.split(',') {
        let place = broker.trim().rsplit("://").next().unwrap_or_default();
        if !matches!(timeout(PATIENCE, TcpStream::connect(place)).await, Ok(Ok(_))) {
            silent.push(place.to_owned());
        }
    }
    if silent.is_empty() {
        return Vec::new();
    }
    let what = format!("nobody answers at {}", silent.join(", "));
    vec![fault("kafka.brokers", what, "start the broker, or mend the address: HOST:PORT")]
}
