//! The whole path on one page: blocks are pulled by workers, parsed and matched side by side, and put back into order
//! for the one committer.
//!
//! ```text
//! Pull ──(locked)──▶ N workers: parse → match ──[bounded]──▶ in order ──▶ committer (the calling thread)
//! ```
//! Workers pull for themselves, so that reading shares their cores; a ticket for each block in flight bounds memory.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use anyhow::Context;
use crossbeam_channel::{Receiver, Sender, bounded};
use event::batch::Counts;
use event::{Block, EventBatch, Hit, Position, Source, Timestamp};
use ingest::{Barrier, Pull, Pulled};
use matcher::{MatchScratch, Matcher};
use parse::Parser;
use rules::RuleSet;

use crate::tap::Watch;

/// The rules at work. A reload puts others in their place between two blocks: every block is matched by one set, and no
/// block by an older set than the block before it.
#[derive(Debug)]
pub(crate) struct RulesInForce(RwLock<Arc<Matcher>>);

impl RulesInForce {
    pub(crate) fn new(matcher: Matcher) -> Self {
        RulesInForce(RwLock::new(Arc::new(matcher)))
    }

    pub(crate) fn current(&self) -> Arc<Matcher> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace(&self, matcher: Arc<Matcher>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = matcher;
    }
}

/// Blocks in flight for each worker.
const BLOCKS_PER_WORKER: usize = 3;

/// How blocks are turned into hits.
#[derive(Clone, Debug)]
pub(crate) struct PipelineOptions {
    /// Worker threads.
    pub(crate) jobs: usize,
    pub(crate) parse: parse::Options,
    /// Only hits of events at or after this time.
    pub(crate) since: Option<Timestamp>,
    /// Only hits of events before this time.
    pub(crate) until: Option<Timestamp>,
    /// Whether the events themselves are kept.
    pub(crate) archived: bool,
    /// What is seen of lines, events and hits is told there.
    pub(crate) watch: Option<Watch>,
}

/// What became of one block, in order.
#[derive(Debug)]
pub(crate) enum Done {
    Block(Box<DoneBlock>),
    /// Everything before it must be committed before it is passed.
    Barrier(Barrier),
    /// Nothing came for a moment: time to commit what waits.
    Idle,
    /// A source could not be read to its end.
    Failed {
        name: String,
        reason: String,
    },
}

/// How far a source was read with a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    /// Everything of the source before this is done.
    pub(crate) end: Position,
    /// Start of the last line, where it has no line ending yet.
    pub(crate) unfinished: Option<Position>,
}

#[derive(Debug)]
pub(crate) struct DoneBlock {
    /// The rules that made the hits.
    pub(crate) rules: Arc<RuleSet>,
    pub(crate) source: Arc<Source>,
    pub(crate) reached: Reached,
    pub(crate) hits: Vec<Hit>,
    /// The events, where they are kept.
    pub(crate) batch: Option<Arc<EventBatch>>,
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    pub(crate) counts: Counts,
    /// Events of no known shape.
    pub(crate) unknown: parse::UnknownShapes,
    /// When the lines were received.
    pub(crate) received: Timestamp,
    /// The newest event time that can be believed.
    pub(crate) newest: Option<Timestamp>,
    /// Nothing that follows begins before this.
    pub(crate) followed_by: Option<Timestamp>,
}

/// An event whose time is this much later than when its line was written is not believed, in microseconds.
pub(crate) const FUTURE_MAX_US: i64 = 86_400_000_000;

/// Newest event time of a batch, and how many times are from the future: those order nothing.
fn newest(batch: &EventBatch) -> (Option<Timestamp>, u64) {
    let Some(times) = batch.times() else { return (None, 0) };
    let last = batch.reference().saturating_add_us(FUTURE_MAX_US);
    let (mut newest, mut ahead) = (None, 0);
    for time in (0..batch.rows()).filter_map(|row| times.get(row).map(Timestamp)) {
        if time > last {
            ahead += 1;
        } else {
            newest = newest.max(Some(time));
        }
    }
    (newest, ahead)
}

/// Runs until the input ends, `stop` is set, or `commit` fails. `commit` gets every outcome in order.
pub(crate) fn run(
    input: impl Pull,
    rules: &RulesInForce,
    options: &PipelineOptions,
    stop: &AtomicBool,
    mut commit: impl FnMut(Done) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if options.jobs == 1 {
        return run_on_one_thread(input, rules, options, stop, commit);
    }
    let in_flight = options.jobs * BLOCKS_PER_WORKER;
    let (tickets_in, tickets) = bounded::<()>(in_flight);
    for _ in 0..in_flight {
        tickets_in.send(())?;
    }
    let (outcomes, outcomes_out) = bounded(in_flight);
    let input = Mutex::new((input, 0_u64));
    let halted = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            let worker = Worker { input: &input, rules, options, tickets: tickets.clone(), outcomes: outcomes.clone() };
            scope.spawn(|| worker.run(stop, &halted));
        }
        drop((outcomes, tickets));
        let committed = commit_in_order(&outcomes_out, &tickets_in, &mut commit);
        // On failure the workers must not wait for tickets or for room that nobody gives any more.
        halted.store(true, Ordering::Relaxed);
        drop((outcomes_out, tickets_in));
        committed
    })
}

/// One job is one core: the same path without threads.
fn run_on_one_thread(
    mut input: impl Pull,
    rules: &RulesInForce,
    options: &PipelineOptions,
    stop: &AtomicBool,
    mut commit: impl FnMut(Done) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut stage = Stage::new(rules.current(), options);
    while !stop.load(Ordering::Relaxed) {
        let Some(pulled) = input.pull() else { return Ok(()) };
        commit(stage.done(pulled, rules.current()))?;
    }
    Ok(())
}

fn commit_in_order(
    outcomes: &Receiver<(u64, Option<Done>)>,
    tickets: &Sender<()>,
    commit: &mut impl FnMut(Done) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for (number, done) in outcomes {
        early.insert(number, done);
        while let Some(done) = early.remove(&next) {
            next += 1;
            commit(done.context(
                "a block could not be read or judged: a fault of the program, whose message is in the log",
            )?)?;
            // A worker that has ended takes no ticket: that is not an error.
            let _full_or_ended = tickets.try_send(());
        }
    }
    Ok(())
}

/// One thread: pull, parse, match, hand over.
struct Worker<'a, P> {
    input: &'a Mutex<(P, u64)>,
    rules: &'a RulesInForce,
    options: &'a PipelineOptions,
    tickets: Receiver<()>,
    /// `None`: it ended with a panic.
    outcomes: Sender<(u64, Option<Done>)>,
}

impl<P: Pull> Worker<'_, P> {
    fn run(self, stop: &AtomicBool, halted: &AtomicBool) {
        let mut stage = Stage::new(self.rules.current(), self.options);
        while self.tickets.recv().is_ok() && !stop.load(Ordering::Relaxed) && !halted.load(Ordering::Relaxed) {
            let Some((number, pulled, matcher)) = self.pull() else { return };
            // Whoever commits waits for each number: one that never came would hold all others back for ever.
            let done = catch_unwind(AssertUnwindSafe(|| stage.done(pulled, matcher))).ok();
            let is_broken = done.is_none();
            if self.outcomes.send((number, done)).is_err() || is_broken {
                return;
            }
        }
    }

    /// The next block, and the rules for it: taken under one lock, so that both go in the same order.
    fn pull(&self) -> Option<(u64, Pulled, Arc<Matcher>)> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let pulled = input.0.pull()?;
        let number = input.1;
        input.1 += 1;
        Some((number, pulled, self.rules.current()))
    }
}

/// Parsing and matching with one thread's hints and caches.
struct Stage<'a> {
    matcher: Arc<Matcher>,
    options: &'a PipelineOptions,
    parser: Parser,
    scratch: MatchScratch,
}

impl<'a> Stage<'a> {
    fn new(matcher: Arc<Matcher>, options: &'a PipelineOptions) -> Self {
        Stage { matcher, options, parser: Parser::new(options.parse.clone()), scratch: MatchScratch::default() }
    }

    fn done(&mut self, pulled: Pulled, matcher: Arc<Matcher>) -> Done {
        if !Arc::ptr_eq(&matcher, &self.matcher) {
            (self.matcher, self.scratch) = (matcher, MatchScratch::default());
        }
        match pulled {
            Pulled::Idle => Done::Idle,
            Pulled::Barrier(barrier) => Done::Barrier(barrier),
            Pulled::Failed { name, error } => Done::Failed { name, reason: error.to_string() },
            Pulled::Block { block, followed_by } => Done::Block(Box::new(self.parse_and_match(block, followed_by))),
        }
    }

    fn parse_and_match(&mut self, block: Block, followed_by: Option<Timestamp>) -> DoneBlock {
        let bytes = block.bytes.len() as u64;
        let ends_open = block.cut_line_bytes.is_none() && block.bytes.last().is_some_and(|last| *last != b'\n');
        if let Some(watch) = &self.options.watch {
            watch.received(&block);
        }
        let batch = self.parser.parse(block);
        let mut hits = self.matcher.hits(&batch, &mut self.scratch);
        if let Some(watch) = &self.options.watch {
            watch.read(&batch);
            watch.matched(&hits, self.matcher.set());
        }
        if self.options.since.is_some() || self.options.until.is_some() {
            hits.retain(|hit| self.is_wanted(hit.event.time));
        }
        let (_, end) = batch.span();
        let (newest, ahead) = newest(&batch);
        // What is read again begins with the first line of a record.
        let begins = |row: &usize| batch.datasets()[*row] != event::dataset::CONTINUATION;
        let last_row = (0..batch.rows()).rev().find(begins).filter(|_| ends_open);
        let unfinished = last_row.map(|row| Position { offset: batch.offset(row), line: batch.line_no(row) - 1 });
        DoneBlock {
            rules: Arc::clone(self.matcher.set()),
            reached: Reached { end, unfinished },
            source: Arc::clone(batch.source()),
            hits,
            events: batch.events(),
            bytes,
            counts: Counts { in_pieces: self.scratch.take_in_pieces(), ahead, ..batch.counts() },
            unknown: self.parser.take_unknown(),
            received: batch.reference(),
            newest,
            followed_by,
            batch: self.options.archived.then(|| Arc::new(batch)),
        }
    }

    /// Whether the time lies in the range; an event without a time does not.
    fn is_wanted(&self, time: Option<Timestamp>) -> bool {
        let Some(time) = time else { return false };
        self.options.since.is_none_or(|since| time >= since) && self.options.until.is_none_or(|until| time < until)
    }
}
