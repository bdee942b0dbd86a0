//! Runs scheduled hunts: each span of event time is looked at once, by one of several agents, and every row of an answer becomes a
//! finding. What a run found is committed before the run is done: killed between the two, it finds the same again under the same ids.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event::block::digest;
use event::{
    Entities, EventId, Evidence, Finding, FindingId, FindingRating, FindingRule, FindingSpan, ScorePart, Thresholds,
    Timestamp,
};
use serde_json::Value;
use store::hunts::{HuntClaim, HuntDone};
use store::{Commit, JoinPolicy, Store};

use crate::asked_archive::AskedArchive;
use crate::clock;
use crate::saved_hunts::{SavedHunt, SavedHunts};

/// How often it looks whether a hunt is due.
const PAUSE: Duration = Duration::from_secs(5);

/// A run may take so long before another agent takes it, and a failed one waits so long, in microseconds.
const HELD_US: i64 = 120 * event::time::SECOND_US;
const AGAIN_US: i64 = 60 * event::time::SECOND_US;

/// Spans that are made up for where nobody ran for a while; what is older is left out, and counted.
const SPANS_MAX: i64 = 100;

/// Findings of one run: rows beyond it are left out, and counted.
const FINDINGS_MAX: usize = 100;

/// Longest row that is kept as evidence, in characters.
const ROW_CHARS_MAX: usize = 4000;

/// Who runs hunts.
pub(crate) struct Hunting {
    hunts: Arc<SavedHunts>,
    archive: Arc<AskedArchive>,
    store: Arc<dyn Store>,
    join: JoinPolicy,
    thresholds: Thresholds,
    /// Of this process.
    name: String,
}

/// What one run gave.
struct HuntRun {
    rows: u64,
    findings: u64,
    failed: Option<String>,
}

impl Hunting {
    pub(crate) fn new(
        archive: Arc<AskedArchive>,
        store: Arc<dyn Store>,
        join: JoinPolicy,
        thresholds: Thresholds,
    ) -> Hunting {
        let name = format!("{}-{}", std::process::id(), clock::now().0);
        Hunting { hunts: archive.saved_hunts(), archive, store, join, thresholds, name }
    }

    /// Runs what is due until the process ends.
    pub(crate) async fn run(self) {
        loop {
            for hunt in &self.hunts.hunts {
                if let Err(error) = self.look(hunt).await {
                    tracing::warn!(hunt = hunt.id, error = format!("{error:#}"), "a scheduled hunt cannot run");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Runs the hunt once, where it is due.
    async fn look(&self, hunt: &SavedHunt) -> anyhow::Result<()> {
        let Some(schedule) = hunt.schedule else { return Ok(()) };
        let now = clock::now();
        let reached = now.saturating_sub_us(schedule.delay_us);
        // Spans begin at whole multiples of their length, whenever the process was started.
        let first = Timestamp(reached.micros().div_euclid(schedule.every_us) * schedule.every_us);
        let claim = HuntClaim {
            id: hunt.id.clone(),
            by: self.name.clone(),
            first,
            due: reached.saturating_sub_us(schedule.every_us),
            now,
            held_until: now.saturating_add_us(HELD_US),
        };
        let Some(mut since) = self.store.claim_hunt(&claim).await? else { return Ok(()) };
        let behind = (reached.micros() - since.micros()) / schedule.every_us;
        if behind > SPANS_MAX {
            metrics::counter!("hunt_spans_skipped_total").increment((behind - SPANS_MAX) as u64);
            since = since.saturating_add_us((behind - SPANS_MAX) * schedule.every_us);
        }
        let until = since.saturating_add_us(schedule.every_us);
        let started = Instant::now();
        let run = self.ask(hunt, since, until).await;
        let outcome = if run.failed.is_some() { "failed" } else { "done" };
        metrics::counter!("hunt_runs_total", "outcome" => outcome).increment(1);
        if let Some(reason) = &run.failed {
            tracing::warn!(hunt = hunt.id, reason, "a scheduled hunt failed; it is tried again");
        }
        let at = clock::now();
        let took_us = started.elapsed().as_micros() as i64;
        let failed = run.failed.map(|reason| (reason, at.saturating_add_us(AGAIN_US)));
        let (id, by) = (claim.id, claim.by);
        let done = HuntDone { id, by, until, at, took_us, rows: run.rows, findings: run.findings, failed };
        self.store.hunt_done(&done).await?;
        Ok(())
    }

    async fn ask(&self, hunt: &SavedHunt, since: Timestamp, until: Timestamp) -> HuntRun {
        let failed = |reason: String| HuntRun { rows: 0, findings: 0, failed: Some(reason) };
        let question = match hunt.asked.sql(FINDINGS_MAX + 1, until) {
            Ok(question) => question,
            Err(reason) => return failed(reason),
        };
        let answer = match self.archive.between(question, (since, until), FINDINGS_MAX).await {
            Ok(answer) => answer,
            Err(error) => return failed(error.words()),
        };
        if answer.has_more {
            metrics::counter!("hunt_rows_left_out_total").increment(1);
            tracing::warn!(
                hunt = hunt.id,
                "a scheduled hunt has more than {FINDINGS_MAX} rows: the others make no findings"
            );
        }
        let rows = answer.data.len() as u64;
        let findings: Vec<Finding> =
            answer.data.iter().map(|row| finding(hunt, row, (since, until), self.thresholds)).collect();
        if findings.is_empty() {
            return HuntRun { rows, findings: 0, failed: None };
        }
        let commit = Commit { findings, now: clock::now(), join: Some(self.join), ..Commit::default() };
        match self.store.commit(&commit).await {
            Ok(committed) => {
                metrics::counter!("hunt_findings_total").increment(committed.new);
                HuntRun { rows, findings: committed.new, failed: None }
            }
            Err(error) => failed(error.to_string()),
        }
    }
}

/// A row as a finding: columns that are named like entities are its entities, `count` is how many events it counts.
fn finding(
    hunt: &SavedHunt,
    row: &BTreeMap<String, Value>,
    (since, until): (Timestamp, Timestamp),
    thresholds: Thresholds,
) -> Finding {
    let values = |name: &str| -> Vec<String> {
        row.get(name).and_then(Value::as_str).filter(|value| !value.is_empty()).map(str::to_owned).into_iter().collect()
    };
    let host = if row.contains_key("host.name") { values("host.name") } else { values("host.hostname") };
    let entities = Entities { source_ip: values("source.ip"), user_name: values("user.name"), host_name: host };
    let text: String = serde_json::to_string(row).unwrap_or_default().chars().take(ROW_CHARS_MAX).collect();
    // What it is about says which finding it is: a second run may count an event more.
    let about: Vec<String> = entities.pairs().map(|(kind, value)| format!("{kind}={value}")).collect();
    let about = if about.is_empty() { text.clone() } else { about.join(" ") };
    let event_id = EventId(digest(&[hunt.id.as_bytes(), about.as_bytes(), &since.0.to_be_bytes()]));
    let score = hunt.level.base_score();
    let last = until.saturating_sub_us(1);
    Finding {
        id: FindingId::derive(&hunt.id, &about, event_id),
        rule: FindingRule { id: hunt.id.clone(), title: hunt.title.clone(), level: hunt.level },
        also: Vec::new(),
        rating: FindingRating {
            score,
            parts: vec![ScorePart { part: format!("level {} of the hunt", hunt.level), points: i16::from(score) }],
            severity: thresholds.severity(score),
        },
        span: FindingSpan {
            first_seen: Some(since),
            last_seen: Some(last),
            count: row.get("count").and_then(Value::as_u64).unwrap_or(1).max(1),
        },
        entities,
        techniques: hunt.techniques.clone(),
        reason: format!("a scheduled hunt over the archive from {since} to {until}: {}", about),
        response: Vec::new(),
        evidence: vec![Evidence {
            event_id,
            source: format!("hunt {}", hunt.id),
            line_no: 1,
            offset: 0,
            time: Some(last),
            original: text,
        }],
        continues: None,
        counted: Default::default(),
    }
}
