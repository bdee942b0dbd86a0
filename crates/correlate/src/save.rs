//! The state as texts, only what changed since the last time: saved in the transaction that holds the positions, so
//! that both always agree. Rules stand under their ids, because their order may change from one start to the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::{EventRef, Timestamp};
use hashbrown::HashSet;
use rules::ruleset::RuleSet;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::counts::CorrelatorCounts;
use crate::episode::RuleRef;
use crate::hit::IndexedHit;
use crate::mapping::captures_of;
use crate::saved_keys::{correlation_ids, fold_key, read_saved_key, risk_key, rule_ids, window_key};
use crate::setup::Setup;
use crate::state::State;
use crate::window::Window;

/// Changes when an older state cannot be read any more.
const VERSION: u32 = 2;

/// What has to be kept of a change in the correlator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedState {
    /// JSON; small, and written whole.
    pub head: String,
    /// Keys and values (JSON) that are new or have changed.
    pub put: Vec<(String, String)>,
    /// Keys that no longer hold.
    pub gone: Vec<String>,
}

/// Why state could not be saved or taken up.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A part of the state cannot be written as JSON.
    #[error("cannot write the correlation state")]
    Write(#[source] serde_json::Error),
    /// A text is not the JSON of a saved state.
    #[error("cannot read the correlation state")]
    Read(#[source] serde_json::Error),
    /// Another version of the program saved the state in another form.
    #[error(
        "the correlation state has version {found}, this program reads version {VERSION}: start with an empty store"
    )]
    Version {
        /// The version of the saved state.
        found: u32,
    },
}

/// What is not kept by key.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    version: u32,
    /// Ids of the rules, in the order of their indexes in the hits of the reorder buffer.
    rules: Vec<String>,
    /// Names of the captured columns: hits of the reorder buffer carry one value for each.
    captures: Vec<Vec<String>>,
    /// What each correlation means, by id: what another rule of this id has counted is not taken up.
    #[serde(default)]
    meanings: BTreeMap<String, String>,
    #[serde(rename = "waiting")]
    reorder: Vec<(Timestamp, u64, IndexedHit)>,
    arrivals: u64,
    watermark: Option<i64>,
    newest: Option<i64>,
    counts: CorrelatorCounts,
}

fn meanings(set: &RuleSet) -> BTreeMap<String, String> {
    let digests = set.digests().correlations.iter().map(|digest| format!("{digest:x}"));
    correlation_ids(set).into_iter().zip(digests).collect()
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, StateError> {
    serde_json::from_str(text).map_err(StateError::Read)
}

/// Keys and values on their way into a saved state.
#[derive(Default)]
struct Changed {
    put: Vec<(String, String)>,
    gone: Vec<String>,
    failed: Option<StateError>,
}

impl Changed {
    fn put(&mut self, key: String, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(value) => self.put.push((key, value)),
            Err(error) => self.failed = Some(StateError::Write(error)),
        }
    }
}

impl State {
    /// What has changed since the last call.
    pub(crate) fn save(&mut self) -> Result<SavedState, StateError> {
        let (rules, correlations) = (rule_ids(&self.setup.set), correlation_ids(&self.setup.set));
        let mut changed = Changed::default();
        let gone = self.findings.take_unsaved(|key, episode| changed.put(fold_key(&rules, key), episode));
        changed.gone.extend(gone.iter().map(|key| fold_key(&rules, key)));
        for (index, id) in correlations.iter().enumerate() {
            let gone = self.windows.take_changed(index, |key, window| changed.put(window_key(id, key), window));
            changed.gone.extend(gone.iter().map(|key| window_key(id, key)));
        }
        let gone = self.risks.take_changed(|entity, risk| changed.put(risk_key(entity), risk));
        changed.gone.extend(gone.iter().map(|entity| risk_key(entity)));
        let Changed { put, mut gone, failed } = changed;
        if !self.forgotten.is_empty() {
            let kept: HashSet<&str> = put.iter().map(|(key, _)| key.as_str()).collect();
            gone.extend(self.forgotten.drain(..).filter(|key| !kept.contains(key.as_str())));
        }
        if let Some(failed) = failed {
            return Err(failed);
        }
        let (watermark, newest) = self.clock.saved();
        let head = Head {
            version: VERSION,
            rules,
            captures: self.setup.set.captures.clone(),
            meanings: self.setup.meanings.get_or_init(|| meanings(&self.setup.set)).clone(),
            reorder: self.reorder.iter().map(|((time, arrival), hit)| (*time, *arrival, hit.clone())).collect(),
            arrivals: self.clock.arrivals(),
            watermark,
            newest,
            counts: self.counts,
        };
        Ok(SavedState { head: serde_json::to_string(&head).map_err(StateError::Write)?, put, gone })
    }

    /// Takes up what was saved, head and every key. Rules that are gone take their state with them.
    pub(crate) fn restore(
        &mut self,
        head: &str,
        entries: impl Iterator<Item = (String, String)>,
    ) -> Result<(), StateError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = read(head)?;
        if version != VERSION {
            return Err(StateError::Version { found: version });
        }
        let head: Head = read(head)?;
        let (rules, correlations) = (rule_ids(&self.setup.set), correlation_ids(&self.setup.set));
        let saved = &head.meanings;
        let is_other = |setup: &Setup, id: &str| {
            saved.get(id).is_some_and(|meant| {
                let meanings = setup.meanings.get_or_init(|| meanings(&setup.set));
                meanings.get(id) != Some(meant)
            })
        };
        for (key, value) in entries {
            let Some((kind, id, group)) = read_saved_key(&key) else { continue };
            match kind {
                "fold" => match rules.iter().position(|known| known == id) {
                    Some(rule) => self.findings.restore(rule as u32, group, read(&value)?),
                    None => self.forgotten.push(key),
                },
                "window" => match correlations.iter().position(|known| known == id) {
                    Some(index) if !is_other(&self.setup, id) => self.restore_window(index, group, &value)?,
                    _ => self.forgotten.push(key),
                },
                "risk" => self.risks.restore(group, read(&value)?),
                _ => {}
            }
        }
        self.windows.weigh();
        self.windows.find_deadlines(&self.setup.set);
        self.clock.restore(head.watermark, head.newest, head.arrivals);
        self.counts = head.counts;
        self.restore_reorder(&rules, head);
        Ok(())
    }

    fn restore_window(&mut self, index: usize, group: &str, value: &str) -> Result<(), StateError> {
        let mut window: Window = read(value)?;
        if let Some(episode) = window.firing_mut() {
            episode.source = RuleRef::Correlation(index);
            if episode.is_changed() {
                window.listed = true;
                self.findings.list(RuleRef::Correlation(index), group);
            }
        }
        let bound = &self.setup.set.correlations[index];
        window.recompute(bound);
        self.windows.restore(bound, index, group, window);
        Ok(())
    }

    /// Puts back hits that waited, with the values that the rules of now ask for as far as they were captured.
    fn restore_reorder(&mut self, rules: &[String], head: Head) {
        let captures = captures_of(&head.captures, &self.setup.set.captures);
        let mut last: Option<Arc<EventRef>> = None;
        for (time, arrival, mut hit) in head.reorder {
            // Hits of one event stand side by side, and share it again.
            match &last {
                Some(event) if event.id == hit.event.id => hit.event = Arc::clone(event),
                _ => last = Some(Arc::clone(&hit.event)),
            }
            let id = head.rules.get(hit.rule as usize);
            if let Some(rule) = id.and_then(|id| rules.iter().position(|known| known == id)) {
                self.reorder.push((time, arrival), hit.moved(rule as u32, &captures));
            }
        }
    }
}
