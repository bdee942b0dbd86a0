//! Long texts are judged in pieces, so that the work for one text is bounded: its head, its tail, and of what lies between
//! the pieces in which most different literals stand. A text that is not judged whole is counted by the caller.

use crate::search::literals::Literals;

/// Longest text that is judged whole, in bytes.
pub(crate) const WHOLE_BYTES_MAX: usize = 8 << 10;
/// Bytes of the head and of the tail.
const END_BYTES: usize = 1 << 10;
/// Bytes of a piece from between, and how far the next one begins behind it.
const PIECE_BYTES: usize = 1 << 10;
const STEP_BYTES: usize = PIECE_BYTES - 128;
/// Pieces from between that are judged, at most.
const PIECES_MAX: usize = 4;
/// Bytes of a piece that are searched at once, and places of literals after which the search of a piece ends.
const SEARCHED_BYTES: usize = 128;
const FOUND_MAX: usize = 256;

/// Which literals a piece has, roughly: a bit for each of their hashes.
#[derive(Default)]
struct LiteralNames([u64; 4]);

impl LiteralNames {
    fn add(&mut self, literal: usize) {
        self.0[literal / 64 % 4] |= 1 << (literal % 64);
    }

    fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

/// The pieces of a text that are judged, in their order; the text itself where it is short. `literals` nominate pieces
/// from between; without them only head and tail are judged.
pub(crate) fn pieces<'t>(text: &'t str, literals: Option<&Literals>) -> Vec<&'t str> {
    if text.len() <= WHOLE_BYTES_MAX {
        return vec![text];
    }
    let (head, tail) = (cut(text, 0, END_BYTES), cut(text, text.len() - END_BYTES, text.len()));
    let mut between: Vec<(u32, usize, &str)> = Vec::new();
    if let Some(literals) = literals {
        for start in (END_BYTES..text.len() - END_BYTES).step_by(STEP_BYTES) {
            let piece = cut(text, start - (PIECE_BYTES - STEP_BYTES), start + STEP_BYTES);
            between.push((names(piece, literals), start, piece));
        }
        between.sort_by_key(|(names, start, _)| (std::cmp::Reverse(*names), *start));
        between.truncate(PIECES_MAX);
        between.retain(|(names, _, _)| *names > 0);
        between.sort_by_key(|(_, start, _)| *start);
    }
    std::iter::once(head).chain(between.into_iter().map(|(_, _, piece)| piece)).chain([tail]).collect()
}

/// How many different literals a piece names, roughly: what stands across the places where the search begins anew is not
/// seen, and what is full of them is not searched to its end.
fn names(piece: &str, literals: &Literals) -> u32 {
    let (mut names, mut found) = (LiteralNames::default(), 0);
    for bytes in piece.as_bytes().chunks(SEARCHED_BYTES) {
        if found >= FOUND_MAX {
            break;
        }
        literals.find(bytes, |literal, _, _| {
            names.add(literal);
            found += 1;
        });
    }
    names.count()
}

/// The text from `start` to `end`, at characters that begin there or behind.
fn cut(text: &str, start: usize, end: usize) -> &str {
    let place =
        |at: usize| (at.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text.get(place(start)..place(end)).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals() -> Literals {
        Literals::new(["union", "select", "<script", "passwd"].iter().map(|text| text.as_bytes().into()).collect())
    }

    #[test]
    fn short_texts_are_whole_and_long_ones_bounded() {
        let short = "x".repeat(WHOLE_BYTES_MAX);
        assert_eq!(pieces(&short, Some(&literals())), [short.as_str()]);
        let long = "union ".repeat(100_000);
        let judged = pieces(&long, Some(&literals()));
        assert_eq!(judged.len(), PIECES_MAX + 2);
        assert!(
            judged.iter().map(|piece| piece.len()).sum::<usize>() <= 2 * END_BYTES + PIECES_MAX * (PIECE_BYTES + 8)
        );
        assert_eq!(pieces(&"é".repeat(50_000), None).len(), 2, "cut at characters");
    }

    #[test]
    fn what_stands_anywhere_in_padding_is_in_a_piece() {
        let attack = "' union select passwd <script";
        for before in [0, 1, 3_000, 29_990, 31_007, 59_970] {
            let long = format!("{}{attack}{}", "a".repeat(before), "b".repeat(60_000 - before));
            assert!(pieces(&long, Some(&literals())).iter().any(|piece| piece.contains(attack)), "{before}");
        }
    }

    #[test]
    fn pieces_that_name_most_are_taken() {
        let padding = "select ".repeat(2_000);
        let long = format!("{padding}union select passwd{padding}");
        assert!(pieces(&long, Some(&literals())).iter().any(|piece| piece.contains("union select passwd")));
    }
}
