//! Messages in the log files that programs write themselves, where nothing names the program: which of the table's messages a
//! line may hold, found by a text that each of them has, behind words that are not looked at.

use std::sync::{Arc, OnceLock};

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use super::device;
use super::family::Family;
use super::heading::Heading;
use super::own_keys::Keys;
use super::row::{Body, Reads};
use super::table::BODIES;
use crate::context::Context;
use crate::messages::Messages;
use crate::needle::Head;
use crate::stamp::stamp;
use crate::template::LateBigrams;

/// Words in front of a message.
const WORDS_MAX: usize = 16;
/// Messages that one line may hold; with more it is none of them.
const CANDIDATES_MAX: usize = 64;

/// Bytes of a text that tells a message: one without such a text is read only where its program is named.
const KEY_BYTES_MIN: usize = 4;

/// Words of 64 lines each, of which those that are candidates are marked.
const MARKS: usize = 64;

/// A line of a family: numbers of the row in the table of programs and of the line in the family.
type OwnLine = (u16, u16);

#[derive(Debug)]
struct Index {
    keys: Keys,
    /// For each key, whose it is: places among the lines.
    known: Vec<Vec<u16>>,
    /// Lines that a key tells, in order.
    lines: Vec<OwnLine>,
    /// How the messages of each of these lines begin.
    heads: Vec<Head>,
}

/// Families that own files are looked through for.
pub(super) fn families() -> impl Iterator<Item = (usize, &'static Body, &'static Family)> {
    BODIES.iter().enumerate().filter(|(_, body)| body.has_own_file).filter_map(|(at, body)| match body.reads {
        Reads::Table(family) | Reads::Flows(family) => Some((at, body, family)),
        _ => None,
    })
}

fn index() -> Option<&'static Index> {
    static INDEX: OnceLock<Option<Index>> = OnceLock::new();
    let build = || {
        let mut keys: Vec<(Vec<u8>, Vec<OwnLine>)> = Vec::new();
        for (at, _, family) in families() {
            let is_told = |keys: &Vec<&[u8]>| !keys.is_empty() && keys.iter().all(|key| key.len() >= KEY_BYTES_MIN);
            let all = family
                .keys()
                .filter(|(_, keys)| is_told(keys))
                .flat_map(|(line, keys)| keys.into_iter().map(move |key| (line, key)));
            for (line, key) in all {
                let key = key.to_ascii_lowercase();
                match keys.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, known)) => known.push((at as u16, line as u16)),
                    None => keys.push((key, vec![(at as u16, line as u16)])),
                }
            }
        }
        let searched = Keys::new(keys.iter().map(|(key, _)| key.as_slice()))?;
        let mut lines: Vec<OwnLine> = keys.iter().flat_map(|(_, known)| known).copied().collect();
        lines.sort_unstable();
        lines.dedup();
        let place = |line: &OwnLine| lines.binary_search(line).ok().map(|at| at as u16);
        let known = keys.iter().map(|(_, known)| known.iter().filter_map(place).collect()).collect();
        let heads = lines.iter().map(|line| Head::new(head_of(*line))).collect();
        (lines.len() <= MARKS * 64).then_some(Index { keys: searched, known, lines, heads })
    };
    INDEX.get_or_init(build).as_ref()
}

/// The text with which the messages of a line begin, as far as all do.
fn head_of((body, line): OwnLine) -> &'static [u8] {
    match BODIES.get(usize::from(body)).map(|body| &body.reads) {
        Some(Reads::Table(family) | Reads::Flows(family)) => family.head(usize::from(line)),
        _ => b"",
    }
}

/// Puts a line of a program's own file, or a message that begins like one; names its kind of log.
pub(crate) fn put(rows: &mut BatchBuilder, context: &mut Context, text: &[u8]) -> Option<DatasetId> {
    put_among(candidates(text)?, rows, context, text)
}

/// As [`put`], where it is one of these messages.
pub(crate) fn put_of(
    messages: &Messages,
    rows: &mut BatchBuilder,
    context: &mut Context,
    text: &[u8],
) -> Option<DatasetId> {
    let mut places = [0; CANDIDATES_MAX];
    places.get_mut(..messages.0.len())?.copy_from_slice(&messages.0);
    put_among(Candidates { index: index()?, places, count: messages.0.len() }, rows, context, text)
}

/// As [`put`], where it is a message of the programs of this row.
pub(super) fn put_of_body(
    wanted: &'static Body,
    rows: &mut BatchBuilder,
    context: &mut Context,
    text: &[u8],
) -> Option<DatasetId> {
    let mut candidates = candidates(text)?;
    let is_of = |(row, _): OwnLine| BODIES.get(usize::from(row)).is_some_and(|body| std::ptr::eq(body, wanted));
    if candidates.keep(is_of) { put_among(candidates, rows, context, text) } else { None }
}

fn put_among(
    mut candidates: Candidates,
    rows: &mut BatchBuilder,
    context: &mut Context,
    text: &[u8],
) -> Option<DatasetId> {
    let mut bigrams = LateBigrams::default();
    let mut heading = Heading::default();
    let mut rest = text.trim_ascii_start();
    for word in 0..WORDS_MAX {
        // Loggers put times of their own in front of a program's.
        if let Some(stamp) = stamp(rest, &mut context.times) {
            heading.time = heading.time.or(stamp.time);
            heading.may_be_host = true;
            rest = stamp.rest;
        }
        // Tornado's `[W 2026-03-04 10:00:01.120 ServerApp]`, Ruby's `[2026-03-04T10:00:01.120 #99]`.
        if let [b'[', b'A'..=b'Z', b' ', inner @ ..] | [b'[', inner @ ..] = rest
            && let Some(stamp) = stamp(inner, &mut context.times)
        {
            heading.time = heading.time.or(stamp.time);
        }
        // vsftpd, whose names stand in brackets, too.
        if rest.starts_with(b"[pid ") {
            rest = heading.step(rest)?.trim_ascii_start();
        }
        if let Some((body, program)) = candidates.put(rows, (&heading, rest), &mut bigrams) {
            // Access lines have their time behind the client.
            let within = memchr(b'[', rest).filter(|_| heading.time.is_none() && body.dataset == dataset::ACCESS);
            heading.time = heading.time.or(within.and_then(|at| stamp(&rest[at..], &mut context.times)?.time));
            heading.put(rows, program);
            context.readers.program(body.programs);
            if !rows.has(field::MESSAGE) {
                rows.text(field::MESSAGE, rest);
            }
            return Some(body.dataset);
        }
        // Mostly the message stands right behind the time. Where it does not, only lines count that stand somewhere behind it.
        if word == 0 && !candidates.keep(|known| may_be_in(known, rest, &mut bigrams)) {
            return None;
        }
        rest = heading.step(rest)?.trim_ascii_start();
    }
    None
}

/// Messages of the table that a line may hold: places among the lines that a key tells.
#[derive(Debug)]
struct Candidates {
    index: &'static Index,
    places: [u16; CANDIDATES_MAX],
    count: usize,
}

/// `None`: no message of the table is in the line.
#[inline]
fn candidates(text: &[u8]) -> Option<Candidates> {
    let index = index()?;
    let mut marked = [0_u64; MARKS];
    // A bit for each word that has marks.
    let mut words = 0_u64;
    let mut count = 0;
    index.keys.each_in(text, |key| {
        for line in &index.known[usize::from(key)] {
            let (at, mark) = (usize::from(line / 64) % MARKS, 1 << (line % 64));
            words |= 1 << at;
            let word = &mut marked[at];
            count += usize::from(*word & mark == 0);
            *word |= mark;
        }
    });
    if count == 0 || count > CANDIDATES_MAX {
        return None;
    }
    let mut found = Candidates { index, places: [0; CANDIDATES_MAX], count: 0 };
    while words != 0 {
        let at = words.trailing_zeros();
        words &= words - 1;
        let mut rest = marked[at as usize % MARKS];
        while rest != 0 {
            found.places[found.count] = (at * 64 + rest.trailing_zeros()) as u16;
            found.count += 1;
            rest &= rest - 1;
        }
    }
    Some(found)
}

/// The messages of a program; `None` where the table has none, or too many.
pub(crate) fn messages_of(program: &str) -> Option<Messages> {
    let (row, _, family) = families().find(|(_, body, _)| body.programs.contains(&program))?;
    let is_of = |(body, line): OwnLine| usize::from(body) == row && family.is_written_by(usize::from(line), program);
    let places: Arc<[u16]> = (0..).zip(&index()?.lines).filter(|(_, line)| is_of(**line)).map(|(at, _)| at).collect();
    (1..=CANDIDATES_MAX).contains(&places.len()).then_some(Messages(places))
}

fn may_be_in((body, line): OwnLine, text: &[u8], known: &mut LateBigrams) -> bool {
    match BODIES.get(usize::from(body)).map(|body| &body.reads) {
        Some(Reads::Table(family) | Reads::Flows(family)) => family.may_be_in(usize::from(line), text, known),
        _ => false,
    }
}

impl Candidates {
    /// Whether some are left.
    fn keep(&mut self, mut wanted: impl FnMut(OwnLine) -> bool) -> bool {
        let mut kept = 0;
        for at in 0..self.count {
            if wanted(self.index.lines[usize::from(self.places[at])]) {
                self.places[kept] = self.places[at];
                kept += 1;
            }
        }
        self.count = kept;
        kept > 0
    }

    /// Puts the message where it is one of the candidates; names the row of its program, and the program.
    fn put(
        &self,
        rows: &mut BatchBuilder,
        (heading, message): (&Heading<'_>, &[u8]),
        bigrams: &mut LateBigrams,
    ) -> Option<(&'static Body, &'static str)> {
        let Index { lines, heads, .. } = self.index;
        let begins = |place: &&u16| heads[usize::from(**place)].begins(message);
        let line_at = |place: &u16| lines[usize::from(*place)];
        let mut rest = &self.places[..self.count];
        while let Some(next) = rest.iter().position(|place| begins(&place)) {
            let (at, _) = line_at(&rest[next]);
            let count = rest[next..].iter().take_while(|place| line_at(place).0 == at).count();
            let (of_body, others) = rest[next..].split_at(count);
            rest = others;
            let body = BODIES.get(usize::from(at))?;
            if heading.has_level() && !body.has_levels {
                continue;
            }
            let (Reads::Table(family) | Reads::Flows(family)) = body.reads else { continue };
            let of_body = of_body.iter().filter(begins).map(|place| usize::from(line_at(place).1));
            if let Some((_, line)) = family.put_among(rows, message, of_body, bigrams) {
                if matches!(body.reads, Reads::Flows(_)) {
                    device::settle_transport(rows);
                }
                let program =
                    if line.program.is_empty() && !family.is_collection() { body.programs[0] } else { line.program };
                return Some((body, program));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use event::{Block, Timestamp, json};

    use super::*;
    use crate::{Options, Parser};

    /// What a line of its own becomes, or `None`.
    fn read(put: impl FnOnce(&mut BatchBuilder, &mut Context) -> Option<DatasetId>) -> Option<String> {
        let mut parser = Parser::new(Options::default());
        let mut rows = BatchBuilder::new(Block::detached("x", b"x\n".to_vec(), Timestamp(1_790_000_000_000_000)), 1);
        let dataset = put(&mut rows, &mut parser.context)?;
        rows.end_row(0, dataset);
        let mut line = String::new();
        json::write_row(&rows.finish(Default::default()), 0, &mut line);
        Some(line)
    }

    #[test]
    fn a_program_that_is_named_says_what_it_says_unnamed() {
        let mut count = 0;
        for (_, body, _) in families() {
            let Some(messages) = messages_of(body.programs[0]) else { continue };
            let text = body.example.as_bytes();
            let named = read(|rows, context| put_of(&messages, rows, context, text));
            if named.is_some() {
                count += 1;
                assert_eq!(named, read(|rows, context| put(rows, context, text)), "{}", body.example);
            }
        }
        assert!(count > 40, "{count}");
        let other = messages_of("sftpgo").unwrap();
        assert_eq!(
            read(|rows, context| put_of(
                &other,
                rows,
                context,
                b"Failed login attempt for user \"a\" from ip 192.0.2.1"
            )),
            None
        );
    }
}
