//! Columns that have the same text in every row: the dataset of a log, the facility of its messages. They are made once in all and
//! shared by batches, so that no batch writes them. Holds few and short texts.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{Array, ArrayRef, StringViewArray};

/// Texts that are kept; then the one that was asked for longest ago goes.
const KEPT_MAX: usize = 16;
/// Rows of a column that is kept; a longer one is made anew.
const ROWS_MAX: usize = 1 << 16;

/// A column of so many rows with this text.
pub(super) fn column(text: &'static str, rows: usize) -> ArrayRef {
    static KEPT: Mutex<Vec<(&'static str, ArrayRef)>> = Mutex::new(Vec::new());
    let made =
        |rows: usize| -> ArrayRef { Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(text, rows))) };
    if rows > ROWS_MAX {
        return made(rows);
    }
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let known = kept.iter().position(|(known, _)| *known == text).map(|at| kept.remove(at).1);
    let column =
        known.filter(|column| column.len() >= rows).unwrap_or_else(|| made(rows.next_power_of_two().min(ROWS_MAX)));
    let shared = column.slice(0, rows);
    if kept.len() >= KEPT_MAX {
        kept.remove(0);
    }
    kept.push((text, column));
    shared
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;

    use super::*;

    #[test]
    fn every_length_has_the_text_in_every_row() {
        for rows in [0, 1, 3, 1000, 70, ROWS_MAX + 1, ROWS_MAX] {
            for text in ["auth", "a text of more than twelve bytes"] {
                let column = column(text, rows);
                assert_eq!((column.len(), column.null_count()), (rows, 0));
                assert!(column.as_string_view().iter().all(|value| value == Some(text)));
            }
        }
    }
}
