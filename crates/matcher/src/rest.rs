//! Whether remembering pays: where too little of what is looked up is known, it is left for a number of texts, doubled each time.
//! Knows nothing of what is remembered.

/// When remembering pays, and for how long it is left where it does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct RestRule {
    /// Look-ups after which the share of known ones is judged, and how many of them must be known.
    pub(super) lookups: u32,
    pub(super) known_min: u32,
    /// Texts for which it is left, at first and at most.
    pub(super) rest_min: u32,
    pub(super) rest_max: u32,
}

/// What was looked up lately, and how much of it was known.
#[derive(Debug)]
pub(super) struct Rest {
    rule: RestRule,
    lookups: u32,
    known: u32,
    resting: u32,
    next: u32,
}

impl Rest {
    pub(super) fn new(rule: RestRule) -> Self {
        Rest { rule, lookups: 0, known: 0, resting: 0, next: rule.rest_min }
    }

    /// Whether nothing is looked up for this text.
    #[inline]
    pub(super) fn is_resting(&mut self) -> bool {
        let is_resting = self.resting > 0;
        self.resting -= u32::from(is_resting);
        is_resting
    }

    /// Something is looked up.
    #[inline]
    pub(super) fn look_up(&mut self) {
        self.lookups += 1;
        if self.lookups == self.rule.lookups {
            self.judge();
        }
    }

    /// What was looked up is known.
    #[inline]
    pub(super) fn know(&mut self) {
        self.known += 1;
    }

    fn judge(&mut self) {
        if self.known < self.rule.known_min {
            self.resting = self.next;
            self.next = (self.next * 2).min(self.rule.rest_max);
        } else {
            self.next = self.rule.rest_min;
        }
        (self.lookups, self.known) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_twice_as_long_each_time_and_begins_anew_once_enough_is_known() {
        let mut rest = Rest::new(RestRule { lookups: 4, known_min: 2, rest_min: 3, rest_max: 8 });
        let mut round = |known: u32| {
            for at in 0..4 {
                rest.look_up();
                if at < known {
                    rest.know();
                }
            }
            (0..100).take_while(|_| rest.is_resting()).count()
        };
        // What is known of the last look-up counts for the next round.
        assert_eq!([round(0), round(1), round(1), round(3), round(2), round(0)], [3, 6, 8, 0, 0, 3]);
    }
}
