//! Reading findings. Filters are part of one fixed text; a filter that is not used is bound as null and vanishes from
//! the plan.

use std::collections::BTreeSet;

use event::{Evidence, FindingId, Severity, Timestamp};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row};

use crate::details::also_of;
use crate::error::StoreError;
use crate::finding_columns::select_findings;
use crate::known::StoredPart;
use crate::query::FindingQuery;
use crate::rows::{bytes, event_set, read_doc};

/// The finding was found by one of the rules, or names one of them.
macro_rules! of_rules {
    () => {
        "($5::text[] IS NULL OR rule_id = ANY($5) OR EXISTS (SELECT 1 FROM finding_also AS other
            WHERE other.finding_id = id AND other.rule_id = ANY($5)))"
    };
}

/// A list with all filters: `$before` comes first, `$order` last.
macro_rules! list_query {
    ($before:literal, $severity:literal, $rule:expr, $order:literal) => {
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

/// Goes through findings from the newest on, until the page is full.
const LIST: &str = list_query!(
    "",
    "($3::text[] IS NULL OR severity = ANY($3))",
    of_rules!(),
    "ORDER BY sort_time DESC, id DESC LIMIT $12"
);
/// Gathers all findings that name the entities, then takes the newest: right where no more than [`ENTITY_FINDINGS_MAX`]
/// name them. The server cannot choose between this and [`LIST`] before it has statistics of a new day, and the wrong
/// one takes a second. So this one is tried first; its last column holds how many it gathered. A row without a finding
/// carries that number alone.
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
          AND ",
    of_rules!(),
    " AND ($6::smallint[] IS NULL OR status = ANY($6))
          AND ($10::bigint IS NULL OR (sort_time, id) < ($10, $11))
        ORDER BY sort_time DESC, id DESC LIMIT $12) AS found ON true"
);
/// Findings that are gathered by entity; the statement stops at one more.
const ENTITY_FINDINGS_MAX: i64 = 1000;
/// Column of [`LIST_BY_ENTITY`] that holds the number.
const SEEN: usize = 15;
/// An index gives the newest findings of each severity; the newest of all are among them.
const LIST_BY_SEVERITY: &str = list_query!(
    "SELECT f.* FROM UNNEST($3::text[]) AS wanted(severity_is) CROSS JOIN LATERAL (",
    "severity = severity_is",
    of_rules!(),
    "ORDER BY sort_time DESC, id DESC LIMIT $12) f ORDER BY sort_time DESC, id DESC LIMIT $12"
);
/// The newest findings of each rule and severity, and for each rule the newest that name it; the newest of all are among
/// them. A finding of one of the rules may name another.
const LIST_BY_RULE: &str = concat!(
    "SELECT DISTINCT ON (sort_time, id) * FROM ((",
    list_query!(
        "SELECT f.* FROM UNNEST($3::text[]) AS wanted(severity_is) CROSS JOIN UNNEST($5::text[]) AS named(rule_is)
         CROSS JOIN LATERAL (",
        "severity = severity_is",
        "rule_id = rule_is",
        "ORDER BY sort_time DESC, id DESC LIMIT $12) f ORDER BY sort_time DESC, id DESC LIMIT $12"
    ),
    ") UNION ALL (",
    list_query!(
        "SELECT f.* FROM UNNEST($5::text[]) AS named(rule_is) CROSS JOIN LATERAL (
            SELECT g.* FROM (SELECT finding_id AS other_id, day AS other_day, sort_time AS other_time FROM finding_also
                WHERE rule_id = rule_is AND ($10::bigint IS NULL OR (sort_time, finding_id) < ($10, $11))
                ORDER BY sort_time DESC, finding_id DESC) AS other
            CROSS JOIN LATERAL (",
        "severity = ANY($3)",
        "id = other_id AND day = other_day",
        ") AS g ORDER BY other_time DESC, other_id DESC LIMIT $12) AS f"
    ),
    ")) AS found ORDER BY sort_time DESC, id DESC LIMIT $12"
);
/// Up to so many rules of one query are looked up one by one.
const RULES_APART_MAX: usize = 20;

/// The fastest statement for a query whose entities do not narrow it, and the severities to bind.
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

/// Each value once: otherwise a value given twice would list its findings twice.
fn unique(values: impl Iterator<Item = String>) -> Vec<String> {
    values.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The rows of a page, newest first; `limit` of them at most.
pub(crate) async fn page(pool: &PgPool, query: &FindingQuery, limit: i64) -> Result<Vec<PgRow>, StoreError> {
    if !query.entities.is_empty() {
        let mut found = rows(pool, query, (LIST_BY_ENTITY, &query.severities), limit).await?;
        if found.first().is_none_or(|row| row.get::<i64, _>(SEEN) <= ENTITY_FINDINGS_MAX) {
            found.retain(|row| row.get::<Option<&[u8]>, _>(0).is_some());
            return Ok(found);
        }
    }
    rows(pool, query, statement(query), limit).await
}

async fn rows(
    pool: &PgPool,
    query: &FindingQuery,
    (statement, severities): (&'static str, &[Severity]),
    limit: i64,
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
        .bind(limit)
        .fetch_all(pool)
        .await
        .map_err(StoreError::Read)
}

/// The row of a finding, and its evidence.
pub(crate) async fn get(pool: &PgPool, id: FindingId) -> Result<Option<(PgRow, Vec<Evidence>)>, StoreError> {
    let row = sqlx::query(
        "SELECT id, rule_id, rule_title, level, score, severity, first_seen, last_seen, count, status, details,
                created_at, updated_at, revision, evidence FROM findings WHERE id = $1",
    );
    let row = row.bind(bytes(id.0)).fetch_optional(pool).await.map_err(StoreError::Read)?;
    let Some(row) = row else { return Ok(None) };
    let evidence = read_doc(row.get(14), "evidence")?;
    Ok(Some((row, evidence)))
}

/// What the next part of a finding has to know of it; `None` where there is no such finding.
pub(crate) async fn part(connection: &mut PgConnection, id: FindingId) -> Result<Option<StoredPart>, StoreError> {
    let row = sqlx::query("SELECT count, first_seen, last_seen, events, evidence, details FROM findings WHERE id = $1");
    let row = row.bind(bytes(id.0)).fetch_optional(connection).await.map_err(StoreError::Read)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(StoredPart {
        count: row.get::<i64, _>(0) as u64,
        first_seen: row.get::<Option<i64>, _>(1).map(Timestamp),
        last_seen: row.get::<Option<i64>, _>(2).map(Timestamp),
        evidence: read_doc(row.get(4), "evidence")?,
        events: event_set(row.get(3))?,
        also: also_of(row.get(5)),
    }))
}
