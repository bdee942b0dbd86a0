//! Writing the audit log, where the store does not do so together with the change: nothing is lost without a word. Refused
//! logins are counted by address and minute, so that a flood of them fills neither table nor memory.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use event::Timestamp;
use store::Audit;
use store::audit::{AuditEntry, By, Outcome};

pub(crate) mod list;

/// Between two writes of refused logins, and of what waits for the store.
const FLUSH: Duration = Duration::from_secs(2);
/// Addresses whose refused logins are told apart within one minute; those of all others are one row.
const REFUSED_APART_MAX: usize = 100;
/// Entries that wait for a store that is away: beyond it they are lost, which is counted, and stand in the error log.
const WAITING_MAX: usize = 2_000;
const MINUTE_US: i64 = 60_000_000;
const LOGIN: &str = "login";
const OTHERS: &str = "other addresses";

/// The audit log of a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AuditLog {
    store: Arc<dyn Audit>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Refused logins since the last write, by what makes them one row.
    refused: BTreeMap<(i64, Refused), AuditEntry>,
    /// Who has a row of its own in this minute.
    minute: i64,
    apart: BTreeSet<Refused>,
    /// Entries that could not be written yet.
    waiting: Vec<AuditEntry>,
}

/// What is told apart of refused logins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Refused {
    address: String,
    forwarded: String,
    actor: String,
    status: u16,
}

impl AuditLog {
    /// Entries go to `store`; while it is away they wait here, at most 2,000 of them.
    pub fn new(store: Arc<dyn Audit>) -> Self {
        AuditLog { store, state: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the entry now, or when the store is back.
    pub async fn record(&self, entry: AuditEntry) {
        metrics::counter!("audit_entries_total", "outcome" => entry.outcome.name()).increment(1);
        if let Err(error) = self.store.append(std::slice::from_ref(&entry)).await {
            tell(&entry, &error);
            self.keep(vec![entry]);
        }
    }

    fn keep(&self, mut entries: Vec<AuditEntry>) {
        let mut state = self.state();
        let room = WAITING_MAX.saturating_sub(state.waiting.len());
        let lost = entries.split_off(room.min(entries.len()));
        state.waiting.append(&mut entries);
        drop(state);
        metrics::counter!("audit_entries_lost_total").increment(lost.len() as u64);
        for entry in &lost {
            tracing::error!(?entry, "an audit entry is lost: too many wait for the store");
        }
    }

    /// Counts a refused login.
    pub(crate) fn refused(&self, by: &By, status: u16, path: &str, at: Timestamp) {
        let minute = at.0.div_euclid(MINUTE_US);
        let (address, forwarded) = (network_of(&by.address), network_of(&by.forwarded));
        let mut key = Refused { address, forwarded, actor: by.actor.clone(), status };
        let mut state = self.state();
        if state.minute != minute {
            state.minute = minute;
            state.apart.clear();
        }
        if !state.apart.contains(&key) {
            if state.apart.len() < REFUSED_APART_MAX {
                state.apart.insert(key.clone());
            } else {
                let (address, forwarded) = (OTHERS.to_owned(), String::new());
                key = Refused { address, forwarded, actor: String::new(), status };
            }
        }
        if let Some(entry) = state.refused.get_mut(&(minute, key.clone())) {
            entry.count += 1;
            return;
        }
        let (address, forwarded, actor) = (key.address.clone(), key.forwarded.clone(), key.actor.clone());
        let known = if actor.is_empty() { By::default() } else { by.clone() };
        let by = By { actor, address, forwarded, method: by.method.clone(), route: by.route.clone(), ..known };
        let at = Timestamp(minute.saturating_mul(MINUTE_US));
        let parts: [&[u8]; 6] = [
            LOGIN.as_bytes(),
            &minute.to_be_bytes(),
            by.address.as_bytes(),
            by.forwarded.as_bytes(),
            by.actor.as_bytes(),
            &status.to_be_bytes(),
        ];
        let detail = format!("within one minute; the first asked for {path}");
        let entry = AuditEntry::new(at, by.clone(), LOGIN, "", Outcome::Refused).answered(status).saying(detail);
        state.refused.insert((minute, key), entry.counted_as(&parts, 1));
    }

    /// Takes out what waits.
    fn waiting(&self) -> Vec<AuditEntry> {
        let (waiting, refused) = {
            let mut state = self.state();
            (std::mem::take(&mut state.waiting), std::mem::take(&mut state.refused))
        };
        waiting.into_iter().chain(refused.into_values()).collect()
    }

    /// Writes what waits, for the last time: what the store does not take within the time stands in the error log alone.
    pub async fn flush_last(&self, longest: Duration) {
        let entries = self.waiting();
        if entries.is_empty() {
            return;
        }
        if !matches!(tokio::time::timeout(longest, self.store.append(&entries)).await, Ok(Ok(()))) {
            metrics::counter!("audit_entries_lost_total").increment(entries.len() as u64);
            for entry in &entries {
                tracing::error!(?entry, "an audit entry is lost: the store did not take it before the end");
            }
        }
    }

    /// Writes what waits.
    pub async fn flush(&self) {
        let entries = self.waiting();
        if entries.is_empty() {
            return;
        }
        if let Err(error) = self.store.append(&entries).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, entries = entries.len(), "audit entries could not be written, and wait");
            metrics::counter!("audit_errors_total").increment(1);
            self.keep(entries);
        }
    }

    /// Writes what waits, again and again. Works until it is dropped.
    pub async fn run(self) {
        loop {
            tokio::time::sleep(FLUSH).await;
            self.flush().await;
        }
    }
}

/// The whole entry stands in the error log, so that it is not lost with the process.
fn tell(entry: &AuditEntry, error: &store::StoreError) {
    metrics::counter!("audit_errors_total").increment(1);
    let error = error as &dyn std::error::Error;
    tracing::error!(error, ?entry, "an audit entry could not be written, and waits");
}

/// Whoever has an IPv6 network has any number of addresses in it.
fn network_of(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) => {
            let [first, second, third, fourth, ..] = address.segments();
            format!("{}/64", std::net::Ipv6Addr::new(first, second, third, fourth, 0, 0, 0, 0))
        }
        _ => address.to_owned(),
    }
}

/// What a request that changes something is called; `None` for what only reads, or brings events.
pub(crate) fn action(method: &str, route: &str) -> Option<String> {
    let known = match (method, route) {
        ("GET" | "HEAD" | "OPTIONS", _) | (_, "/ingest" | "/api/v1/rules/{id}/explain") => return None,
        (_, route) if crate::push_paths::needs_token(route).is_some() => return None,
        ("PATCH", "/api/v1/incidents/{id}") => "incident.change",
        ("POST", "/admin/cache/clear") => "cache.clear",
        ("POST", "/admin/rules/reload") => "rules.reload",
        ("POST", "/api/v1/deliveries/{notice_id}/{endpoint}/retry") => "delivery.retry",
        ("POST", "/api/v1/endpoints/{name}/enable") => "endpoint.enable",
        ("DELETE", "/api/v1/mutes/{id}") => "mute.end",
        ("POST", "/api/v1/hunts") => "hunt.start",
        ("DELETE", "/api/v1/hunts/{id}") => "hunt.end",
        ("POST", "/api/v1/rules/{id}/backtest") => "rule.backtest",
        ("DELETE", "/api/v1/backtests/{id}") => "backtest.end",
        _ => return Some(format!("{method} {route}")),
    };
    Some(known.to_owned())
}

/// What the path names where the route leaves a place.
pub(crate) fn target(route: &str, path: &str) -> String {
    let parts = route.split('/').zip(path.split('/'));
    parts.filter(|(place, _)| place.starts_with('{')).map(|(_, value)| value).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests;
