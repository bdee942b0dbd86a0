//! Makes hits, which outlive the batch, of matches. The columns that hits copy from are found once for a batch.

use std::borrow::Cow;
use std::sync::Arc;

use event::block::digest;
use event::builder::has_mark;
use event::catalog::field;
use event::{
    Answer, EventBatch, EventRef, EventTexts, GUESSED_SOURCE, Hit, HitValues, LongColumn, PatternsFound, TextColumn,
    Timestamp, Whom,
};
use hashbrown::HashMap;
use patterns::{PackCheck, Tally};
use rules::check::{Check, Value};
use rules::ruleset::RuleSet;
use rules::sigma::rule::Rule;

/// Longest value that is captured whole, in bytes: one field must not fill the correlation state. A longer one keeps
/// its beginning and gets the hash of the whole, so that different values stay different.
const VALUE_BYTES_MAX: usize = 512;
/// Longest raw line that a hit keeps as evidence, in bytes. A longer one is cut, and a note at its end says so.
const PROOF_BYTES_MAX: usize = 8 << 10;

/// Texts, at most, that are remembered with what a pack found in them.
const KNOWN_MAX: usize = 4096;

/// What a pack found in a text, by the rule's index with the kind of text, and the text: attackers send a text often.
pub(super) type KnownPatterns = HashMap<(u32, Box<str>), Arc<PatternsFound>>;

/// One hit for each `(row, rule)`, in the order of `matched`. Hits of one row share their event.
pub(super) fn of(set: &RuleSet, batch: &EventBatch, matched: &[(u32, u32)], known: &mut KnownPatterns) -> Vec<Hit> {
    if matched.is_empty() {
        return Vec::new();
    }
    let columns = HitColumns::of(set, batch);
    let mut hits: Vec<Hit> = Vec::with_capacity(matched.len());
    let nothing = Arc::default();
    let mut scratch = ValueScratch::default();
    for of_row in matched.chunk_by(|(one, _), (other, _)| one == other) {
        let row = of_row[0].0 as usize;
        let (event, repeated) = (Arc::new(columns.event(row)), columns.repeated(row));
        let values = columns.captured(set, row, of_row, &mut scratch).unwrap_or_else(|| Arc::clone(&nothing));
        for (_, rule) in of_row {
            let patterns = patterns(set, *rule, batch, row, known);
            let values = if set.uses[*rule as usize].captures.is_empty() { &nothing } else { &values };
            hits.push(Hit {
                rule: set.key_of(*rule),
                event: Arc::clone(&event),
                values: Arc::clone(values),
                repeated,
                patterns,
            });
        }
    }
    hits
}

/// What a pack finds in the row: in the column that has the most. A muted rule makes no finding that could show it.
fn patterns(
    set: &RuleSet,
    number: u32,
    batch: &EventBatch,
    row: usize,
    known: &mut KnownPatterns,
) -> Option<Arc<PatternsFound>> {
    let rule = &set.rules[number as usize];
    if set.is_muted(number as usize) {
        return None;
    }
    if rule.looks_up {
        return lists(rule, batch, row);
    }
    rule.pack.as_ref()?;
    let mut best: Option<Arc<PatternsFound>> = None;
    rule.condition.items(&mut |item| {
        let Check::Pack(check) = &item.check else { return };
        for column in &item.columns {
            let value = batch.position_of(column).and_then(|position| Value::at(batch, position, row));
            let Some(Value::Text(text, _)) = value else { continue };
            let found = found_in(check, number, text, known);
            let is_more = best.as_ref().is_none_or(|best| best.points < found.points);
            if found.points >= check.pack.threshold && is_more {
                best = Some(found);
            }
        }
    });
    best
}

/// The lists of indicators that have a value of the row.
fn lists(rule: &Rule, batch: &EventBatch, row: usize) -> Option<Arc<PatternsFound>> {
    let mut found = PatternsFound::default();
    rule.condition.items(&mut |item| {
        let Check::Indicator(check) = &item.check else { return };
        for column in &item.columns {
            let value = batch.position_of(column).and_then(|position| Value::at(batch, position, row));
            if let Some(Value::Text(text, _)) = value {
                let lists = check.lists(text).into_iter().map(|list| format!("{text} in {list}"));
                found.lists.extend(lists);
            }
        }
    });
    found.lists.dedup();
    (!found.lists.is_empty()).then(|| Arc::new(found))
}

fn found_in(check: &PackCheck, rule: u32, text: &str, known: &mut KnownPatterns) -> Arc<PatternsFound> {
    // One text means something else as a path than as a query.
    let key = (rule << 4 | check.input as u32, Box::from(text));
    if let Some(found) = known.get(&key) {
        return Arc::clone(found);
    }
    let Tally { points, threshold, doubtful, ids } = check.tally(text);
    let found = Arc::new(PatternsFound { points, threshold, doubtful, ids, lists: Vec::new() });
    if known.len() >= KNOWN_MAX {
        known.clear();
    }
    if text.len() <= VALUE_BYTES_MAX {
        known.insert(key, Arc::clone(&found));
    }
    found
}

/// Memory for the values of a row, used again.
#[derive(Default)]
struct ValueScratch {
    /// The captures that are asked for.
    wanted: Vec<usize>,
    text: String,
}

/// The columns of a batch that hits copy from.
struct HitColumns<'a> {
    batch: &'a EventBatch,
    times: Option<LongColumn<'a>>,
    original: Option<TextColumn<'a>>,
    source_ip: Option<TextColumn<'a>>,
    user_name: Option<TextColumn<'a>>,
    /// `host.name`, and `host.hostname` where a row has none.
    hosts: [Option<TextColumn<'a>>; 2],
    repeated: Option<LongColumn<'a>>,
    status: Option<LongColumn<'a>>,
    body_bytes: Option<LongColumn<'a>>,
    tags: Option<TextColumn<'a>>,
    /// Positions of the columns of each capture, best first.
    captures: Vec<Vec<usize>>,
}

impl<'a> HitColumns<'a> {
    fn of(set: &RuleSet, batch: &'a EventBatch) -> Self {
        let positions = |columns: &Vec<String>| columns.iter().filter_map(|column| batch.position_of(column)).collect();
        HitColumns {
            batch,
            times: batch.times(),
            original: batch.text(field::EVENT_ORIGINAL),
            source_ip: batch.text(field::SOURCE_IP),
            user_name: batch.text(field::USER_NAME),
            hosts: [batch.text_named("host.name"), batch.text(field::HOST_HOSTNAME)],
            repeated: batch.long(field::LOG_SYSLOG_REPEATED),
            status: batch.long(field::HTTP_RESPONSE_STATUS_CODE),
            body_bytes: batch.long(field::HTTP_RESPONSE_BODY_BYTES),
            tags: batch.text(field::TAGS),
            captures: set.captures.iter().map(positions).collect(),
        }
    }

    fn event(&self, row: usize) -> EventRef {
        let original = self.original.and_then(|column| column.str(row)).unwrap_or("");
        let number = |column: &Option<LongColumn<'_>>| column.as_ref().and_then(|column| column.get(row));
        let status = number(&self.status).and_then(|status| u16::try_from(status).ok());
        let bytes = number(&self.body_bytes).map_or(0, |bytes| u32::try_from(bytes.max(0)).unwrap_or(u32::MAX));
        let (source_ip, user_name) = (name_at(self.source_ip, row), name_at(self.user_name, row));
        let host_name = self.hosts.iter().find_map(|column| name_at(*column, row));
        EventRef {
            id: self.batch.event_id(row),
            source: Arc::clone(self.batch.origin(row)),
            offset: self.batch.offset(row),
            line_no: self.batch.line_no(row),
            time: self.times.and_then(|times| times.get(row)).map(Timestamp),
            texts: EventTexts::new(
                &proof(original),
                Whom {
                    source_ip: source_ip.as_deref(),
                    user_name: user_name.as_deref(),
                    host_name: host_name.as_deref(),
                },
            ),
            answer: status.map(|status| Answer { status, bytes }),
            has_guessed_source: self
                .tags
                .and_then(|tags| tags.str(row))
                .is_some_and(|tags| has_mark(tags.as_bytes(), GUESSED_SOURCE)),
        }
    }

    fn repeated(&self, row: usize) -> u64 {
        let times = self.repeated.and_then(|column| column.get(row)).and_then(|times| u64::try_from(times).ok());
        times.unwrap_or(1).max(1)
    }

    /// Values of the captures that correlations over the row's rules need; `None` where they need none.
    fn captured(
        &self,
        set: &RuleSet,
        row: usize,
        of_row: &[(u32, u32)],
        scratch: &mut ValueScratch,
    ) -> Option<Arc<HitValues>> {
        let ValueScratch { wanted, text } = scratch;
        wanted.clear();
        wanted.extend(of_row.iter().flat_map(|(_, rule)| set.uses[*rule as usize].captures.iter().copied()));
        wanted.sort_unstable();
        wanted.dedup();
        let value = |at: &usize| {
            let mut positions = self.captures[*at].iter();
            let value = positions.find_map(|position| Value::at(self.batch, *position, row))?;
            Some((
                *at,
                match value {
                    Value::Text(text, _) => bounded(text),
                    Value::Long(number) => Cow::Owned(number.to_string()),
                },
            ))
        };
        (!wanted.is_empty())
            .then(|| Arc::new(HitValues::gathered(set.captures.len(), wanted.iter().filter_map(value), text)))
    }
}

/// The text of a column in a row; an empty one is absent.
fn name_at<'c>(column: Option<TextColumn<'c>>, row: usize) -> Option<Cow<'c, str>> {
    column.and_then(|column| column.str(row)).filter(|text| !text.is_empty()).map(bounded)
}

fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() <= VALUE_BYTES_MAX {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}…{:032x}", cut(text, VALUE_BYTES_MAX), digest(&[text.as_bytes()])))
}

fn proof(original: &str) -> Cow<'_, str> {
    if original.len() <= PROOF_BYTES_MAX {
        return Cow::Borrowed(original);
    }
    let kept = cut(original, PROOF_BYTES_MAX);
    Cow::Owned(format!("{kept} […cut: the line has {} bytes]", original.len()))
}

/// As many of the text's first characters as fit.
fn cut(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_bounded_and_stay_different() {
        let (a, b) = ("x".repeat(600), "x".repeat(601));
        assert!(bounded(&a).len() < 600 && bounded(&a) != bounded(&b));
        assert_eq!(bounded("short"), "short");
        assert_eq!(cut("aé", 2), "a", "cut at a character");
        assert!(proof(&"é".repeat(10_000)).ends_with("[…cut: the line has 20000 bytes]"));
    }
}
