//! The correlator's state as texts, only what changed since the last time: saved in the transaction that holds the
//! positions, so that both always agree. Rules stand under their ids, because their order may change from one start to
//! the next.

use std::collections::BTreeMap;

use event::{Hit, Timestamp};
use hashbrown::HashSet;
use rules::ruleset::RuleSet;
use serde::{Deserialize, Serialize};

use crate::episode::{Episode, Source};
use crate::window::Window;
use crate::{Correlator, CorrelatorCounts};

/// Changes when an older state cannot be read any more.
const VERSION: u32 = 2;
/// Between the parts of a key: kind, rule, group.
const SEPARATOR: char = '\u{1f}';

/// What has to be kept of a change in the correlator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedState {
    /// Small, and written whole.
    pub head: String,
    /// Keys and values that are new or have changed.
    pub put: Vec<(String, String)>,
    /// Keys that no longer hold.
    pub gone: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("cannot write the correlation state")]
    Write(#[source] serde_json::Error),
    #[error("cannot read the correlation state")]
    Read(#[source] serde_json::Error),
    #[error(
        "the correlation state has version {found}, this program reads version {VERSION}: start with an empty store"
    )]
    Version { found: u32 },
}

/// What is not kept by key.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    version: u32,
    /// Ids of the rules, in the order of their indexes in waiting hits.
    rules: Vec<String>,
    /// Names of the captured columns: waiting hits carry one value for each.
    captures: Vec<Vec<String>>,
    /// What each correlation means, by id: what another rule of the same id has counted is not this one's.
    #[serde(default)]
    meanings: BTreeMap<String, String>,
    waiting: Vec<(Timestamp, u64, Hit)>,
    arrivals: u64,
    watermark: Option<i64>,
    newest: Option<i64>,
    counts: CorrelatorCounts,
}

/// The extremes mean "nothing yet" and have no calendar date.
fn known(time: Timestamp) -> Option<i64> {
    (time.0 != i64::MIN).then_some(time.0)
}

pub(super) fn rule_ids(set: &RuleSet) -> Vec<String> {
    set.rules.iter().map(|rule| rule.head.id.clone()).collect()
}

fn correlation_ids(set: &RuleSet) -> Vec<String> {
    set.correlations.iter().map(|bound| bound.rule.head.id.clone()).collect()
}

fn meanings(set: &RuleSet) -> BTreeMap<String, String> {
    let digests = set.digests().correlations.iter().map(|digest| format!("{digest:x}"));
    correlation_ids(set).into_iter().zip(digests).collect()
}

/// Key of an open finding: its rule by id instead of by index.
pub(super) fn fold_key(rules: &[String], key: &str) -> String {
    let (rule, group) = key.split_once(SEPARATOR).unwrap_or((key, ""));
    let id = rule.parse::<usize>().ok().and_then(|rule| rules.get(rule)).map_or("", String::as_str);
    format!("fold{SEPARATOR}{id}{SEPARATOR}{group}")
}

/// Key of a window of a correlation.
pub(super) fn window_key(id: &str, key: &str) -> String {
    format!("window{SEPARATOR}{id}{SEPARATOR}{key}")
}

/// Key of what an entity's findings add up to.
fn risk_key(entity: &str) -> String {
    format!("risk{SEPARATOR}{SEPARATOR}{entity}")
}

pub(super) fn save(correlator: &mut Correlator) -> Result<SavedState, StateError> {
    let (rules, correlations) = (rule_ids(&correlator.set), correlation_ids(&correlator.set));
    let mut saved = SavedState::default();
    let mut failed = None;
    let mut put = |key: String, value: serde_json::Result<String>| match value {
        Ok(value) => saved.put.push((key, value)),
        Err(error) => failed = Some(StateError::Write(error)),
    };
    let mut gone: Vec<String> = Vec::new();
    let went = correlator.folds.take_changed(|key, episode| put(fold_key(&rules, key), serde_json::to_string(episode)));
    gone.extend(went.iter().map(|key| fold_key(&rules, key)));
    for (id, table) in correlations.iter().zip(&mut correlator.windows) {
        let key_of = |key: &str| window_key(id, key);
        let went = table.take_changed(|key, window| put(key_of(key), serde_json::to_string(window)));
        gone.extend(went.iter().map(|key| key_of(key)));
    }
    let went = correlator.risks.take_changed(|entity, risk| put(risk_key(entity), serde_json::to_string(risk)));
    gone.extend(went.iter().map(|entity| risk_key(entity)));
    if !correlator.forgotten.is_empty() {
        let put: HashSet<&str> = saved.put.iter().map(|(key, _)| key.as_str()).collect();
        gone.extend(correlator.forgotten.drain(..).filter(|key| !put.contains(key.as_str())));
    }
    let waiting = correlator.waiting.iter();
    let head = Head {
        version: VERSION,
        rules,
        captures: correlator.set.captures.clone(),
        meanings: meanings(&correlator.set),
        waiting: waiting.map(|((time, arrival), hit)| (*time, *arrival, hit.clone())).collect(),
        arrivals: correlator.arrivals,
        watermark: known(correlator.watermark),
        newest: known(correlator.newest),
        counts: correlator.counts,
    };
    if let Some(failed) = failed {
        return Err(failed);
    }
    Ok(SavedState { head: serde_json::to_string(&head).map_err(StateError::Write)?, gone, ..saved })
}

/// Takes up what was saved, head and every key. Rules that are gone take their state with them.
pub(super) fn restore(
    correlator: &mut Correlator,
    head: &str,
    entries: impl Iterator<Item = (String, String)>,
) -> Result<(), StateError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let Versioned { version } = serde_json::from_str(head).map_err(StateError::Read)?;
    if version != VERSION {
        return Err(StateError::Version { found: version });
    }
    let head: Head = serde_json::from_str(head).map_err(StateError::Read)?;
    restore_waiting(correlator, &head);
    let (rules, correlations) = (rule_ids(&correlator.set), correlation_ids(&correlator.set));
    let meanings = meanings(&correlator.set);
    let is_other = |id: &str| head.meanings.get(id).is_some_and(|meant| meanings.get(id) != Some(meant));
    for (key, value) in entries {
        let mut parts = key.splitn(3, SEPARATOR);
        let (Some(kind), Some(id), Some(group)) = (parts.next(), parts.next(), parts.next()) else { continue };
        match kind {
            "fold" => match rules.iter().position(|known| known == id) {
                Some(rule) => restore_fold(correlator, rule, group, &value)?,
                None => correlator.forgotten.push(key),
            },
            "window" => match correlations.iter().position(|known| known == id) {
                Some(index) if !is_other(id) => restore_window(correlator, index, group, &value)?,
                _ => correlator.forgotten.push(key),
            },
            "risk" => {
                correlator.risks.restore(group, serde_json::from_str(&value).map_err(StateError::Read)?);
            }
            _ => {}
        }
    }
    correlator.weigh_windows();
    correlator.find_due();
    correlator.arrivals = head.arrivals;
    correlator.watermark = Timestamp(head.watermark.unwrap_or(i64::MIN));
    correlator.newest = Timestamp(head.newest.unwrap_or(i64::MIN));
    correlator.counts = head.counts;
    Ok(())
}

/// Hits that waited, with the values that the rules of now ask for as far as they were captured.
fn restore_waiting(correlator: &mut Correlator, head: &Head) {
    let rules = rule_ids(&correlator.set);
    let captures: Vec<Option<usize>> =
        correlator.set.captures.iter().map(|columns| head.captures.iter().position(|known| known == columns)).collect();
    for (time, arrival, hit) in &head.waiting {
        let rule = head.rules.get(hit.rule as usize).and_then(|id| rules.iter().position(|known| known == id));
        let Some(rule) = rule else { continue };
        let mut hit = Hit { rule: rule as u32, ..hit.clone() };
        if !hit.values.is_empty() {
            let value = |from: &Option<usize>| from.and_then(|from| hit.values.get(from).cloned().flatten());
            hit.values = captures.iter().map(value).collect();
        }
        correlator.waiting_bytes += hit.event.original.len();
        correlator.waiting.push((*time, *arrival), hit);
    }
}

fn restore_fold(correlator: &mut Correlator, rule: usize, group: &str, value: &str) -> Result<(), StateError> {
    let mut episode: Episode = serde_json::from_str(value).map_err(StateError::Read)?;
    episode.source = Source::Detection(rule as u32);
    let key = format!("{rule}{SEPARATOR}{group}");
    if episode.is_changed() {
        correlator.noted.push((episode.source, key.as_str().into()));
    }
    correlator.folds.restore(&key, episode);
    Ok(())
}

fn restore_window(correlator: &mut Correlator, index: usize, group: &str, value: &str) -> Result<(), StateError> {
    let mut window: Window = serde_json::from_str(value).map_err(StateError::Read)?;
    if let Some(episode) = window.firing_mut() {
        episode.source = Source::Correlation(index);
        if episode.is_changed() {
            window.noted = true;
            correlator.noted.push((Source::Correlation(index), group.into()));
        }
    }
    window.count_anew(&correlator.set.correlations[index]);
    correlator.window_proof += window.proof_bytes();
    correlator.windows[index].restore(group, window);
    Ok(())
}
