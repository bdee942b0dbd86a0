//! Every search against the obvious one.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_place_of_every_literal_is_found(
        least in 1..8_usize,
        literals in prop::collection::btree_set("[ab.'é]{1,9}", 1..20),
        text in "[abc.'é]{0,80}",
    ) {
        let literals = literals.iter().filter(|literal| literal.len() >= least);
        let texts: Vec<Box<[u8]>> = literals.map(|literal| literal.as_bytes().into()).collect();
        let mut expected: Vec<(usize, usize, usize)> = Vec::new();
        for (at, literal) in texts.iter().enumerate() {
            let places = text.as_bytes().windows(literal.len()).enumerate();
            let places: Vec<usize> =
                places.filter(|(_, window)| *window == &**literal).map(|(start, _)| start).collect();
            let told = |start: &usize| {
                literal.len() > 1 || Some(start) == places.first() || *start == text.len() - 1
            };
            let places = places.iter().copied().filter(told);
            expected.extend(places.map(|start| (at, start, start + literal.len())));
        }
        expected.sort_unstable();
        let searches =
            [Literals::new(texts.clone()), Literals::for_requests(texts.clone()), Literals::for_long_texts(texts)];
        for literals in searches {
            let mut found = Vec::new();
            literals.find(text.as_bytes(), |literal, start, end| found.push((literal, start, end)));
            found.sort_unstable();
            found.dedup();
            prop_assert_eq!(found, expected.clone());
        }
    }
}
