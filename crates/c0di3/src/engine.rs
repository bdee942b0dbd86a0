//! The analyzer's engine: live sources in, findings committed. It runs the pipeline until the process stops, and anew where
//! another process has taken a source over.
//!
//! Findings are committed as they come; positions and correlation state together at checkpoints. After a crash the events
//! behind the last checkpoint are read again, through the state of that checkpoint, and arrive at the same findings.

mod policy;
mod progress;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use api::Tap;
use archive::ArchiveError;
use correlate::LiveCorrelator;
use crossbeam_channel::Receiver;
use ingest::live::{LiveInput, feed_spool, queue};
use ingest::spool::Spool;
use store::{Lease, Resume, Store, StoreError};
use tokio::runtime::Handle;

use crate::archiver::{Archiver, SERVICE_SEGMENT_BYTES_MAX};
use crate::committer::{Committer, Extent, Target};
use crate::config::Config;
use crate::keeping::Keeping;
use crate::pipeline::{self, PipelineOptions, RulesInForce};
use crate::positions::Positions;
use crate::rulebook::Question;
use crate::signals::told;
use crate::source::{LiveSources, Reading};
use crate::tap::Watch;

use policy::{LivePolicy, RETRY, Run, away};
pub(crate) use progress::Progress;

/// What the engine works with.
pub(crate) struct Engine {
    pub(crate) config: Config,
    pub(crate) rules: Arc<RulesInForce>,
    pub(crate) questions: Receiver<Question>,
    pub(crate) parse: parse::Options,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) spool: Spool,
    pub(crate) sources: Arc<LiveSources>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) runtime: Handle,
    pub(crate) tap: Tap,
}

/// Why one run of the pipeline ended.
enum Ended {
    Stopped,
    /// A source was taken over by another process: what was read of it here is thrown away, from the last checkpoint on.
    Fenced,
    /// The store went away before the run had begun.
    Away,
}

/// Ends all threads of a run with it, also where it ends with a panic: nobody would wait for them otherwise.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Engine {
    /// Runs until `stop` is set. Blocks.
    pub(crate) fn run(self, stop: &Arc<AtomicBool>) -> anyhow::Result<()> {
        loop {
            let Some((lease, resume)) = self.take_over(stop)? else { return Ok(()) };
            match self.run_once(lease, resume, stop)? {
                Ended::Stopped => return Ok(()),
                Ended::Fenced => metrics::counter!("analyzer_restarts_total").increment(1),
                Ended::Away => std::thread::sleep(RETRY),
            }
        }
    }

    /// Takes the instance's name over as soon as the store answers; `None` when stopped before.
    fn take_over(&self, stop: &AtomicBool) -> anyhow::Result<Option<(Lease, Resume)>> {
        loop {
            let taken = self.runtime.block_on(async {
                tokio::select! {
                    taken = self.store.take_over(&self.config.analyzer.instance) => Some(taken),
                    () = told(stop) => None,
                }
            });
            match taken {
                None => return Ok(None),
                Some(Ok(taken)) => return Ok(Some(taken)),
                Some(Err(error)) if error.is_passing() => {
                    self.progress.is_in_trouble(away(&error));
                    std::thread::sleep(RETRY);
                }
                Some(Err(error)) => return Err(error).context("cannot take up the analyzer's state"),
            }
        }
    }

    fn run_once(&self, lease: Lease, resume: Resume, stop: &Arc<AtomicBool>) -> anyhow::Result<Ended> {
        let positions = Positions::new(resume.sources);
        let run = Run {
            sources: Arc::clone(&self.sources),
            spool: self.spool.clone(),
            positions: positions.clone(),
            questions: self.questions.clone(),
            progress: Arc::clone(&self.progress),
            tap: self.tap.clone(),
            stop: Arc::clone(stop),
        };
        let archiver = match self.archiver(&lease, stop) {
            Ok(archiver) => archiver,
            Err(error) => match error.downcast_ref::<StoreError>() {
                Some(passing) if passing.is_passing() => {
                    self.progress.is_in_trouble(away(passing));
                    return Ok(Ended::Away);
                }
                _ => return Err(error),
            },
        };
        if archiver.is_none() && self.config.store.archive.place.is_some() {
            return Ok(Ended::Stopped);
        }
        let keeping = archiver.as_ref().and_then(|archiver| self.keeping(archiver));
        let target = Target {
            store: Arc::clone(&self.store),
            runtime: self.runtime.clone(),
            lease: Some(lease),
            join: self.config.store.join,
        };
        let rules = Arc::clone(self.rules.current().set());
        let correlator = LiveCorrelator::new(Arc::clone(&rules), self.config.correlation.options());
        let mut committer = Committer::new(
            rules,
            correlator,
            resume.state,
            positions.clone(),
            Some(target),
            LivePolicy::new(&self.config.analyzer, run),
        )?
        .with_archive(archiver);
        // Set when the process stops, or when this run has to end.
        let run_stop = Arc::new(AtomicBool::new(false));
        let (sender, input) = queue(Arc::clone(&run_stop));
        let (store, runtime) = (Arc::clone(&self.store), self.runtime.clone());
        let reading = Reading { queue: sender, stop: Arc::clone(&run_stop), positions, store, runtime };
        std::thread::scope(|scope| {
            let _ends = Ends(&run_stop);
            self.read_spool(scope, &reading);
            self.sources.read(scope, &reading);
            drop(reading);
            if let Some(keeping) = keeping {
                let stop = Arc::clone(&run_stop);
                scope.spawn(move || keeping.run(&stop));
            }
            let relay = Arc::clone(&run_stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) && !relay.load(Ordering::Relaxed) {
                    std::thread::sleep(RETRY / 6);
                }
                relay.store(true, Ordering::Relaxed);
            });
            self.run_pipeline(input, &run_stop, &mut committer)
        })
    }

    /// The archive, where there is one, as soon as its place answers.
    fn archiver(&self, lease: &Lease, stop: &AtomicBool) -> anyhow::Result<Option<Archiver>> {
        let kept = &self.config.store.archive;
        let Some(place) = &kept.place else { return Ok(None) };
        while !stop.load(Ordering::Relaxed) {
            match Archiver::open((place, &kept.privacy), lease, Arc::clone(&self.store), self.runtime.clone()) {
                Ok(archiver) => return Ok(Some(archiver.with_segments_of(SERVICE_SEGMENT_BYTES_MAX))),
                Err(error) if is_passing(&error) => {
                    metrics::counter!("archive_errors_total").increment(1);
                    tracing::error!(
                        error = format!("{error:#}"),
                        "events are kept in the spool until they can be archived"
                    );
                    self.progress.is_in_trouble(format!("{error:#}"));
                    std::thread::sleep(RETRY);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// What keeps the archive within its bounds while this run lasts.
    fn keeping(&self, archiver: &Archiver) -> Option<Keeping> {
        let bounds = self.config.store.archive.clone();
        let (store, runtime) = (Arc::clone(&self.store), self.runtime.clone());
        bounds.place.is_some().then(|| Keeping { writer: archiver.writer(), store, runtime, bounds })
    }

    /// Reads what was pushed, from where the last run has committed it.
    fn read_spool<'scope>(&self, scope: &'scope std::thread::Scope<'scope, '_>, reading: &Reading) {
        let position = reading.positions.of(self.spool.source().id);
        self.spool.release(position);
        let reader = self.spool.read_from(position);
        let (queue, stop) = (reading.queue.clone(), Arc::clone(&reading.stop));
        scope.spawn(move || feed_spool(reader, &queue, &stop));
    }

    fn run_pipeline(
        &self,
        input: LiveInput,
        run_stop: &AtomicBool,
        committer: &mut Committer<LivePolicy>,
    ) -> anyhow::Result<Ended> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = if self.config.analyzer.jobs == 0 { cores } else { self.config.analyzer.jobs };
        let watch = Some(Watch { accounts: self.spool.accounts().clone(), tap: self.tap.clone() });
        let archived = self.config.store.archive.place.is_some();
        let options = PipelineOptions { jobs, parse: self.parse.clone(), since: None, until: None, archived, watch };
        let ran = pipeline::run(input, &self.rules, &options, run_stop, |done| committer.take(done));
        let ran = ran.and_then(|()| committer.commit(Extent::Checkpoint));
        match ran {
            Ok(()) => Ok(Ended::Stopped),
            Err(error) => self.why(error),
        }
    }

    /// What it means that the pipeline ended with an error.
    fn why(&self, error: anyhow::Error) -> anyhow::Result<Ended> {
        match error.downcast_ref::<StoreError>() {
            Some(StoreError::Fenced(what)) if *what == self.config.analyzer.instance => {
                anyhow::bail!(
                    "another process has taken the analyzer's name `{what}` over: give each its own analyzer.instance"
                )
            }
            Some(StoreError::Fenced(what)) => {
                tracing::warn!(
                    source = what,
                    "a source was taken over by another process; going on from the last checkpoint"
                );
                Ok(Ended::Fenced)
            }
            _ if is_passing(&error) => {
                tracing::warn!(
                    "stopped while store or archive was away: what was not committed is read again at the next start"
                );
                Ok(Ended::Stopped)
            }
            _ => Err(error),
        }
    }
}

/// Whether the archive may be there after a while.
fn is_passing(error: &anyhow::Error) -> bool {
    let of_place = error.downcast_ref::<ArchiveError>().is_some_and(ArchiveError::is_passing);
    of_place || error.downcast_ref::<StoreError>().is_some_and(StoreError::is_passing)
}
