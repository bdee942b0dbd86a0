//! Attacks: every payload of `crates/xtask/quality/attacks.txt` in every encoding that suits its class, in every place
//! where its class occurs.

use crate::quality::encode::ENCODINGS;
use crate::quality::sample::{Attack, Labelled, Random};

const PAYLOADS: &str = include_str!("../../quality/attacks.txt");

const WORDS: [&str; 16] = [
    "alpha", "test", "item", "xqz", "user1", "bravo", "news", "mno", "cat1", "kilo", "page", "q7w", "zeta", "foo",
    "abc", "node",
];
const TABLES: [&str; 10] =
    ["users", "accounts", "members", "wp_users", "orders", "passwd", "customers", "admin", "login", "sessions"];
const HOSTS: [&str; 5] = ["evil.example", "203.0.113.66", "x.attacker.test", "cdn.bad.example", "198.51.100.7"];
const NAMES: [&str; 14] =
    ["q", "id", "search", "file", "page", "name", "cat", "item", "u", "s", "lang", "host", "input", "data"];
const AGENT: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36";

/// Fills the slots of a payload.
fn filled(payload: &str, random: &mut Random) -> String {
    let mut out = String::new();
    let mut rest = payload;
    let number = (1 + random.below(9998)).to_string();
    let word = random.one_of(&WORDS);
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        let slot = rest[at..].find('}').map(|end| &rest[at..=at + end]);
        let value = match slot {
            Some("{n}") => number.clone(),
            Some("{w}") => word.to_owned(),
            Some("{t}") => random.one_of(&TABLES).to_owned(),
            Some("{h}") => random.one_of(&HOSTS).to_owned(),
            Some("{ip}") => format!("203.0.113.{}", 1 + random.below(250)),
            Some("{crlf}") => "\r\n".to_owned(),
            Some("{z}") => "\0".to_owned(),
            _ => {
                out.push('{');
                rest = &rest[at + 1..];
                continue;
            }
        };
        out.push_str(&value);
        rest = &rest[at + slot.map_or(1, str::len)..];
    }
    out + rest
}

fn line(target: &str, referer: &str, agent: &str, status: u16, random: &mut Random) -> String {
    let bytes = 200 + random.below(40_000);
    let quoted = |text: &str| text.replace('\\', "\\x5C").replace('"', "\\x22");
    format!(
        "203.0.113.{} - - [24/Nov/2026:10:{:02}:{:02} +0000] \"GET {target} HTTP/1.1\" {status} {bytes} \"{}\" \"{}\"",
        random.below(256),
        random.below(60),
        random.below(60),
        quoted(referer),
        quoted(agent)
    )
}

/// A line with the payload in one place. `written` is how it stands in a request, `meant` what it means.
pub(crate) fn placed(place: &str, name: &str, written: &str, meant: &str, random: &mut Random) -> String {
    let status = [200, 200, 404, 403, 500][random.below(5)];
    let pair = format!("{name}={}", written.replace('&', "%26"));
    match place {
        "query" if random.below(2) == 0 => line(&format!("/app/view?{pair}"), "-", AGENT, status, random),
        "query" => line(&format!("/index.php?lang=en&{pair}&page=2"), "-", AGENT, status, random),
        "path" => line(&format!("/items/{}", written.replace('?', "%3f")), "-", AGENT, status, random),
        "referer" => line("/", &format!("https://www.example.org/a?{pair}"), AGENT, status, random),
        "agent" => line("/", "-", &meant.replace(['\r', '\n'], " "), status, random),
        _ => line(written, "-", AGENT, [404, 403, 200][random.below(3)], random),
    }
}

/// The name of the parameter that a payload brings along, and the rest of it.
pub(crate) fn own_name(payload: &str) -> Option<(&str, &str)> {
    let (name, value) = payload.split_once('=')?;
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '$');
    (begins && is_name(name)).then_some((name, value))
}

fn is_name(text: &str) -> bool {
    text.len() < 24 && text.chars().all(|each| each.is_ascii_alphanumeric() || "_-$[].".contains(each))
}

/// Every attack, `variants` times with other fillings.
pub(crate) fn generate(random: &mut Random, variants: usize, take: &mut impl FnMut(Labelled)) {
    let mut class = "";
    let mut places: Vec<&'static str> = Vec::new();
    for text in PAYLOADS.lines().filter(|text| !text.starts_with("# ") && !text.is_empty()) {
        if let Some((name, list)) = text.strip_prefix('[').and_then(|rest| rest.split_once("] ")).filter(|(name, _)| {
            name.chars().all(|each| each.is_ascii_lowercase() || each == '-' || each.is_ascii_digit())
        }) {
            class = name;
            places = list.split(' ').collect();
            continue;
        }
        for _ in 0..variants {
            one(class, &places, text, random, take);
        }
    }
}

fn one(
    class: &'static str,
    places: &[&'static str],
    text: &'static str,
    random: &mut Random,
    take: &mut impl FnMut(Labelled),
) {
    let payload = filled(text, random);
    let mut give = |line: String, encoding: &'static str, place: &'static str| {
        let attack = Attack { class, family: text, is_held_out: false, encoding, place };
        take(Labelled { line, attack: Some(attack) });
    };
    match places.first().copied() {
        Some("agent-only") => give(line("/", "-", &payload, 200, random), "plain", "agent"),
        Some("line") => {
            let line = format!("203.0.113.{} - - [24/Nov/2026:10:00:00 +0000] {payload}", random.below(256));
            give(line, "plain", "line");
        }
        Some("target") => {
            for (encoding, written) in [("plain", payload.clone()), ("mixed case", mixed(&payload, class, random))] {
                give(line(&written, "-", AGENT, 200, random), encoding, "target");
            }
        }
        _ => {
            for encoding in ENCODINGS.iter().filter(|encoding| encoding.suits(class)) {
                let (name, value) = own_name(&payload).unwrap_or((random.one_of(&NAMES), &payload));
                let written = (encoding.write)(value, random);
                for place in places {
                    // User agents are not decoded by anybody: only what needs no decoding stands there.
                    if *place == "agent" && encoding.name != "plain" {
                        continue;
                    }
                    // A raw line break ends a request; a server resolves plain steps itself.
                    give(placed(place, name, &written, &payload, random), encoding.name, place);
                }
            }
        }
    }
}

/// Paths are the same to servers that do not care for case.
fn mixed(payload: &str, class: &str, random: &mut Random) -> String {
    if matches!(class, "known-exploit" | "webshell") {
        return payload.to_owned();
    }
    payload.chars().map(|each| if random.below(3) == 0 { each.to_ascii_uppercase() } else { each }).collect()
}
