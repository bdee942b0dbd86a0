//! Reading findings. Filters are part of one fixed text; a filter that is not used is bound as null or as an empty
//! list.

use event::{EventId, Evidence, FindingId, Timestamp};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};

use crate::details::also_of;
use crate::error::StoreError;
use crate::finding_columns::select_findings;
use crate::known::StoredPart;
use crate::query::FindingQuery;
use crate::rows::{bytes, event_set, number};

/// A list with all filters; `$narrowed` comes before them. Lists are bound as JSON arrays; an empty one means that the
/// filter is not used.
macro_rules! list_query {
    ($narrowed:literal) => {
        concat!(
            select_findings!("WHERE "),
            $narrowed,
            " (?1 IS NULL OR last_seen >= ?1)
              AND (?2 IS NULL OR first_seen < ?2)
              AND (?3 = '[]' OR severity IN (SELECT value FROM json_each(?3)))
              AND (?4 = '[]' OR level IN (SELECT value FROM json_each(?4)))
              AND (?5 = '[]' OR rule_id IN (SELECT value FROM json_each(?5))
                    OR EXISTS (SELECT 1 FROM finding_also AS other WHERE other.finding_id = findings.id
                        AND other.rule_id IN (SELECT value FROM json_each(?5))))
              AND (?6 = '[]' OR status IN (SELECT value FROM json_each(?6)))
              AND (?7 = '[]' OR EXISTS (SELECT 1 FROM finding_entities AS entity WHERE entity.finding_id = findings.id
                    AND entity.kind = 'source.ip' AND entity.value IN (SELECT value FROM json_each(?7))))
              AND (?8 = '[]' OR EXISTS (SELECT 1 FROM finding_entities AS entity WHERE entity.finding_id = findings.id
                    AND entity.kind = 'user.name' AND entity.value IN (SELECT value FROM json_each(?8))))
              AND (?9 = '[]' OR EXISTS (SELECT 1 FROM finding_entities AS entity WHERE entity.finding_id = findings.id
                    AND entity.kind = 'host.name' AND entity.value IN (SELECT value FROM json_each(?9))))
              AND (?10 IS NULL OR (sort_time, id) < (?10, ?11))
            ORDER BY sort_time DESC, id DESC
            LIMIT ?12"
        )
    };
}

/// Goes through findings from the newest on, until the page is full.
const LIST: &str = list_query!("");
/// Gathers all findings that name the entities, then takes the newest: for entities that few findings name.
const LIST_BY_ENTITY: &str = list_query!(
    "id IN (SELECT finding_id FROM finding_entities
        WHERE kind = ?13 AND value IN (SELECT value FROM json_each(?14))) AND"
);
/// How many findings name the entities, counted up to [`ENTITY_FINDINGS_MAX`] and one more.
const NAMED: &str = "SELECT count(*) FROM (SELECT 1 FROM finding_entities
    WHERE kind = ?1 AND value IN (SELECT value FROM json_each(?2)) LIMIT 5001)";
const ENTITY_FINDINGS_MAX: i64 = 5_000;
const KINDS: [&str; 3] = ["source.ip", "user.name", "host.name"];

/// The rows of a page, newest first; `limit` of them at most.
pub(crate) async fn page(pool: &SqlitePool, query: &FindingQuery, limit: i64) -> Result<Vec<SqliteRow>, StoreError> {
    let json = |list: Vec<serde_json::Value>| serde_json::Value::Array(list).to_string();
    let named = |kind: &str| {
        let values = query.entities.iter().filter(|(known, _)| known == kind);
        json(values.map(|(_, value)| value.as_str().into()).collect())
    };
    let narrow = narrow_kind(pool, query, named).await?;
    let rows = sqlx::query(if narrow.is_some() { LIST_BY_ENTITY } else { LIST })
        .bind(query.since.map(|time| time.0))
        .bind(query.until.map(|time| time.0))
        .bind(json(query.severities.iter().map(|severity| severity.name().into()).collect()))
        .bind(json(query.levels.iter().map(|level| (*level as i64).into()).collect()))
        .bind(json(query.rules.iter().map(|rule| rule.as_str().into()).collect()))
        .bind(json(query.statuses.iter().map(|status| (*status as i64).into()).collect()))
        .bind(named(KINDS[0]))
        .bind(named(KINDS[1]))
        .bind(named(KINDS[2]))
        .bind(query.after.map(|cursor| cursor.sort_time))
        .bind(query.after.map(|cursor| bytes(cursor.id.0)))
        .bind(limit);
    let rows = match narrow {
        Some(kind) => rows.bind(kind).bind(named(kind)),
        None => rows,
    };
    rows.fetch_all(pool).await.map_err(StoreError::Read)
}

/// A kind of entity that the query asks for and that at most [`ENTITY_FINDINGS_MAX`] findings name: [`LIST_BY_ENTITY`]
/// is faster then.
async fn narrow_kind(
    pool: &SqlitePool,
    query: &FindingQuery,
    named: impl Fn(&str) -> String,
) -> Result<Option<&'static str>, StoreError> {
    for kind in KINDS {
        if query.entities.iter().any(|(known, _)| known == kind) {
            let row =
                sqlx::query(NAMED).bind(kind).bind(named(kind)).fetch_one(pool).await.map_err(StoreError::Read)?;
            if row.get::<i64, _>(0) <= ENTITY_FINDINGS_MAX {
                return Ok(Some(kind));
            }
        }
    }
    Ok(None)
}

/// The row of a finding, and its evidence.
pub(crate) async fn get(pool: &SqlitePool, id: FindingId) -> Result<Option<(SqliteRow, Vec<Evidence>)>, StoreError> {
    let row = sqlx::query(select_findings!("WHERE id = ?")).bind(bytes(id.0));
    let Some(row) = row.fetch_optional(pool).await.map_err(StoreError::Read)? else { return Ok(None) };
    let mut connection = pool.acquire().await.map_err(StoreError::Read)?;
    Ok(Some((row, evidence(&mut connection, id).await?)))
}

async fn evidence(connection: &mut SqliteConnection, id: FindingId) -> Result<Vec<Evidence>, StoreError> {
    let rows = sqlx::query(
        "SELECT event_id, source, line_no, \"offset\", time, original FROM evidence WHERE finding_id = ?
         ORDER BY place",
    )
    .bind(bytes(id.0))
    .fetch_all(connection)
    .await
    .map_err(StoreError::Read)?;
    let evidence = |row: &SqliteRow| {
        Ok(Evidence {
            event_id: EventId(number(row.get(0))?),
            source: row.get(1),
            line_no: row.get::<i64, _>(2) as u64,
            offset: row.get::<i64, _>(3) as u64,
            time: row.get::<Option<i64>, _>(4).map(Timestamp),
            original: row.get(5),
        })
    };
    rows.iter().map(evidence).collect()
}

/// What the next part of a finding has to know of it; `None` where there is no such finding.
pub(crate) async fn part(connection: &mut SqliteConnection, id: FindingId) -> Result<Option<StoredPart>, StoreError> {
    let row = sqlx::query("SELECT count, first_seen, last_seen, events, details FROM findings WHERE id = ?")
        .bind(bytes(id.0));
    let Some(row) = row.fetch_optional(&mut *connection).await.map_err(StoreError::Read)? else { return Ok(None) };
    Ok(Some(StoredPart {
        count: row.get::<i64, _>(0) as u64,
        first_seen: row.get::<Option<i64>, _>(1).map(Timestamp),
        last_seen: row.get::<Option<i64>, _>(2).map(Timestamp),
        evidence: evidence(&mut *connection, id).await?,
        events: event_set(row.get(3))?,
        also: also_of(row.get(4)),
    }))
}
