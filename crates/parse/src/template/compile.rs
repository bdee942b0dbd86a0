//! Templates as written become the steps that read a message: parts are ways that split and meet again. Reads no messages.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use event::FieldId;

use super::bigrams::{Bigrams, BigramsOf};
use super::parts::{BadTemplate, CAPTURES_MAX, Follow, Move, Piece, Sought, Takes};
use super::syntax::Node;
use crate::needle::Head;

/// Pairs of bytes by which messages are told apart.
const PAIRS_MAX: usize = 10;

type Captures = Vec<(Option<FieldId>, Takes)>;

pub(super) fn compiled(nodes: &[Node]) -> Result<(Vec<Move>, Captures), BadTemplate> {
    let (mut steps, mut captures) = (Vec::new(), Vec::new());
    add(nodes, &mut steps, &mut captures);
    steps.push(Move::End);
    if captures.len() > CAPTURES_MAX {
        return Err(BadTemplate::TooMany);
    }
    for at in 0..steps.len() {
        if matches!(steps[at], Move::Capture(..)) {
            let mut follow = Follow::default();
            add_follow(&steps, at + 1, &mut follow)?;
            if let Move::Capture(_, told) = &mut steps[at] {
                *told = follow;
            }
        }
    }
    Ok((steps, captures))
}

fn add(nodes: &[Node], steps: &mut Vec<Move>, captures: &mut Captures) {
    for node in nodes {
        match node {
            Node::Piece(Piece::Literal(literal)) => steps.push(Move::Literal(Head::new(literal))),
            Node::Piece(Piece::Blanks) => steps.push(Move::Blanks),
            Node::Piece(Piece::Capture(id, kind)) => {
                steps.push(Move::Capture(captures.len(), Follow::default()));
                captures.push((*id, *kind));
            }
            Node::Part(parts) => {
                let split = steps.len();
                steps.push(Move::Split(Vec::new()));
                let (mut ways, mut jumps) = (Vec::new(), Vec::new());
                for part in parts {
                    ways.push(steps.len());
                    add(part, steps, captures);
                    jumps.push(steps.len());
                    steps.push(Move::Jump(0));
                }
                let meeting = steps.len();
                for jump in jumps {
                    steps[jump] = Move::Jump(meeting);
                }
                steps[split] = Move::Split(ways);
            }
        }
    }
}

/// The template's texts of at least so many bytes, to be found in one pass.
pub(super) fn marks(steps: &[Move], bytes_min: usize) -> Option<AhoCorasick> {
    let texts = steps.iter().filter_map(|step| match step {
        Move::Literal(literal) if literal.text().len() >= bytes_min => Some(literal.text()),
        _ => None,
    });
    AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(texts).ok()
}

/// Texts that every message has, one behind the other; without the one at its start.
pub(super) fn needed(steps: &[Move]) -> Vec<Sought> {
    let (mut at, mut needed) = (0, Vec::new());
    while let Some(step) = steps.get(at) {
        at = match step {
            Move::Literal(literal) => {
                if at > 0 {
                    needed.push(Sought::new(literal.text()));
                }
                at + 1
            }
            Move::Split(ways) => meeting(steps, ways),
            _ => at + 1,
        };
    }
    needed
}

/// Pairs of bytes that every message has.
pub(super) fn bigrams(steps: &[Move]) -> Bigrams {
    let (mut at, mut all) = (0, BigramsOf::default());
    while let Some(step) = steps.get(at) {
        at = match step {
            Move::Literal(literal) => {
                all.add(literal.text());
                at + 1
            }
            Move::Split(ways) => meeting(steps, ways),
            _ => at + 1,
        };
    }
    all.rarest(PAIRS_MAX)
}

/// Where one goes on behind jumps, for each step.
pub(super) fn landings(steps: &[Move]) -> Vec<usize> {
    let landing = |mut at: usize| {
        while let Some(Move::Jump(to)) = steps.get(at) {
            at = *to;
        }
        at
    };
    (0..steps.len()).map(landing).collect()
}

/// Where the ways of a split meet again.
pub(super) fn meeting(steps: &[Move], ways: &[usize]) -> usize {
    let last = ways.last().copied().unwrap_or(steps.len());
    let mut at = last;
    while let Some(step) = steps.get(at) {
        at = match step {
            Move::Jump(to) => return *to,
            Move::Split(ways) => meeting(steps, ways),
            _ => at + 1,
        };
    }
    at
}

/// Everything that may stand behind a capture.
fn add_follow(steps: &[Move], at: usize, follow: &mut Follow) -> Result<(), BadTemplate> {
    match steps.get(at) {
        Some(Move::Literal(literal)) => {
            if !follow.literals.iter().any(|known| known.text() == literal.text()) {
                follow.literals.push(Sought::new(literal.text()));
            }
        }
        Some(Move::Blanks) => follow.anywhere = true,
        Some(Move::Capture(..)) => return Err(BadTemplate::Adjacent),
        Some(Move::Jump(to)) => return add_follow(steps, *to, follow),
        Some(Move::Split(ways)) => {
            for way in ways {
                add_follow(steps, *way, follow)?;
            }
        }
        Some(Move::End) | None => follow.end = true,
    }
    Ok(())
}
