//! Reads a pack of patterns: a rule document with `patterns` in place of `detection`, read into what is meant.

use std::sync::Arc;

use event::block::digest;
use patterns::{
    Expression, FIELDS, How, Input, PARANOIA_MAX, Pack, PackCheck, Part, Pattern, PatternCase, THRESHOLD, View,
};
use regex_syntax::hir::{Hir, Look};

use crate::check::Check;
use crate::sigma::diagnostic::Problems;
use crate::sigma::regex::required_texts;
use crate::sigma::rule::{Expr, Item};
use crate::sigma::words::Words;
use crate::taxonomy::Terms;
use crate::yaml::{Kind, Node, ScalarValue};

/// Bytes that may not nominate a pattern alone: they stand in every other value.
const COMMON_BYTES: &[u8] = b" /.-_=?+:,";
/// Most points of one pattern.
const WEIGHT_MAX: i64 = 20;
/// A `patterns` section as read.
pub(crate) struct PackRead {
    /// The condition that its fields make.
    pub(crate) condition: Expr,
    pub(crate) pack: Arc<Pack>,
    /// Names of the packs that it adds up; empty where it has patterns of its own.
    pub(crate) sum_of: Vec<String>,
}

/// Reads the `patterns` section. The paranoia level decides how many points make a finding.
pub(crate) fn read(section: &Node, terms: &Terms, problems: &mut Problems) -> Option<PackRead> {
    let paranoia = terms.paranoia;
    let before = problems.error_count();
    let Some(pairs) = section.map() else {
        problems.error(section.place, "`patterns` must be a map with `fields`, and `list` or `sum`");
        return None;
    };
    for (key, _) in pairs.iter().filter(|(key, _)| !["fields", "threshold", "list", "sum"].contains(&key.text.as_str()))
    {
        problems
            .error(key.place, format!("unknown key `{}` in `patterns`: use fields, threshold, list, sum", key.text));
    }
    let fields = fields(section, problems);
    let threshold = match section.get("threshold") {
        // The level decides how sure a finding must be.
        None => (THRESHOLD + 1).saturating_sub(u32::from(paranoia)),
        Some(node) => number(node, "threshold", 100, problems)?,
    };
    let list = section.get("list").map_or(&[][..], Node::one_or_many);
    let sum_of: Vec<String> = section
        .get("sum")
        .map_or(&[][..], Node::one_or_many)
        .iter()
        .filter_map(Node::text)
        .map(str::to_owned)
        .collect();
    if list.is_empty() == sum_of.is_empty() {
        problems.error(section.place, "`patterns` needs a `list` of patterns, or `sum`: names of packs to add up");
    }
    let read: Vec<Pattern> = list.iter().filter_map(|node| pattern(node, &terms.vocabulary, problems)).collect();
    for (at, pattern) in read.iter().enumerate() {
        if read[..at].iter().any(|other| other.id == pattern.id) {
            let place = list.get(at).map_or(section.place, |node| node.place);
            problems.error(place, format!("the pattern `{}` stands twice", pattern.id));
        }
    }
    if problems.error_count() > before {
        return None;
    }
    let reads = read.iter().any(|pattern| matches!(pattern.how, How::Grammar(_)));
    let weighs = reads || read.iter().any(|pattern| pattern.weight < THRESHOLD);
    let written = format!("{:?}", section.to_json());
    let words = terms.vocabulary.digest_of(&written, reads, weighs);
    let text = format!("{threshold} {paranoia} {written}{words}");
    let context = Arc::clone(terms.vocabulary.context());
    let pack = Arc::new(Pack::new(read, threshold, context, digest(&[text.as_bytes()])));
    let item = |(name, input): &(&str, Input)| {
        Expr::Item(Item {
            field: Some((*name).to_owned()),
            columns: Vec::new(),
            check: Check::Pack(PackCheck::new(Arc::clone(&pack), *input)),
            written: format!("{name}: patterns worth {threshold} points"),
        })
    };
    let condition = Expr::Named("patterns".to_owned(), Box::new(Expr::Or(fields.iter().map(item).collect())));
    Some(PackRead { condition, pack, sum_of })
}

fn fields(section: &Node, problems: &mut Problems) -> Vec<(&'static str, Input)> {
    let mut found = Vec::new();
    let Some(node) = section.get("fields") else {
        problems.error(section.place, "`patterns` needs `fields`: where to look");
        return found;
    };
    for one in node.one_or_many() {
        let text = one.text().unwrap_or("");
        match FIELDS.iter().find(|(name, _)| *name == text) {
            Some((_, columns)) => found.extend(columns.iter().copied()),
            None => {
                let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
                problems.error(one.place, format!("unknown field `{text}`: use {}", known.join(", ")));
            }
        }
    }
    found
}

fn number(node: &Node, what: &str, most: i64, problems: &mut Problems) -> Option<u32> {
    let value = match &node.kind {
        Kind::Scalar(scalar) => scalar.value(),
        _ => ScalarValue::Null,
    };
    match value {
        ScalarValue::Integer(number) if (1..=most).contains(&number) => u32::try_from(number).ok(),
        _ => {
            problems.error(node.place, format!("`{what}` is a whole number from 1 to {most}"));
            None
        }
    }
}

const KEYS: [&str; 13] = [
    "id",
    "what",
    "weight",
    "paranoia",
    "in",
    "views",
    "regex",
    "any",
    "needs",
    "grammar",
    "technique",
    "match",
    "ignore",
];

fn pattern(node: &Node, words: &Words, problems: &mut Problems) -> Option<Pattern> {
    let before = problems.error_count();
    let Some(pairs) = node.map() else {
        problems.error(node.place, "a pattern is a map with id, weight and regex, any or grammar");
        return None;
    };
    for (key, _) in pairs.iter().filter(|(key, _)| !KEYS.contains(&key.text.as_str())) {
        problems.error(key.place, format!("unknown key `{}` of a pattern: use {}", key.text, KEYS.join(", ")));
    }
    let id = node.get("id").and_then(Node::text).unwrap_or("").to_owned();
    if id.is_empty() {
        problems.error(node.place, "a pattern needs an `id`");
    }
    let weight = node.get("weight").map_or(Some(THRESHOLD), |node| number(node, "weight", WEIGHT_MAX, problems));
    let paranoia =
        node.get("paranoia").map_or(Some(1), |node| number(node, "paranoia", i64::from(PARANOIA_MAX), problems));
    let parts = parts(node, problems);
    let views = views(node, problems);
    let (how, needs, bytes_max) = how(node, words, problems)?;
    let mut cases = Vec::new();
    for (key, wanted) in [("match", true), ("ignore", false)] {
        let texts = node.get(key).map_or(&[][..], Node::one_or_many).iter().filter_map(Node::text);
        cases.extend(texts.map(|text| PatternCase { text: text.to_owned(), wanted }));
    }
    let technique = node.get("technique").and_then(Node::text).map(str::to_owned);
    if problems.error_count() > before {
        return None;
    }
    let what = node.get("what").and_then(Node::text).unwrap_or(&id).to_owned();
    // A pattern for a level is one of so many points that a value needs at that level.
    let weight = weight?.min((THRESHOLD + 1).saturating_sub(paranoia?));
    Some(Pattern { id, what, weight, parts, views, how, needs, bytes_max, technique, cases, line: node.place.line })
}

fn parts(node: &Node, problems: &mut Problems) -> u8 {
    let Some(list) = node.get("in") else {
        return Part::Path.bit() | Part::Value.bit() | Part::Text.bit();
    };
    let mut parts = 0;
    for one in list.one_or_many() {
        let text = one.text().unwrap_or("");
        match Part::ALL.iter().find(|part| part.name() == text) {
            Some(part) => parts |= part.bit(),
            None => problems.error(one.place, format!("unknown part `{text}`: use path, query, value, text, target")),
        }
    }
    parts
}

fn views(node: &Node, problems: &mut Problems) -> Vec<View> {
    const NAMES: [(&str, View); 8] = [
        ("raw", View::Raw),
        ("decoded", View::Decoded),
        ("markup", View::Markup),
        ("script", View::Script),
        ("sql", View::Sql),
        ("shell", View::Shell),
        ("path", View::Path),
        ("base64", View::Base64),
    ];
    let Some(list) = node.get("views") else { return View::ALL[1..].to_vec() };
    let mut views = Vec::new();
    for one in list.one_or_many() {
        let text = one.text().unwrap_or("");
        match NAMES.iter().find(|(name, _)| *name == text) {
            Some((_, view)) => views.push(*view),
            None => {
                let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                problems.error(one.place, format!("unknown view `{text}`: use {}", known.join(", ")));
            }
        }
    }
    views
}

/// Words of which every other request has one.
const COMMON_WORDS: [&str; 44] = [
    "http", "https", "://", "www", "com", "org", "net", "html", "htm", "php", "asp", "jsp", "api", "user", "users",
    "static", "source", "count", "page", "name", "path", "file", "image", "img", "url", "type", "test", "index",
    "json", "xml", "src", "view", "data", "content", "admin", "login", "login", "text", "order", "from", "and", "or",
    "id", "app",
];

/// How often texts are expected to stand in a request, roughly: short and plain ones are frequent.
fn cost(texts: &[String]) -> u64 {
    let one = |text: &String| {
        let by_length = [1_000_000, 100_000, 10_000, 1500, 300, 80, 25, 10].get(text.len()).copied().unwrap_or(4);
        let rare = text.bytes().filter(|byte| !byte.is_ascii_alphanumeric() && !COMMON_BYTES.contains(byte)).count();
        let is_common = COMMON_WORDS.iter().any(|word| text.trim_matches(['/', '.', '=', '?', '&']) == *word);
        by_length / 8_u64.pow(rare.min(3) as u32).max(1) + if is_common { 50_000 } else { 0 }
    };
    texts.iter().map(one).sum()
}

/// The expression with classes of ASCII characters: patterns see plain text, and classes of all Unicode letters would
/// make them many times as large.
fn in_ascii(written: &str) -> String {
    let mut out = String::with_capacity(written.len() * 2);
    let mut characters = written.chars();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        if character != '\\' {
            in_class = match character {
                '[' => true,
                ']' => false,
                _ => in_class,
            };
            out.push(character);
            continue;
        }
        let escaped = characters.next();
        match (escaped, in_class) {
            (Some('w'), false) => out.push_str("[0-9a-z_]"),
            (Some('w'), true) => out.push_str("0-9a-z_"),
            (Some('d'), false) => out.push_str("[0-9]"),
            (Some('d'), true) => out.push_str("0-9"),
            (Some('s'), false) => out.push_str("[\\t-\\r ]"),
            (Some('s'), true) => out.push_str("\\t-\\r "),
            (Some('S'), false) => out.push_str("[^\\t-\\r ]"),
            (Some('W'), false) => out.push_str("[^0-9a-z_]"),
            (Some('D'), false) => out.push_str("[^0-9]"),
            (Some('b'), false) => out.push_str("(?-u:\\b)"),
            (other, _) => {
                out.push('\\');
                out.extend(other);
            }
        }
    }
    out
}

/// What the pattern looks for, and the texts that nominate it.
fn how(node: &Node, words: &Words, problems: &mut Problems) -> Option<(How, Vec<String>, usize)> {
    let mut texts = |key: &str| -> Vec<String> {
        let written = node.get(key).map_or(&[][..], Node::one_or_many);
        written.iter().flat_map(|one| words.texts(one, problems)).collect()
    };
    let (any, given) = (texts("any"), texts("needs"));
    let regex = node.get("regex").and_then(|node| words.expression(node, problems));
    let found = match (regex, any.is_empty(), node.get("grammar").and_then(Node::text)) {
        (Some(written), true, None) => {
            let (regex, hir) = expression(&written, node, problems)?;
            let needs = if given.is_empty() { required_texts(&hir, cost) } else { given };
            (How::Regex(regex), needs, bytes_max(&hir))
        }
        (None, false, None) => (How::Any, any, usize::MAX),
        (None, true, Some(name)) => {
            let Some(grammar) = patterns::language(name, words.vocabulary()) else {
                let known: Vec<&str> = patterns::languages().collect();
                problems.error(node.place, format!("there is no grammar `{name}`: use {}", known.join(", ")));
                return None;
            };
            let needs = if given.is_empty() { grammar.needs() } else { given };
            (How::Grammar(grammar), needs, usize::MAX)
        }
        _ => {
            problems.error(node.place, "a pattern has one of `regex`, `any` (texts) and `grammar`");
            return None;
        }
    };
    let is_grammar = matches!(found.0, How::Grammar(_));
    let is_common = |need: &String| {
        need.is_empty() || matches!(need.as_bytes(), [one] if one.is_ascii_alphanumeric() || COMMON_BYTES.contains(one))
    };
    if found.1.is_empty() || !is_grammar && found.1.iter().any(is_common) {
        let reason = "the expression promises no text that is rare enough, so it would be tried on every value: name \
                      some of two bytes or more under `needs`";
        problems.error(node.place, reason);
        return None;
    }
    if found.1.iter().any(|need| need.bytes().any(|byte| byte.is_ascii_uppercase())) {
        problems.error(node.place, "patterns see text in lower case: write them so");
        return None;
    }
    Some(found)
}

/// Longest text in which an expression can match: one that asks for start and end may allow no more.
fn bytes_max(hir: &Hir) -> usize {
    let properties = hir.properties();
    let is_whole =
        properties.look_set_prefix().contains(Look::Start) && properties.look_set_suffix().contains(Look::End);
    properties.maximum_len().filter(|_| is_whole).unwrap_or(usize::MAX)
}

fn expression(written: &str, node: &Node, problems: &mut Problems) -> Option<(Expression, Hir)> {
    let made = Expression::new(&in_ascii(written), true, problems.regex_bytes_max());
    made.map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or("").trim().to_owned();
        problems.error(node.place, format!("the expression cannot be read: {reason}"));
    })
    .ok()
}
