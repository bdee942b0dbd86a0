//! Messages in the log files that programs write themselves, where nothing names the program: which of the table's messages a
//! line may hold, found by a text that each of them has, behind words that are not looked at.

use std::sync::OnceLock;

use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use super::device;
use super::family::Family;
use super::heading::Heading;
use super::row::{Body, Reads};
use super::table::BODIES;
use crate::context::Context;
use crate::stamp::stamp;
use crate::template::LateBigrams;

/// Words in front of a message.
const WORDS_MAX: usize = 16;
/// Messages that one line may hold; with more it is none of them.
const CANDIDATES_MAX: usize = 64;

/// Bytes of a text that tells a message: one without such a text is read only where its program is named.
const KEY_BYTES_MIN: usize = 4;

/// A line of a family: numbers of the row in the table of programs and of the line in the family.
type OwnLine = (u16, u16);

#[derive(Debug)]
struct Index {
    keys: DFA,
    /// For each key, whose it is.
    known: Vec<Vec<OwnLine>>,
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
        let automaton = DFA::builder().ascii_case_insensitive(true).build(keys.iter().map(|(key, _)| key)).ok()?;
        Some(Index { keys: automaton, known: keys.into_iter().map(|(_, known)| known).collect() })
    };
    INDEX.get_or_init(build).as_ref()
}

/// Puts a line of a program's own file, or a message that begins like one; names its kind of log.
pub(crate) fn put(rows: &mut BatchBuilder, context: &mut Context, text: &[u8]) -> Option<DatasetId> {
    let mut bigrams = LateBigrams::default();
    let candidates = candidates(text, &mut bigrams)?;
    let mut heading = Heading::default();
    let mut rest = text.trim_ascii_start();
    for _ in 0..WORDS_MAX {
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
        if let Some((body, program)) = candidates.put(rows, rest, &mut bigrams) {
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
        rest = heading.step(rest)?.trim_ascii_start();
    }
    None
}

/// Messages of the table that a line may hold.
#[derive(Debug)]
struct Candidates {
    known: [OwnLine; CANDIDATES_MAX],
    count: usize,
}

/// `None`: no message of the table is in the line.
#[inline]
fn candidates(text: &[u8], bigrams: &mut LateBigrams) -> Option<Candidates> {
    let index = index()?;
    let mut found = Candidates { known: [(0, 0); CANDIDATES_MAX], count: 0 };
    let keys = &index.keys;
    let mut state = keys.start_state(Anchored::No).ok()?;
    for byte in text {
        state = keys.next_state(Anchored::No, state, *byte);
        // Of the states that are told apart, those that end keys are alone here.
        if !keys.is_special(state) || !keys.is_match(state) {
            continue;
        }
        for key in 0..keys.match_len(state) {
            for known in &index.known[keys.match_pattern(state, key).as_usize()] {
                if found.known[..found.count].contains(known) {
                    continue;
                }
                *found.known.get_mut(found.count)? = *known;
                found.count += 1;
            }
        }
    }
    found.keep(|known| may_be_in(known, text, bigrams));
    found.known[..found.count].sort_unstable();
    (found.count > 0).then_some(found)
}

fn may_be_in((body, line): OwnLine, text: &[u8], known: &mut LateBigrams) -> bool {
    match BODIES.get(usize::from(body)).map(|body| &body.reads) {
        Some(Reads::Table(family) | Reads::Flows(family)) => family.may_be_in(usize::from(line), text, known),
        _ => false,
    }
}

impl Candidates {
    fn keep(&mut self, mut wanted: impl FnMut(OwnLine) -> bool) {
        let mut kept = 0;
        for at in 0..self.count {
            if wanted(self.known[at]) {
                self.known[kept] = self.known[at];
                kept += 1;
            }
        }
        self.count = kept;
    }

    /// Puts the message where it is one of the candidates; names the row of its program, and the program.
    fn put(
        &self,
        rows: &mut BatchBuilder,
        message: &[u8],
        bigrams: &mut LateBigrams,
    ) -> Option<(&'static Body, &'static str)> {
        let mut rest = &self.known[..self.count];
        while let Some((at, _)) = rest.first() {
            let count = rest.iter().take_while(|(body, _)| body == at).count();
            let (lines, others) = rest.split_at(count);
            rest = others;
            let body = BODIES.get(usize::from(*at))?;
            let (Reads::Table(family) | Reads::Flows(family)) = body.reads else { continue };
            let lines = lines.iter().map(|(_, line)| usize::from(*line));
            if let Some((_, line)) = family.put_among(rows, message, lines, bigrams) {
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
