//! Reading findings. Filters are part of one fixed text; a filter that is not used is bound as null or as an empty list.

use event::{EventId, Evidence, Finding, FindingId, Level, Status, Timestamp};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};

use crate::known::StoredPart;
use crate::query::{Cursor, Details, FindingQuery, LIMIT_MAX, Page, sort_time};
use crate::rows::event_set;
use crate::sqlite::{bytes, number};
use crate::{Mark, StoreError, StoredFinding};

/// The columns that [`stored`] reads, in its order, and the rest of the query.
macro_rules! select_findings {
    ($rest:literal) => {
        concat!(
            "SELECT id, rule_id, rule_title, level, score, severity, first_seen, last_seen, count, status, details,
                    created_at, updated_at, revision
             FROM findings ",
            $rest
        )
    };
}

/// Lists are bound as JSON arrays; an empty one means that the filter is not used. `$narrowed` comes in front of the filters,
/// the order behind them.
macro_rules! list_query {
    ($narrowed:literal) => {
        concat!(
            select_findings!("WHERE "),
            $narrowed,
            " (?1 IS NULL OR last_seen >= ?1)
              AND (?2 IS NULL OR first_seen < ?2)
              AND (?3 = '[]' OR severity IN (SELECT value FROM json_each(?3)))
              AND (?4 = '[]' OR level IN (SELECT value FROM json_each(?4)))
              AND (?5 = '[]' OR rule_id IN (SELECT value FROM json_each(?5)))
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

/// From the newest on, until there are enough.
const LIST: &str = list_query!("");
/// What names the entities, all of it, then the newest: for entities that few findings name.
const LIST_BY_ENTITY: &str = list_query!(
    "id IN (SELECT finding_id FROM finding_entities WHERE kind = ?13 AND value IN (SELECT value FROM json_each(?14))) AND"
);
/// How many findings name the entities, counted up to [`FEW`] and one more.
const NAMED: &str = "SELECT count(*) FROM (SELECT 1 FROM finding_entities
    WHERE kind = ?1 AND value IN (SELECT value FROM json_each(?2)) LIMIT 5001)";
const FEW: i64 = 5_000;
const KINDS: [&str; 3] = ["source.ip", "user.name", "host.name"];

pub(super) async fn list(pool: &SqlitePool, query: &FindingQuery) -> Result<Page, StoreError> {
    let limit = query.limit.clamp(1, LIMIT_MAX);
    let json = |list: Vec<serde_json::Value>| serde_json::Value::Array(list).to_string();
    let named = |kind: &str| {
        let values = query.entities.iter().filter(|(known, _)| known == kind);
        json(values.map(|(_, value)| value.as_str().into()).collect())
    };
    let few = kind_of_few(pool, query, named).await?;
    let rows = sqlx::query(if few.is_some() { LIST_BY_ENTITY } else { LIST })
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
        .bind(i64::from(limit) + 1);
    let rows = match few {
        Some(kind) => rows.bind(kind).bind(named(kind)),
        None => rows,
    };
    let rows = rows.fetch_all(pool).await.map_err(StoreError::Read)?;
    let mut findings = rows.iter().map(stored).collect::<Result<Vec<_>, _>>()?;
    let more = findings.len() > limit as usize;
    findings.truncate(limit as usize);
    let last = findings.last().filter(|_| more);
    let next = last.map(|stored| Cursor { sort_time: sort_time(stored.finding.last_seen), id: stored.finding.id });
    Ok(Page { findings, next })
}

/// A kind of entity that is asked for and that few findings name: those are gathered, instead of walking by time until
/// there are enough.
async fn kind_of_few(
    pool: &SqlitePool,
    query: &FindingQuery,
    named: impl Fn(&str) -> String,
) -> Result<Option<&'static str>, StoreError> {
    for kind in KINDS {
        if query.entities.iter().any(|(known, _)| known == kind) {
            let row =
                sqlx::query(NAMED).bind(kind).bind(named(kind)).fetch_one(pool).await.map_err(StoreError::Read)?;
            if row.get::<i64, _>(0) <= FEW {
                return Ok(Some(kind));
            }
        }
    }
    Ok(None)
}

pub(super) async fn get(pool: &SqlitePool, id: FindingId) -> Result<Option<StoredFinding>, StoreError> {
    let row = sqlx::query(select_findings!("WHERE id = ?"))
        .bind(bytes(id.0))
        .fetch_optional(pool)
        .await
        .map_err(StoreError::Read)?;
    let Some(mut stored) = row.as_ref().map(stored).transpose()? else { return Ok(None) };
    let mut connection = pool.acquire().await.map_err(StoreError::Read)?;
    stored.finding.evidence = evidence(&mut connection, id).await?;
    Ok(Some(stored))
}

async fn evidence(connection: &mut SqliteConnection, id: FindingId) -> Result<Vec<Evidence>, StoreError> {
    let rows = sqlx::query(
        "SELECT event_id, source, line_no, \"offset\", time, original FROM evidence WHERE finding_id = ? ORDER BY place",
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

pub(super) async fn changed_after(pool: &SqlitePool, mark: Mark, limit: u32) -> Result<Vec<StoredFinding>, StoreError> {
    let rows = sqlx::query(select_findings!("WHERE (revision, id) > (?, ?) ORDER BY revision, id LIMIT ?"))
        .bind(i64::try_from(mark.revision).unwrap_or(i64::MAX))
        .bind(bytes(mark.id.0))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
        .map_err(StoreError::Read)?;
    rows.iter().map(stored).collect()
}

/// A finding as far as what goes on from it has to know it.
pub(super) async fn part(connection: &mut SqliteConnection, id: FindingId) -> Result<Option<StoredPart>, StoreError> {
    let row = sqlx::query("SELECT count, first_seen, last_seen, events FROM findings WHERE id = ?").bind(bytes(id.0));
    let Some(row) = row.fetch_optional(&mut *connection).await.map_err(StoreError::Read)? else { return Ok(None) };
    Ok(Some(StoredPart {
        count: row.get::<i64, _>(0) as u64,
        first_seen: row.get::<Option<i64>, _>(1).map(Timestamp),
        last_seen: row.get::<Option<i64>, _>(2).map(Timestamp),
        evidence: evidence(&mut *connection, id).await?,
        events: event_set(row.get(3))?,
    }))
}

/// A row of `findings`, without evidence.
fn stored(row: &SqliteRow) -> Result<StoredFinding, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("{what} of a finding"));
    let details: Details = serde_json::from_str(row.get(10)).map_err(|_| damaged("details"))?;
    let level = Level::ALL.into_iter().find(|level| *level as i64 == row.get::<i64, _>(3));
    let finding = Finding {
        id: FindingId(number(row.get(0))?),
        rule_id: row.get(1),
        rule_title: row.get(2),
        level: level.ok_or_else(|| damaged("level"))?,
        score: u8::try_from(row.get::<i64, _>(4)).map_err(|_| damaged("score"))?,
        score_parts: details.score_parts,
        severity: row.get::<String, _>(5).parse().map_err(|()| damaged("severity"))?,
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
        status: Status::from_number(row.get(9)).ok_or_else(|| damaged("status"))?,
        created_at: Timestamp(row.get(11)),
        updated_at: Timestamp(row.get(12)),
        revision: row.get::<i64, _>(13) as u64,
    })
}
