//! Every table of messages is read back with forged words in each text that a client may write: source and account are the true
//! ones or none.

use event::catalog::{Field, field};
use event::{Block, EventBatch, Timestamp};
use proptest::prelude::*;

use super::family::{CodeTable, Family, Mention, Which};
use super::row::Reads;
use super::{asa_table, bodies, ios_table};
use crate::template::spelled::sequences;
use crate::template::{Piece, Takes, Template};

const TRUE_SOURCE: &str = "192.0.2.32";
const FORGED_SOURCE: &str = "203.0.113.151";
const TRUE_USER: &str = "carla";

/// Tables that stand behind code.
static OTHERS: [(&str, &Family); 6] = [
    ("dropbear", &super::dropbear::DROPBEAR),
    ("login", &super::session::LOGIN),
    ("sshd", &super::sshd_lines::LINES),
    ("login(pam_example)", &super::pam_lines::LINES),
    ("cron", &super::cron::LINES),
    ("useradd", &super::accounts::LINES),
];

/// The families of a table, each under one of its codes.
fn once_each(
    table: &'static CodeTable,
) -> impl Iterator<Item = (&'static &'static [u8], &'static std::sync::Arc<Family>)> {
    let mut seen = Vec::new();
    table.families().iter().filter(move |(_, family)| {
        let is_new = !seen.contains(&std::sync::Arc::as_ptr(family));
        seen.push(std::sync::Arc::as_ptr(family));
        is_new
    })
}

/// Program and family.
fn families() -> impl Iterator<Item = (String, &'static Family)> {
    let tables = bodies().filter_map(|body| match body.reads {
        Reads::Table(family) | Reads::Flows(family) => Some((body.programs[0].to_owned(), family)),
        _ => None,
    });
    let name = |code: &[u8]| String::from_utf8_lossy(code).into_owned();
    let (firewalls, routers) = (once_each(&asa_table::CODES), once_each(&ios_table::CODES));
    let routers = routers.map(move |(code, family)| match code.contains(&b'-') {
        true => (format!("%{}", name(code)), &**family),
        false => (format!("%X-5-{}", name(code)), &**family),
    });
    let others = OTHERS.iter().map(|(program, family)| ((*program).to_owned(), *family));
    tables
        .chain(others)
        .chain(firewalls.map(move |(code, family)| (format!("%ASA-4-{}", name(code)), &**family)))
        .chain(routers)
}

fn parsed(program: &str, message: &str) -> EventBatch {
    let line = format!("<34>1 2026-03-04T10:00:01Z host {program} - - - {message}");
    let block = Block::detached("forgery", line.into_bytes(), Timestamp(1_790_000_000_000_000));
    crate::Parser::new(crate::Options::default()).parse(block)
}

fn text(batch: &EventBatch, id: event::FieldId) -> Option<&str> {
    batch.text(id)?.str(0)
}

/// A message of the template: truth where the program writes, `words` in turn where a client does.
fn written(pieces: &[Piece], words: &[String]) -> (String, Option<String>) {
    let mut words = words.iter().cycle();
    let mut message = String::new();
    let mut user = None;
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => message.push_str(&String::from_utf8_lossy(literal)),
            Piece::Blanks => message.push(' '),
            Piece::Capture(id, kind) => {
                let value = match kind {
                    Takes::Ip | Takes::Peer | Takes::Clients if *id == Some(field::SOURCE_IP) => TRUE_SOURCE.to_owned(),
                    Takes::Ip | Takes::Clients => "198.51.100.9".to_owned(),
                    Takes::Host | Takes::Peer => "mail.example".to_owned(),
                    Takes::Name => "name".to_owned(),
                    Takes::Number => "42".to_owned(),
                    Takes::Word => format!("w{}", words.next().unwrap().replace([' ', '\t'], "_")),
                    Takes::Own => "own words".to_owned(),
                    Takes::Text => words.next().unwrap().clone(),
                };
                if *id == Some(field::USER_NAME) {
                    user = Some(value.clone());
                }
                message.push_str(&value);
            }
        }
    }
    (message, user)
}

/// Pieces of all messages of a family with a forged address and account in them, plain words, and nothing.
fn forged_words(family: &Family) -> Vec<String> {
    let mut words: Vec<String> = ["bob", "", "x y", FORGED_SOURCE, "a]b", "\"", "("].map(str::to_owned).to_vec();
    for pieces in texts(family).flat_map(|text| sequences(text).unwrap().into_iter().take(2)) {
        let mut message = String::new();
        let mut tails = Vec::new();
        for piece in &pieces {
            tails.push(message.len());
            match piece {
                Piece::Literal(literal) => message.push_str(&String::from_utf8_lossy(literal)),
                Piece::Blanks => message.push(' '),
                Piece::Capture(_, Takes::Ip | Takes::Peer | Takes::Clients) => message.push_str(FORGED_SOURCE),
                Piece::Capture(_, Takes::Number) => message.push('7'),
                Piece::Capture(..) => message.push_str("mallory"),
            }
        }
        words.extend(tails.iter().map(|at| message[*at..].to_owned()));
        words.extend(tails.iter().map(|at| format!("x{} y", &message[*at..])));
        words.extend(tails.iter().map(|at| message[..*at].to_owned()));
    }
    words.sort();
    words.dedup();
    words
}

fn texts(family: &Family) -> impl Iterator<Item = &'static str> {
    family.lines.iter().map(|line| line.text).chain(family.mentions.iter().map(|mention| mention.text))
}

fn assert_true(batch: &EventBatch, message: &str, user: Option<&str>) {
    for id in [field::SOURCE_IP, field::SOURCE_ADDRESS, field::SOURCE_DOMAIN] {
        let found = text(batch, id);
        assert!(found.is_none_or(|found| found == TRUE_SOURCE || found == "mail.example"), "{message}\n{found:?}");
    }
    if let Some(user) = user {
        let found = text(batch, field::USER_NAME);
        assert!(found.is_none_or(|found| found.trim() == user.trim()), "{message}\n{found:?} for {user:?}");
    }
}

#[test]
fn every_text_is_a_template_and_every_line_is_read_by_its_own() {
    let mut wrong = Vec::new();
    for (program, family) in families() {
        for text in texts(family) {
            if let Err(error) = Template::read(text).and(sequences(text)) {
                wrong.push(format!("{program}: {text}: {error}"));
            }
        }
        for mention in family.mentions {
            if Template::read(mention.text).is_ok_and(|template| template.head().is_empty()) {
                wrong.push(format!("{program}: {} begins with a capture", mention.text));
            }
        }
        let spelled =
            family.lines.iter().flat_map(|line| sequences(line.text).into_iter().flatten().map(move |it| (line, it)));
        for (line, pieces) in spelled {
            let (message, _) = written(&pieces, &[TRUE_USER.to_owned()]);
            let batch = parsed(&program, &message);
            let has = |id| pieces.iter().any(|piece| matches!(piece, Piece::Capture(known, _) if *known == Some(id)));
            for id in [field::SOURCE_IP, field::USER_NAME].into_iter().filter(|id| has(*id)) {
                if text(&batch, id).is_none() {
                    let name = Field::of(id).unwrap().name;
                    wrong.push(format!("{program}: {message}: another line hides {name} of {}", line.text));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One of the sequences of a template.
fn picked(text: &str, pick: &prop::sample::Index) -> Vec<Piece> {
    let all = sequences(text).unwrap();
    all[pick.index(all.len())].clone()
}

/// A mention in a text, with a client's words where it may write them.
fn mentioned(mention: &Mention, pieces: &[Piece], word: &str) -> String {
    let (place, _) = written(pieces, &[TRUE_USER.to_owned()]);
    match mention.which {
        Which::First => format!("«said» {place} {word}"),
        Which::Last => format!("«said» {word} {place}"),
        Which::Only => format!("«said» {word} {place} {word}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_clients_words_never_become_source_or_account(picks in prop::collection::vec(any::<prop::sample::Index>(), 3)) {
        for (program, family) in families() {
            let forged = forged_words(family);
            let words: Vec<String> = picks.iter().map(|pick| forged[pick.index(forged.len())].clone()).collect();
            for line in family.lines {
                let pieces = picked(line.text, &picks[0]);
                let (message, user) = written(&pieces, &words);
                assert_true(&parsed(&program, &message), &message, user.as_deref());
            }
            for mention in family.mentions {
                let message = mentioned(mention, &picked(mention.text, &picks[0]), &words[0]);
                assert_true(&parsed(&program, &message), &message, None);
            }
        }
    }
}

/// A sample of all lines with forged words, so that a table's weak lines are listed together.
#[test]
fn no_line_takes_a_clients_words_for_its_source_or_account() {
    let mut seed = 7_usize;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut wrong = std::collections::BTreeMap::new();
    for (program, family) in families() {
        let forged = forged_words(family);
        for line in family.lines {
            let all = sequences(line.text).unwrap();
            for _ in 0..40 {
                let words: Vec<String> = (0..3).map(|_| forged[next(forged.len())].clone()).collect();
                let (message, user) = written(&all[next(all.len())], &words);
                let batch = parsed(&program, &message);
                let (source, name) = (text(&batch, field::SOURCE_ADDRESS), text(&batch, field::USER_NAME));
                let is_true = source.is_none_or(|source| source == TRUE_SOURCE || source == "mail.example")
                    && user.as_deref().is_none_or(|user| name.is_none_or(|name| name.trim() == user.trim()));
                if !is_true {
                    wrong.entry(line.text).or_insert(format!("{program}: {message}\n    {source:?} {name:?}"));
                }
            }
        }
    }
    let list: Vec<_> = wrong.iter().map(|(line, found)| format!("{line}\n    {found}")).collect();
    assert!(list.is_empty(), "{}", list.join("\n"));
}
