//! Senders of events, as the analyzer sees them: what is seen of their events, their accounts as metrics at each scrape, and who has fallen
//! silent, which becomes an event that a rule judges. The accounts themselves stand in the crate `ingest`.

use std::collections::BTreeMap;
use std::time::Duration;

use event::catalog::field;
use event::{EventBatch, Timestamp};
use ingest::accounts::{Accounts, Loss, Silence};
use ingest::spool::{Batch, Spool};
use ingest::syslog::Drain;
use serde_json::json;
use tokio::sync::watch;

use crate::clock;

/// Events of a batch whose times are looked at.
const LOOKS: usize = 64;
/// Between two looks for silent senders.
const SILENCE_POLL: Duration = Duration::from_secs(5);
/// Whose events tell of silent senders.
const ORIGIN: &str = "c0di3://senders";

/// What is seen of each sender of a batch: lines that break their format, and how its clock goes.
pub(crate) fn judge(batch: &EventBatch, accounts: &Accounts) {
    let mut seen: BTreeMap<&str, (u64, Option<i64>)> = BTreeMap::new();
    let (times, received) = (batch.times(), batch.reference());
    for row in (0..batch.rows()).step_by((batch.rows() / LOOKS).max(1)) {
        let time = times.as_ref().and_then(|times| times.get(row));
        let told = seen.entry(batch.origin(row).name.as_str()).or_default();
        told.1 = time.map(|time| time.saturating_sub(received.0)).or(told.1);
    }
    if batch.counts().rejected > 0
        && let Some(kinds) = batch.text(field::EVENT_KIND)
    {
        for row in (0..batch.rows()).filter(|row| kinds.str(*row) == Some("pipeline_error")) {
            seen.entry(batch.origin(row).name.as_str()).or_default().0 += 1;
        }
    }
    for (sender, (unparsed, skew_us)) in seen {
        accounts.judged(sender, unparsed, skew_us);
    }
}

/// Accounts by protocol, all of one moment.
pub(crate) fn measure(accounts: &Accounts) -> impl Fn() + Send + Sync + 'static {
    let accounts = accounts.clone();
    move || {
        let mut sums: BTreeMap<(String, &'static str), u64> = BTreeMap::new();
        for (sender, account) in accounts.all() {
            let protocol = sender.split_once("://").map_or("others", |(protocol, _)| protocol);
            let lost =
                |how: Loss| account.lost.iter().filter(|((told, _), _)| *told == how).map(|(_, number)| number).sum();
            for (state, number) in [
                ("received", account.received),
                ("committed", account.committed),
                ("duplicate", account.duplicates),
                ("in_flight", account.in_flight),
                (Loss::Rejected.name(), lost(Loss::Rejected)),
                (Loss::Dropped.name(), lost(Loss::Dropped)),
                (Loss::DeadLetter.name(), lost(Loss::DeadLetter)),
                ("unparsed", account.unparsed),
            ] {
                *sums.entry((protocol.to_owned(), state)).or_default() += number;
            }
        }
        for ((protocol, state), number) in sums {
            metrics::gauge!("sender_events", "source" => protocol, "state" => state).set(number as f64);
        }
    }
}

/// Looks for senders that have fallen silent, until the service stops. `after`: silence that is set, by the beginnings of senders' names.
pub(crate) async fn watch_silence(spool: Spool, after: Vec<(String, i64)>, mut drain: watch::Receiver<Drain>) {
    let set = |sender: &str| after.iter().find(|(start, _)| sender.starts_with(start)).map(|(_, after_us)| *after_us);
    loop {
        tokio::select! {
            _ = drain.wait_for(Option::is_some) => return,
            () = tokio::time::sleep(SILENCE_POLL) => {}
        }
        let now = clock::now();
        for silence in spool.accounts().silent(now, set) {
            if &*silence.sender != ORIGIN {
                tell(&spool, &silence, now).await;
            }
        }
    }
}

async fn tell(spool: &Spool, silence: &Silence, now: Timestamp) {
    let Silence { sender, last, usual_us } = silence;
    let address = sender.rsplit_once("://").map_or("", |(_, address)| address);
    metrics::counter!("senders_silent_total").increment(1);
    tracing::warn!(%sender, %last, "a sender has fallen silent");
    let event = json!({
        "@timestamp": now.to_string(),
        "event": {"provider": "c0di3", "action": "sender-silent", "start": last.to_string(), "duration": (now.0 - last.0) * 1000},
        "observer": {"product": "c0di3"},
        "host": {"name": address},
        "c0di3": {"sender": **sender, "usual_pause_seconds": usual_us / 1_000_000},
    });
    let lines = format!("{event}\n");
    let batch = Batch::new(ORIGIN, lines.as_bytes(), now);
    if let Err(refused) = spool.append_when_room(batch).await {
        tracing::error!(%refused, "what is told of a silent sender is not kept");
    }
}

/// Names of settings: the beginning of a sender's name, `=`, and a span; none is `never`.
pub(crate) fn parse_silence(entry: &str) -> Option<(String, i64)> {
    let (start, span) = entry.rsplit_once('=')?;
    let after_us =
        if span.trim() == "never" { 0 } else { event::time::parse_span_us(span.trim()).filter(|span| *span > 0)? };
    Some((start.trim().to_owned(), after_us)).filter(|(start, _)| !start.is_empty())
}
