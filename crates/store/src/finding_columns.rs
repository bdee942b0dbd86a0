//! The columns of a finding in either database, and how a row of them is read.

use event::{Counted, Finding, FindingId, FindingRating, FindingRule, FindingSpan, Level, Status, Timestamp};

use crate::details::Details;
use crate::error::StoreError;
use crate::query::StoredFinding;
use crate::rows::{number, read_doc};
use crate::sql::Row;

/// The columns that [`stored`] reads, in its order, then the sort key, and the rest of the query.
macro_rules! select_findings {
    ($rest:literal) => {
        concat!(
            "SELECT id, rule_id, rule_title, level, score, severity, first_seen, last_seen, count, status, details,
                    created_at, updated_at, revision, sort_time FROM findings ",
            $rest
        )
    };
}
pub(crate) use select_findings;

/// A row of `findings`, without evidence.
pub(crate) fn stored(row: &Row) -> Result<StoredFinding, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("{what} of a finding"));
    let details: Details = read_doc(row.get(10), "details of a finding")?;
    let level = Level::ALL.into_iter().find(|level| *level as i64 == row.small(3));
    let finding = Finding {
        id: FindingId(number(row.get(0))?),
        rule: FindingRule { id: row.get(1), title: row.get(2), level: level.ok_or_else(|| damaged("level"))? },
        also: details.also,
        rating: FindingRating {
            score: u8::try_from(row.small(4)).map_err(|_| damaged("score"))?,
            parts: details.score_parts,
            severity: row.get::<&str>(5).parse().map_err(|_| damaged("severity"))?,
        },
        span: FindingSpan {
            first_seen: row.get::<Option<i64>>(6).map(Timestamp),
            last_seen: row.get::<Option<i64>>(7).map(Timestamp),
            count: row.count(8),
        },
        entities: details.entities,
        techniques: details.techniques,
        reason: details.reason,
        response: details.response,
        evidence: Vec::new(),
        continues: details.continues,
        counted: Counted::default(),
    };
    Ok(StoredFinding {
        finding,
        muted_by: details.muted_by,
        status: Status::from_number(row.small(9)).ok_or_else(|| damaged("status"))?,
        created_at: Timestamp(row.get(11)),
        updated_at: Timestamp(row.get(12)),
        revision: row.count(13),
    })
}
