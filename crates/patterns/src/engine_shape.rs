//! Fast path: what the patterns of an engine can find in the texts of a shape, which is asked once for each shape. Assumes
//! what `search/shape.rs` and `search/words.rs` do: nothing is percent-decoded. The slow twin is [`Engine::judge`] on each
//! text.

use std::borrow::Cow;

use crate::engine::{Engine, PatternScratch};
use crate::engine_work::Work;
use crate::look::Look;
use crate::normalise::{decode, decode_target, has_base64, has_utf7, has_views};
use crate::search::literals::Present;
use crate::search::shape::ShapedNeeds;
use crate::{Input, Part, View};
use memchr::memchr;

/// What an engine must do with the texts of a shape.
#[derive(Clone, Debug, Default)]
pub struct JudgedTexts {
    /// Judge all of them as if nothing were known.
    all: bool,
    /// Judge those that may be Base64: see [`has_base64`].
    base64: bool,
    /// Try these patterns, each of which has a need in every text.
    tried: Box<[u32]>,
    /// Try the patterns of these needs, each with digits, where a text has it; in order.
    having: Box<[u32]>,
}

impl JudgedTexts {
    /// Whether there is nothing to do, whatever the text.
    pub fn is_none(&self) -> bool {
        !self.base64 && self.settles("")
    }

    /// Whether there is nothing to do with the text.
    #[inline]
    pub fn settles(&self, text: &str) -> bool {
        !self.all && self.tried.is_empty() && self.having.is_empty() && !(self.base64 && has_base64(text))
    }
}

impl Input {
    /// Whether a text has nothing that its shape does not show, but for Base64: no part is read in another way.
    pub fn reads_shapes(self) -> bool {
        self != Input::Address
    }
}

impl Engine {
    /// Texts that its patterns need, in lower case.
    pub fn sought(&self) -> impl Iterator<Item = &[u8]> {
        self.needs().map(str::as_bytes)
    }

    /// Which texts of the shape may have a pattern, where none of them is shorter than `shortest`. The engine's input must
    /// be one that [`Input::reads_shapes`], and the texts must not [have UTF-7](has_utf7).
    pub fn judged_of_shape(&self, shape: &str, shortest: usize) -> JudgedTexts {
        let ShapedNeeds { search, .. } = self.shaped();
        let decoded = match self.input {
            Input::Target => decode_target(shape),
            Input::Query | Input::Address => decode(shape, true),
            Input::Path | Input::Text => Cow::Borrowed(shape),
        };
        let mut all = has_views(&decoded, &Present::of(decoded.as_bytes())) || has_utf7(shape);
        if self.input != Input::Text {
            // Semicolons may end entities of ampersands, and a plus of a path is also read as a space.
            let path = memchr(b'?', shape.as_bytes()).map_or(shape, |at| &shape[..at]);
            all |= memchr(b';', shape.as_bytes()).is_some() || memchr(b'+', path.as_bytes()).is_some();
        }
        let may_hold = |number: &&u32| self.pattern(**number).1.bytes_max >= shortest;
        let (mut tried, mut having) = (Vec::new(), Vec::new());
        search.find(Some(&self.literals), decoded.as_bytes(), |literal, _| {
            let mut patterns = self.nominated.get(literal).into_iter().flatten().filter(may_hold).copied();
            if search.has_digits(literal) {
                having.extend(patterns.next().map(|_| literal as u32));
            } else if Some(literal) != self.ampersand {
                // An ampersand that is not encoded says nothing.
                tried.extend(patterns);
            }
        });
        tried.sort_unstable();
        tried.dedup();
        having.sort_unstable();
        having.dedup();
        // Of a text that has parts each is judged. Beside something else an ampersand nominates as well.
        let is_whole = self.input == Input::Text && memchr(b'&', shape.as_bytes()).is_none();
        let is_parted = self.input != Input::Text;
        all |= !is_whole && !(tried.is_empty() && (is_parted || having.is_empty()));
        if all {
            return JudgedTexts { all, ..JudgedTexts::default() };
        }
        JudgedTexts { all, base64: is_parted, tried: tried.into(), having: having.into() }
    }

    fn shaped(&self) -> &ShapedNeeds {
        self.shaped.get_or_init(|| ShapedNeeds::new(self.needs()))
    }

    /// Does what [`Engine::judge`] does with a text of a shape that this was made for. `folded`: the text in lower case.
    pub fn judge_of_shape(
        &self,
        judged: &JudgedTexts,
        (text, folded): (&str, &str),
        scratch: &mut PatternScratch,
        holds: impl FnMut(u32),
    ) {
        if judged.settles(text) {
            return;
        }
        if judged.all || judged.base64 && has_base64(text) {
            return self.judge(text, scratch, holds);
        }
        let mut nominated = std::mem::take(&mut scratch.nominated);
        nominated.clear();
        if !judged.having.is_empty() {
            let Some((automaton, numbers)) = &self.shaped().with_digits else {
                scratch.nominated = nominated;
                return self.judge(text, scratch, holds);
            };
            for found in automaton.find_overlapping_iter(text) {
                let number = numbers[found.pattern().as_usize()];
                if judged.having.binary_search(&number).is_ok() {
                    nominated.extend(&self.nominated[number as usize]);
                }
            }
        }
        if self.input != Input::Text {
            let is_nominated = !nominated.is_empty();
            scratch.nominated = nominated;
            if is_nominated {
                self.judge(text, scratch, holds);
            }
            return;
        }
        nominated.extend(&judged.tried);
        nominated.sort_unstable();
        nominated.dedup();
        if !nominated.is_empty() {
            let look =
                Look { part: Part::Text, view: View::Decoded, text: folded, original: text, name: "", is_raw: true };
            self.judged_by(scratch, holds, |engine, scratch, visit| {
                let mut work = Work::new(engine, scratch, visit);
                nominated.iter().for_each(|number| work.attempt(*number, look, true));
            });
        }
        scratch.nominated = nominated;
    }
}
