//! Which pairs of bytes that follow each other a text has, without regard to the case of letters: mostly enough to say that a
//! message is not one of a template's. Says never that it is.

use crate::needle::frequency;

/// Numbers of pairs; several pairs share one.
const NUMBERS: usize = 512;

/// Goes through the numbers of the pairs of a text.
#[inline]
fn each(text: &[u8], mut take: impl FnMut(usize)) {
    let Some((first, rest)) = text.split_first() else { return };
    // The lower bits of a letter are those of its other case.
    let mut before = usize::from(first & 31) << 4;
    for byte in rest {
        let low = usize::from(byte & 31);
        take((before ^ low) % NUMBERS);
        before = low << 4;
    }
}

/// Pairs that a text must have, the rarest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bigrams(Box<[u16]>);

/// Pairs of texts, with how frequent they are.
#[derive(Debug, Default)]
pub(super) struct BigramsOf(Vec<(usize, u16)>);

impl BigramsOf {
    pub(super) fn add(&mut self, text: &[u8]) {
        let frequent = |byte: u8| usize::from(frequency(byte.to_ascii_lowercase()));
        let weights = text.windows(2).map(|pair| frequent(pair[0]) + frequent(pair[1]));
        let mut numbers = Vec::new();
        each(text, |number| numbers.push(number as u16));
        self.0.extend(weights.zip(numbers));
    }

    pub(super) fn rarest(mut self, count: usize) -> Bigrams {
        self.0.sort_unstable();
        self.0.dedup();
        Bigrams(self.0.iter().take(count).map(|(_, number)| *number).collect())
    }
}

impl Bigrams {
    /// The rarest pairs of one text.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut all = BigramsOf::default();
        all.add(text);
        all.rarest(2)
    }
}

/// The pairs of one text, looked for where they are first asked for.
#[derive(Debug, Default)]
#[expect(clippy::large_enum_variant, reason = "one for each message, on the stack")]
pub(crate) enum LateBigrams {
    #[default]
    Unasked,
    /// Nobody looks for them: the text may have any.
    Unknown,
    Known([bool; NUMBERS]),
}

impl LateBigrams {
    pub(crate) fn unknown() -> Self {
        LateBigrams::Unknown
    }

    /// Whether the text may have all of these pairs, as far as it was looked at.
    #[inline]
    pub(super) fn may_hold(&self, wanted: &Bigrams) -> bool {
        let LateBigrams::Known(known) = self else { return true };
        wanted.0.iter().all(|number| known[usize::from(*number) % NUMBERS])
    }

    /// As [`Self::may_hold`], after a look at the text. It must be the same text each time, or a part of the first one.
    #[inline]
    pub(crate) fn hold(&mut self, text: &[u8], wanted: &Bigrams) -> bool {
        if matches!(self, LateBigrams::Unasked) {
            let mut known = [false; NUMBERS];
            each(text, |number| known[number] = true);
            *self = LateBigrams::Known(known);
        }
        self.may_hold(wanted)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_has_the_pairs_of_its_parts(text in "[ -~é]{0,60}", from in 0_usize..60, to in 0_usize..60) {
            let text = text.as_bytes();
            let part = text.get(from.min(to)..from.max(to)).unwrap_or_default();
            let mut wanted = BigramsOf::default();
            wanted.add(&part.to_ascii_uppercase());
            prop_assert!(LateBigrams::default().hold(text, &wanted.rarest(12)));
        }
    }

    #[test]
    fn other_texts_lack_some() {
        let mut wanted = BigramsOf::default();
        wanted.add(b"Failed password");
        assert!(!LateBigrams::default().hold(b"Accepted publickey for ann from 192.0.2.1", &wanted.rarest(12)));
    }
}
