//! All state over time that correlation keeps, of whatever driver: the parts, and what needs several of them at once.
//! One owner, `&mut self`. Does not know where hits come from.

use std::sync::{Arc, OnceLock};

use event::Timestamp;
use rules::ruleset::RuleSet;

use crate::change::Change;
use crate::clock::EventClock;
use crate::counts::CorrelatorCounts;
use crate::episode::{Episode, RuleRef};
use crate::findings::{Folded, OpenFindings};
use crate::hit::IndexedHit;
use crate::options::CorrelatorOptions;
use crate::out_of_order::OutOfOrderGroups;
use crate::prefetch::{HitKeys, Prefetch};
use crate::reorder::ReorderBuffer;
use crate::risk::EntityRisks;
use crate::setup::{HitOrder, Setup};
use crate::watch::Watch;
use crate::windows::Windows;

/// The parts of the correlator.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) setup: Setup,
    pub(crate) clock: EventClock,
    /// Hits that wait to be counted; live, none does.
    pub(crate) reorder: ReorderBuffer,
    pub(crate) windows: Windows,
    pub(crate) findings: OpenFindings,
    pub(crate) risks: EntityRisks,
    pub(crate) out_of_order: OutOfOrderGroups,
    pub(crate) prefetch: Prefetch,
    pub(crate) hit_keys: HitKeys,
    pub(crate) counts: CorrelatorCounts,
    /// Keys of saved state that no longer hold: of rules that another set does not have.
    pub(crate) forgotten: Vec<String>,
    /// What becomes of every event in one correlation, for people who ask why.
    pub(crate) watch: Option<Box<Watch>>,
}

impl State {
    /// Without events.
    pub(crate) fn new(set: Arc<RuleSet>, options: CorrelatorOptions, order: HitOrder) -> Self {
        State {
            clock: EventClock::new(options.lateness_us),
            windows: Windows::new(&set, &options),
            findings: OpenFindings::new(options.saved),
            risks: EntityRisks::new(options.groups_max, options.saved),
            out_of_order: OutOfOrderGroups::default(),
            prefetch: Prefetch::new(&set),
            hit_keys: HitKeys::new(&set),
            reorder: ReorderBuffer::new(options.reorder_max, options.proof_bytes_max),
            counts: CorrelatorCounts::default(),
            forgotten: Vec::new(),
            watch: None,
            setup: Setup { set, options, order, unmuted: false, meanings: OnceLock::new() },
        }
    }

    /// Prefetches what counting the hits will touch.
    pub(crate) fn prefetch<'h>(&mut self, hits: impl Iterator<Item = &'h IndexedHit> + Clone) {
        self.prefetch.read(&self.setup.set, &self.windows, hits);
    }

    /// Joins an event, by the hits of all rules that matched it, to the open finding of the rule that leads.
    pub(crate) fn fold<'h>(&mut self, hits: impl Iterator<Item = &'h IndexedHit> + Clone, time: Timestamp) {
        let Folded { evicted, unnamed } = self.findings.fold(&self.setup, &mut self.risks, hits, time);
        self.counts.evicted += u64::from(evicted);
        self.counts.unplaced.unnamed += unnamed as u64;
    }

    /// Tells of an episode for the last time.
    pub(crate) fn close(&mut self, episode: &Episode) {
        self.findings.close(&self.setup, episode);
    }

    /// Evicts a group of the correlation.
    pub(crate) fn evict_group(&mut self, index: usize) {
        if let Some(firing) = self.windows.evict(&self.setup.set.correlations[index], index) {
            self.counts.evicted += 1;
            firing.iter().for_each(|episode| self.close(episode));
        }
    }

    /// Evicts groups while all windows together take too much, of the correlation that takes most.
    #[inline]
    pub(crate) fn enforce_budget(&mut self) {
        while let Some(index) = self.windows.over_budget() {
            self.evict_group(index);
        }
    }

    /// Every so many hits: lets proof go where windows or open findings keep too much. Counts stay exact, and a finding
    /// that is closed for it is told with what it has.
    #[inline]
    pub(crate) fn check_proof(&mut self) {
        if self.windows.needs_check() {
            self.counts.proof_dropped += u64::from(self.windows.bound_proof());
            self.counts.proof_dropped += self.findings.bound_proof(&self.setup);
        }
    }

    /// Closes what no event within the lateness can join any more, where it is time for that.
    pub(crate) fn sweep(&mut self) {
        let Some(watermark) = self.clock.next_sweep() else { return };
        self.findings.sweep(&self.setup, watermark);
        let ended = self.windows.sweep(&self.setup.set, watermark, self.setup.options.fold_gap_us);
        ended.iter().for_each(|episode| self.close(episode));
        self.risks.sweep(watermark);
    }

    /// Findings that are new or have changed since the last call: closed ones, then open ones, in a fixed order.
    pub(crate) fn changes(&mut self) -> Vec<Change> {
        let closed = self.findings.take_closed().into_iter();
        let mut changes: Vec<Change> = closed.map(|finding| Change { finding, open: false }).collect();
        for (rule, key) in self.findings.take_changed() {
            let episode = match rule {
                RuleRef::Detection(_) => self.findings.fold_mut(&key),
                RuleRef::Correlation(index) => self.windows.unlist(index, &key),
            };
            let episode = episode.and_then(|episode| episode.take_changed().then_some(episode));
            let finding = episode.and_then(|episode| self.setup.finding_of(episode));
            changes.extend(finding.map(|finding| Change { finding, open: true }));
        }
        changes
    }
}
