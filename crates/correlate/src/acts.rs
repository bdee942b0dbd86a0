//! One act that several events tell of: sshd tells of a login, then PAM and systemd of its session. Rules with one word under
//! `c0di3.act` that fire for one account on one host within seconds are one finding: that of the first, unless a stronger
//! one follows. Knows which finding an act opened; the finding itself remembers its newest act, and is saved with it.

use event::Timestamp;
use hashbrown::HashMap;

use crate::episode::{Act, Episode, RuleRef};
use crate::hit::IndexedHit;
use crate::saved_keys::SEPARATOR;
use crate::setup::Setup;
use crate::table::Table;

/// Longest time between events of one act, in microseconds.
const ACT_US: i64 = 5_000_000;
/// Acts that are remembered; findings of further ones stand by themselves.
const ACTS_MAX: usize = 10_000;

/// Table keys of open findings by the act that they tell of.
#[derive(Debug, Default)]
pub(crate) struct OpenActs(HashMap<Box<str>, Box<str>>);

/// The act that an event tells of, as one text: the word of the first of its rules that has one, account and host.
pub(crate) fn act_of<'h>(setup: &Setup, mut hits: impl Iterator<Item = &'h IndexedHit>) -> Option<String> {
    let (word, hit) = hits.find_map(|hit| {
        let word = setup.set.rules[hit.rule as usize].act.as_ref()?;
        (!setup.is_muted(RuleRef::Detection(hit.rule))).then_some((word, hit))
    })?;
    let whom = hit.event.whom();
    let (account, host) = (whom.user_name?, whom.host_name?);
    Some(format!("{word}{SEPARATOR}{account}{SEPARATOR}{host}"))
}

impl OpenActs {
    /// The open finding, by its table key, that a hit of another rule belongs to because it tells of the same act: of a
    /// rule that is as strong as the hit's at least, and no longer ago than one act takes.
    pub(crate) fn finding_of(
        &self,
        setup: &Setup,
        folds: &Table<Episode>,
        act: &str,
        (hit, time): (&IndexedHit, Timestamp),
    ) -> Option<&str> {
        let key = self.0.get(act)?;
        let episode = folds.get(key)?;
        let begun = episode.act().filter(|known| known.key == act)?.time;
        let is_near = begun.0.abs_diff(time.0) <= ACT_US as u64;
        let is_other = episode.source != RuleRef::Detection(hit.rule);
        let level = setup.set.rules[hit.rule as usize].head.level;
        (is_near && is_other && episode.head(&setup.set).level >= level).then_some(key)
    }

    /// The open finding of this table key tells of the act from now on, and no other finding does.
    pub(crate) fn begin(&mut self, folds: &mut Table<Episode>, key: &str, act: String, time: Timestamp) {
        if self.0.len() >= ACTS_MAX && !self.0.contains_key(act.as_str()) {
            return;
        }
        if let Some(before) = self.0.insert(act.as_str().into(), key.into()).filter(|before| **before != *key)
            && let Some(episode) = folds.get_mut(&before)
            && episode.act().is_some_and(|known| known.key == act)
        {
            episode.set_act(None);
        }
        let Some(episode) = folds.get_mut(key) else { return };
        if let Some(before) = episode.act().filter(|before| before.key != act)
            && self.0.get(before.key.as_str()).is_some_and(|of| **of == *key)
        {
            self.0.remove(before.key.as_str());
        }
        episode.set_act(Some(Act { key: act, time }));
    }

    /// Takes up the act of a finding that was open before.
    pub(crate) fn restore(&mut self, key: &str, episode: &Episode) {
        if let Some(act) = episode.act() {
            self.0.insert(act.key.as_str().into(), key.into());
        }
    }

    /// Forgets acts whose findings are closed.
    pub(crate) fn sweep(&mut self, folds: &Table<Episode>) {
        self.0.retain(|act, key| folds.get(key).and_then(Episode::act).is_some_and(|known| known.key == **act));
    }
}
