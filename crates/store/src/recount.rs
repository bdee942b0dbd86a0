//! Counting again: everything is read in one transaction, page by page, and what can be derived is written in it. A
//! check does the work of a repair and undoes it. What is wrong and how it is mended is decided in `upkeep`.

use async_trait::async_trait;
use event::incident::HistoryEntry;
use event::{EventSet, Incident, Thresholds, Timestamp};

use crate::error::StoreError;
use crate::join::Joined;
use crate::join_rows::write_rows;
use crate::rows::{JoinedRows, read_doc};
use crate::sql::{Row, Statement, Text, Transaction, both, sql};
use crate::sql_store::SqlStore;
use crate::upkeep::{
    AskedFor, Diagnosis, Fault, FindingRow, FindingTimes, Fix, IncidentRow, LinkRow, MENDER, Recount, Upkeep, Value,
    diagnosis,
};

const FINDINGS: Text = Text {
    sqlite: "SELECT lower(hex(id)), count, score, severity, first_seen, last_seen, sort_time, status, details, events,
            (SELECT json_group_array(json_object('event_id', hex(event_id))) FROM evidence e WHERE e.finding_id = f.id),
            (SELECT json_group_array(kind || '=' || value) FROM finding_entities n WHERE n.finding_id = f.id),
            (SELECT json_group_object(rule_id, count) FROM finding_also a WHERE a.finding_id = f.id),
            (SELECT l.events FROM incident_findings l WHERE l.finding_id = lower(hex(f.id))),
            (SELECT h.events FROM held_findings h WHERE h.finding_id = lower(hex(f.id)))
        FROM findings f WHERE id > unhex($1) ORDER BY id LIMIT 1000",
    postgres:
        "SELECT encode(id, 'hex'), count, score::bigint, severity, first_seen, last_seen, sort_time, status::bigint,
            details, events, evidence, array_to_json(entities)::text,
            (SELECT coalesce(json_object_agg(rule_id, count), '{}')::text FROM finding_also a
                WHERE a.finding_id = f.id AND a.day = f.day AND a.sort_time = f.sort_time),
            (SELECT l.events FROM incident_findings l WHERE l.finding_id = encode(f.id, 'hex')),
            (SELECT h.events FROM held_findings h WHERE h.finding_id = encode(f.id, 'hex'))
        FROM findings f WHERE id > decode($1, 'hex') ORDER BY id LIMIT 1000",
};
const LINKS: Text = both!(
    "SELECT l.finding_id, l.events, f.count, f.severity, f.events, l.continued,
        (SELECT count(*) FROM findings n WHERE n.id = " unhex("l.continued") ")
     FROM incident_findings l LEFT JOIN findings f ON f.id = " unhex("l.finding_id")
    " WHERE l.incident_id = $1 ORDER BY l.finding_id"
);
const INCIDENTS: &str = "SELECT id, doc, memory, severity, stage, status, version, facts_version FROM incidents
     WHERE id > $1 ORDER BY id LIMIT 500";

/// A row that must have another and has none.
struct Orphans {
    table: &'static str,
    what: &'static str,
    /// Gives the ids of such rows.
    find: &'static str,
    /// Removes such a row, by its id; `None` where it is left.
    remove: Option<&'static str>,
}

const ORPHANS: [Orphans; 7] = [
    Orphans {
        table: "incident_findings",
        what: "the link is to an incident that does not exist",
        find: "SELECT finding_id FROM incident_findings l
            WHERE NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = l.incident_id)",
        remove: Some("DELETE FROM incident_findings WHERE finding_id = $1"),
    },
    Orphans {
        table: "incident_keys",
        what: "an entity is kept for an incident that does not exist",
        find: "SELECT DISTINCT incident_id FROM incident_keys l
            WHERE NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = l.incident_id)",
        remove: Some("DELETE FROM incident_keys WHERE incident_id = $1"),
    },
    Orphans {
        table: "incident_history",
        what: "it is the history of an incident that does not exist",
        find: "SELECT DISTINCT incident_id FROM incident_history l
            WHERE NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = l.incident_id)",
        remove: None,
    },
    Orphans {
        table: "summaries",
        what: "it sums up an incident that does not exist",
        find: "SELECT incident_id FROM summaries l
            WHERE NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = l.incident_id)",
        remove: Some("DELETE FROM summaries WHERE incident_id = $1"),
    },
    Orphans {
        table: "notices",
        what: "it tells of an incident that does not exist",
        find: "SELECT id FROM notices l
            WHERE incident_id <> '' AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = l.incident_id)",
        remove: Some("DELETE FROM notices WHERE id = $1"),
    },
    Orphans {
        table: "deliveries",
        what: "it delivers a notice that does not exist",
        find: "SELECT DISTINCT notice_id FROM deliveries l
            WHERE NOT EXISTS (SELECT 1 FROM notices n WHERE n.id = l.notice_id)",
        remove: Some("DELETE FROM deliveries WHERE notice_id = $1"),
    },
    Orphans {
        table: "held_findings",
        what: "it is hidden by a mute that does not exist",
        find: "SELECT finding_id FROM held_findings l
            WHERE mute_id <> '' AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.id = l.mute_id)",
        remove: Some("DELETE FROM held_findings WHERE finding_id = $1"),
    },
];

/// The statement of a fix: `$1` is the row's id, `$2` the new value where the fix has one. Entities take
/// [`put_entities`], rules that are named [`put_also`].
fn statement(fix: Fix) -> Option<Text> {
    Some(match fix {
        Fix::Count => both!("UPDATE findings SET count = $2 WHERE id = " unhex("$1")),
        Fix::Score => both!("UPDATE findings SET score = $2 WHERE id = " unhex("$1")),
        Fix::SortTime => both!("UPDATE findings SET sort_time = $2 WHERE id = " unhex("$1")),
        Fix::Severity => both!("UPDATE findings SET severity = $2 WHERE id = " unhex("$1")),
        Fix::Events => both!("UPDATE findings SET events = $2 WHERE id = " unhex("$1")),
        Fix::Link => "UPDATE incident_findings SET events = $2 WHERE finding_id = $1".into(),
        Fix::Held => "UPDATE held_findings SET events = $2 WHERE finding_id = $1".into(),
        Fix::Unlink => "DELETE FROM incident_findings WHERE finding_id = $1".into(),
        Fix::Continue => "UPDATE incident_findings SET continued = '' WHERE finding_id = $1".into(),
        Fix::Unname => both!("DELETE FROM finding_also WHERE finding_id = " unhex("$1")),
        Fix::Entities | Fix::Also => return None,
    })
}

/// Statements that make the entities of a finding, by which it is asked for, those of the JSON list.
fn put_entities<'a>(transaction: &Transaction, id: &'a str, entities: &'a str) -> Vec<Statement<'a>> {
    match transaction {
        Transaction::Sqlite(_) => vec![
            sql("DELETE FROM finding_entities WHERE finding_id = unhex($1)").bind(id),
            sql("INSERT INTO finding_entities (kind, value, finding_id)
                 SELECT substr(value, 1, instr(value, '=') - 1), substr(value, instr(value, '=') + 1), unhex($1)
                 FROM json_each($2)")
            .bind(id)
            .bind(entities),
        ],
        Transaction::Postgres(_) => vec![
            sql("UPDATE findings SET entities = ARRAY(SELECT json_array_elements_text($2::json))
                 WHERE id = decode($1, 'hex')")
            .bind(id)
            .bind(entities),
        ],
    }
}

/// Statements that make the rules of a finding, by which it is found, those of the JSON object: ids with their events.
fn put_also<'a>(transaction: &Transaction, id: &'a str, also: &'a str) -> Vec<Statement<'a>> {
    const GONE: Text = both!("DELETE FROM finding_also WHERE finding_id = " unhex("$1"));
    let put = match transaction {
        Transaction::Sqlite(_) => {
            "INSERT INTO finding_also (rule_id, finding_id, count) SELECT key, unhex($1), value FROM json_each($2)"
        }
        Transaction::Postgres(_) => {
            "INSERT INTO finding_also (rule_id, finding_id, count, day, sort_time)
             SELECT other.key, id, other.value::bigint, day, sort_time FROM findings, json_each_text($2::json) AS other
             WHERE id = decode($1, 'hex')"
        }
    };
    vec![sql(GONE).bind(id), sql(put).bind(id).bind(also)]
}

/// Tells the fault and mends it, inside the transaction.
async fn take(transaction: &mut Transaction, recount: &mut Recount, one: Diagnosis) -> Result<(), StoreError> {
    if let Some((fix, id, value)) = &one.fix {
        let statements = match (statement(*fix), value) {
            (Some(text), Value::None) => vec![sql(text).bind(id)],
            (Some(text), Value::Number(number)) => vec![sql(text).bind(id).bind(*number)],
            (Some(text), Value::Text(value)) => vec![sql(text).bind(id).bind(value)],
            (None, Value::Text(also)) if *fix == Fix::Also => put_also(transaction, id, also),
            (None, Value::Text(entities)) => put_entities(transaction, id, entities),
            (None, Value::None | Value::Number(_)) => Vec::new(),
        };
        for statement in statements {
            transaction.write(statement).await?;
        }
    }
    recount.take(one.fault);
    Ok(())
}

fn finding_of(row: &Row) -> FindingRow {
    FindingRow {
        id: row.get(0),
        count: row.get(1),
        score: row.get(2),
        severity: row.get(3),
        times: FindingTimes { first_seen: row.get(4), last_seen: row.get(5), sort: row.get(6) },
        status: row.get(7),
        details: row.get(8),
        events: row.get(9),
        evidence: row.get(10),
        asked: AskedFor { entities: row.get(11), also: row.get(12) },
        linked: row.get(13),
        held: row.get(14),
    }
}

async fn check_findings(
    transaction: &mut Transaction,
    recount: &mut Recount,
    thresholds: Thresholds,
) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let rows = transaction.rows(sql(FINDINGS).bind(&after)).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.get(0);
        for row in &rows {
            recount.findings += 1;
            for one in finding_of(row).check(thresholds) {
                take(transaction, recount, one).await?;
            }
        }
    }
}

/// Findings that do not exist and for which rules are named.
const NAMED_FOR_NONE: Text = both!("SELECT DISTINCT " hex("finding_id") " FROM finding_also a
    WHERE NOT EXISTS (SELECT 1 FROM findings f WHERE f.id = a.finding_id)");

async fn check_orphans(transaction: &mut Transaction, recount: &mut Recount) -> Result<(), StoreError> {
    for row in transaction.rows(sql(NAMED_FOR_NONE)).await? {
        let what = "it names rules of a finding that does not exist".to_owned();
        let fix = Some((Fix::Unname, Value::None));
        take(transaction, recount, diagnosis("finding_also", row.get(0), what, "it is removed", fix)).await?;
    }
    for Orphans { table, what, find, remove } in ORPHANS {
        for row in transaction.rows(sql(find)).await? {
            let id: String = row.get(0);
            if let Some(remove) = remove {
                transaction.write(sql(remove).bind(&id)).await?;
            }
            let is_mendable = remove.is_some();
            let remedy = if is_mendable { "it is removed" } else { "restore the incident from a backup" };
            recount.take(Fault { table, id, what: what.to_owned(), remedy: remedy.to_owned(), is_mendable });
        }
    }
    Ok(())
}

async fn check_links(
    transaction: &mut Transaction,
    recount: &mut Recount,
    incident: &str,
) -> Result<Vec<LinkRow>, StoreError> {
    const TABLE: &str = "incident_findings";
    let mut links = Vec::new();
    for row in transaction.rows(sql(LINKS).bind(incident)).await? {
        recount.linked += 1;
        let (finding, continued): (&str, &str) = (row.get(0), row.get(5));
        let found = row.get::<Option<i64>>(2).map(|count| {
            let set = EventSet::read(row.get::<Option<&str>>(4).unwrap_or(""));
            (count, row.get::<Option<&str>>(3).and_then(|severity| severity.parse().ok()), set)
        });
        if found.is_none() {
            let what = "the link is of a finding that does not exist".to_owned();
            let fix = Some((Fix::Unlink, Value::None));
            take(transaction, recount, diagnosis(TABLE, finding, what, "it is removed", fix)).await?;
        }
        if !continued.is_empty() && row.get::<i64>(6) == 0 {
            let what = format!("what goes on from it, finding {continued}, does not exist");
            let fix = Some((Fix::Continue, Value::None));
            take(transaction, recount, diagnosis(TABLE, finding, what, "it goes on itself", fix)).await?;
        }
        links.push(LinkRow { found });
    }
    Ok(links)
}

/// Number, field and actor of an incident's history. An entry that cannot be read is told and has no field and no
/// actor.
async fn check_history(
    transaction: &mut Transaction,
    recount: &mut Recount,
    incident: &str,
) -> Result<Vec<(i64, String, String)>, StoreError> {
    let entries = sql("SELECT number, doc FROM incident_history WHERE incident_id = $1 ORDER BY number").bind(incident);
    let mut history = Vec::new();
    for row in transaction.rows(entries).await? {
        let number: i64 = row.get(0);
        match read_doc::<HistoryEntry>(row.get(1), "a history entry") {
            Ok(entry) => history.push((number, entry.field, entry.actor)),
            Err(_) => {
                let what = format!("entry {number} of its history cannot be read");
                let fault = diagnosis("incident_history", incident, what, "restore it from a backup", None).fault;
                recount.take(fault);
                history.push((number, String::new(), String::new()));
            }
        }
    }
    Ok(history)
}

async fn check_incident(
    transaction: &mut Transaction,
    recount: &mut Recount,
    row: &Row,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id: &str = row.get(0);
    let Ok(incident) = read_doc::<Incident>(row.get(1), "an incident") else {
        let what = "it cannot be read".to_owned();
        recount.take(diagnosis("incidents", id, what, "restore it from a backup", None).fault);
        return Ok(());
    };
    let memory = row.get::<Option<&str>>(2).map(|memory| read_doc(memory, "what is remembered of an incident"));
    let whole = IncidentRow {
        incident,
        columns: (row.get(3), row.get(4), row.get(5), row.get(6), row.get(7)),
        memory_is_damaged: matches!(memory, Some(Err(_))),
        memory: memory.and_then(Result::ok),
        links: check_links(transaction, recount, id).await?,
        history: check_history(transaction, recount, id).await?,
    };
    let (faults, mended) = whole.check();
    if let Some((mut right, memory)) = mended {
        let words: Vec<&str> = faults.iter().map(|one| one.fault.what.as_str()).collect();
        let entry = right.note(now, MENDER, "repaired", None, Some(words.join("; ")));
        right.record.version += 1;
        right.record.facts_version += 1;
        right.record.version = right.record.version.max(right.record.facts_version);
        right.record.updated_at = now;
        let joined = Joined {
            history: vec![(right.id, entry)],
            memories: [(right.id, memory)].into(),
            incidents: vec![right],
            ..Joined::default()
        };
        write_rows(transaction, JoinedRows::of(&joined, now)).await?;
    }
    faults.into_iter().for_each(|one| recount.take(one.fault));
    Ok(())
}

#[async_trait]
impl Upkeep for SqlStore {
    async fn recount(&self, mend: bool, thresholds: Thresholds, now: Timestamp) -> Result<Recount, StoreError> {
        let mut transaction = self.pool.begin_snapshot().await?;
        let mut recount = Recount::default();
        check_findings(&mut transaction, &mut recount, thresholds).await?;
        check_orphans(&mut transaction, &mut recount).await?;
        let mut after = String::new();
        loop {
            let rows = transaction.rows(sql(INCIDENTS).bind(&after)).await?;
            let Some(last) = rows.last() else { break };
            after = last.get(0);
            for row in &rows {
                recount.incidents += 1;
                check_incident(&mut transaction, &mut recount, row, now).await?;
            }
        }
        if mend {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(recount)
    }
}
