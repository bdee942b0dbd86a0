//! Templates as written become the steps that read a message: parts are ways that split and meet again. Reads no messages.

use event::FieldId;

use super::syntax::Node;
use super::{BadTemplate, CAPTURES_MAX, Follow, Kind, Piece, Step};

type Captures = Vec<(Option<FieldId>, Kind)>;

pub(super) fn compiled(nodes: &[Node]) -> Result<(Vec<Step>, Captures), BadTemplate> {
    let (mut steps, mut captures) = (Vec::new(), Vec::new());
    add(nodes, &mut steps, &mut captures);
    steps.push(Step::End);
    if captures.len() > CAPTURES_MAX {
        return Err(BadTemplate::TooMany);
    }
    for at in 0..steps.len() {
        if matches!(steps[at], Step::Capture(..)) {
            let mut follow = Follow::default();
            add_follow(&steps, at + 1, &mut follow)?;
            if let Step::Capture(_, told) = &mut steps[at] {
                *told = follow;
            }
        }
    }
    Ok((steps, captures))
}

fn add(nodes: &[Node], steps: &mut Vec<Step>, captures: &mut Captures) {
    for node in nodes {
        match node {
            Node::Piece(Piece::Literal(literal)) => steps.push(Step::Literal(literal.clone())),
            Node::Piece(Piece::Blanks) => steps.push(Step::Blanks),
            Node::Piece(Piece::Capture(id, kind)) => {
                steps.push(Step::Capture(captures.len(), Follow::default()));
                captures.push((*id, *kind));
            }
            Node::Part(parts) => {
                let split = steps.len();
                steps.push(Step::Split(Vec::new()));
                let (mut ways, mut jumps) = (Vec::new(), Vec::new());
                for part in parts {
                    ways.push(steps.len());
                    add(part, steps, captures);
                    jumps.push(steps.len());
                    steps.push(Step::Jump(0));
                }
                let meeting = steps.len();
                for jump in jumps {
                    steps[jump] = Step::Jump(meeting);
                }
                steps[split] = Step::Split(ways);
            }
        }
    }
}

/// Where the ways of a split meet again.
pub(super) fn meeting(steps: &[Step], ways: &[usize]) -> usize {
    let last = ways.last().copied().unwrap_or(steps.len());
    let mut at = last;
    while let Some(step) = steps.get(at) {
        at = match step {
            Step::Jump(to) => return *to,
            Step::Split(ways) => meeting(steps, ways),
            _ => at + 1,
        };
    }
    at
}

/// Everything that may stand behind a capture.
fn add_follow(steps: &[Step], at: usize, follow: &mut Follow) -> Result<(), BadTemplate> {
    match steps.get(at) {
        Some(Step::Literal(literal)) => {
            if !follow.literals.contains(literal) {
                follow.literals.push(literal.clone());
            }
        }
        Some(Step::Blanks) => follow.anywhere = true,
        Some(Step::Capture(..)) => return Err(BadTemplate::Adjacent),
        Some(Step::Jump(to)) => return add_follow(steps, *to, follow),
        Some(Step::Split(ways)) => {
            for way in ways {
                add_follow(steps, *way, follow)?;
            }
        }
        Some(Step::End) | None => follow.end = true,
    }
    Ok(())
}
