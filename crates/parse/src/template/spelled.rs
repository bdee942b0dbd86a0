//! For tests: every sequence of pieces that a template stands for, with its parts and without.

use super::syntax::{self, Node};
use super::{BadTemplate, Piece};

/// Sequences that are spelled out for one template; more are left out.
const SEQUENCES_MAX: usize = 64;

/// The sequences of a template, the fullest first.
pub(crate) fn sequences(text: &str) -> Result<Vec<Vec<Piece>>, BadTemplate> {
    let text = text.strip_prefix("(i)").unwrap_or(text);
    let mut all = of_nodes(&syntax::nodes(text)?);
    all.sort_by_key(|pieces| std::cmp::Reverse(pieces.len()));
    Ok(all)
}

fn of_nodes(nodes: &[Node]) -> Vec<Vec<Piece>> {
    let mut all = vec![Vec::new()];
    for node in nodes {
        let ways = match node {
            Node::Piece(piece) => vec![vec![piece.clone()]],
            Node::Part(parts) => parts.iter().flat_map(|part| of_nodes(part)).collect(),
        };
        let mut longer = Vec::new();
        for way in &ways {
            longer.extend(all.iter().map(|head: &Vec<Piece>| [&head[..], way].concat()));
        }
        // Too many: every second one, so that each way is taken somewhere.
        while longer.len() > SEQUENCES_MAX {
            longer = longer.into_iter().enumerate().filter(|(at, _)| at % 3 != 1).map(|(_, pieces)| pieces).collect();
        }
        all = longer;
    }
    all
}
