//! `GET /api/v1/tap` of the analyzer: a live sample of what passes a stage. Whoever offers samples never waits: what finds no room is left out,
//! and while nobody listens an offer costs one load of an atomic.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::problem::{PartProblem, Problem};

/// Listeners at once.
const LISTENERS_MAX: usize = 8;
/// Samples of one answer where nobody says how many, and at most; and the bytes of all.
const SAMPLES: usize = 20;
const SAMPLES_MAX: usize = 1000;
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// Longest sample, in bytes: a longer one is left out.
const SAMPLE_BYTES_MAX: usize = 64 << 10;
/// Longest wait for samples, in seconds; and for more once there is one.
const WAIT_S: u64 = 5;
const WAIT_S_MAX: u64 = 10;
const MORE: Duration = Duration::from_millis(250);

/// Where samples are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TapStage {
    /// Lines as they were received.
    Lines,
    /// Events as they were read.
    Events,
    /// Rules that matched an event.
    Hits,
    /// Findings that are new or have changed.
    Findings,
}

impl TapStage {
    /// Every stage, in the order of the pipeline.
    pub const ALL: [TapStage; 4] = [TapStage::Lines, TapStage::Events, TapStage::Hits, TapStage::Findings];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            TapStage::Lines => "lines",
            TapStage::Events => "events",
            TapStage::Hits => "hits",
            TapStage::Findings => "findings",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Somebody who listens.
#[derive(Debug)]
struct Listener {
    number: u64,
    stage: TapStage,
    filter: String,
    sender: mpsc::Sender<String>,
}

#[derive(Debug, Default)]
struct Listeners {
    /// Stages that somebody listens to.
    watched: AtomicU8,
    numbers: AtomicU64,
    all: Mutex<Vec<Listener>>,
}

/// Where samples are offered and listened to. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tap(Arc<Listeners>);

impl Tap {
    /// Whether a sample of the stage is of use to anybody.
    pub fn is_watched(&self, stage: TapStage) -> bool {
        self.0.watched.load(Ordering::Relaxed) & stage.bit() != 0
    }

    /// Offers a sample, as one line of JSON; false where nobody who listens has room for more.
    pub fn offer(&self, stage: TapStage, sample: &str) -> bool {
        let mut has_room = false;
        for listener in self.lock().iter().filter(|listener| listener.stage == stage) {
            let is_wanted = sample.len() <= SAMPLE_BYTES_MAX && sample.contains(&listener.filter);
            has_room |= match is_wanted {
                true => listener.sender.try_send(sample.to_owned()).is_ok(),
                false => listener.sender.capacity() > 0,
            };
        }
        has_room
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.0.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` where too many listen.
    fn listen(&self, stage: TapStage, filter: String, samples: usize) -> Option<Listening> {
        let (sender, receiver) = mpsc::channel(samples);
        let number = self.0.numbers.fetch_add(1, Ordering::Relaxed);
        let mut all = self.lock();
        if all.len() >= LISTENERS_MAX {
            return None;
        }
        all.push(Listener { number, stage, filter, sender });
        self.note(&all);
        drop(all);
        Some(Listening { tap: self.clone(), number, receiver })
    }

    fn note(&self, all: &[Listener]) {
        let watched = all.iter().fold(0, |watched, listener| watched | listener.stage.bit());
        self.0.watched.store(watched, Ordering::Relaxed);
    }
}

/// Ends with its handle.
struct Listening {
    tap: Tap,
    number: u64,
    receiver: mpsc::Receiver<String>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut all = self.tap.lock();
        all.retain(|listener| listener.number != self.number);
        self.tap.note(&all);
    }
}

/// What somebody wants to see.
struct Sampling {
    stage: TapStage,
    filter: String,
    samples: usize,
    wait: Duration,
}

fn sampling(parameters: Vec<(String, String)>) -> Result<Sampling, Problem> {
    let mut wanted = Sampling {
        stage: TapStage::Events,
        filter: String::new(),
        samples: SAMPLES,
        wait: Duration::from_secs(WAIT_S),
    };
    for (name, text) in parameters {
        let number = text.parse::<u64>().ok();
        let stage = TapStage::ALL.into_iter().find(|stage| stage.name() == text);
        match (name.as_str(), number, stage) {
            ("stage", _, Some(stage)) => wanted.stage = stage,
            ("filter", ..) => wanted.filter = text,
            ("limit", Some(number), _) if (1..=SAMPLES_MAX as u64).contains(&number) => {
                wanted.samples = number as usize
            }
            ("wait", Some(number), _) if (1..=WAIT_S_MAX).contains(&number) => {
                wanted.wait = Duration::from_secs(number)
            }
            _ => {
                let detail = format!(
                    "the parameters are stage (lines, events, hits, findings), filter, limit (1 to {SAMPLES_MAX}) and wait (1 to {WAIT_S_MAX})"
                );
                return Err(Problem::bad_request(vec![PartProblem { pointer: name, detail }]));
            }
        }
    }
    Ok(wanted)
}

/// A live sample of what passes a stage, as lines of JSON: what comes within the wait and holds the filter's text.
#[utoipa::path(
    get, path = "/api/v1/tap", tag = "ingest",
    params(
        ("stage" = Option<String>, Query, description = "lines, events, hits or findings; events where absent"),
        ("filter" = Option<String>, Query, description = "A text that each sample holds, as its JSON has it"),
        ("limit" = Option<usize>, Query, description = "1 to 1000, 20 where absent"),
        ("wait" = Option<u64>, Query, description = "Seconds, 1 to 10, 5 where absent: the answer comes soon after the first sample"),
    ),
    responses(
        (status = 200, description = "Samples, one JSON object on each line", body = String, content_type = "application/x-ndjson"),
        (status = 503, description = "Too many listen", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn sample(
    State(tap): State<Tap>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let wanted = sampling(parameters)?;
    let mut until = Instant::now() + wanted.wait;
    let listening = tap.listen(wanted.stage, wanted.filter, wanted.samples);
    let mut listening = listening.ok_or_else(|| Problem::busy(format!("{LISTENERS_MAX} listen already")))?;
    let (mut out, mut left) = (String::new(), wanted.samples);
    while left > 0 && out.len() < ANSWER_BYTES_MAX {
        let Ok(Some(sample)) = timeout_at(until, listening.receiver.recv()).await else { break };
        until = until.min(Instant::now() + MORE);
        out.push_str(&sample);
        out.push('\n');
        left -= 1;
    }
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], out).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn samples_are_filtered_bounded_and_nobody_waits_for_who_listens() {
        let tap = Tap::default();
        assert!(!tap.is_watched(TapStage::Lines) && !tap.offer(TapStage::Lines, "nobody"));
        let mut listening = tap.listen(TapStage::Lines, "root".to_owned(), 2).unwrap();
        assert!(tap.is_watched(TapStage::Lines) && !tap.is_watched(TapStage::Hits));
        assert!(tap.offer(TapStage::Lines, "other") && tap.offer(TapStage::Lines, "root 1"));
        assert!(tap.offer(TapStage::Lines, "root 2"));
        assert!(!tap.offer(TapStage::Lines, "root 3"), "full");
        assert_eq!(listening.receiver.recv().await.as_deref(), Some("root 1"));
        let others: Vec<_> =
            (1..LISTENERS_MAX).map(|_| tap.listen(TapStage::Hits, String::new(), 1).unwrap()).collect();
        assert!(tap.listen(TapStage::Hits, String::new(), 1).is_none());
        drop((listening, others));
        assert!(!tap.is_watched(TapStage::Lines) && !tap.is_watched(TapStage::Hits));
    }

    #[tokio::test]
    async fn an_answer_comes_soon_after_the_first_sample() {
        let tap = Tap::default();
        let offering = tap.clone();
        let offered = tokio::spawn(async move {
            while !offering.is_watched(TapStage::Findings) {
                tokio::task::yield_now().await;
            }
            offering.offer(TapStage::Findings, "{\"a\":1}");
        });
        let parameters = [("stage", "findings"), ("wait", "10")].map(|(name, text)| (name.to_owned(), text.to_owned()));
        let started = std::time::Instant::now();
        let answer = sample(State(tap), Query(parameters.to_vec())).await.unwrap();
        offered.await.unwrap();
        let body = axum::body::to_bytes(answer.into_body(), 1000).await.unwrap();
        assert_eq!(&body[..], b"{\"a\":1}\n");
        assert!(started.elapsed() < Duration::from_secs(5));
        let wrong = [("stage".to_owned(), "nothing".to_owned())];
        assert!(sample(State(Tap::default()), Query(wrong.to_vec())).await.is_err());
    }
}
