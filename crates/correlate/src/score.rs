//! The score of a finding, 0-100, and what it is made of: the level of its rule, what patterns found, how the server
//! answered, and how often it happened. Every part is shown with its points.

use event::{Answer, Level, ScorePart, Severity, Thresholds};
use serde::{Deserialize, Serialize};

/// Points for repetition, each from a number of events on.
const REPETITION: [(u64, i16); 3] = [(1000, 10), (100, 6), (10, 3)];
/// Most points for patterns beyond the threshold of their pack.
const PATTERNS_MAX: i16 = 10;
/// What may well be a question about an attack wakes nobody.
const DOUBTFUL: i16 = -50;
/// An attack that the server answered may have worked; one that it refused has not.
const ANSWERED: i16 = 6;
const SERVER_ERROR: i16 = 3;
const REFUSED: i16 = -10;
/// The largest answer to one source stands out where there are at least so many, and it has at least
/// `UNUSUAL_BYTES_MIN` bytes and `UNUSUAL_TIMES` times the average of the others.
const SIZES_MIN: u64 = 5;
const UNUSUAL_TIMES: u64 = 4;
const UNUSUAL_BYTES_MIN: u64 = 8 << 10;
const UNUSUAL: i16 = 6;
/// Points for other findings about the entity, each from a sum of their points on.
const RISK: [(u32, i16); 3] = [(400, 10), (150, 6), (50, 3)];
/// A body from this size on, in bytes, may carry out what was asked for.
const LARGE_BYTES: u32 = 64 << 10;
const LARGE: i16 = 4;

/// What a finding is judged by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts<'a> {
    pub(crate) count: u64,
    /// Points of the patterns, and what their pack asks for.
    pub(crate) patterns: Option<(u32, u32)>,
    /// All that was found stands among words of prose, or in a phrase that somebody looked for.
    pub(crate) doubtful: bool,
    /// The gravest answer to any of the events.
    pub(crate) answer: Option<Answer>,
    pub(crate) sizes: Sizes,
    /// Points of other findings about the entity when this one began.
    pub(crate) risk: u32,
    /// What the host is worth to its owner.
    pub(crate) asset: Option<(&'a str, i16)>,
}

/// Sizes of answers that worked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sizes {
    count: u64,
    sum: u64,
    most: u64,
}

impl Sizes {
    /// Takes up the size of an answer that worked.
    pub(crate) fn add(&mut self, answer: Option<Answer>) {
        let Some(Answer { status: 200..=299, bytes }) = answer else { return };
        let bytes = u64::from(bytes);
        self.count += 1;
        self.sum += bytes;
        self.most = self.most.max(bytes);
    }

    /// How many times as large as the average of the others the largest is, where that is unusual.
    fn unusual(self) -> Option<u64> {
        let others = self.count.checked_sub(1).filter(|_| self.count >= SIZES_MIN)?;
        let average = ((self.sum - self.most) / others).max(1);
        (self.most >= UNUSUAL_BYTES_MIN && self.most / average >= UNUSUAL_TIMES).then_some(self.most / average)
    }
}

/// The graver of two answers: what worked, then what broke, then what was sent elsewhere, then what was refused.
pub(crate) fn graver(one: Option<Answer>, other: Option<Answer>) -> Option<Answer> {
    one.into_iter().chain(other).max_by_key(|answer| (answered(answer.status).1, answer.bytes))
}

fn answered(status: u16) -> (&'static str, i16) {
    match status {
        200..=299 => ("answered", ANSWERED),
        500..=599 => ("answered with an error of the server", SERVER_ERROR),
        400..=499 => ("refused", REFUSED),
        _ => ("answered", 0),
    }
}

/// The score, its parts, and the severity that it makes.
pub(crate) fn score(level: Level, facts: Facts<'_>, thresholds: Thresholds) -> (u8, Vec<ScorePart>, Severity) {
    let mut parts = vec![ScorePart { part: format!("rule level {level}"), points: i16::from(level.base_score()) }];
    let mut add = |part: String, points: i16| {
        if points != 0 {
            parts.push(ScorePart { part, points });
        }
    };
    if let Some((points, threshold)) = facts.patterns {
        let beyond = i16::try_from(points.saturating_sub(threshold)).unwrap_or(PATTERNS_MAX).min(PATTERNS_MAX);
        add(format!("patterns worth {points} points, {threshold} are asked for"), beyond);
        add("among words that people write or look for".to_owned(), if facts.doubtful { DOUBTFUL } else { 0 });
    }
    // Rules that are about requests only: a missing page is no attack that was refused.
    if let Some(answer) = facts.answer.filter(|_| facts.patterns.is_some()) {
        let (word, points) = answered(answer.status);
        add(format!("{word} with status {}", answer.status), points);
        if answer.bytes >= LARGE_BYTES && points > 0 {
            add(format!("a large answer of {} bytes", answer.bytes), LARGE);
        }
        if let Some(times) = facts.sizes.unusual() {
            add(format!("an answer {times} times as large as the others"), UNUSUAL);
        }
    }
    if let Some((from, points)) = REPETITION.iter().find(|(from, _)| facts.count >= *from) {
        add(format!("{from} or more events"), *points);
    }
    if let Some((_, points)) = RISK.iter().find(|(from, _)| facts.risk >= *from) {
        add(format!("other findings about it, worth {} points", facts.risk), *points);
    }
    if let Some((host, weight)) = facts.asset {
        add(format!("weight of {host}"), weight);
    }
    let sum: i16 = parts.iter().map(|part| part.points).sum();
    let score = sum.clamp(0, 100) as u8;
    (score, parts, thresholds.severity(score))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(level: Level, count: u64) -> (u8, Vec<ScorePart>, Severity) {
        score(level, Facts { count, ..Facts::default() }, Thresholds::default())
    }

    #[test]
    fn repetition_raises_the_score_but_never_beyond_100() {
        assert_eq!(plain(Level::Medium, 1).0, 50);
        assert_eq!(plain(Level::Medium, 10).0, 53);
        assert_eq!(plain(Level::Critical, 5000).0, 100);
        assert_eq!(plain(Level::Critical, 1).2, Severity::P0);
        assert_eq!(plain(Level::Informational, 1).2, Severity::P3);
    }

    #[test]
    fn an_attack_that_was_answered_ranks_above_one_that_was_refused() {
        let of = |status, bytes| {
            let facts =
                Facts { count: 1, patterns: Some((10, 5)), answer: Some(Answer { status, bytes }), ..Facts::default() };
            score(Level::High, facts, Thresholds::default())
        };
        let (large, small, broken, refused) = (of(200, 1 << 20), of(200, 500), of(500, 500), of(404, 500));
        assert!(large.0 > small.0 && small.0 > broken.0 && broken.0 > refused.0);
        assert_eq!(refused.1.iter().map(|part| part.points).sum::<i16>(), i16::from(refused.0), "all parts are shown");
        let strict = Thresholds { p0: 60, p1: 50, p2: 10 };
        assert_eq!(score(Level::High, Facts { count: 1, ..Facts::default() }, strict).2, Severity::P0);
    }

    #[test]
    fn an_answer_unlike_the_others_what_else_was_found_and_the_host_count() {
        let mut sizes = Sizes::default();
        let mut answered = |status, bytes| sizes.add(Some(Answer { status, bytes }));
        for _ in 0..8 {
            answered(200, 2000);
        }
        answered(404, 900_000);
        answered(200, 30_000);
        let facts = Facts {
            count: 1,
            patterns: Some((5, 5)),
            doubtful: false,
            answer: Some(Answer { status: 200, bytes: 30_000 }),
            sizes,
            risk: 160,
            asset: Some(("db1", 8)),
        };
        let (score, parts, _) = score(Level::Medium, facts, Thresholds::default());
        let words: Vec<&str> = parts.iter().map(|part| part.part.as_str()).collect();
        assert_eq!(score, 50 + 6 + 6 + 6 + 8, "{words:?}");
        assert!(words.contains(&"an answer 15 times as large as the others"), "{words:?}");
        assert!(words.contains(&"weight of db1") && words.contains(&"other findings about it, worth 160 points"));
        assert_eq!(Sizes { count: 9, sum: 20_000, most: 2500 }.unusual(), None);
    }

    #[test]
    fn what_people_write_wakes_nobody() {
        let facts = Facts {
            count: 1,
            patterns: Some((20, 5)),
            doubtful: true,
            answer: Some(Answer { status: 200, bytes: LARGE_BYTES }),
            ..Facts::default()
        };
        let severity = score(Level::Critical, facts, Thresholds::default()).2;
        assert!(severity != Severity::P0 && severity != Severity::P1, "{severity:?}");
    }

    #[test]
    fn of_several_answers_the_gravest_counts() {
        let answer = |status| Some(Answer { status, bytes: 0 });
        assert_eq!(graver(answer(404), answer(200)), answer(200));
        assert_eq!(graver(answer(500), answer(301)), answer(500));
        assert_eq!(graver(None, answer(404)), answer(404));
    }
}
