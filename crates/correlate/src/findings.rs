//! Open findings: repeats of a detection on one entity fold into one, and groups whose finding has changed since it was
//! last told are listed. The open findings of correlations stand in their windows.

use std::sync::Arc;

use event::{Finding, Timestamp};
use foldhash::fast::RandomState;

use crate::acts::{OpenActs, act_of};
use crate::episode::{Episode, RuleRef};
use crate::group_key::fold_group;
use crate::hit::IndexedHit;
use crate::lead::{leader, led};
use crate::mapping::RuleMapping;
use crate::risk::EntityRisks;
use crate::saved_keys::{fold_key, fold_table_key, rule_ids};
use crate::setup::Setup;
use crate::table::Table;

/// Findings of detections that are open, and what is to be told of all findings.
#[derive(Debug)]
pub(crate) struct OpenFindings {
    /// Of detections, by rule and entity.
    folds: Table<Episode>,
    acts: OpenActs,
    /// Closed findings that have not been told yet.
    closed: Vec<Finding>,
    /// Groups whose open finding has changed since it was last told: rule and key.
    changed: Vec<(RuleRef, Box<str>)>,
}

/// What it took to fold an event into a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Folded {
    /// Another finding was evicted for it.
    pub(crate) evicted: bool,
    /// Rules that matched it and that the finding does not name, because it names too many already.
    pub(crate) unnamed: usize,
}

/// Names the rule of a hit that is led; false where too many are named already.
fn note_led(setup: &Setup, episode: &mut Episode, led: &IndexedHit) -> bool {
    episode.note_lists(led.patterns.as_deref());
    episode.note_also(&setup.set.rules[led.rule as usize].head.id, led.repeated)
}

impl OpenFindings {
    /// Without findings; `saved` where they are saved now and then.
    pub(crate) fn new(saved: bool) -> Self {
        OpenFindings {
            folds: Table::new(saved, RandomState::default()),
            acts: OpenActs::default(),
            closed: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// Number of open findings of detections.
    pub(crate) fn len(&self) -> usize {
        self.folds.len()
    }

    /// Joins an event, by the hits of all rules that matched it, to the open finding of the rule that leads and its
    /// entity, or opens one.
    pub(crate) fn fold<'h>(
        &mut self,
        setup: &Setup,
        risks: &mut EntityRisks,
        hits: impl Iterator<Item = &'h IndexedHit> + Clone,
        time: Timestamp,
    ) -> Folded {
        let Some(hit) = leader(setup, hits.clone()) else { return Folded::default() };
        let act = act_of(setup, hits.clone());
        if let Some(act) = &act
            && let Some(folded) = self.join_act(setup, act, (hit, time), hits.clone())
        {
            return folded;
        }
        let rule = RuleRef::Detection(hit.rule);
        let group = fold_group(hit);
        let key = fold_table_key(hit.rule, &group);
        let gap_us = setup.options.fold_gap_us;
        let mut slot = self.folds.slot(&key);
        if slot.is_some_and(|slot| self.folds.at(slot).is_apart_from(time, gap_us)) {
            let ended = self.folds.remove(&key);
            ended.iter().for_each(|episode| self.close(setup, episode));
            slot = None;
        }
        let evicted = slot.is_none() && self.folds.len() >= setup.options.groups_max && self.evict(setup);
        let slot = slot.unwrap_or_else(|| self.folds.insert(&key, Episode::new(rule, group, time)));
        let episode = self.folds.at_mut(slot);
        if !episode.is_changed() {
            self.changed.push((rule, key.as_str().into()));
        }
        episode.add(&hit.event, time, hit.repeated);
        episode.note(hit.patterns.as_deref());
        let unnamed = led(setup, hit, hits).filter(|other| !note_led(setup, episode, other)).count();
        risks.assign(&setup.set, episode, hit.event.id);
        if let Some(act) = act {
            self.acts.begin(&mut self.folds, &key, act, time);
        }
        Folded { evicted, unnamed }
    }

    /// Names the rules of an event in the open finding of its act, in place of a finding of its own; `None` where there
    /// is none.
    fn join_act<'h>(
        &mut self,
        setup: &Setup,
        act: &str,
        leader: (&'h IndexedHit, Timestamp),
        hits: impl Iterator<Item = &'h IndexedHit>,
    ) -> Option<Folded> {
        let key = self.acts.finding_of(setup, &self.folds, act, leader)?;
        let episode = self.folds.get_mut(key)?;
        if !episode.is_changed() {
            self.changed.push((episode.source, key.into()));
        }
        let others = hits.filter(|hit| RuleRef::Detection(hit.rule) != episode.source);
        let others: Vec<&IndexedHit> = others.filter(|hit| !setup.is_muted(RuleRef::Detection(hit.rule))).collect();
        let unnamed = others.into_iter().filter(|other| !note_led(setup, episode, other)).count();
        Some(Folded { evicted: false, unnamed })
    }

    /// Closes the smallest finding of a sample.
    fn evict(&mut self, setup: &Setup) -> bool {
        let Some(episode) = self.folds.evict(|episode, _, ()| episode.weight()) else { return false };
        self.close(setup, &episode);
        true
    }

    /// Tells of an episode for the last time, unless nothing has changed since it was last told.
    pub(crate) fn close(&mut self, setup: &Setup, episode: &Episode) {
        if episode.must_be_reported() {
            self.closed.extend(setup.finding_of(episode));
        }
    }

    /// Notes that the open finding of a group has changed.
    pub(crate) fn list(&mut self, rule: RuleRef, key: &str) {
        self.changed.push((rule, key.into()));
    }

    /// Closes findings of detections that no event at or after the watermark can join.
    pub(crate) fn sweep(&mut self, setup: &Setup, watermark: Timestamp) {
        let gap_us = setup.options.fold_gap_us;
        for episode in self.folds.remove_where(|episode| episode.silent_before(watermark, gap_us)) {
            self.close(setup, &episode);
        }
        self.acts.sweep(&self.folds);
    }

    /// Closes findings of detections while they keep too much proof; gives how often some had to be closed.
    pub(crate) fn bound_proof(&mut self, setup: &Setup) -> u64 {
        let mut times = 0;
        while self.folds.values().map(Episode::proof_bytes).sum::<usize>() > setup.options.proof_bytes_max {
            times += 1;
            for _ in 0..self.folds.len().div_ceil(4) {
                self.evict(setup);
            }
        }
        times
    }

    /// Takes out the closed findings that have not been told yet.
    pub(crate) fn take_closed(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.closed)
    }

    /// Takes out the list of groups whose finding has changed, in the order of their changes.
    pub(crate) fn take_changed(&mut self) -> Vec<(RuleRef, Box<str>)> {
        std::mem::take(&mut self.changed)
    }

    /// The open finding of a detection, by its table key.
    pub(crate) fn fold_mut(&mut self, key: &str) -> Option<&mut Episode> {
        self.folds.get_mut(key)
    }

    /// Puts back a finding of a detection that was saved.
    pub(crate) fn restore(&mut self, rule: u32, group: &str, mut episode: Episode) {
        episode.source = RuleRef::Detection(rule);
        let key = fold_table_key(rule, group);
        if episode.is_changed() {
            self.list(episode.source, &key);
        }
        self.acts.restore(&key, &episode);
        let _known = self.folds.restore(&key, episode);
    }

    /// Gives the findings of detections that changed and the keys that went, since they were last saved.
    pub(crate) fn take_unsaved(&mut self, changed: impl FnMut(&str, &Episode)) -> Vec<Arc<str>> {
        self.folds.take_changed(changed)
    }

    /// Goes on with another rule set: closes the findings whose rule has changed or is gone. `setup` is still that of
    /// the old set. Gives how many go on and how many were closed; saved keys that no longer hold are put into
    /// `forgotten`.
    pub(crate) fn reload(
        &mut self,
        setup: &Setup,
        mapping: &RuleMapping,
        forgotten: &mut Vec<String>,
    ) -> (usize, usize) {
        let ids = rule_ids(&setup.set);
        let (mut kept, mut dropped) = (0, 0);
        self.acts = OpenActs::default();
        let changed = self.take_changed().into_iter();
        self.changed = changed.filter_map(|(rule, key)| mapping.group(rule, &key)).collect();
        let folds = std::mem::replace(&mut self.folds, Table::new(setup.options.saved, RandomState::default()));
        let (entries, gone) = folds.into_parts();
        forgotten.extend(gone.iter().map(|key| fold_key(&ids, key)));
        for (key, mut episode, dirty) in entries {
            match mapping.fold(&key) {
                Some((rule, key)) => {
                    episode.source = RuleRef::Detection(rule);
                    self.acts.restore(&key, &episode);
                    self.folds.put_back(&key, episode, dirty);
                    kept += 1;
                }
                None => {
                    forgotten.push(fold_key(&ids, &key));
                    self.close(setup, &episode);
                    dropped += 1;
                }
            }
        }
        (kept, dropped)
    }
}

#[cfg(test)]
mod tests {
    use event::{EventTexts, Whom};

    use std::sync::OnceLock;

    use super::*;
    use crate::hit::tests::hit_at;
    use crate::options::CorrelatorOptions;
    use crate::setup::HitOrder;

    fn setup(groups_max: usize) -> Setup {
        let text = "title: a\nid: a\nlevel: low\nlogsource: {product: linux}\ndetection: {s: [x], condition: s}\n";
        let set = Arc::new(rules::load([("r.yml", text)], &rules::Terms::default()).set);
        let options = CorrelatorOptions { groups_max, fold_gap_us: 100, ..CorrelatorOptions::default() };
        Setup { set, options, order: HitOrder::Sorted, unmuted: false, meanings: OnceLock::new() }
    }

    #[test]
    fn repeats_fold_until_there_is_a_gap() {
        let (setup, mut findings, mut risks) = (setup(10), OpenFindings::new(false), EntityRisks::new(10, false));
        for (line_no, time) in [(1, 0), (2, 100), (3, 200)] {
            findings.fold(&setup, &mut risks, [hit_at(line_no, time)].iter(), Timestamp(time));
        }
        assert_eq!((findings.len(), findings.take_changed().len()), (1, 1));
        assert!(findings.fold_mut("0\u{1f}").is_some_and(Episode::take_changed));
        findings.fold(&setup, &mut risks, [hit_at(4, 301)].iter(), Timestamp(301));
        let closed = findings.take_closed();
        assert_eq!((closed.len(), closed[0].span.count, findings.len()), (1, 3, 1));
        findings.sweep(&setup, Timestamp(402));
        assert_eq!((findings.take_closed().len(), findings.len()), (1, 0));
    }

    #[test]
    fn what_is_evicted_is_told() {
        let (setup, mut findings, mut risks) = (setup(1), OpenFindings::new(false), EntityRisks::new(10, false));
        let of_host = |host: &str| {
            let mut hit = hit_at(1, 0);
            let whom = Whom { host_name: Some(host), ..Whom::default() };
            Arc::make_mut(&mut hit.event).texts = EventTexts::new("a line", whom);
            hit
        };
        assert!(!findings.fold(&setup, &mut risks, [of_host("one")].iter(), Timestamp(0)).evicted);
        assert!(findings.fold(&setup, &mut risks, [of_host("two")].iter(), Timestamp(0)).evicted);
        let closed = findings.take_closed();
        assert_eq!((closed.len(), closed[0].entities.host_name.as_slice()), (1, &["one".to_owned()][..]));
    }
}
