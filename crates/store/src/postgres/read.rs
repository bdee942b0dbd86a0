//! Reading findings. Filters are part of one fixed text; a filter that is not used is bound as null and vanishes from
//! the plan.

use std::collections::BTreeSet;

use event::{Finding, FindingId, Level, Severity, Status, Timestamp};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row};

use crate::known::StoredPart;
use crate::postgres::{bytes, number};
use crate::query::{Cursor, Details, FindingQuery, LIMIT_MAX, Page, sort_time};
use crate::rows::{event_set, read_doc};
use crate::{Mark, StoreError, StoredFinding};

/// The columns that [`stored`] reads, in its order, and the rest of the query.
macro_rules! select_findings {
    ($rest:literal) => {
        concat!(
            "SELECT id, rule_id, rule_title, level, score, severity, first_seen, last_seen, count, status, details,
                    created_at, updated_at, revision, sort_time FROM findings ",
            $rest
        )
    };
}

/// The filters; `$order` comes behind them.
macro_rules! list_query {
    ($before:literal, $severity:literal, $rule:literal, $order:literal) => {
        concat!(
            $before,
            select_findings!(
                "WHERE ($1::bigint IS NULL OR sort_time >= $1) AND ($2::bigint IS NULL OR first_seen < $2) AND "
            ),
            $severity,
            " AND ($4::smallint[] IS NULL OR level = ANY($4))
               AND ",
            $rule,
            " AND ($6::smallint[] IS NULL OR status = ANY($6))
               AND ($7::text[] IS NULL OR entities && $7)
               AND ($8::text[] IS NULL OR entities && $8)
               AND ($9::text[] IS NULL OR entities && $9)
               AND ($10::bigint IS NULL OR (sort_time, id) < ($10, $11)) ",
            $order
        )
    };
}

/// From the newest on, until there are enough.
const LIST: &str = list_query!(
    "",
    "($3::text[] IS NULL OR severity = ANY($3))",
    "($5::text[] IS NULL OR rule_id = ANY($5))",
    "ORDER BY sort_time DESC, id DESC LIMIT $12"
);
/// What names the entities, all of it, then the newest: for entities that few findings name. Which way is right the server
/// cannot know before it has statistics of a new day, and the wrong one takes a second. So this one is tried first, up to
/// [`FEW`], and says in its last column how many it saw; a row without a finding says that and nothing else.
const LIST_BY_ENTITY: &str = concat!(
    "WITH few AS MATERIALIZED (",
    select_findings!(
        "WHERE ($7::text[] IS NULL OR entities && $7)
           AND ($8::text[] IS NULL OR entities && $8)
           AND ($9::text[] IS NULL OR entities && $9) LIMIT 1001"
    ),
    ")
     SELECT found.*, seen.count FROM (SELECT count(*) FROM few) AS seen LEFT JOIN LATERAL (
        SELECT * FROM few
        WHERE ($1::bigint IS NULL OR sort_time >= $1) AND ($2::bigint IS NULL OR first_seen < $2)
          AND ($3::text[] IS NULL OR severity = ANY($3)) AND ($4::smallint[] IS NULL OR level = ANY($4))
          AND ($5::text[] IS NULL OR rule_id = ANY($5)) AND ($6::smallint[] IS NULL OR status = ANY($6))
          AND ($10::bigint IS NULL OR (sort_time, id) < ($10, $11))
        ORDER BY sort_time DESC, id DESC LIMIT $12) AS found ON true"
);
const FEW: i64 = 1000;
const SEEN: usize = 15;
/// Severities are few: the newest of each are at hand in an index, the newest of all are among them.
const LIST_BY_SEVERITY: &str = list_query!(
    "SELECT f.* FROM UNNEST($3::text[]) AS wanted(severity_is) CROSS JOIN LATERAL (",
    "severity = severity_is",
    "($5::text[] IS NULL OR rule_id = ANY($5))",
    "ORDER BY sort_time DESC, id DESC LIMIT $12) f ORDER BY sort_time DESC, id DESC LIMIT $12"
);
const LIST_BY_RULE: &str = list_query!(
    "SELECT f.* FROM UNNEST($3::text[]) AS wanted(severity_is) CROSS JOIN UNNEST($5::text[]) AS named(rule_is)
     CROSS JOIN LATERAL (",
    "severity = severity_is",
    "rule_id = rule_is",
    "ORDER BY sort_time DESC, id DESC LIMIT $12) f ORDER BY sort_time DESC, id DESC LIMIT $12"
);
/// Rules of one query that are looked up one by one.
const RULES_APART_MAX: usize = 20;

/// The statement that answers soonest where entities do not select, and the severities that it is given.
fn statement(query: &FindingQuery) -> (&'static str, &[Severity]) {
    let given = query.severities.as_slice();
    match query.rules.len() {
        0 if given.is_empty() => (LIST, given),
        1..=RULES_APART_MAX => (LIST_BY_RULE, if given.is_empty() { &Severity::ALL } else { given }),
        _ if given.is_empty() => (LIST, given),
        _ => (LIST_BY_SEVERITY, given),
    }
}

/// `None` where the filter is not used.
fn used<T>(values: Vec<T>) -> Option<Vec<T>> {
    (!values.is_empty()).then_some(values)
}

/// Each value once: a value given twice must not list its findings twice.
fn unique(values: impl Iterator<Item = String>) -> Vec<String> {
    values.collect::<BTreeSet<_>>().into_iter().collect()
}

pub(super) async fn list(pool: &PgPool, query: &FindingQuery) -> Result<Page, StoreError> {
    let limit = query.limit.clamp(1, LIMIT_MAX);
    let (statement, severities) = statement(query);
    let mut found = Vec::new();
    let mut few = false;
    if !query.entities.is_empty() {
        found = rows(pool, query, LIST_BY_ENTITY, &query.severities).await?;
        few = found.first().is_none_or(|row| row.get::<i64, _>(SEEN) <= FEW);
        found.retain(|row| row.get::<Option<&[u8]>, _>(0).is_some());
    }
    if !few {
        found = rows(pool, query, statement, severities).await?;
    }
    let mut findings = found.iter().map(stored).collect::<Result<Vec<_>, _>>()?;
    let more = findings.len() > limit as usize;
    findings.truncate(limit as usize);
    let last = findings.last().filter(|_| more);
    let next = last.map(|stored| Cursor { sort_time: sort_time(stored.finding.last_seen), id: stored.finding.id });
    Ok(Page { findings, next })
}

async fn rows(
    pool: &PgPool,
    query: &FindingQuery,
    statement: &'static str,
    severities: &[Severity],
) -> Result<Vec<PgRow>, StoreError> {
    let entities = |kind: &str| {
        let values = query.entities.iter().filter(|(known, _)| known == kind);
        used(values.map(|(kind, value)| format!("{kind}={}", value.replace('\0', ""))).collect())
    };
    sqlx::query(statement)
        .bind(query.since.map(|time| time.0))
        .bind(query.until.map(|time| time.0))
        .bind(used(unique(severities.iter().map(|severity| severity.name().to_owned()))))
        .bind(used(query.levels.iter().map(|level| *level as i16).collect()))
        .bind(used(unique(query.rules.iter().map(|rule| rule.replace('\0', "")))))
        .bind(used(query.statuses.iter().map(|status| *status as i16).collect()))
        .bind(entities("source.ip"))
        .bind(entities("user.name"))
        .bind(entities("host.name"))
        .bind(query.after.map(|cursor| cursor.sort_time))
        .bind(query.after.map(|cursor| bytes(cursor.id.0)))
        .bind(i64::from(query.limit.clamp(1, LIMIT_MAX)) + 1)
        .fetch_all(pool)
        .await
        .map_err(StoreError::Read)
}

pub(super) async fn get(pool: &PgPool, id: FindingId) -> Result<Option<StoredFinding>, StoreError> {
    let row = sqlx::query(
        "SELECT id, rule_id, rule_title, level, score, severity, first_seen, last_seen, count, status, details,
                created_at, updated_at, revision, evidence FROM findings WHERE id = $1",
    );
    let row = row.bind(bytes(id.0)).fetch_optional(pool).await.map_err(StoreError::Read)?;
    let Some(row) = row else { return Ok(None) };
    let mut stored = stored(&row)?;
    stored.finding.evidence = read_doc(row.get(14), "evidence")?;
    Ok(Some(stored))
}

pub(super) async fn changed_after(pool: &PgPool, mark: Mark, limit: u32) -> Result<Vec<StoredFinding>, StoreError> {
    let rows = sqlx::query(select_findings!("WHERE (revision, id) > ($1, $2) ORDER BY revision, id LIMIT $3"))
        .bind(i64::try_from(mark.revision).unwrap_or(i64::MAX))
        .bind(bytes(mark.id.0))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
        .map_err(StoreError::Read)?;
    rows.iter().map(stored).collect()
}

/// A finding as far as what goes on from it has to know it.
pub(super) async fn part(connection: &mut PgConnection, id: FindingId) -> Result<Option<StoredPart>, StoreError> {
    let row = sqlx::query("SELECT count, first_seen, last_seen, events, evidence FROM findings WHERE id = $1");
    let row = row.bind(bytes(id.0)).fetch_optional(connection).await.map_err(StoreError::Read)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(StoredPart {
        count: row.get::<i64, _>(0) as u64,
        first_seen: row.get::<Option<i64>, _>(1).map(Timestamp),
        last_seen: row.get::<Option<i64>, _>(2).map(Timestamp),
        evidence: read_doc(row.get(4), "evidence")?,
        events: event_set(row.get(3))?,
    }))
}

/// A row of `findings`, without evidence.
fn stored(row: &PgRow) -> Result<StoredFinding, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("{what} of a finding"));
    let details: Details = read_doc(row.get(10), "details of a finding")?;
    let level = Level::ALL.into_iter().find(|level| *level as i16 == row.get::<i16, _>(3));
    let finding = Finding {
        id: FindingId(number(row.get(0))?),
        rule_id: row.get(1),
        rule_title: row.get(2),
        level: level.ok_or_else(|| damaged("level"))?,
        score: u8::try_from(row.get::<i16, _>(4)).map_err(|_| damaged("score"))?,
        score_parts: details.score_parts,
        severity: row.get::<&str, _>(5).parse().map_err(|()| damaged("severity"))?,
        first_seen: row.get::<Option<i64>, _>(6).map(Timestamp),
        last_seen: row.get::<Option<i64>, _>(7).map(Timestamp),
        count: row.get::<i64, _>(8) as u64,
        entities: details.entities,
        techniques: details.techniques,
        reason: details.reason,
        response: details.response,
        evidence: Vec::new(),
        continues: details.continues,
        counted: event::Counted::default(),
    };
    Ok(StoredFinding {
        finding,
        muted_by: details.muted_by,
        status: Status::from_number(i64::from(row.get::<i16, _>(9))).ok_or_else(|| damaged("status"))?,
        created_at: Timestamp(row.get(11)),
        updated_at: Timestamp(row.get(12)),
        revision: row.get::<i64, _>(13) as u64,
    })
}
