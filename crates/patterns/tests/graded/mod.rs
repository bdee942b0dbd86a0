//! A grammar as a pattern file uses it, for tests that grade texts: the points of the surest view of a value.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::Path;
use std::sync::Arc;

use patterns::normalise::{self, views};
use patterns::{How, Pack, Part, Pattern, View};
use rules::Terms;

/// The pack in a file of `rules/patterns`.
pub(crate) fn pack(file: &str) -> Arc<Pack> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/patterns").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let loaded = rules::load([(file, text.as_str())], &Terms::default());
    assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
    loaded.set.rules.iter().find_map(|rule| rule.pack.clone()).unwrap()
}

/// Its pattern that is a grammar.
pub(crate) fn grammar(pack: &Pack) -> &Pattern {
    pack.patterns.iter().find(|pattern| matches!(pattern.how, How::Grammar(_))).unwrap()
}

/// The points that a pattern gives to a part in the view that shows most, of those that its needs nominate.
pub(crate) fn points_in(pattern: &Pattern, text: &str, part: Part) -> u32 {
    let mut most = 0;
    let mut look = |view: View, text: &str| {
        if pattern.looks_at(part, view) && pattern.needs.iter().any(|need| text.contains(need.as_str())) {
            most = most.max(pattern.points(text, part, false).unwrap_or(0));
        }
    };
    let cased = normalise::decode_cased(text, false);
    let decoded = normalise::simplify(&cased).into_owned();
    look(View::Decoded, &decoded);
    views(&decoded, &mut |view, text| look(view, text));
    most
}

/// The points that a grammar gives to a value.
pub(crate) fn points(pattern: &Pattern, text: &str) -> u32 {
    points_in(pattern, text, Part::Value)
}

/// Asserts that each text has points in the range.
pub(crate) fn assert_points<'a>(
    pattern: &Pattern,
    wanted: std::ops::RangeInclusive<u32>,
    texts: impl IntoIterator<Item = &'a str>,
) {
    let wrong: Vec<(u32, &str)> = texts
        .into_iter()
        .map(|text| (points(pattern, text), text))
        .filter(|(points, _)| !wanted.contains(points))
        .collect();
    assert!(wrong.is_empty(), "not within {wanted:?}: {wrong:#?}");
}
