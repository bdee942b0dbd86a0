//! Fast path: what the patterns of an engine can find in the texts of a shape, which is asked once for each shape. Assumes
//! what `search/shape.rs` does: nothing is decoded. The slow twin is [`Engine::judge`] on each text.

use std::sync::Arc;

use crate::Input;
use crate::engine::Engine;
use crate::normalise::has_views;
use crate::search::literals::{Literals, Present};
use crate::search::shape::ShapedNeeds;

/// Needs with digits that are looked for in each text, at most; beyond it the engine judges each text.
const SOUGHT_MAX: usize = 12;

/// Which texts of a shape an engine must judge.
#[derive(Clone, Debug, Default)]
pub struct JudgedTexts {
    /// All of them.
    all: bool,
    /// Those that have one of these, in lower case.
    having: Option<Arc<Literals>>,
}

impl JudgedTexts {
    /// Whether none is.
    pub fn is_none(&self) -> bool {
        !self.all && self.having.is_none()
    }

    /// Whether a text, in lower case, is one of them.
    #[inline]
    pub fn has(&self, folded: &str) -> bool {
        let mut has = self.all;
        if let Some(having) = &self.having {
            having.find(folded.as_bytes(), |_, _, _| has = true);
        }
        has
    }
}

impl Engine {
    /// Whether a text has nothing that its shape does not show: it has no parts that are read in another way.
    pub fn reads_shapes(&self) -> bool {
        self.input == Input::Text
    }

    fn shaped_needs(&self) -> &ShapedNeeds {
        self.shaped.get_or_init(|| ShapedNeeds::new(self.needs()))
    }

    /// Which texts of the shape may have a pattern. The engine must be one that [`Engine::reads_shapes`].
    pub fn judged_of_shape(&self, shape: &str) -> JudgedTexts {
        let search = &self.shaped_needs().search;
        let mut all = has_views(shape, &Present::of(shape.as_bytes()));
        // Texts of the shape are as long or longer.
        let may_hold = |literal: usize| {
            let patterns = self.nominated.get(literal).into_iter().flatten();
            patterns.map(|number| self.pattern(*number).1).any(|pattern| pattern.bytes_max >= shape.len())
        };
        let mut numbers = Vec::new();
        search.find(Some(&self.literals), shape.as_bytes(), |literal| {
            // An ampersand that is not encoded says nothing.
            if !may_hold(literal) {
                return;
            }
            if search.has_digits(literal) {
                numbers.push(literal);
            } else {
                all |= Some(literal) != self.ampersand;
            }
        });
        numbers.sort_unstable();
        numbers.dedup();
        all |= numbers.len() > SOUGHT_MAX;
        if all {
            numbers.clear();
        }
        JudgedTexts { all, having: self.shaped_needs().searched_for(numbers) }
    }
}
