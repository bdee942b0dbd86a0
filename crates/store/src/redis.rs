//! Hot aggregates in Redis: shared by several agents, rebuilt from the store whenever they are gone. One agent records,
//! the one that holds the lease. Each batch is one transaction that also moves the mark, and does nothing where another
//! agent has moved it meanwhile (WATCH): so no finding is counted twice, even after an agent stood still.
//!
//! Keys, all under `c0di3:{hot}:` so that a cluster keeps them together: `known` (finding → what it added), `counts`,
//! `titles`, `sources` (sorted set), `distinct` (HyperLogLog), `minutes`, `minute:N` (a day long: by severity, rule and
//! source), `risk` (entity → value and time), `mark`, `leader`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use ::redis::{AsyncCommands, AsyncConnectionConfig, Client, Pipeline, pipe};
use async_trait::async_trait;
use event::{FindingId, Level, Risk, Severity, Status, Timestamp};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::error::StoreError;
use crate::hot::{Added, Counter, FINDINGS_MAX, Hot, MINUTE_US, MINUTES_MAX, Snapshot, Standing, VALUES_MAX, counts};
use crate::query::{ChangeCursor, StoredFinding};
use crate::rows::{bytes, doc, hexadecimal, read_doc};

const PREFIX: &str = "c0di3:{hot}:";
/// How long the right to record lasts without being renewed.
const LEASE_MS: u64 = 15_000;
/// Longest wait for an answer or a connection.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long the counts of one minute are kept, in seconds.
const MINUTE_KEPT_S: i64 = 86_400;
/// Fields of one minute's counts: beyond it no new rules and sources are counted for it.
const MINUTE_FIELDS_MAX: usize = 10_000;

/// Hot aggregates in Redis, shared by several agents.
#[derive(Clone)]
pub struct RedisHot {
    connection: ConnectionManager,
    client: Client,
    /// The connection of transactions, because WATCH holds for a whole connection. Absent before the first transaction
    /// and after a failed one.
    steps: Arc<Mutex<Option<MultiplexedConnection>>>,
    /// All changes of the store are counted.
    complete: Arc<AtomicBool>,
    /// Tells this process from others in the lease.
    own_name: String,
}

impl std::fmt::Debug for RedisHot {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "RedisHot {{ own_name: {:?} }}", self.own_name)
    }
}

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

impl RedisHot {
    /// Does not wait for the server: it may come later. `own_name` tells this process from others.
    /// [`StoreError::CacheAddress`] where the address cannot be used.
    pub fn open(url: &str, own_name: String) -> Result<Self, StoreError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_secs(1));
        let client = Client::open(url).map_err(StoreError::CacheAddress)?;
        let connection =
            ConnectionManager::new_lazy_with_config(client.clone(), config).map_err(StoreError::CacheAddress)?;
        Ok(RedisHot { connection, client, steps: Arc::default(), complete: Arc::default(), own_name })
    }

    /// Whether the server answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut connection = self.connection.clone();
        let _pong: String = redis::cmd("PING").query_async(&mut connection).await?;
        Ok(())
    }

    /// What becomes of keys where memory is short, and how many bytes there are; 0: as many as the machine has.
    pub async fn memory_policy(&self) -> Result<(String, u64), StoreError> {
        let mut connection = self.connection.clone();
        let told: String = redis::cmd("INFO").arg("memory").query_async(&mut connection).await?;
        let value = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or("");
        Ok((value("maxmemory_policy").trim().to_owned(), value("maxmemory").trim().parse().unwrap_or(0)))
    }

    /// What each of the findings added before, where that is remembered, and how many are remembered.
    async fn known(&self, findings: &[StoredFinding]) -> Result<(Vec<Option<Added>>, usize), StoreError> {
        let mut connection = self.connection.clone();
        let ids: Vec<Vec<u8>> = findings.iter().map(|stored| bytes(stored.finding.id.0)).collect();
        let mut request = redis::cmd("HMGET");
        request.arg(key("known")).arg(&ids);
        let texts: Vec<Option<String>> = request.query_async(&mut connection).await?;
        let size: usize = connection.hlen(key("known")).await?;
        let read = |text: Option<String>| {
            text.map(|text| read_doc(&text, "a finding in the cache").map(Added::from_short_form)).transpose()
        };
        Ok((texts.into_iter().map(read).collect::<Result<_, _>>()?, size))
    }

    /// Risks of all entities of the findings, by `kind=value`; entities beyond [`VALUES_MAX`] are absent.
    async fn risks(&self, findings: &[StoredFinding]) -> Result<BTreeMap<String, Risk>, StoreError> {
        let mut names: Vec<String> = findings
            .iter()
            .flat_map(|stored| stored.finding.entities.pairs())
            .map(|(kind, value)| format!("{kind}={value}"))
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut connection = self.connection.clone();
        let mut request = redis::cmd("HMGET");
        request.arg(key("risk")).arg(&names);
        let texts: Vec<Option<String>> = request.query_async(&mut connection).await?;
        let size: usize = connection.hlen(key("risk")).await?;
        let mut risks = BTreeMap::new();
        for (name, text) in names.into_iter().zip(texts) {
            match text {
                Some(text) => drop(risks.insert(name, read_doc(&text, "a risk in the cache")?)),
                None if size + risks.len() < VALUES_MAX => drop(risks.insert(name, Risk::default())),
                None => {}
            }
        }
        Ok(risks)
    }

    async fn connection_for_steps(&self) -> Result<MultiplexedConnection, StoreError> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(TIMEOUT)).set_response_timeout(Some(TIMEOUT));
        Ok(self.client.get_multiplexed_async_connection_with_config(&config).await?)
    }

    /// Counts the findings and moves the mark in one transaction. False, and nothing is changed, where the mark is not
    /// `from`.
    async fn step(
        &self,
        connection: &mut MultiplexedConnection,
        findings: &[StoredFinding],
        from: ChangeCursor,
        mark: ChangeCursor,
    ) -> Result<bool, StoreError> {
        let () = redis::cmd("WATCH").arg(key("mark")).query_async(connection).await?;
        if self.mark().await? != from {
            let () = redis::cmd("UNWATCH").query_async(connection).await?;
            return Ok(false);
        }
        let mut pipeline = self.changes(findings).await?;
        pipeline.set(key("mark"), format!("{}:{}", mark.revision, mark.id)).ignore();
        // The answer is nil where the mark was written since WATCH.
        let done: Option<()> = pipeline.query_async(connection).await?;
        Ok(done.is_some())
    }

    /// One transaction that counts the findings: what they add now, less what they added before.
    async fn changes(&self, findings: &[StoredFinding]) -> Result<Pipeline, StoreError> {
        let mut pipeline = pipe();
        pipeline.atomic();
        if findings.is_empty() {
            return Ok(pipeline);
        }
        let (before, size) = self.known(findings).await?;
        let mut risks = self.risks(findings).await?;
        // A finding may be in a batch twice: the second time `latest` has what the first one added.
        let mut latest: BTreeMap<FindingId, Added> = BTreeMap::new();
        for (stored, before) in findings.iter().zip(before) {
            let finding = &stored.finding;
            let mut added = Added::of(stored);
            let before = latest.remove(&finding.id).or(before);
            if before.is_none() && !counts(stored, size + latest.len()) {
                continue;
            }
            let counted = before.as_ref().map_or(0, |before| before.rules);
            added.rules = added.rules.max(counted);
            match &before {
                Some(before) => count(&mut pipeline, before, &finding.rule.id, -1),
                None => drop(pipeline.hincr(key("counts"), "findings", 1).ignore()),
            }
            for (id, title) in finding.rules().skip(usize::from(counted)) {
                pipeline.hincr(key("counts"), format!("rule:{id}"), 1).ignore();
                pipeline.hset(key("titles"), id, title).ignore();
            }
            count(&mut pipeline, &added, &finding.rule.id, 1);
            let points = f64::from(added.score) - before.as_ref().map_or(0.0, |before| f64::from(before.score));
            if points > 0.0 {
                let at = finding.span.last_seen.unwrap_or(stored.created_at);
                for (kind, value) in stored.finding.entities.pairs() {
                    if let Some(risk) = risks.get_mut(&format!("{kind}={value}")) {
                        risk.add(points, at);
                    }
                }
            }
            if before.is_some() || size + latest.len() < FINDINGS_MAX {
                pipeline.hset(key("known"), bytes(finding.id.0), doc(&added.short())).ignore();
            }
            latest.insert(finding.id, added);
        }
        for (name, risk) in &risks {
            pipeline.hset(key("risk"), name, doc(risk)).ignore();
        }
        // Where there are too many sources, those with the fewest events are removed.
        pipeline.zremrangebyrank(key("sources"), 0, -(VALUES_MAX as isize) - 1).ignore();
        Ok(pipeline)
    }
}

/// What is remembered of a finding, as a JSON list: without names of fields it takes less memory.
type Short = (Severity, Level, Status, u64, Option<i64>, Vec<String>, u8, u8);

/// What is read of it: earlier versions did not count the rules that a finding names.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ShortForm {
    Now(Short),
    Before((Severity, Level, Status, u64, Option<i64>, Vec<String>, u8)),
}

impl Added {
    fn short(&self) -> Short {
        let sources = self.sources.clone();
        (self.severity, self.level, self.status, self.events, self.minute, sources, self.score, self.rules)
    }

    fn from_short_form(remembered: ShortForm) -> Self {
        let (severity, level, status, events, minute, sources, score, rules) = match remembered {
            ShortForm::Now(short) => short,
            ShortForm::Before((severity, level, status, events, minute, sources, score)) => {
                (severity, level, status, events, minute, sources, score, 1)
            }
        };
        Added { severity, level, status, events, minute, sources, score, rules }
    }
}

/// Adds what one finding counts for, or with `sign` -1 takes it away.
fn count(pipeline: &mut Pipeline, added: &Added, rule: &str, sign: i64) {
    let events = i64::try_from(added.events).unwrap_or(i64::MAX) * sign;
    let counts = key("counts");
    for (field, by) in [
        ("events".to_owned(), events),
        (format!("severity:{}", added.severity.name()), sign),
        (format!("level:{}", added.level.name()), sign),
        (format!("status:{}", added.status.name()), sign),
    ] {
        pipeline.hincr(&counts, field, by).ignore();
    }
    if let Some(number) = added.minute {
        pipeline.hincr(key("minutes"), number, sign).ignore();
        let detail = key(&format!("minute:{number}"));
        pipeline.hincr(&detail, format!("severity:{}", added.severity.name()), sign).ignore();
        pipeline.hincr(&detail, format!("rule:{rule}"), sign).ignore();
        for source in added.sources.iter().take(MINUTE_FIELDS_MAX) {
            pipeline.hincr(&detail, format!("source:{source}"), events).ignore();
        }
        pipeline.expire(&detail, MINUTE_KEPT_S).ignore();
    }
    for source in &added.sources {
        pipeline.zincr(key("sources"), source, events).ignore();
        if sign > 0 {
            pipeline.pfadd(key("distinct"), source).ignore();
        }
    }
}

#[async_trait]
impl Hot for RedisHot {
    fn standing(&self) -> Standing {
        Standing { counter: Counter::Redis, degraded: false, complete: self.complete.load(Ordering::Relaxed) }
    }

    fn caught_up(&self, whether: bool) {
        self.complete.store(whether, Ordering::Relaxed);
    }

    async fn leads(&self) -> Result<bool, StoreError> {
        let mut connection = self.connection.clone();
        let script = redis::Script::new(
            "local held = redis.call('GET', KEYS[1])
             if held and held ~= ARGV[1] then return 0 end
             redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
             return 1",
        );
        let leads: i64 =
            script.key(key("leader")).arg(&self.own_name).arg(LEASE_MS).invoke_async(&mut connection).await?;
        Ok(leads == 1)
    }

    async fn mark(&self) -> Result<ChangeCursor, StoreError> {
        let mut connection = self.connection.clone();
        let text: Option<String> = connection.get(key("mark")).await?;
        let Some(text) = text else { return Ok(ChangeCursor::START) };
        let damaged = || StoreError::Damaged(format!("the mark in the cache: `{text}`"));
        let (revision, id) = text.split_once(':').ok_or_else(damaged)?;
        let revision = revision.parse().map_err(|_| damaged())?;
        Ok(ChangeCursor { revision, id: FindingId(hexadecimal(id, "the mark in the cache")?) })
    }

    async fn record(
        &self,
        findings: &[StoredFinding],
        from: ChangeCursor,
        mark: ChangeCursor,
    ) -> Result<bool, StoreError> {
        let mut steps = self.steps.lock().await;
        let mut connection = match steps.take() {
            Some(connection) => connection,
            None => self.connection_for_steps().await?,
        };
        // A connection that failed is dropped: its transaction may still be carried out, and its answer would come too
        // late.
        let done = self.step(&mut connection, findings, from, mark).await?;
        *steps = Some(connection);
        Ok(done)
    }

    async fn snapshot(&self, top: usize) -> Result<Snapshot, StoreError> {
        let mut connection = self.connection.clone();
        let last = isize::try_from(top).unwrap_or(isize::MAX) - 1;
        let (counts, titles, sources, distinct, minutes): (
            BTreeMap<String, i64>,
            BTreeMap<String, String>,
            Vec<(String, f64)>,
            u64,
            BTreeMap<i64, i64>,
        ) = pipe()
            .hgetall(key("counts"))
            .hgetall(key("titles"))
            .zrevrange_withscores(key("sources"), 0, last)
            .pfcount(key("distinct"))
            .hgetall(key("minutes"))
            .query_async(&mut connection)
            .await?;
        let whole = |number: i64| u64::try_from(number).unwrap_or(0);
        let group = |prefix: &str| -> BTreeMap<String, u64> {
            let of = counts.iter().filter_map(|(name, count)| Some((name.strip_prefix(prefix)?, *count)));
            of.filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), whole(count))).collect()
        };
        let mut top_rules: Vec<_> = group("rule:")
            .into_iter()
            .map(|(rule, count)| (rule.clone(), titles.get(&rule).cloned().unwrap_or_default(), count))
            .collect();
        top_rules.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        top_rules.truncate(top);
        let skip = minutes.len().saturating_sub(MINUTES_MAX);
        let per_minute = minutes.into_iter().skip(skip).filter(|(_, count)| *count > 0);
        Ok(Snapshot {
            findings: whole(counts.get("findings").copied().unwrap_or(0)),
            events: whole(counts.get("events").copied().unwrap_or(0)),
            by_severity: group("severity:"),
            by_level: group("level:"),
            by_status: group("status:"),
            top_rules,
            top_sources: sources.into_iter().map(|(source, events)| (source, events as u64)).collect(),
            distinct_sources: distinct,
            per_minute: per_minute.map(|(minute, count)| (Timestamp(minute * MINUTE_US), whole(count))).collect(),
        })
    }

    async fn risk(&self, kind: &str, value: &str, now: Timestamp) -> Result<f64, StoreError> {
        let mut connection = self.connection.clone();
        let text: Option<String> = connection.hget(key("risk"), format!("{kind}={value}")).await?;
        let risk: Option<Risk> = text.map(|text| read_doc(&text, "a risk in the cache")).transpose()?;
        Ok(risk.map_or(0.0, |risk| risk.now(now)))
    }

    async fn clear(&self) -> Result<u64, StoreError> {
        let mut connection = self.connection.clone();
        let names: Vec<String> = {
            let mut found = connection.scan_match::<_, String>(format!("{PREFIX}*")).await?;
            let mut names = Vec::new();
            while let Some(name) = found.next_item().await {
                names.push(name?);
            }
            names
        };
        let gone: Vec<&String> = names.iter().filter(|name| **name != key("leader")).collect();
        if !gone.is_empty() {
            let _count: u64 = connection.unlink(&gone).await?;
        }
        Ok(gone.len() as u64)
    }
}
