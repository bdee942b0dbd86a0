//! After the members of an event stand in their columns: its shape says what they mean, and a text that it carries is read on
//! by the ordinary formats. For JSON, key=value, CEF and LEEF alike.

mod convert;
mod first;
mod guess;
mod inside;
pub(crate) mod names;
pub(crate) mod places;
mod plan;
mod run;
mod stamp;
pub(crate) mod unknown;

use event::builder::ValueNow;
use event::catalog::field;
use event::{BatchBuilder, DatasetId, FieldId, dataset};

use crate::address::{put_endpoint, put_peer};
use crate::body::{self, own};
use crate::context::Context;
use crate::needle::{find_byte, is_pair_name};
use crate::syslog::{self, Program};

pub(crate) use convert::time;

/// Settles the event whose members were put last. `None`: it has no known shape, and what can be guessed was.
pub(crate) fn finish(context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    let Context { names, times, .. } = context;
    let Some(at) = names.choose(rows) else {
        names.guess(times, rows);
        names.count_unknown();
        put_category(rows);
        return None;
    };
    names.run(at, times, rows);
    context.readers.shape(&context.names.places.shapes().shapes()[at].about.name);
    put_client(context, rows);
    put_category(rows);
    let names = &context.names;
    let block = rows.buffer();
    let Some((text, program)) = names.carried(at, rows, &block) else { return Some(names.settle(at, rows)) };
    let text = text.trim_ascii_end();
    if names.has_only_lines(at) && !has_header(text) {
        let Context { names, times, .. } = context;
        names.guess(times, rows);
        names.count_unknown();
        return None;
    }
    let own = OwnWords::of(rows);
    let dataset = match names.is_of_any_program(at) {
        true => put_logged(at, text, context, rows),
        false => put_carried(at, (text, &program), context, rows),
    };
    if let Some(own) = own {
        own.put_back(rows);
    }
    Some(dataset)
}

/// What the members of an event say of who did it: whoever wrote the text that the event carries is believed less.
struct OwnWords {
    source: Option<String>,
    port: Option<i64>,
    user: Option<String>,
}

impl OwnWords {
    /// `None` where they say nothing.
    fn of(rows: &BatchBuilder) -> Option<Self> {
        if !rows.has(field::SOURCE_IP) && !rows.has(field::USER_NAME) {
            return None;
        }
        let port = match rows.value_now(field::SOURCE_PORT) {
            Some(ValueNow::Number(port)) => Some(port),
            _ => None,
        };
        Some(OwnWords { source: text_now(field::SOURCE_IP, rows), port, user: text_now(field::USER_NAME, rows) })
    }

    /// Puts them in the place of what the text says.
    fn put_back(&self, rows: &mut BatchBuilder) {
        if let Some(own) = &self.source
            && text_now(field::SOURCE_IP, rows).as_ref() != Some(own)
        {
            put_peer(rows, own.as_bytes());
            // The port that the text says is that of the other address.
            rows.take_out(field::SOURCE_PORT);
            if let Some(port) = self.port {
                rows.long(field::SOURCE_PORT, port);
            }
        }
        if let Some(own) = &self.user
            && text_now(field::USER_NAME, rows).as_ref() != Some(own)
        {
            rows.owned(field::USER_NAME, own);
        }
    }
}

fn text_now(id: FieldId, rows: &BatchBuilder) -> Option<String> {
    let mut text = String::new();
    rows.text_now(id, &mut text).then_some(text)
}

/// Reads the text that the event of a product or of a wrapper carries.
fn put_carried(
    at: usize,
    (text, program): (&[u8], &[u8]),
    context: &mut Context,
    rows: &mut BatchBuilder,
) -> DatasetId {
    let read = if !program.is_empty() {
        let read = syslog::put_message(rows, &Program { name: program, pid: None }, text, context);
        // A program of no known family may write lines of a known format.
        Some(if read == dataset::SYSLOG { context.read_said(text, rows).unwrap_or(read) } else { read })
    } else if context.names.tells_product(at) {
        // What another program would write is somebody's words, which the product quotes.
        match begins_with_member(text) {
            true => context.read_said_surely(text, rows),
            false => context.names.product(at).and_then(|messages| own::put_of(&messages, rows, context, text)),
        }
    } else {
        context.read_carried(text, rows)
    };
    match read {
        // What the text is, too, has no known shape.
        Some(dataset::JSON) if !rows.is_dataset_named() => context.names.settle(at, rows),
        // The product of the shape says more than what its text is like.
        Some(dataset::WEBAPP | dataset::SERVICE) if context.names.tells_product(at) => context.names.settle(at, rows),
        Some(dataset) => dataset,
        None => {
            rows.text(field::MESSAGE, text);
            context.names.settle(at, rows)
        }
    }
}

/// A message that came by a library for logs: a line of a program that is known, or anybody's. Of the latter, keys and message
/// are guessed at, and the event is counted among those that nobody described.
fn put_logged(at: usize, text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> DatasetId {
    rows.text(field::MESSAGE, text);
    // Its own header says more of a line than what stands behind it.
    if has_header(text)
        && let Some(dataset) = context.read_carried(text, rows)
    {
        return dataset;
    }
    match body::put_logged(rows, context, text) {
        Some(dataset) if dataset != dataset::JSON || rows.is_dataset_named() => dataset,
        read => {
            if read.is_none() {
                crate::guess::put(rows, text);
                context.names.count_unknown();
            }
            context.names.settle(at, rows)
        }
    }
}

/// Whether a text begins with a name and its value, which are no prose.
fn begins_with_member(text: &[u8]) -> bool {
    text.first() == Some(&b'{') || find_byte(b'=', text).is_some_and(|at| is_pair_name(&text[..at]))
}

/// Whether a text begins as lines of syslog do: with a priority, or with the name of a month.
fn has_header(text: &[u8]) -> bool {
    const MONTHS: [&[u8; 4]; 12] =
        [b"Jan ", b"Feb ", b"Mar ", b"Apr ", b"May ", b"Jun ", b"Jul ", b"Aug ", b"Sep ", b"Oct ", b"Nov ", b"Dec "];
    matches!(text, [b'<', b'0'..=b'9', ..]) || text.first_chunk::<4>().is_some_and(|start| MONTHS.contains(&start))
}

/// Words by which products speak of logins, and in each of them a letter that few other words have.
const LOGIN_WORDS: &[(&[u8], usize)] = &[
    (b"login", 2),
    (b"log in", 2),
    (b"logon", 2),
    (b"logged in", 2),
    (b"loggedin", 2),
    (b"signin", 2),
    (b"sign in", 2),
    (b"sign-in", 2),
    (b"authenticat", 3),
    (b"session.start", 7),
];

/// Whether the two letters in front of this place are such as stand there in one of the words: most places are told by them.
#[inline]
fn follows_login_letters(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(2).and_then(|from| text.get(from..at));
    before.is_some_and(|before| {
        matches!([before[0] | 0x20, before[1] | 0x20], [b'l', b'o'] | [b's', b'i'] | [b'u', b't'] | [b'o', b'n'])
    })
}

/// Places that are looked at together, and the letters behind the last of them that are looked at, too.
const LETTERS: usize = 64;
const LETTERS_BEHIND: usize = 4;

/// A part of a text, and what follows it.
type Letters = [u8; LETTERS + LETTERS_BEHIND];

/// Whether the mark of a word with the two letters in front of it may begin at one of the first places. Compiled to steps of many
/// letters at once.
#[inline]
fn has_mark(text: &Letters) -> bool {
    let mut found = 0;
    for at in 0..LETTERS {
        let (first, second, third) = (text[at] | 0x20, text[at + 1] | 0x20, text[at + 2] | 0x20);
        let is_before_g = (first == b'l') & (second == b'o') | (first == b's') & (second == b'i');
        let is_mark = is_before_g & (third == b'g')
            | (first == b'u') & (second == b't') & (third == b'h')
            | (first == b'o') & (second == b'n') & (third == b'.');
        found |= u8::from(is_mark);
    }
    found != 0
}

/// As [`has_mark`], with the two letters that follow the mark.
#[inline(never)]
fn has_mark_within(text: &Letters) -> bool {
    let mut found = 0;
    for at in 0..LETTERS {
        let letter = |behind: usize| text[at + behind] | 0x20;
        let is_log = (letter(0) == b'l') & (letter(1) == b'o') & (letter(2) == b'g');
        let behind_log = ((letter(3) == b'i') | (letter(3) == b'o')) & (letter(4) == b'n')
            | (letter(3) == b' ') & (letter(4) == b'i')
            | (letter(3) == b'g') & (letter(4) == b'e');
        let is_sign = (letter(0) == b's') & (letter(1) == b'i') & (letter(2) == b'g') & (letter(3) == b'n');
        let is_auth = (letter(0) == b'u') & (letter(1) == b't') & (letter(2) == b'h') & (letter(3) == b'e');
        let is_start = (letter(0) == b'o') & (letter(1) == b'n') & (letter(2) == b'.') & (letter(3) == b's');
        found |= u8::from(is_log & behind_log | is_sign | is_auth | is_start);
    }
    found != 0
}

fn speaks_of_login(text: &[u8]) -> bool {
    (0..text.len()).step_by(LETTERS).any(|from| {
        let rest = &text[from..];
        let mut padded = [0; LETTERS + LETTERS_BEHIND];
        let letters = rest.first_chunk().unwrap_or_else(|| {
            padded[..rest.len()].copy_from_slice(rest);
            &padded
        });
        // The first of the letters stands two in front of the mark.
        has_mark(letters) && has_mark_within(letters) && (from..from + LETTERS).any(|at| is_login_word(text, at + 2))
    })
}

/// Whether the letter here is the mark of a word.
#[inline]
fn is_login_word(text: &[u8], at: usize) -> bool {
    let Some(letter) = text.get(at).map(u8::to_ascii_lowercase) else { return false };
    matches!(letter, b'g' | b'h' | b'.') && follows_login_letters(text, at) && {
        LOGIN_WORDS.iter().filter(|(word, mark)| word[*mark] == letter).any(|(word, mark)| {
            let start = at.checked_sub(*mark);
            let found = start.and_then(|start| text.get(start..start + word.len()));
            found.is_some_and(|found| found.eq_ignore_ascii_case(word))
        })
    }
}

/// An event that says how something ended, and speaks of a login, is about one.
fn put_category(rows: &mut BatchBuilder) {
    if rows.has(field::EVENT_CATEGORY) || !rows.has(field::EVENT_OUTCOME) {
        return;
    }
    let is_login = [field::EVENT_ACTION, field::MESSAGE]
        .into_iter()
        .any(|id| rows.value_now(id).as_ref().and_then(ValueNow::text).is_some_and(speaks_of_login));
    if is_login {
        rows.literal(field::EVENT_CATEGORY, "authentication");
    }
}

/// Where proxies of ours wrote a list of addresses, the client is the one that they vouch for.
fn put_client(context: &Context, rows: &mut BatchBuilder) {
    if context.proxies.is_empty() {
        return;
    }
    let (mut peer, mut list) = (String::new(), String::new());
    if rows.text_now(field::SOURCE_IP, &mut peer) && rows.text_now(field::NETWORK_FORWARDED_IP, &mut list) {
        let client = context.proxies.client(peer.as_bytes(), list.as_bytes());
        if client != peer.as_bytes() {
            // The port is that of the proxy.
            rows.take_out(field::SOURCE_PORT);
            put_endpoint(rows, client);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_the_words_that_a_plain_search_finds(text in "((?i)log|on|in|ged|sign|auth|enticat|session|start|[ .x-]){0,60}") {
            let text = text.as_bytes();
            let stands = |word: &[u8]| text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
            prop_assert_eq!(speaks_of_login(text), LOGIN_WORDS.iter().any(|(word, _)| stands(word)));
        }
    }

    #[test]
    fn an_event_says_more_of_who_did_it_than_the_text_that_it_carries() {
        let sshd = "Mar  4 10:00:01 bastion sshd[99]: Failed password for root from 192.0.2.66 port 4000 ssh2";
        let login = "Failed login attempt for user victim from ip address 192.0.2.66";
        for (line, source, user) in [
            (
                format!(
                    r#"{{"message":"{login}","ecs.version":"8","source":{{"ip":"203.0.113.7","port":7}},"user":{{"name":"ann"}},"event":{{"action":"x"}}}}"#
                ),
                "203.0.113.7",
                "ann",
            ),
            (
                format!(
                    r#"{{"time":"2026-03-04T10:00:01Z","client_ip":"203.0.113.7","user":"ann","message":"{login}"}}"#
                ),
                "203.0.113.7",
                "ann",
            ),
            (
                format!(
                    r#"{{"reqId":"r","level":2,"time":"2026-03-04T10:00:01+00:00","remoteAddr":"203.0.113.7","user":"ann","app":"core","message":"{sshd}"}}"#
                ),
                "203.0.113.7",
                "ann",
            ),
            (format!(r#"{{"log_level":"INFO","message":"{sshd}"}}"#), "192.0.2.66", "root"),
        ] {
            let block = event::Block::detached("x", line.clone().into_bytes(), event::Timestamp(1_790_000_000_000_000));
            let batch = crate::Parser::new(crate::Options::default()).parse(block);
            let mut text = String::new();
            event::json::write_row(&batch, 0, &mut text);
            let found: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(
                (found["source.ip"].as_str(), found["user.name"].as_str()),
                (Some(source), Some(user)),
                "{text}"
            );
        }
    }

    #[test]
    fn words_of_logins_are_found_wherever_they_stand() {
        for (word, mark) in LOGIN_WORDS {
            assert!(follows_login_letters(word, *mark), "{}", String::from_utf8_lossy(word));
            for text in [[b"a ", *word, b"s"].concat(), word.to_ascii_uppercase()] {
                assert!(speaks_of_login(&text), "{}", String::from_utf8_lossy(&text));
            }
        }
        assert!(!speaks_of_login(b"g h . so long, high. logic sign"));
        for before in 0..2 * LETTERS {
            for (word, _) in LOGIN_WORDS {
                let text = [&vec![b'o'; before], *word].concat();
                assert!(speaks_of_login(&text), "{}", String::from_utf8_lossy(&text));
                assert!(!speaks_of_login(&text[..text.len() - 1]), "a part of {}", String::from_utf8_lossy(&text));
            }
        }
    }
}
