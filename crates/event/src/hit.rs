//! A hit: one rule matched one event. It owns what outlives the batch, nothing more.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::block::{EventId, Source, digest};
use crate::finding::{ENTITY_VALUES_MAX, Entities};
use crate::time::Timestamp;
use crate::values::HitValues;

/// The tag of an event whose source no format names: it was found in a message of an unknown program, or in a list of which nobody
/// vouches for the order.
pub const GUESSED_SOURCE: &str = "guessed_source";

/// One event, told apart from all others, with its raw line. A window keeps many of them for long: everything that is text
/// stands in one piece of memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SavedEvent", into = "SavedEvent")]
pub struct EventRef {
    /// Identity of the event.
    pub id: EventId,
    /// Where its line comes from, or the sender that the source names.
    pub source: Arc<Source>,
    /// Bytes from the start of the (decompressed) source to its line.
    pub offset: u64,
    /// From 1.
    pub line_no: u64,
    /// `None` where the line names no time.
    pub time: Option<Timestamp>,
    /// The raw line, and who was involved in it.
    pub texts: EventTexts,
    /// How a server answered it, where it is a request.
    pub answer: Option<Answer>,
    /// It has the tag [`GUESSED_SOURCE`].
    pub has_guessed_source: bool,
}

impl EventRef {
    /// The raw line; bytes that are not UTF-8 stand as U+FFFD.
    #[inline]
    pub fn original(&self) -> &str {
        self.texts.original()
    }

    /// Who was involved in it.
    #[inline]
    pub fn whom(&self) -> Whom<'_> {
        self.texts.whom()
    }
}

/// Who was involved in one event. No text is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whom<'a> {
    /// Address, as text.
    pub source_ip: Option<&'a str>,
    /// Account.
    pub user_name: Option<&'a str>,
    /// Host that the event tells of.
    pub host_name: Option<&'a str>,
}

impl Whom<'_> {
    /// Adds them to the entities of a finding; beyond [`ENTITY_VALUES_MAX`] of a kind they are left out.
    pub fn add_to(self, entities: &mut Entities) {
        for (known, value) in [
            (&mut entities.source_ip, self.source_ip),
            (&mut entities.user_name, self.user_name),
            (&mut entities.host_name, self.host_name),
        ] {
            if let Some(value) = value
                && known.len() < ENTITY_VALUES_MAX
                && let Err(at) = known.binary_search_by(|known| known.as_str().cmp(value))
            {
                known.insert(at, value.to_owned());
            }
        }
    }
}

/// The raw line of an event, and who was involved in it: one text, cut at three places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTexts {
    /// The line, then address, account and host.
    text: Box<str>,
    /// Where line, address and account end.
    ends: [u32; 3],
}

impl EventTexts {
    /// Of a line, whose length must be below 4 GiB less the names; an empty name is one that is absent.
    pub fn new(original: &str, whom: Whom<'_>) -> Self {
        let parts = [Some(original), whom.source_ip, whom.user_name, whom.host_name].map(|part| part.unwrap_or(""));
        let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
        let mut ends = [0; 3];
        for (at, part) in parts.into_iter().enumerate() {
            text.push_str(part);
            if let Some(end) = ends.get_mut(at) {
                *end = u32::try_from(text.len()).unwrap_or(u32::MAX);
            }
        }
        EventTexts { text: text.into_boxed_str(), ends }
    }

    fn part(&self, from: u32, to: Option<u32>) -> &str {
        let to = to.map_or(self.text.len(), |to| to as usize);
        self.text.get(from as usize..to).unwrap_or("")
    }

    #[inline]
    fn original(&self) -> &str {
        self.part(0, Some(self.ends[0]))
    }

    fn whom(&self) -> Whom<'_> {
        let [line, address, account] = self.ends;
        let part = |from, to| Some(self.part(from, to)).filter(|part| !part.is_empty());
        Whom {
            source_ip: part(line, Some(address)),
            user_name: part(address, Some(account)),
            host_name: part(account, None),
        }
    }
}

/// An event as it is saved.
#[derive(Serialize, Deserialize)]
struct SavedEvent {
    id: EventId,
    source: Arc<Source>,
    offset: u64,
    line_no: u64,
    time: Option<Timestamp>,
    original: String,
    entities: Entities,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Answer>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_guessed_source: bool,
}

impl From<EventRef> for SavedEvent {
    fn from(event: EventRef) -> Self {
        let mut entities = Entities::default();
        event.whom().add_to(&mut entities);
        let original = event.original().to_owned();
        let EventRef { id, source, offset, line_no, time, answer, has_guessed_source, .. } = event;
        SavedEvent { id, source, offset, line_no, time, original, entities, answer, has_guessed_source }
    }
}

impl From<SavedEvent> for EventRef {
    fn from(saved: SavedEvent) -> Self {
        let SavedEvent { id, source, offset, line_no, time, original, entities, answer, has_guessed_source } = saved;
        let first = |values: &'_ [String]| values.first().cloned();
        let names = [&entities.source_ip, &entities.user_name, &entities.host_name].map(|values| first(values));
        let [source_ip, user_name, host_name] = names.each_ref().map(Option::as_deref);
        let texts = EventTexts::new(&original, Whom { source_ip, user_name, host_name });
        EventRef { id, source, offset, line_no, time, texts, answer, has_guessed_source }
    }
}

/// The answer of a server to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// Length of the body in bytes, up to what fits; 0 where it is not known.
    #[serde(default)]
    pub bytes: u32,
}

/// Patterns of a pack that an event has, and lists of indicators that have one of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternsFound {
    /// Sum of their weights.
    pub points: u32,
    /// What the pack asks for.
    pub threshold: u32,
    /// All of them stand among words of prose, or in a phrase that somebody looked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
    /// Their ids.
    pub ids: Vec<String>,
    /// Values and the lists that have them: `192.0.2.7 in feed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
}

/// Identity of a detection rule, equal in every process and in every rule set that holds the rule: the first 64 bits of the
/// SHA-256 digest over the rule's id. It is made of the id alone, so that a rule keeps its identity when its text or its
/// place in the set changes. A set refuses two rules with one key (`rules::load`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleKey(pub u64);

impl RuleKey {
    /// Key of the rule with this id.
    pub fn of_id(id: &str) -> Self {
        RuleKey((digest(&[b"rule", id.as_bytes()]) >> 64) as u64)
    }
}

/// One rule matched one event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hit {
    /// The rule, named as every process names it.
    pub rule: RuleKey,
    /// The event, shared by all rules that matched it.
    pub event: Arc<EventRef>,
    /// Values that correlations group by or count, by their place among what the rule set asks for.
    pub values: Arc<HitValues>,
    /// How often the line says that it happened (`message repeated N times`), at least 1.
    pub repeated: u64,
    /// Where the rule is a pack of patterns or looks up indicators: what it found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patterns: Option<Arc<PatternsFound>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_keeps_its_texts_apart_and_is_saved_as_it_always_was() {
        let whom = Whom { source_ip: Some("192.0.2.7"), user_name: None, host_name: Some("web") };
        let source = Arc::new(Source { id: crate::block::SourceId(1), name: "a.log".into() });
        let texts = EventTexts::new("é line", whom);
        let mut event = EventRef {
            id: EventId(5),
            source,
            offset: 1,
            line_no: 2,
            time: None,
            texts,
            answer: None,
            has_guessed_source: false,
        };
        assert_eq!((event.original(), event.whom()), ("é line", whom));
        let saved = serde_json::to_value(&event).unwrap();
        assert_eq!((&saved["original"], saved.get("answer")), (&"é line".into(), None));
        assert_eq!(saved["entities"], serde_json::json!({"source.ip": ["192.0.2.7"], "host.name": ["web"]}));
        assert_eq!(saved.get("has_guessed_source"), None);
        assert_eq!(serde_json::from_value::<EventRef>(saved).unwrap(), event);
        event.has_guessed_source = true;
        assert_eq!(serde_json::from_value::<EventRef>(serde_json::to_value(&event).unwrap()).unwrap(), event);
        let mut entities = Entities::default();
        [whom, whom].into_iter().for_each(|whom| whom.add_to(&mut entities));
        assert_eq!((entities.source_ip.len(), entities.user_name.len()), (1, 0));
    }

    #[test]
    fn the_key_of_a_rule_follows_from_its_id_and_never_changes() {
        assert_eq!(RuleKey::of_id("ssh_brute_force"), RuleKey(0x2c0f_44bb_e0d2_8d64));
        assert_ne!(RuleKey::of_id("a"), RuleKey::of_id("b"));
    }
}
