//! Hot aggregates in Redis and, while Redis is away, in the memory of this process. The memory is made when Redis stops
//! answering, is filled from the start of the store, and is dropped when Redis has caught up with it. Answers say which
//! of the two counted; their counts are never added together, because each counts the whole store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use event::Timestamp;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::error::StoreError;
use crate::hot::{Counter, Hot, MemoryHot, Snapshot, Standing};
use crate::query::{ChangeCursor, StoredFinding};
use crate::redis::RedisHot;

/// Longest wait for an answer of Redis before it is taken to be away.
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// Longest wait until the memory is filled, which is enough for small stores.
const FILL_MAX: Duration = Duration::from_millis(700);
/// Longest that clearing all counts may take.
const CLEAR_MAX: Duration = Duration::from_secs(5);

/// Redis with a substitute in memory. Questions do not wait for a Redis that is known to be away.
#[derive(Debug)]
pub struct FallbackHot {
    redis: RedisHot,
    /// The substitute, while there is one.
    own: watch::Sender<Option<Arc<MemoryHot>>>,
    /// Somebody cleared the counts while Redis was away: Redis has to be cleared when it is back.
    clear_due: AtomicBool,
}

impl FallbackHot {
    /// Starts with Redis counting.
    pub fn new(redis: RedisHot) -> Self {
        metrics::gauge!("hot_degraded").set(0.0);
        FallbackHot { redis, own: watch::Sender::new(None), clear_due: AtomicBool::new(false) }
    }

    /// Redis itself, for whoever records changes of the store in it.
    pub fn redis(&self) -> &RedisHot {
        &self.redis
    }

    /// Waits until a substitute is needed, and gives it to whoever records changes of the store in it.
    pub async fn substitute(&self) -> Arc<MemoryHot> {
        let mut own = self.own.subscribe();
        loop {
            if let Some(memory) = own.borrow_and_update().clone() {
                return memory;
            }
            // It cannot fail: the sender is a field of `self`.
            let _open = own.changed().await.is_ok();
        }
    }

    /// Tells that Redis did not answer: from now on the memory counts.
    pub fn redis_is_away(&self) {
        let made = self.own.send_if_modified(|own| {
            let missing = own.is_none();
            own.get_or_insert_default();
            missing
        });
        if made {
            tracing::warn!("Redis does not answer: statistics are counted in the memory of this process until it does");
            metrics::counter!("hot_fallbacks_total").increment(1);
            metrics::gauge!("hot_degraded").set(1.0);
        }
    }

    /// Tells that Redis answers: it counts again once its mark has reached that of the memory. Fails where Redis is
    /// away again.
    pub async fn redis_answers(&self) -> Result<(), StoreError> {
        let Some(memory) = self.substitute_now() else { return Ok(()) };
        if self.clear_due.swap(false, Ordering::Relaxed)
            && let Err(error) = self.redis.clear().await
        {
            self.clear_due.store(true, Ordering::Relaxed);
            return Err(error);
        }
        let order = |mark: ChangeCursor| (mark.revision, mark.id);
        if order(self.redis.mark().await?) >= order(memory.mark().await?) {
            self.own.send_replace(None);
            tracing::info!("Redis has caught up with the store: it counts again");
            metrics::gauge!("hot_degraded").set(0.0);
        }
        Ok(())
    }

    fn substitute_now(&self) -> Option<Arc<MemoryHot>> {
        self.own.borrow().clone()
    }

    /// The memory, after waiting at most [`FILL_MAX`] until it is filled. `None`: Redis counts.
    async fn filled(&self) -> Option<Arc<MemoryHot>> {
        let memory = self.substitute_now()?;
        let mut complete = memory.completion();
        // The memory stays usable here even if it is dropped from `self` meanwhile.
        let _in_time = timeout(FILL_MAX, complete.wait_for(|complete| *complete)).await.is_ok();
        Some(memory)
    }

    /// What Redis answers; `None` where it is away.
    async fn ask<T>(
        &self,
        longest: Duration,
        question: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        if self.own.borrow().is_some() {
            return Ok(None);
        }
        match timeout(longest, question).await {
            Ok(Err(error)) if !error.is_passing() => Err(error),
            Ok(Ok(answer)) => Ok(Some(answer)),
            _ => {
                self.redis_is_away();
                Ok(None)
            }
        }
    }
}

#[async_trait]
impl Hot for FallbackHot {
    fn standing(&self) -> Standing {
        match self.substitute_now() {
            Some(memory) => Standing { degraded: true, ..memory.standing() },
            None => self.redis.standing(),
        }
    }

    fn caught_up(&self, whether: bool) {
        self.redis.caught_up(whether);
    }

    async fn counts(&self, top: usize) -> Result<(Snapshot, Standing), StoreError> {
        if let Some(snapshot) = self.ask(ANSWER_MAX, self.redis.snapshot(top)).await? {
            return Ok((snapshot, self.redis.standing()));
        }
        let Some(memory) = self.filled().await else {
            return Ok((self.redis.snapshot(top).await?, self.redis.standing()));
        };
        let standing = Standing { counter: Counter::Memory, degraded: true, ..memory.standing() };
        if !standing.complete && memory.mark().await? == ChangeCursor::START {
            return Err(StoreError::Uncounted);
        }
        Ok((memory.snapshot(top).await?, standing))
    }

    async fn leads(&self) -> Result<bool, StoreError> {
        self.redis.leads().await
    }

    async fn mark(&self) -> Result<ChangeCursor, StoreError> {
        self.redis.mark().await
    }

    async fn record(
        &self,
        findings: &[StoredFinding],
        from: ChangeCursor,
        mark: ChangeCursor,
    ) -> Result<bool, StoreError> {
        self.redis.record(findings, from, mark).await
    }

    async fn snapshot(&self, top: usize) -> Result<Snapshot, StoreError> {
        Ok(self.counts(top).await?.0)
    }

    async fn risk(&self, kind: &str, value: &str, now: Timestamp) -> Result<f64, StoreError> {
        if let Some(risk) = self.ask(ANSWER_MAX, self.redis.risk(kind, value, now)).await? {
            return Ok(risk);
        }
        match self.filled().await {
            None => self.redis.risk(kind, value, now).await,
            Some(memory) if memory.standing().complete => memory.risk(kind, value, now).await,
            Some(_) => Err(StoreError::Uncounted),
        }
    }

    /// Where Redis is away, it is cleared once it is back.
    async fn clear(&self) -> Result<u64, StoreError> {
        if let Some(keys) = self.ask(CLEAR_MAX, self.redis.clear()).await? {
            return Ok(keys);
        }
        self.clear_due.store(true, Ordering::Relaxed);
        match self.substitute_now() {
            Some(memory) => memory.clear().await,
            None => self.redis.clear().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use event::Status;

    use super::*;

    fn found(revision: u64) -> StoredFinding {
        let finding = crate::suite::finding(revision, event::Severity::P1, "192.0.2.1");
        let (created_at, updated_at) = (Timestamp(0), Timestamp(0));
        StoredFinding { finding, status: Status::New, created_at, updated_at, revision, muted_by: None }
    }

    fn up_to(revision: u64) -> (Vec<StoredFinding>, ChangeCursor) {
        let all: Vec<_> = (1..=revision).map(found).collect();
        let mark = all.last().map_or(ChangeCursor::START, ChangeCursor::from);
        (all, mark)
    }

    #[tokio::test]
    async fn the_memory_counts_until_redis_has_followed_as_far() {
        let mut server = servers::Redis::start();
        let hot = FallbackHot::new(RedisHot::open(&server.url(), "agent-1".into()).unwrap());
        let (first, mark) = up_to(2);
        assert!(hot.redis().record(&first, ChangeCursor::START, mark).await.unwrap());
        let (snapshot, standing) = hot.counts(5).await.unwrap();
        assert_eq!((snapshot.findings, standing.counter, standing.degraded), (2, Counter::Redis, false));

        server.freeze();
        let started = Instant::now();
        let nothing = hot.counts(5).await;
        assert!(matches!(nothing, Err(StoreError::Uncounted)), "nothing has been counted, which is not zero");
        assert!(started.elapsed() < (ANSWER_MAX + FILL_MAX) * 2, "{:?}", started.elapsed());
        let memory = timeout(ANSWER_MAX, hot.substitute()).await.unwrap();
        let (all, end) = up_to(3);
        assert!(memory.record(&all, ChangeCursor::START, end).await.unwrap());
        let started = Instant::now();
        let (snapshot, standing) = hot.counts(5).await.unwrap();
        assert_eq!((snapshot.findings, standing.degraded, standing.complete), (3, true, false));
        memory.caught_up(true);
        assert!(hot.counts(5).await.unwrap().1.complete);
        assert!(started.elapsed() < FILL_MAX * 2, "Redis is not asked while it is away");
        assert!(hot.risk("source.ip", "192.0.2.1", Timestamp(0)).await.unwrap() > 0.0);

        server.thaw();
        hot.redis_answers().await.unwrap();
        assert!(hot.standing().degraded, "Redis is behind: it does not count yet");
        assert!(hot.redis().record(&all[2..], mark, end).await.unwrap());
        hot.redis_answers().await.unwrap();
        let (snapshot, standing) = hot.counts(5).await.unwrap();
        assert_eq!((snapshot.findings, standing.counter, standing.degraded), (3, Counter::Redis, false));

        server.stop();
        assert_eq!(hot.clear().await.unwrap(), 0, "the memory is new and empty");
        server.start_again();
        // The first step finds that its connection is gone, the next one makes another.
        let _broken = hot.redis().record(&all, ChangeCursor::START, end).await.is_err();
        hot.redis().record(&all, ChangeCursor::START, end).await.unwrap();
        hot.redis_answers().await.unwrap();
        assert_eq!(
            hot.redis().mark().await.unwrap(),
            ChangeCursor::START,
            "what was to be forgotten is forgotten there as well"
        );
    }

    #[tokio::test]
    async fn of_two_who_record_the_same_one_counts() {
        let server = servers::Redis::start();
        let agents = ["agent-1", "agent-2"].map(|name| RedisHot::open(&server.url(), name.into()).unwrap());
        let (all, mark) = up_to(20);
        for round in 0..20 {
            let (one, two) = tokio::join!(
                agents[0].record(&all, ChangeCursor::START, mark),
                agents[1].record(&all, ChangeCursor::START, mark)
            );
            assert!(one.unwrap() != two.unwrap(), "round {round}");
            let snapshot = agents[0].snapshot(5).await.unwrap();
            assert_eq!((snapshot.findings, snapshot.events), (20, 230), "round {round}");
            agents[0].clear().await.unwrap();
        }
    }
}
