//! The score of a finding, 0-100, and what it is made of.

use event::{Level, ScorePart, Severity};

/// Points for repetition: from that many events on.
const REPETITION: [(u64, i16); 3] = [(1000, 10), (100, 6), (10, 3)];

pub(crate) fn score(level: Level, count: u64) -> (u8, Vec<ScorePart>, Severity) {
    let base = i16::from(level.base_score());
    let mut parts = vec![ScorePart { part: format!("rule level {level}"), points: base }];
    if let Some((from, points)) = REPETITION.iter().find(|(from, _)| count >= *from) {
        parts.push(ScorePart { part: format!("{from} or more events"), points: *points });
    }
    let sum: i16 = parts.iter().map(|part| part.points).sum();
    let score = sum.clamp(0, 100) as u8;
    (score, parts, Severity::from_score(score))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetition_raises_the_score_but_never_beyond_100() {
        assert_eq!(score(Level::Medium, 1).0, 50);
        assert_eq!(score(Level::Medium, 10).0, 53);
        assert_eq!(score(Level::Critical, 5000).0, 100);
        assert_eq!(score(Level::Critical, 1).2, Severity::P0);
        assert_eq!(score(Level::Informational, 1).2, Severity::P3);
    }
}
