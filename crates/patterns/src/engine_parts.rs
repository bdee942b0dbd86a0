//! Fast path: which parts of a request target have nothing that an engine finds, whatever stands beside them, so that a target
//! of such parts is not judged. Assumes that a part comes with the separators on both sides of it, `?` and `&`, is ASCII without
//! `%`, and has no views: then nothing is decoded but a plus, and a path or a value is read without regard to what stands beside
//! it. What looks at a query or a target as a whole must not be nominated. A part is called plain too seldom rather than too
//! often. The slow twin is [`Engine::judge`] on the whole target; a test compares the two.

use std::borrow::Cow;

use crate::engine::{Engine, PatternScratch};
use crate::normalise::{has_base64, has_utf7, has_views};
use crate::pack::Pattern;
use crate::search::literals::Present;
use crate::search::part_needs::PartNeeds;
use crate::{Input, Part};

impl Engine {
    /// Whether nothing is found in a part, whatever stands beside it. `is_path`: it stands before the query.
    pub fn is_plain_part(&self, part: &str, is_path: bool, scratch: &mut PatternScratch) -> bool {
        let has = |byte: u8| memchr::memchr(byte, part.as_bytes()).is_some();
        let has_plus = has(b'+');
        // A path with an ampersand is tried where something else of the target is.
        if !part.is_ascii() || has(b'%') || has(b';') || is_path && (has_plus || has(b'&')) {
            return false;
        }
        let parameter = part.trim_start_matches(['?', '&']);
        // An ampersand that was escaped too often.
        let is_escape =
            parameter.starts_with('#') || parameter.get(..3).is_some_and(|at| at.eq_ignore_ascii_case("amp"));
        if is_escape || has_utf7(part) || has_base64(part) {
            return false;
        }
        let needs = self.of_parts.get_or_init(|| self.part_needs());
        if has_plus && self.raw_parts != 0 && needs.may_need_plus(part) {
            // What is read as it was sent may be tried because of another part.
            return false;
        }
        let decoded = if has_plus { Cow::Owned(part.replace('+', " ")) } else { Cow::Borrowed(part) };
        let present = Present::of(decoded.as_bytes());
        if has_views(&decoded, &present) {
            return false;
        }
        let (mut is_named, mut is_read_alone) = (false, true);
        needs.find(&decoded, |parts| {
            is_named = true;
            is_read_alone &= parts & !(Part::Path.bit() | Part::Value.bit()) == 0;
        });
        !is_named || is_read_alone && self.finds_nothing(part, is_path, scratch)
    }

    /// Whether nothing is found in a target that has this part alone.
    fn finds_nothing(&self, part: &str, is_path: bool, scratch: &mut PatternScratch) -> bool {
        let before = |text: &'_ str| text.strip_suffix('&').unwrap_or(text).to_owned();
        let target = match self.input {
            _ if is_path => part.strip_suffix('?').unwrap_or(part).to_owned(),
            Input::Target => format!("?{}", before(part.strip_prefix(['?', '&']).unwrap_or(part))),
            _ => before(part.strip_prefix('&').unwrap_or(part)),
        };
        let mut is_nothing = true;
        self.each(&target, scratch, &mut |_, _, _| is_nothing = false);
        is_nothing
    }

    /// What its patterns need. An ampersand alone says nothing.
    fn part_needs(&self) -> PartNeeds {
        let of_pattern = |pattern: &'_ Pattern| pattern.parts & self.input.parts();
        let needs = self
            .patterns()
            .flat_map(|pattern| pattern.needs.iter().map(move |need| (need.as_str(), of_pattern(pattern))));
        PartNeeds::new(needs.filter(|(need, _)| *need != "&"))
    }
}
