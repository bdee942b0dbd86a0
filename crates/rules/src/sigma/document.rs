//! A rule file: one or more YAML documents, each a detection, a correlation or a filter.

use event::LogSource;

use crate::check::Check;
use crate::rule_text::RuleText;
use crate::sigma::diagnostic::{Diagnostic, Problems};
use crate::sigma::filter::Filter;
use crate::sigma::pack::PackRead;
use crate::sigma::rule::{Correlation, Head, Rule};
use crate::sigma::{correlation, detection, filter, head, old_form, pack, shape};
use crate::taxonomy::Terms;
use crate::yaml::{self, Location, Node};

/// What one document holds.
#[derive(Clone, Debug)]
pub(crate) enum Document {
    /// A detection rule, or a pack of patterns.
    Detection(Rule),
    /// A rule over the hits of others.
    Correlation(Correlation),
    /// A condition that is added to other rules.
    Filter(Filter),
}

impl Document {
    /// Title, id and what else all documents have.
    pub(crate) fn head(&self) -> &Head {
        match self {
            Document::Detection(rule) => &rule.head,
            Document::Correlation(rule) => &rule.head,
            Document::Filter(filter) => &filter.head,
        }
    }
}

/// Reads a file: its sound documents, and every problem found in any of them. A file may hold several documents; what
/// is wrong with one does not touch the others.
pub(crate) fn read(file: RuleText<'_>, terms: &Terms) -> (Vec<Document>, Vec<Diagnostic>) {
    let path = file.path;
    let mut problems = if file.is_packed() { Problems::of_program(path) } else { Problems::new(path) };
    let written = file.documents();
    if written.is_empty() {
        problems.error(Location { line: 1, column: 1 }, "the file holds no rule");
    }
    let mut documents = Vec::new();
    // The parts of an old collection say nothing without its first one: they are refused as one.
    let in_collection = written.iter().filter_map(|document| document.node.as_ref());
    let old = in_collection.filter(|node| old_form::refuse_collection(node, &mut problems)).count();
    if old > 0 {
        return (documents, problems.into_found());
    }
    for yaml::YamlDocument { node, errors } in written {
        let is_sound = errors.is_empty();
        errors.into_iter().for_each(|error| problems.error(error.place, error.message));
        let read = node.and_then(|node| document(path, &node, terms, &mut problems));
        documents.extend(read.filter(|_| is_sound));
    }
    (documents, problems.into_found())
}

/// Every part is read, whatever is wrong with the others: all problems are told at once.
fn document(path: &str, node: &Node, terms: &Terms, problems: &mut Problems) -> Option<Document> {
    if node.map().is_none() {
        let reason = format!("a rule must be a map with title, logsource and detection, not {}", node.shown());
        problems.error(node.place, reason);
        return None;
    }
    let before = problems.error_count();
    // Selections may stand beside patterns: their condition names `patterns`.
    let body = if node.get("patterns").is_some() { "patterns" } else { "detection" };
    let kinds = [body, "correlation", "filter"].into_iter().filter(|kind| node.get(kind).is_some());
    if let [first, second, ..] = kinds.collect::<Vec<_>>().as_slice() {
        problems.error(node.place, format!("a document holds either `{first}` or `{second}`: put `---` between them"));
    }
    let head = head::read(path, node, node.get("filter").is_some(), problems);
    let read = if let Some(section) = node.get("filter") {
        let logsource = logsource(node, problems);
        filter::read(node, section, head, logsource, terms, problems).map(Document::Filter)
    } else if let Some(section) = node.get("correlation") {
        correlation::read(node, section, head, problems).map(Document::Correlation)
    } else {
        rule(node, head, terms, problems).map(Document::Detection)
    };
    read.filter(|_| problems.error_count() == before)
}

fn rule(node: &Node, head: Head, terms: &Terms, problems: &mut Problems) -> Option<Rule> {
    let logsource = logsource(node, problems);
    let patterns = node.get("patterns").map(|section| pack::read(section, terms, problems));
    let (patterns_hold, pack, sum_of) = match patterns {
        Some(read) => {
            let PackRead { condition, pack, sum_of } = read?;
            (Some(condition), Some(pack), sum_of)
        }
        None => (None, None, Vec::new()),
    };
    let condition = match node.get("detection") {
        Some(section) => detection::read(section, patterns_hold, terms, problems),
        None => {
            if patterns_hold.is_none() {
                problems.error(node.place, "the rule has neither `detection`, `patterns`, `correlation` nor `filter`");
            }
            patterns_hold
        }
    };
    let (sample_of, act) = (sample_of(node, problems), act(node, problems));
    let condition = condition?;
    let mut looks_up = false;
    condition.items(&mut |item| looks_up |= matches!(item.check, Check::Indicator(_)));
    Some(Rule { head, logsource: logsource?, condition, pack, sum_of, looks_up, sample_of, act })
}

/// Key under which a rule says that it looks at one in so many events.
const SAMPLE_KEY: &str = "c0di3.sample_of";
const SAMPLE_MAX: i64 = 1024;

fn sample_of(node: &Node, problems: &mut Problems) -> Option<u32> {
    let section = node.get(SAMPLE_KEY)?;
    let number = section.text().and_then(|text| text.parse::<i64>().ok()).filter(|of| (2..=SAMPLE_MAX).contains(of));
    if number.is_none() {
        problems.error(section.place, format!("`{SAMPLE_KEY}` is a whole number from 2 to {SAMPLE_MAX}"));
    }
    number.map(|number| number as u32)
}

/// Key under which a rule names the act that its events tell of.
const ACT_KEY: &str = "c0di3.act";

fn act(node: &Node, problems: &mut Problems) -> Option<Box<str>> {
    let section = node.get(ACT_KEY)?;
    let is_word = |text: &&str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && !text.is_empty();
    let word = section.text().filter(is_word);
    if word.is_none() {
        problems.error(section.place, format!("`{ACT_KEY}` is a word of small letters, such as `login`"));
    }
    word.map(Into::into)
}

/// What a log source is told by.
const PARTS: [&str; 3] = ["product", "category", "service"];
/// Known, but not looked at.
const DEFINITION: &str = "definition";

fn logsource(node: &Node, problems: &mut Problems) -> Option<LogSource> {
    let Some(section) = node.get("logsource") else {
        problems.error(node.place, "the rule has no `logsource`: name its product, category or service");
        return None;
    };
    let Some(pairs) = section.map().filter(|pairs| !pairs.is_empty()) else {
        let reason = format!("`logsource` must be a map with product, category or service, not {}", section.shown());
        problems.error(section.place, reason);
        return None;
    };
    for (key, _) in pairs.iter().filter(|(key, _)| !PARTS.contains(&key.text.as_str()) && key.text != DEFINITION) {
        if let Some(meant) = shape::meant(&key.text, &[&PARTS[..], &[DEFINITION]].concat()) {
            problems.warn(key.place, format!("`{}` of `logsource` is not looked at: is `{meant}` meant?", key.text));
        }
    }
    if !PARTS.iter().any(|part| section.get(part).is_some()) {
        let reason = format!("`logsource` needs a product, category or service, and has none: {}", section.shown());
        problems.error(section.place, reason);
    }
    let [product, category, service] = PARTS.map(|key| part(section, key, problems));
    Some(LogSource { product, category, service })
}

/// A part that is empty would make the rule one for every log source: it is refused.
fn part(section: &Node, key: &str, problems: &mut Problems) -> Option<String> {
    let node = section.get(key)?;
    let text = node.text().map(str::trim).filter(|text| !node.is_null() && !text.is_empty());
    if text.is_none() {
        let reason = format!("`{key}` of `logsource` takes one text, not {}: write it, or leave it out", node.shown());
        problems.error(node.place, reason);
    }
    text.map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_is_a_word() {
        let load = |act: &str| {
            let text = format!(
                "title: a\nid: a\nlevel: low\nc0di3.act: {act}\nlogsource: {{product: linux}}\ndetection: {{s: [x], condition: s}}\n"
            );
            crate::load([("r.yml", text.as_str())], &crate::Terms::default())
        };
        assert_eq!(load("log_in").set.rules[0].act.as_deref(), Some("log_in"));
        for wrong in ["Login", "''", "[login]", "log in", "7"] {
            let loaded = load(wrong);
            assert_eq!((loaded.set.rules.len(), loaded.rejected().count()), (0, 1), "{wrong}");
        }
    }

    #[test]
    fn what_names_other_rules_knows_where() {
        let text = "\
title: c
name: called
id: c
level: high
c0di3.forgiven_by: other
correlation:
  type: temporal
  rules:
    - a
    - b
  aliases:
    ip: {a: src, b: dst}
    user: {b: name}
  group-by: [ip]
  timespan: 1m
---
title: f
id: f
logsource: {product: test}
filter: {rules: [a, b], s: {A: x}, condition: s}
";
        let (documents, problems) = read(("a.yml", text).into(), &Terms::default());
        assert_eq!(problems, []);
        let [Document::Correlation(correlation), Document::Filter(filter)] = documents.as_slice() else {
            panic!("a correlation and a filter")
        };
        let place = |line, column| Some(Location { line, column });
        let head = &correlation.head.written.names;
        assert_eq!([head.place_of("called"), head.place_of("c"), head.place_of("a")], [place(2, 7), place(3, 5), None]);
        let named = ["a", "b", "other"].map(|name| correlation.places.place_of(name));
        assert_eq!(named, [place(9, 7), place(10, 7), place(5, 20)]);
        let aliases = &correlation.alias_places;
        assert_eq!([&aliases[0], &aliases[1]].map(|alias| alias.place_of("b")), [place(12, 18), place(13, 12)]);
        assert_eq!(filter.places.place_of("b"), place(20, 21));
    }
}
