//! The audit log while the store is away, and under a flood of refused logins.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use store::StoreError;
use store::audit::AuditQuery;

use super::*;

/// Keeps entries as a store does, or is away.
#[derive(Debug, Default)]
struct Kept {
    entries: Mutex<BTreeMap<String, AuditEntry>>,
    away: AtomicBool,
}

#[async_trait]
impl Audit for Kept {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(StoreError::Damaged("away".into()));
        }
        for entry in entries {
            let mut kept = self.entries.lock().unwrap();
            kept.entry(entry.id.clone())
                .and_modify(|known| known.count += entry.count)
                .or_insert_with(|| entry.clone());
        }
        Ok(())
    }

    async fn audit(&self, _: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(self.entries.lock().unwrap().values().cloned().collect())
    }
}

fn log() -> (Arc<Kept>, AuditLog) {
    let kept = Arc::new(Kept::default());
    (Arc::clone(&kept), AuditLog::new(Arc::clone(&kept) as Arc<dyn Audit>))
}

fn from(address: &str) -> By {
    By { address: address.to_owned(), method: "GET".into(), route: "/api/v1/stats".into(), ..By::default() }
}

async fn entries(kept: &Kept) -> Vec<AuditEntry> {
    kept.audit(&AuditQuery::default()).await.unwrap()
}

#[tokio::test]
async fn a_flood_of_refused_logins_is_a_few_rows_and_every_one_is_counted() {
    let (kept, log) = log();
    for number in 0..30_000_u32 {
        let address = format!("10.{}.{}.{}", number >> 16, number >> 8 & 255, number & 255);
        log.refused(&from(&address), 401, "/api/v1/stats", Timestamp(i64::from(number)));
        if number % 5_000 == 0 {
            log.flush().await;
        }
    }
    for number in 0..1_000_u32 {
        log.refused(&from(&format!("2001:db8:0:1::{number:x}")), 401, "/x", Timestamp(MINUTE_US));
    }
    log.refused(&By { actor: "ann".into(), ..from("192.0.2.1") }, 403, "/admin", Timestamp(MINUTE_US));
    log.flush().await;
    let all = entries(&kept).await;
    assert_eq!(all.len(), REFUSED_APART_MAX + 1 + 2);
    assert_eq!(all.iter().map(|entry| entry.count).sum::<u64>(), 31_001);
    let network = all.iter().find(|entry| entry.by.address == "2001:db8:0:1::/64").expect("one network is one row");
    assert_eq!((network.count, network.action.as_str(), network.outcome), (1_000, "login", Outcome::Refused));
    let ann = all.iter().find(|entry| entry.by.actor == "ann").unwrap();
    assert_eq!((ann.status, ann.at), (403, Timestamp(MINUTE_US)));
    assert!(log.state().refused.is_empty() && log.state().apart.len() <= REFUSED_APART_MAX);
}

#[tokio::test]
async fn what_cannot_be_written_waits_for_the_store_up_to_a_limit() {
    let (kept, log) = log();
    kept.away.store(true, Ordering::Relaxed);
    for number in 0..WAITING_MAX as i64 + 5 {
        log.record(AuditEntry::new(Timestamp(number), from("192.0.2.1"), "cache.clear", "", Outcome::Done)).await;
    }
    log.flush().await;
    assert_eq!(log.state().waiting.len(), WAITING_MAX);
    kept.away.store(false, Ordering::Relaxed);
    log.flush().await;
    assert_eq!(entries(&kept).await.len(), WAITING_MAX);
    assert!(log.state().waiting.is_empty());
}

#[test]
fn what_a_request_does_has_a_name_and_a_target() {
    assert_eq!(action("GET", "/api/v1/findings"), None);
    assert_eq!(action("POST", "/ingest"), None);
    assert_eq!(action("POST", "/api/v1/rules/{id}/explain"), None);
    assert_eq!(action("PATCH", "/api/v1/incidents/{id}").as_deref(), Some("incident.change"));
    assert_eq!(
        action("PUT", "/api/v1/new/{id}").as_deref(),
        Some("PUT /api/v1/new/{id}"),
        "what comes is not forgotten"
    );
    assert_eq!(target("/api/v1/deliveries/{notice_id}/{endpoint}/retry", "/api/v1/deliveries/ab/ops/retry"), "ab/ops");
    assert_eq!(target("/admin/cache/clear", "/admin/cache/clear"), "");
}
