//! Kafka as a source: a consumer group whose positions live with the findings, not with the broker (the broker gets a
//! copy, for its lag displays). When partitions are taken away, what was read of them is committed first. What cannot be
//! read is kept in a dead-letter topic, and its partition goes on.
//!
//! An event's offset is the message's offset times 65,536 plus its line in the message.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;

use crate::live::{Item, Resume};

mod access;
mod consumer;
mod letters;
mod options;
mod reader;
mod state;
mod wire;

#[cfg(test)]
mod tests;

pub use access::{KafkaAccess, KafkaSasl, KafkaTls};
pub use options::{KafkaOptions, TOPIC_PLACE, Unreadable};
pub use state::{KafkaReport, KafkaState};

use consumer::{Context, subscribed};
use letters::Letters;
use options::BLOCK_AGE_MAX;
use reader::Reader;

/// Between two questions where partitions end that are not fetched, and the longest wait for each answer.
const ENDS_INTERVAL: Duration = Duration::from_secs(1);
/// Tasks that wait for the worker beside the reader.
const TASKS_MAX: usize = 64;

/// Reads until `stop` is set or the pipeline has ended.
pub fn feed(
    options: &KafkaOptions,
    resume: Arc<dyn Resume>,
    state: Arc<KafkaState>,
    queue: Sender<Item>,
    stop: Arc<AtomicBool>,
) -> Result<(), KafkaError> {
    let consumer = subscribed(options, resume, &state, &queue, &stop).inspect_err(|error| {
        state.has_ended(error.to_string());
    })?;
    state.has_begun();
    let (tasks, asked) = bounded(TASKS_MAX);
    let (answers, outcomes) = bounded(TASKS_MAX);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let letters = Letters::new(options, &state, &stop);
        scope.spawn(move || letters.run(&asked, &answers));
        let over = &over;
        scope.spawn(|| watch_ends(&consumer, &state, over));
        let mut reader = Reader::new(options, &consumer, &state, queue, tasks, outcomes);
        while !stop.load(Ordering::Relaxed) {
            match consumer.poll(BLOCK_AGE_MAX) {
                Some(Ok(message)) => reader.take(&message),
                Some(Err(error)) => {
                    tracing::debug!(%error, "kafka");
                    metrics::counter!("kafka_errors_total").increment(1);
                }
                None => {}
            }
            if !reader.go_on(&stop) {
                break;
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    drop(consumer);
    state.is_over();
    Ok(())
}

/// Asks where partitions end that are not fetched: what waits in them is lag, too.
fn watch_ends(consumer: &BaseConsumer<Context>, state: &KafkaState, over: &AtomicBool) {
    let mut asked = Instant::now();
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(BLOCK_AGE_MAX);
        if asked.elapsed() < ENDS_INTERVAL {
            continue;
        }
        for key in state.untold() {
            match consumer.fetch_watermarks(&key.0, key.1, ENDS_INTERVAL) {
                Ok((_, end)) => state.ends(&key, end),
                // The others are asked in vain as well.
                Err(_) => break,
            }
            if over.load(Ordering::Relaxed) {
                return;
            }
        }
        asked = Instant::now();
    }
}
