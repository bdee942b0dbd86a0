//! What goes into an archive comes out again: every example that can be read, line by line and field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use event::{ArchiveFile, Block, EventBatch, Timestamp};
use serde_json::Value;

use crate::owner::{adopt, is_owned, missing};
use crate::place::ArchivePlace;
use crate::{
    FileReader, Hiding, Hunt, HuntLimits, Need, NeededValue, PassingTest, Privacy, PrivateField, Restored, Search,
    Segment, StoredFile, Writer, restore,
};

mod needles;

fn now() -> Timestamp {
    Timestamp::parse_rfc3339(b"2026-11-29T12:00:00Z").unwrap()
}

fn parsed(name: &str, text: &str) -> Arc<EventBatch> {
    let block = Block::detached(name, text.as_bytes().to_vec(), now());
    Arc::new(parse::Parser::new(parse::Options::default()).parse(block))
}

fn written(root: &Path, batches: &[Arc<EventBatch>]) -> Vec<ArchiveFile> {
    let (writer, orphans) = Writer::open(root, "a", ("test", 1), 2, &BTreeSet::new()).unwrap();
    assert_eq!(orphans, 0);
    let mut segment = Segment::default();
    batches.iter().for_each(|batch| segment.push(Arc::clone(batch), 0));
    writer.write(&segment, 1000).unwrap()
}

/// An event's fields, whatever their order.
fn fields(batch: &EventBatch, row: usize) -> BTreeMap<String, Value> {
    let mut text = String::new();
    event::json::write_row(batch, row, &mut text);
    serde_json::from_str(&text).unwrap()
}

/// All events of the files, by their numbers.
fn restored(root: &Path, files: &[ArchiveFile]) -> BTreeMap<u64, (String, u64, BTreeMap<String, Value>)> {
    let mut all = BTreeMap::new();
    for file in files {
        for rows in FileReader::open(root, &file.path, None).unwrap() {
            for Restored { batch, sequences } in restore(&rows.unwrap()).unwrap() {
                for (row, sequence) in sequences.into_iter().enumerate() {
                    let event = (batch.event_id(row).to_string(), batch.line_no(row), fields(&batch, row));
                    assert_eq!(all.insert(sequence, event), None, "number {sequence} twice");
                }
            }
        }
    }
    all
}

/// The rows of a batch that are events.
fn events(batch: &EventBatch) -> impl Iterator<Item = usize> {
    let is_event =
        |row: &usize| !batch.original(*row).is_empty() && batch.datasets()[*row] != event::dataset::CONTINUATION;
    (0..batch.rows()).filter(is_event)
}

#[test]
fn every_example_comes_out_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    // Three times: from the second line of its kind on an event can have a form.
    let examples: Vec<String> = parse::readable().into_iter().map(|readable| readable.example).collect();
    let batches: Vec<_> = examples
        .iter()
        .enumerate()
        .map(|(at, example)| parsed(&format!("example {at}"), &format!("{0}\n{0}\n{0}\n", example.trim_end())))
        .collect();
    let files = written(folder.path(), &batches);
    let out = restored(folder.path(), &files);
    let (mut first, mut count, mut wrong) = (1000, 0, Vec::new());
    for batch in &batches {
        for row in events(batch) {
            count += 1;
            let expected = (batch.event_id(row).to_string(), batch.line_no(row), fields(batch, row));
            if out.get(&(first + row as u64)) != Some(&expected) {
                wrong.push(format!("{expected:?}\n{:?}", out.get(&(first + row as u64))));
            }
        }
        first += batch.rows() as u64;
    }
    assert!(wrong.is_empty(), "{} of {count} events differ, such as\n{}", wrong.len(), wrong[0]);
    assert_eq!(out.len(), count);
    assert_eq!(files.iter().map(|file| file.events).sum::<u64>(), count as u64);
}

fn access_lines(count: usize) -> String {
    let line = |at: usize| {
        format!(
            "192.0.2.{} - - [29/Nov/2026:10:{:02}:{:02} +0000] \"GET /item/{} HTTP/1.1\" {} {} \"-\" \"Mozilla/5.0 (X11)\"\n",
            at % 200,
            at / 60 % 60,
            at % 60,
            at * 7 % 1000,
            if at.is_multiple_of(50) { 500 } else { 200 },
            at * 31 % 5000,
        )
    };
    (0..count).map(line).collect()
}

#[test]
fn lines_that_their_fields_reproduce_are_not_stored_twice() {
    let folder = tempfile::tempdir().unwrap();
    let batch = parsed("access.log", &access_lines(2000));
    let files = written(folder.path(), &[Arc::clone(&batch)]);
    let reader = FileReader::open(folder.path(), &files[0].path, Some(&["event.original", "c0di3.form"])).unwrap();
    let (mut kept, mut forms) = (0, 0);
    for rows in reader {
        let rows = rows.unwrap();
        let valid = |name: &str| {
            rows.column_by_name(name).map_or(0, |column| rows.num_rows() - arrow_array::Array::null_count(column))
        };
        kept += valid("event.original");
        forms += valid("c0di3.form");
    }
    assert_eq!((kept, forms), (1, 1999));
    let out = restored(folder.path(), &files);
    for row in events(&batch) {
        assert_eq!(out[&(1000 + row as u64)].2, fields(&batch, row));
    }
}

#[test]
fn files_of_a_partition_become_one_with_the_same_events() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, _) = Writer::open(folder.path(), "a", ("test", 1), 1, &BTreeSet::new()).unwrap();
    let mut files = Vec::new();
    let mut next = 0;
    for part in 0..9 {
        let mut segment = Segment::default();
        let batch = parsed(&format!("{part}.log"), &access_lines(50));
        segment.push(batch, 0);
        files.extend(writer.write(&segment, next).unwrap());
        next += segment.rows();
    }
    let groups = crate::to_compact(&files, |_| false);
    assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [9]);
    let one = writer.compact(&groups[0]).unwrap().unwrap();
    assert_eq!((one.events, one.sequences), (450, (0, 449)));
    assert_eq!(restored(folder.path(), &[one]), restored(folder.path(), &files));
}

#[test]
fn files_that_no_commit_names_are_removed_and_those_of_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let files = written(folder.path(), &[parsed("access.log", &access_lines(10))]);
    let known = files[0].path.clone();
    let write = |instance, epoch| {
        let (writer, removed) =
            Writer::open(folder.path(), "a", (instance, epoch), 1, &BTreeSet::from([known.clone()])).unwrap();
        let mut segment = Segment::default();
        segment.push(parsed("more.log", &access_lines(10)), 0);
        (writer.write(&segment, 50).unwrap().remove(0).path, removed)
    };
    let (of_other, removed) = write("other", 1);
    assert_eq!(removed, 0);
    let (orphan, removed) = write("test", 2);
    assert_eq!(removed, 0);
    let (_, removed) = write("test", 3);
    assert_eq!(removed, 1);
    let exists = |path: &str| folder.path().join(path).exists();
    assert_eq!((exists(&known), exists(&of_other), exists(&orphan)), (true, true, false));
}

#[test]
fn a_folder_belongs_to_one_store_and_its_files_are_never_taken_for_left_over() {
    let folder = tempfile::tempdir().unwrap();
    let files = written(folder.path(), &[parsed("access.log", &access_lines(10))]);
    let open = |root: &Path, name: &str, known: &BTreeSet<String>| {
        Writer::open(root, name, ("test", 1), 1, known).err().map(|error| error.to_string())
    };
    let refused = open(folder.path(), "b", &BTreeSet::new()).unwrap();
    assert!(refused.ends_with("is the archive of another store: use that store, or another folder"), "{refused}");
    assert!(folder.path().join(&files[0].path).exists());
    let known = BTreeSet::from([files[0].path.clone()]);
    assert_eq!(open(folder.path(), "a", &known), None);
    let refused = open(&folder.path().join("empty"), "a", &known).unwrap();
    assert!(refused.starts_with("the events that this store knows are not in"), "{refused}");
    assert!(refused.contains("c0di3 archive forget-missing"), "{refused}");
}

#[test]
fn a_folder_that_is_lost_is_told_and_made_anew_when_somebody_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let files = written(folder.path(), &[parsed("access.log", &access_lines(10))]);
    let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    let (here, lost) = (ArchivePlace::from(folder.path()), ArchivePlace::from(&folder.path().join("lost")));
    assert_eq!(missing(&here, paths.clone()).unwrap(), Vec::<String>::new());
    assert_eq!(missing(&lost, paths.clone()).unwrap(), paths);
    assert!(is_owned(&here, "a").unwrap() && !is_owned(&lost, "a").unwrap() && !lost.is_there());
    assert!(is_owned(&here, "b").is_err() && adopt(&here, "b").is_err(), "the folder of another is never taken");
    adopt(&lost, "a").unwrap();
    assert!(is_owned(&lost, "a").unwrap());
    let known = BTreeSet::from_iter(paths);
    assert!(Writer::open(&lost, "a", ("test", 1), 1, &known).is_ok(), "an analyzer starts there");
}

fn ask(hunt: &Hunt, question: &str) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let answer = runtime.block_on(hunt.ask(question)).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    answer.write_csv(&mut out).unwrap();
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn questions_are_answered_from_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let lines = access_lines(2000);
    let login = "Nov 29 10:00:00 web sshd[7]: Failed password for root from 192.0.2.77 port 22 ssh2\n";
    let files = written(folder.path(), &[parsed("access.log", &lines), parsed("auth.log", login)]);
    let hunt = Hunt::new(folder.path(), &files, HuntLimits::default()).unwrap();
    let count = |question: &str| ask(&hunt, question).unwrap().lines().nth(1).map(str::to_owned);
    assert_eq!(count("SELECT count(*) FROM events").as_deref(), Some("2001"));
    assert_eq!(count("SELECT count(*) FROM events WHERE http.response.status_code = 500").as_deref(), Some("40"));
    assert_eq!(
        count("SELECT count(*) FROM events e WHERE cidr_match(e.source.ip, '192.0.2.64/26')").as_deref(),
        Some("641")
    );
    assert_eq!(count("SELECT event.original FROM events WHERE user.name = 'root'").as_deref(), Some(login.trim_end()));
    let line = lines.lines().nth(700).unwrap();
    let needle = "SELECT event.original FROM events WHERE c0di3.line = 701 AND event.dataset = 'http.access'";
    assert_eq!(
        count(needle).map(|text| text.replace("\"\"", "\"").trim_matches('"').to_owned()).as_deref(),
        Some(line.trim_end_matches('"'))
    );
    let search = Search::read("status:500 \"/item/350 \" since 2026-11-29", now()).unwrap();
    let found = ask(&hunt, &search.question(10)).unwrap();
    let expected = lines.lines().filter(|line| line.contains("/item/350 ") && line.contains("\" 500 ")).count();
    assert_eq!(found.lines().count() - 1, expected);
}

#[test]
fn what_is_no_question_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let files = written(folder.path(), &[parsed("access.log", &access_lines(10))]);
    let limits = HuntLimits { memory_bytes: 1 << 20, spill_bytes: 1 << 20, ..HuntLimits::default() };
    let hunt = Hunt::new(folder.path(), &files, limits).unwrap();
    for question in [
        "DROP TABLE events",
        "INSERT INTO events VALUES (1)",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "COPY events TO '/tmp/x.csv'",
        "SET datafusion.execution.batch_size = 1",
        "SELECT 1; SELECT 2",
        "SELECT * FROM generate_series(1, 100000000000)",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM information_schema.tables",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
        "EXPLAIN ANALYZE SELECT * FROM events",
        "SHOW TABLES",
    ] {
        let error = ask(&hunt, question).expect_err(question);
        assert!(!error.contains("root:"), "{question}: {error}");
    }
    let many = (0..10_000).map(|at| format!("http.response.status_code = {at}")).collect::<Vec<_>>().join(" OR ");
    assert!(ask(&hunt, &format!("SELECT count(*) FROM events WHERE {many}")).unwrap_err().contains("at most"));
    let unknown = ask(&hunt, "SELECT sorce.ip FROM events").unwrap_err();
    assert!(unknown.contains("source.ip"), "{unknown}");
}

#[test]
fn groups_that_cannot_hold_a_value_are_told_and_rows_are_read_by_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let batch = parsed("access.log", &access_lines(2000));
    let files = written(folder.path(), &[Arc::clone(&batch)]);
    let file = StoredFile::open(folder.path(), &files[0].path).unwrap();
    assert_eq!((file.groups(), file.rows(0), file.rows(1)), (1, 2000, 0));
    let may = |need: Need| file.may_hold(0, &need).unwrap();
    let text =
        |column: &str, text: &str| Need::Value(vec![column.to_owned()], vec![NeededValue::Text(text.to_owned())]);
    let number = |number| Need::Value(vec!["http.response.status_code".to_owned()], vec![NeededValue::Number(number)]);
    assert!(may(text("source.ip", "192.0.2.7")));
    assert!(!may(text("source.ip", "192.0.2.77x")), "the filter has no such value");
    assert!(!may(text("source.ip", "203.0.113.9")), "beyond the last value");
    assert!(may(number(500)) && !may(number(99)) && !may(number(501)));
    assert!(may(text("http.response.status_code", "99")), "what a number writes is not known");
    assert!(!may(Need::Present(vec!["dns.question.name".to_owned()])));
    assert!(may(Need::Present(vec!["dns.question.name".to_owned(), "url.path".to_owned()])));
    assert!(!may(Need::All(vec![Need::Unknown, number(1)])) && may(Need::Any(vec![number(1), Need::Unknown])));
    assert!(may(Need::All(Vec::new())) && !may(Need::Any(Vec::new())));
    let passing = |word: &'static str| {
        Need::Passing("event.dataset".to_owned(), PassingTest(Arc::new(move |text: &str| text == word)))
    };
    assert!(may(passing("http.access")) && !may(passing("sshd")));
    let rows = [0, 1, 2, 700, 1999];
    let read: Vec<u64> = file
        .read(0, None, Some(&rows))
        .unwrap()
        .flat_map(|rows| restore(&rows.unwrap()).unwrap())
        .flat_map(|restored| {
            let numbers = restored.sequences.clone();
            numbers.into_iter().enumerate().map(move |(row, number)| {
                assert!(restored.batch.original(row).contains("GET /item/"));
                number - 1000
            })
        })
        .collect();
    assert_eq!(read, rows.map(u64::from));
}

fn private(root: &Path, privacy: Privacy, batch: &Arc<EventBatch>) -> Vec<ArchiveFile> {
    let (writer, _) = Writer::open(root, "a", ("test", 1), 2, &BTreeSet::new()).unwrap();
    let mut segment = Segment::default();
    segment.push(Arc::clone(batch), 0);
    writer.with_privacy(privacy).write(&segment, 1000).unwrap()
}

#[test]
fn secrets_and_private_fields_are_nowhere_in_the_files() {
    let lines = "192.0.2.7 - alice [29/Nov/2026:10:00:01 +0000] \"GET /in?user=alice&password=hunter2 HTTP/1.1\" 200 5 \"https://a.example/?token=abcd\" \"x\"\n\
                 192.0.2.8 - - [29/Nov/2026:10:00:02 +0000] \"GET /plain?x=1 HTTP/1.1\" 200 5 \"-\" \"x\"\n\
                 192.0.2.9 - alice [29/Nov/2026:10:00:03 +0000] \"GET /al%69ce HTTP/1.1\" 200 5 \"-\" \"x\"\n";
    let batch = parsed("access.log", lines);
    let names = ["password", "token"].map(str::to_owned);
    let field = |field: &str, how| PrivateField { dataset: None, field: field.to_owned(), how };
    let fields = vec![field("user.name", Hiding::Hash), field("http.response.bytes", Hiding::Drop)];
    assert!(Privacy::new(&names, fields.clone(), "short").unwrap_err().contains("at least 16"));
    let privacy = Privacy::new(&names, fields, "a key of some length").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = private(folder.path(), privacy, &batch);
    let all: Vec<_> = restored(folder.path(), &files).into_values().map(|(_, _, fields)| fields).collect();
    let text = serde_json::to_string(&all).unwrap();
    for secret in ["hunter2", "abcd", "alice"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    let hash = all[0]["user.name"].as_str().unwrap();
    assert!(hash.starts_with("hmac:") && all[2]["user.name"] == hash, "{text}");
    assert_eq!(all[0]["url.query"], format!("user={hash}&password=[removed]"));
    assert!(all[0]["event.original"].as_str().unwrap().contains("token=[removed]"), "{text}");
    assert!(all.iter().all(|event| !event.contains_key("http.response.bytes")), "{text}");
    let hunt = Hunt::new(folder.path(), &files, HuntLimits::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let question = "SELECT c0di3.redacted AS what FROM events ORDER BY c0di3.sequence";
    let mut out = Vec::new();
    runtime.block_on(hunt.ask(question)).unwrap().write_ndjson(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("event.original") && out.contains("http.request.referrer"), "{out}");
}

#[test]
fn an_event_without_anything_private_is_stored_as_before() {
    let batch = parsed("access.log", &access_lines(50));
    let names = ["password"].map(str::to_owned);
    let (plain, careful) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let before = written(plain.path(), std::slice::from_ref(&batch));
    let after = private(careful.path(), Privacy::new(&names, Vec::new(), "").unwrap(), &batch);
    assert_eq!(before.iter().map(|file| file.bytes).sum::<u64>(), after.iter().map(|file| file.bytes).sum::<u64>());
    assert_eq!(before[0].columns, after[0].columns);
}
