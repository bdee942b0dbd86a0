//! What patterns need of the parts of request targets: a literal that reaches from one part into the next is looked for up to
//! the separator between them. It finds too much rather than too little.

use std::collections::BTreeMap;

use crate::search::literals::Literals;

/// What parts a target: its query from its path, and parameters from each other.
const SEPARATORS: [u8; 2] = [b'?', b'&'];

/// The beginning of a literal up to a separator that something follows: a part that lacks it cannot hold the literal together with the
/// next part. `None` where the literal stands in one part, its separators included.
pub fn up_to_separator(literal: &str) -> Option<&str> {
    let inner = literal.as_bytes().get(1..)?;
    let separator = inner.iter().position(|byte| SEPARATORS.contains(byte))? + 1;
    literal.get(..=separator)
}

/// What patterns need of one part, and bits of the parts that those patterns look at.
#[derive(Debug)]
pub(crate) struct PartNeeds {
    search: Literals,
    parts: Vec<u8>,
    /// Finds those that have a plus; `None` where none has.
    with_plus: Option<Literals>,
}

impl PartNeeds {
    /// Of the texts that patterns need, with the bits of what the pattern looks at.
    pub(crate) fn new<'t>(needs: impl Iterator<Item = (&'t str, u8)>) -> Self {
        let mut parts_of: BTreeMap<&str, u8> = BTreeMap::new();
        for (need, parts) in needs {
            *parts_of.entry(up_to_separator(need).unwrap_or(need)).or_default() |= parts;
        }
        let search = Literals::for_requests(parts_of.keys().map(|text| text.as_bytes().into()).collect());
        let with_plus: Vec<Box<[u8]>> =
            parts_of.keys().filter(|text| text.contains('+')).map(|text| text.as_bytes().into()).collect();
        let with_plus = (!with_plus.is_empty()).then(|| Literals::new(with_plus));
        PartNeeds { search, parts: parts_of.into_values().collect(), with_plus }
    }

    /// Whether a need that has a plus may stand in the part as it was sent, or begin in it.
    pub(crate) fn may_need_plus(&self, part: &str) -> bool {
        let mut any = false;
        self.with_plus.iter().for_each(|needs| needs.find(part.as_bytes(), |_, _, _| any = true));
        any
    }

    /// Calls back with the bits for each need that may stand in the part, or begin in it.
    pub(crate) fn find(&self, part: &str, mut found: impl FnMut(u8)) {
        self.search.find(part.as_bytes(), |literal, _, _| found(self.parts[literal]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_reaches_across_a_separator_where_something_stands_on_both_sides() {
        for (literal, expected) in [
            ("union", None),
            ("&&", Some("&&")),
            ("?a=", None),
            ("/x.cgi?", Some("/x.cgi?")),
            ("/x?a=b&c", Some("/x?")),
            ("a=b&c", Some("a=b&")),
            ("?", None),
            ("", None),
        ] {
            assert_eq!(up_to_separator(literal), expected, "{literal}");
        }
    }
}
