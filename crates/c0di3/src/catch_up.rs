//! Keeps the hot aggregates up with the store, whoever writes to it. How far they were told stands with them, so that they
//! are rebuilt from the start when they have been lost. Redis and the memory that stands in for it are followed apart from
//! each other: one that does not answer does not hold the other up.

use std::sync::Arc;
use std::time::Duration;

use store::{ChangeCursor, FallbackHot, Hot, Store, StoreError};

/// How often the aggregates catch up with the store.
const INTERVAL: Duration = Duration::from_millis(500);
/// Findings that are caught up with at once.
const LIMIT: u32 = 2_000;

/// Follows the store until the process ends, with the aggregates of this process alone.
pub(crate) async fn in_memory(store: Arc<dyn Store>, hot: Arc<dyn Hot>) {
    let mut trouble = Trouble::default();
    loop {
        let more = trouble.note(follow(&*store, &*hot).await);
        pause(more).await;
    }
}

/// Follows the store until the process ends, with Redis, which other agents may use too.
pub(crate) async fn in_redis(store: Arc<dyn Store>, hot: Arc<FallbackHot>) {
    let mut trouble = Trouble::default();
    loop {
        let followed = match follow(&*store, hot.redis()).await {
            Ok(more) => hot.redis_answers().await.map(|()| more),
            Err(error) => Err(error),
        };
        if let Err(StoreError::Cache(_)) = &followed {
            hot.redis_is_away();
        }
        let more = trouble.note(followed);
        pause(more).await;
    }
}

/// Fills the memory that stands in for Redis, whenever there is one.
pub(crate) async fn in_substitute(store: Arc<dyn Store>, hot: Arc<FallbackHot>) {
    let mut trouble = Trouble::default();
    loop {
        let memory = hot.substitute().await;
        let more = trouble.note(follow(&*store, &*memory).await);
        drop(memory);
        pause(more).await;
    }
}

async fn pause(more: bool) {
    if !more {
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Tells of a trouble when it begins and when it is over.
#[derive(Default)]
struct Trouble(bool);

impl Trouble {
    /// True where more is waiting.
    fn note(&mut self, followed: Result<bool, StoreError>) -> bool {
        match followed {
            Ok(more) => {
                if self.0 {
                    tracing::info!("the hot aggregates are followed again");
                }
                self.0 = false;
                more
            }
            Err(error) => {
                if !self.0 {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the hot aggregates cannot be followed");
                }
                self.0 = true;
                metrics::counter!("hot_errors_total").increment(1);
                false
            }
        }
    }
}

/// One step. True where more is waiting.
async fn follow(store: &dyn Store, hot: &dyn Hot) -> Result<bool, StoreError> {
    let leads = hot.leads().await?;
    let mark = hot.mark().await?;
    let changed = store.changed_after(mark, LIMIT).await?;
    let more = changed.len() == LIMIT as usize;
    if !leads {
        // Another agent records: how far it has come is seen all the same.
        hot.caught_up(!more);
        return Ok(false);
    }
    if let Some(last) = changed.last() {
        if !hot.record(&changed, mark, ChangeCursor::from(last)).await? {
            // Somebody else was quicker, or all was forgotten: from there on.
            metrics::counter!("hot_steps_repeated_total").increment(1);
            return Ok(true);
        }
        metrics::counter!("findings_followed_total").increment(changed.len() as u64);
    }
    hot.caught_up(!more);
    Ok(more)
}
