//! A rule file: one or more YAML documents, each a detection, a correlation or a filter.

use event::{Level, LogSource};

use crate::check::Check;
use crate::patterns;
use crate::response;
use crate::sigma::diagnostic::{Diagnostic, Problems};
use crate::sigma::filter::Filter;
use crate::sigma::rule::{Correlation, Head, Rule, Tests};
use crate::sigma::{correlation, detection, filter};
use crate::taxonomy::Terms;
use crate::yaml::{self, Kind, Node, Place};

/// Longest title in characters.
const TITLE_MAX: usize = 256;
const STATUSES: [&str; 5] = ["stable", "test", "experimental", "deprecated", "unsupported"];

/// What one document holds.
#[derive(Clone, Debug)]
pub enum Document {
    Detection(Rule),
    Correlation(Correlation),
    Filter(Filter),
}

impl Document {
    pub fn head(&self) -> &Head {
        match self {
            Document::Detection(rule) => &rule.head,
            Document::Correlation(rule) => &rule.head,
            Document::Filter(filter) => &filter.head,
        }
    }
}

/// Reads a file: its sound documents, and every problem found in any of them. A file may hold several documents.
pub fn read(path: &str, text: &str, terms: &Terms) -> (Vec<Document>, Vec<Diagnostic>) {
    let mut problems = Problems::new(path);
    let nodes = match yaml::read(text) {
        Ok(nodes) => nodes,
        Err(error) => {
            problems.error(error.place, error.message);
            return (Vec::new(), problems.into_found());
        }
    };
    if nodes.is_empty() {
        problems.error(Place { line: 1, column: 1 }, "the file holds no rule");
    }
    let documents = nodes.iter().filter_map(|node| document(path, node, terms, &mut problems)).collect();
    (documents, problems.into_found())
}

fn document(path: &str, node: &Node, terms: &Terms, problems: &mut Problems) -> Option<Document> {
    if node.map().is_none() {
        problems.error(
            node.place,
            format!("a rule must be a map with title, logsource and detection, not {}", node.kind_name()),
        );
        return None;
    }
    let before = problems.error_count();
    let is_filter = node.get("filter").is_some();
    let head = head(path, node, is_filter, problems);
    let kinds = ["detection", "correlation", "filter", "patterns"].into_iter().filter(|kind| node.get(kind).is_some());
    if let [first, second, ..] = kinds.collect::<Vec<_>>().as_slice() {
        problems.error(node.place, format!("a document holds either `{first}` or `{second}`: put `---` between them"));
        return None;
    }
    if let Some(section) = node.get("filter") {
        let logsource = logsource(node, problems);
        let read = filter::read(node, section, head?, logsource?, terms, problems)?;
        return (problems.error_count() == before).then_some(Document::Filter(read));
    }
    if let Some(section) = node.get("correlation") {
        let read = correlation::read(node, section, head?, problems)?;
        return (problems.error_count() == before).then_some(Document::Correlation(read));
    }
    let logsource = logsource(node, problems);
    let (condition, pack) = match (node.get("detection"), node.get("patterns")) {
        (Some(section), _) => (detection::read(section, terms, problems), None),
        (None, Some(section)) => patterns::read(section, terms.paranoia, problems).unzip(),
        (None, None) => {
            problems.error(node.place, "the rule has neither `detection`, `patterns`, `correlation` nor `filter`");
            (None, None)
        }
    };
    if problems.error_count() > before {
        return None;
    }
    let condition = condition?;
    let sample_of = sample_of(node, problems);
    let mut looks_up = false;
    condition.items(&mut |item| looks_up |= matches!(item.check, Check::Indicator(_)));
    Some(Document::Detection(Rule { head: head?, logsource: logsource?, condition, pack, looks_up, sample_of }))
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

/// Most turns of a case that repeats its lines.
const REPEATS_MAX: usize = 20_000;

/// The lines of a case. One that begins with `@repeat 300` has the others so often; `{n}` is the number of the turn.
fn case_lines(node: &Node, problems: &mut Problems) -> Option<String> {
    let text = node.text()?;
    let Some(repeated) = text.strip_prefix("@repeat") else { return Some(text.to_owned()) };
    let (times, lines) = repeated.split_once('\n').unwrap_or((repeated, ""));
    let times = times.trim().parse().ok().filter(|times| (1..=REPEATS_MAX).contains(times));
    let Some(times) = times.filter(|_| !lines.trim().is_empty()) else {
        problems.error(node.place, format!("`@repeat` takes a number from 1 to {REPEATS_MAX}, and lines behind it"));
        return None;
    };
    let turn = |turn: usize| lines.trim_end().replace("{n}", &turn.to_string());
    Some((1..=times).map(turn).collect::<Vec<_>>().join("\n"))
}

fn text_of<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::text).map(str::trim).filter(|text| !text.is_empty())
}

fn head(path: &str, node: &Node, is_filter: bool, problems: &mut Problems) -> Option<Head> {
    let title = text_of(node, "title");
    match title {
        None => problems.error(node.place, "the rule has no `title`"),
        Some(title) if title.chars().count() > TITLE_MAX => {
            problems.error(node.place, "the title is longer than 256 characters")
        }
        Some(_) => {}
    }
    let status = text_of(node, "status");
    if let Some(status) = status.filter(|status| !STATUSES.contains(status)) {
        problems.error(place_of(node, "status"), format!("unknown status `{status}`: use {}", STATUSES.join(", ")));
    }
    if let Some(taxonomy) = text_of(node, "taxonomy").filter(|taxonomy| *taxonomy != "sigma") {
        let reason = format!("the taxonomy `{taxonomy}` is not supported: its fields would be taken for Sigma's");
        problems.error(place_of(node, "taxonomy"), reason);
    }
    for key in ["date", "modified"] {
        if text_of(node, key).is_some_and(|date| !is_date(date)) {
            problems.error(place_of(node, key), format!("`{key}` is not a date such as 2026-11-23"));
        }
    }
    check_lists(node, problems);
    let level = if is_filter { Level::Informational } else { level(node, problems) };
    let id = text_of(node, "id");
    if id.is_none() {
        problems.warn(node.place, "the rule has no `id`: findings will name it by its title, which may change");
    }
    let name = text_of(node, "name").map(str::to_owned);
    let tests = tests(node, problems);
    let techniques = techniques(node, problems);
    let title = title?.to_owned();
    Some(Head {
        id: id.map(str::to_owned).or_else(|| name.clone()).unwrap_or_else(|| title.clone()),
        name,
        title,
        description: text_of(node, "description").unwrap_or("").to_owned(),
        level,
        response: response::read(node, &techniques, problems),
        techniques,
        enabled: !matches!(status, Some("deprecated" | "unsupported")),
        tests,
        attributes: attributes(node),
        path: path.to_owned(),
        line: node.place.line,
    })
}

const RELATED: [&str; 5] = ["derived", "obsolete", "merged", "renamed", "similar"];

/// `related`, `scope` and `falsepositives`: they change nothing, but what is written must make sense.
fn check_lists(node: &Node, problems: &mut Problems) {
    for one in node.get("related").map_or(&[][..], Node::one_or_many) {
        if text_of(one, "id").is_none() {
            problems.error(one.place, "each entry of `related` needs the `id` of a rule");
        }
        let kind = text_of(one, "type").unwrap_or("");
        if !RELATED.contains(&kind) {
            problems.error(one.place, format!("unknown `type` `{kind}` of a related rule: use {}", RELATED.join(", ")));
        }
    }
    for key in ["scope", "falsepositives"] {
        for one in node.get(key).map_or(&[][..], Node::one_or_many) {
            if one.text().is_none_or(|text| text.chars().count() < 2) {
                problems.warn(one.place, format!("an entry of `{key}` is a text of at least 2 characters"));
            }
        }
    }
}

/// Sections that are read into types of their own.
const SECTIONS: [&str; 9] =
    ["title", "id", "name", "description", "level", "detection", "correlation", "patterns", "tests"];

/// Everything else, the author's own keys included, as it stands there.
fn attributes(node: &Node) -> serde_json::Map<String, serde_json::Value> {
    let pairs = node.map().unwrap_or(&[]).iter();
    let others = pairs.filter(|(key, _)| !SECTIONS.contains(&key.text.as_str()) && key.text != "filter");
    others.map(|(key, value)| (key.text.clone(), value.to_json())).collect()
}

fn is_date(text: &str) -> bool {
    event::Timestamp::parse_rfc3339(format!("{}T00:00:00Z", text.replace('/', "-")).as_bytes()).is_some()
}

fn place_of(node: &Node, key: &str) -> Place {
    node.get(key).map_or(node.place, |value| value.place)
}

fn level(node: &Node, problems: &mut Problems) -> Level {
    let Some(text) = text_of(node, "level") else {
        problems.warn(node.place, "the rule has no `level`: medium is taken");
        return Level::Medium;
    };
    text.parse().unwrap_or_else(|()| {
        let known: Vec<_> = Level::ALL.iter().map(|level| level.name()).collect();
        problems.error(place_of(node, "level"), format!("unknown level `{text}`: use {}", known.join(", ")));
        Level::Medium
    })
}

/// `attack.t1110.001` → `T1110.001`; tags outside the pattern are warned of.
fn techniques(node: &Node, problems: &mut Problems) -> Vec<String> {
    let mut techniques = Vec::new();
    for tag in node.get("tags").map_or(&[][..], Node::one_or_many) {
        let text = tag.text().unwrap_or("");
        let well_formed =
            text.split_once('.').is_some_and(|(namespace, rest)| !namespace.is_empty() && !rest.is_empty())
                && text.chars().all(|letter| matches!(letter, 'a'..='z' | '0'..='9' | '_' | '-' | '.'));
        if !well_formed {
            problems.warn(tag.place, format!("the tag `{text}` is not of the form namespace.name in lower case"));
        }
        if let Some(technique) =
            text.strip_prefix("attack.t").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        {
            techniques.push(format!("T{technique}"));
        }
    }
    techniques
}

fn logsource(node: &Node, problems: &mut Problems) -> Option<LogSource> {
    let Some(section) = node.get("logsource") else {
        problems.error(node.place, "the rule has no `logsource`: name its product, category or service");
        return None;
    };
    let Some(pairs) = section.map().filter(|pairs| !pairs.is_empty()) else {
        problems.error(section.place, "`logsource` must be a map with product, category or service");
        return None;
    };
    let part = |key: &str| pairs.iter().find(|(known, _)| known.text == key).and_then(|(_, node)| node.text());
    let [product, category, service] = ["product", "category", "service"].map(|key| part(key).map(str::to_lowercase));
    Some(LogSource { product, category, service })
}

/// The rule's own cases under `tests`: `match` and `ignore`, each one text or a list of texts.
fn tests(node: &Node, problems: &mut Problems) -> Tests {
    let mut tests = Tests::default();
    let Some(section) = node.get("tests") else { return tests };
    let Kind::Map(pairs) = &section.kind else {
        problems.error(section.place, "`tests` must be a map with `match` and `ignore`");
        return tests;
    };
    for (key, value) in pairs {
        let lines: Vec<String> = value.one_or_many().iter().filter_map(|node| case_lines(node, problems)).collect();
        match key.text.as_str() {
            "match" => tests.hits.extend(lines),
            "ignore" => tests.ignores.extend(lines),
            "near" => tests.near.extend(lines),
            other => problems.error(key.place, format!("unknown key `{other}` in `tests`: use match, ignore and near")),
        }
    }
    tests
}
