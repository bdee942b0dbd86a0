//! What rules would have found in the archive, by the same matcher and correlator that judge live events. Events come in the order of
//! their commits; nothing is stored and nobody is told.

mod judge;
mod needs;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use archive::ArchivePlace;
use correlate::{BatchCorrelator, Change, CorrelatorOptions};
use event::{ArchiveFile, Hit, LogSource, Timestamp};
use matcher::Matcher;
use rules::RuleSet;

use self::judge::{Judge, Judged};

/// Rules, and the archive that they judge.
pub(crate) struct Retro<'a> {
    pub(crate) place: &'a ArchivePlace,
    pub(crate) set: Arc<RuleSet>,
    /// What the configuration says that events of no known kind are.
    pub(crate) declared: Option<LogSource>,
    /// Events before it make no hits.
    pub(crate) since: Option<Timestamp>,
    /// Threads.
    pub(crate) jobs: usize,
    pub(crate) options: CorrelatorOptions,
    /// Ends the work where it is set.
    pub(crate) stop: &'a AtomicBool,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RetroCounts {
    pub(crate) files: u64,
    pub(crate) events: u64,
    /// Events that statistics and filters of the files left out.
    pub(crate) left_out: u64,
}

/// Who is told of what is found.
pub(crate) trait RetroWatch {
    /// A hit, before it is counted.
    fn hit(&mut self, _hit: &Hit) {}
    /// Findings that are new or have changed, and how far it is.
    fn changed(&mut self, counts: RetroCounts, changes: &[Change]) -> anyhow::Result<()>;
}

impl Retro<'_> {
    /// Judges all events of some files, which come in the order of their numbers.
    pub(crate) fn run(self, files: &[ArchiveFile], watch: &mut impl RetroWatch) -> anyhow::Result<RetroCounts> {
        let need = needs::need(&self.set, self.declared.as_ref());
        let matcher = Matcher::new(Arc::clone(&self.set), self.declared.clone());
        let judge = Judge::new(self.place, &matcher, need, self.since, self.jobs).until(self.stop);
        let options = CorrelatorOptions { saved: false, ..self.options };
        let correlator = BatchCorrelator::new(Arc::clone(&self.set), options);
        let mut counted = Counted { correlator, believed: Timestamp::FIRST };
        let mut counts = RetroCounts::default();
        for group in overlapping(files) {
            let judged = judge.files(&group)?;
            counts.files += group.len() as u64;
            counts.events += judged.events;
            counts.left_out += judged.left_out;
            counted.take(judged, watch);
            watch.changed(counts, &counted.correlator.changes())?;
            if self.stop.load(Ordering::Relaxed) {
                return Ok(counts);
            }
        }
        counted.correlator.finish();
        watch.changed(counts, &counted.correlator.changes())?;
        Ok(counts)
    }
}

/// Files whose events lie between each other, together; in the order of their numbers.
fn overlapping(files: &[ArchiveFile]) -> Vec<Vec<ArchiveFile>> {
    let mut groups: Vec<(u64, Vec<ArchiveFile>)> = Vec::new();
    for file in files {
        match groups.last_mut() {
            Some((last, group)) if file.sequences.0 <= *last => {
                *last = (*last).max(file.sequences.1);
                group.push(file.clone());
            }
            _ => groups.push((file.sequences.1, vec![file.clone()])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Correlation of what was judged.
struct Counted {
    correlator: BatchCorrelator,
    /// Times beyond it are not believed.
    believed: Timestamp,
}

impl Counted {
    /// Counts what was judged, in the order of its commits.
    fn take(&mut self, judged: Judged, watch: &mut impl RetroWatch) {
        self.believed = self.believed.max(judged.believed);
        for mut chunk in judged.chunks.into_values() {
            chunk.hits.sort_by_key(|(sequence, _)| *sequence);
            chunk.hits.iter().for_each(|(_, hit)| watch.hit(hit));
            self.correlator.next_block(chunk.newest, self.believed);
            self.correlator.observe(chunk.hits.into_iter().map(|(_, hit)| hit).collect());
        }
    }
}
