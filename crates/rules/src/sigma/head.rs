//! What detections, correlations and filters have in common: title, id, level, tags and the rule's own cases.

use event::Level;

use crate::response;
use crate::sigma::diagnostic::Problems;
use crate::sigma::rule::{Head, Mentions, Tests, WrittenAt};
use crate::sigma::shape;
use crate::yaml::{Kind, Location, Node};

/// Longest title or name in characters.
const TITLE_MAX: usize = 256;
const STATUSES: [&str; 5] = ["stable", "test", "experimental", "deprecated", "unsupported"];
const RELATED: [&str; 5] = ["derived", "obsolete", "merged", "renamed", "similar"];
/// Most turns of a case that repeats its lines.
const REPEATS_MAX: usize = 20_000;

/// Sections that are read into types of their own.
const SECTIONS: [&str; 10] =
    ["title", "id", "name", "description", "level", "detection", "correlation", "filter", "patterns", "tests"];

/// A filter has no level and no status. Where a problem was reported the head is only good for reading on.
pub(crate) fn read(path: &str, node: &Node, is_filter: bool, problems: &mut Problems) -> Head {
    let title = shape::text(node, "title", "`Many failed logins`", problems);
    if title.is_none() && !shape::is_other(node, "title") {
        problems.error(node.place, "the rule has no `title`");
    }
    let id = id(node, problems);
    let name = shape::text(node, "name", "failed_login", problems);
    for (key, text) in [("title", title), ("name", name)] {
        if text.is_some_and(|text| text.chars().count() > TITLE_MAX) {
            problems.warn(place_of(node, key), format!("the {key} is longer than {TITLE_MAX} characters"));
        }
    }
    let (level, enabled) = match is_filter {
        true => (Level::Informational, true),
        false => (level(node, problems), status(node, problems)),
    };
    taxonomy(node, problems);
    dates(node, problems);
    related(node, problems);
    lists(node, problems);
    let places = [("id", id), ("name", name)].into_iter();
    let places = places.filter_map(|(key, text)| Some((text?.to_owned(), place_of(node, key)))).collect();
    let techniques = techniques(node, problems);
    Head {
        id: id.or(name).or(title).unwrap_or("").to_owned(),
        name: name.map(str::to_owned),
        title: title.unwrap_or("").to_owned(),
        description: shape::text(node, "description", "`More than ten within a minute`", problems)
            .unwrap_or("")
            .to_owned(),
        level,
        response: response::read(node, &techniques, problems),
        techniques,
        enabled,
        tests: tests(node, problems),
        attributes: attributes(node),
        path: path.to_owned(),
        written: WrittenAt { line: node.place.line, names: Mentions(places) },
    }
}

fn place_of(node: &Node, key: &str) -> Location {
    node.get(key).map_or(node.place, |value| value.place)
}

fn id<'a>(node: &'a Node, problems: &mut Problems) -> Option<&'a str> {
    let id = shape::text(node, "id", "433ec138-d22b-467a-81d5-569eb55b3359", problems);
    match id {
        None if shape::is_other(node, "id") => {}
        None => problems.warn(node.place, "the rule has no `id`: findings will name it by its title, which may change"),
        Some(id) if is_broken_uuid(id) => problems.warn(
            place_of(node, "id"),
            format!("the id `{id}` looks like a UUID, but has not 8-4-4-4-12 hexadecimal digits"),
        ),
        Some(_) => {}
    }
    id
}

/// Names are good ids, too; but what has only the characters of a UUID, and as many, was to be one.
fn is_broken_uuid(id: &str) -> bool {
    let is_like_one = id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_like_one && !id.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

/// Whether the rule runs.
fn status(node: &Node, problems: &mut Problems) -> bool {
    let Some(status) = shape::text(node, "status", "stable", problems) else { return true };
    let place = place_of(node, "status");
    if !STATUSES.contains(&status) {
        problems.error(place, format!("unknown status `{status}`: use {}", STATUSES.join(", ")));
    }
    let is_off = matches!(status, "deprecated" | "unsupported");
    if is_off {
        problems.warn(place, format!("the status is `{status}`: the rule is loaded, but switched off"));
    }
    !is_off
}

fn level(node: &Node, problems: &mut Problems) -> Level {
    let Some(text) = shape::text(node, "level", "high", problems) else {
        if !shape::is_other(node, "level") {
            problems.warn(node.place, "the rule has no `level`: medium is taken");
        }
        return Level::Medium;
    };
    text.parse().unwrap_or_else(|_| {
        let known: Vec<_> = Level::ALL.iter().map(|level| level.name()).collect();
        problems.error(place_of(node, "level"), format!("unknown level `{text}`: use {}", known.join(", ")));
        Level::Medium
    })
}

fn taxonomy(node: &Node, problems: &mut Problems) {
    if let Some(taxonomy) = shape::text(node, "taxonomy", "sigma", problems).filter(|taxonomy| *taxonomy != "sigma") {
        let reason = format!("the taxonomy `{taxonomy}` is not supported: its fields would be taken for Sigma's");
        problems.error(place_of(node, "taxonomy"), reason);
    }
}

fn dates(node: &Node, problems: &mut Problems) {
    for key in ["date", "modified"] {
        if shape::text(node, key, "2026-11-23", problems).is_some_and(|date| !is_date(date)) {
            problems.error(place_of(node, key), format!("`{key}` is not a date such as 2026-11-23"));
        }
    }
}

fn is_date(text: &str) -> bool {
    event::Timestamp::parse_rfc3339(format!("{}T00:00:00Z", text.replace('/', "-")).as_bytes()).is_some()
}

/// The related rules change nothing, but what is written must make sense.
fn related(node: &Node, problems: &mut Problems) {
    for one in node.get("related").map_or(&[][..], Node::one_or_many) {
        let text = |key: &str| one.get(key).and_then(Node::text).map(str::trim).filter(|text| !text.is_empty());
        if text("id").is_none() {
            problems.error(one.place, "each entry of `related` needs the `id` of a rule");
        }
        let kind = text("type").unwrap_or("");
        if !RELATED.contains(&kind) {
            problems.error(one.place, format!("unknown `type` `{kind}` of a related rule: use {}", RELATED.join(", ")));
        }
    }
}

/// `scope` and `falsepositives`, which change nothing either.
fn lists(node: &Node, problems: &mut Problems) {
    for key in ["scope", "falsepositives"] {
        let entries = node.get(key).map_or(&[][..], Node::one_or_many);
        for (at, one) in entries.iter().enumerate() {
            let text = one.text().unwrap_or("");
            if text.chars().count() < 2 {
                problems.warn(one.place, format!("an entry of `{key}` is a text of at least 2 characters"));
            } else if entries[..at].iter().any(|before| before.text() == Some(text)) {
                problems.warn(one.place, format!("`{key}` has the entry `{text}` twice"));
            }
        }
    }
}

/// Everything else, the author's own keys included, as it stands there.
fn attributes(node: &Node) -> serde_json::Map<String, serde_json::Value> {
    let others = node.map().unwrap_or(&[]).iter().filter(|(key, _)| !SECTIONS.contains(&key.text.as_str()));
    others.map(|(key, value)| (key.text.clone(), value.to_json())).collect()
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
            let shown = tag.shown();
            problems.warn(tag.place, format!("a tag is of the form namespace.name in lower case, not {shown}"));
        }
        if let Some(technique) =
            text.strip_prefix("attack.t").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        {
            techniques.push(format!("T{technique}"));
        }
    }
    techniques
}

/// The rule's own cases under `tests`: `match` and `ignore`, each one text or a list of texts.
fn tests(node: &Node, problems: &mut Problems) -> Tests {
    let mut tests = Tests::default();
    let Some(section) = node.get("tests") else { return tests };
    let Kind::Map(pairs) = &section.kind else {
        let reason = format!("`tests` must be a map with `match` and `ignore`, not {}", section.shown());
        problems.error(section.place, reason);
        return tests;
    };
    for (key, value) in pairs {
        let cases = value.one_or_many().iter();
        let lines: Vec<String> = cases.filter_map(|node| case_lines(&key.text, node, problems)).collect();
        match key.text.as_str() {
            "match" => tests.hits.extend(lines),
            "ignore" => tests.ignores.extend(lines),
            "near" => tests.near.extend(lines),
            other => problems.error(key.place, format!("unknown key `{other}` in `tests`: use match, ignore and near")),
        }
    }
    tests
}

/// The lines of a case. One that begins with `@repeat 300` has the others so often; `{n}` is the number of the turn.
fn case_lines(key: &str, node: &Node, problems: &mut Problems) -> Option<String> {
    let Some(text) = node.text() else {
        let reason = format!("a case under `{key}` is a text, its lines as they are logged, not {}", node.shown());
        problems.error(node.place, reason);
        return None;
    };
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

#[cfg(test)]
mod tests {
    use super::is_broken_uuid;

    #[test]
    fn names_are_ids_and_broken_uuids_are_told() {
        for sound in ["433ec138-d22b-467a-81d5-569eb55b3359", "433EC138-D22B-467A-81D5-569EB55B3359", "a-name", "cafe"]
        {
            assert!(!is_broken_uuid(sound), "{sound}");
        }
        for broken in [
            "433ec138-d22b-467a-81d5-569eb55b335",
            "433ec138d22b467a81d5569eb55b3359",
            "433ec138-d22b-467a-81d5569e-b55b3359",
            "433ec138-d22b-467a-81d5-569eb55b33590",
        ] {
            assert!(is_broken_uuid(broken), "{broken}");
        }
    }
}
