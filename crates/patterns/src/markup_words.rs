//! Words of pages that readings of markup look up, and addresses that run what stands in them.

use std::borrow::Cow;

use crate::vocabulary::{Vocabulary, WordSet};

/// Characters of an address that are looked at.
const ADDRESS_MAX: usize = 200;

/// Words that browsers know.
#[derive(Debug)]
pub(super) struct MarkupWords {
    /// Elements that load or run something by being there.
    pub(super) active: WordSet,
    /// Events, without their `on`.
    event: WordSet,
    /// Attributes that name an address.
    pub(super) address: WordSet,
    /// Attributes by which frameworks run an expression.
    pub(super) binding: Vec<String>,
    pub(super) scheme: Vec<String>,
    document: Vec<String>,
    pub(super) dialog: WordSet,
    pub(super) run: WordSet,
    pub(super) reach: WordSet,
    pub(super) global: WordSet,
    pub(super) member: WordSet,
}

impl MarkupWords {
    pub(super) fn new(words: &Vocabulary) -> Self {
        MarkupWords {
            active: words.set(&["markup.active"]),
            event: words.set(&["markup.event"]),
            address: words.set(&["markup.address"]),
            binding: words.words("markup.binding").to_vec(),
            scheme: words.words("markup.scheme").to_vec(),
            document: words.words("markup.document").to_vec(),
            dialog: words.set(&["markup.dialog"]),
            run: words.set(&["markup.run"]),
            reach: words.set(&["markup.reach"]),
            global: words.set(&["markup.global"]),
            member: words.set(&["markup.member"]),
        }
    }

    /// `onload`, an event that browsers know; or `onfoo`, which one of them may know. `None` where it is no event.
    pub(super) fn is_known_event(&self, attribute: &str) -> Option<bool> {
        let event = attribute.strip_prefix("on")?;
        let is_name = event.len() >= 3 && event.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_name.then(|| self.event.has(event))
    }

    /// How sure it is that the address runs what stands in it.
    pub(super) fn script_address(&self, value: &str) -> u32 {
        let value = head(value, ADDRESS_MAX);
        let Some((scheme, rest)) = value.split_once(':') else { return 0 };
        let (scheme, rest) = (squeezed(scheme), rest.trim_start());
        if scheme == "data" {
            let known = self.document.iter().any(|kind| rest.starts_with(kind.as_str()));
            // A picture is packed for pages as well; what it holds is read unpacked.
            if rest.starts_with("image/svg") && rest.contains(";base64,") {
                return 3;
            }
            return if known && rest.contains([',', ';']) || rest.starts_with(',') && rest.contains('<') {
                5
            } else {
                0
            };
        }
        if !self.scheme.iter().any(|known| *known == scheme) {
            return 0;
        }
        let word = rest.trim_start_matches(|next: char| {
            next.is_ascii_alphanumeric() || matches!(next, '.' | '_' | '$' | '[' | ']' | '\'' | '"' | '+' | '!')
        });
        let runs = rest.starts_with("//") || rest.starts_with("/*") || word.starts_with(['(', '`', '=']);
        let harmless = rest.starts_with("void(0)") && rest.len() <= 8 || rest.starts_with("history.");
        match (runs, &*scheme) {
            (true, _) if harmless => 2,
            (true, _) => 5,
            // Prose goes on with blanks.
            (false, "javascript") if rest.contains(' ') => 0,
            (false, "javascript") => 3,
            (false, _) if rest.contains(' ') => 2,
            (false, _) if rest.is_empty() => 4,
            (false, _) => 5,
        }
    }
}

/// The beginning of a text, at most so many bytes.
pub(super) fn head(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Without the blanks and control characters that browsers take out of a scheme.
fn squeezed(value: &str) -> Cow<'_, str> {
    let is_nothing = |one: char| one.is_whitespace() || one.is_control();
    let value = value.trim_matches(is_nothing);
    if value.contains(is_nothing) {
        Cow::Owned(value.chars().filter(|one| !is_nothing(*one)).collect())
    } else {
        Cow::Borrowed(value)
    }
}
