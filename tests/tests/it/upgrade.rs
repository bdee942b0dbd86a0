//! An upgrade under load and the way back, in the shape of a rollout: two agents on one database, two analyzers on one topic with
//! a spool each, old and new side by side. Every acknowledged event is there once, and so is the audit entry of every change.
//!
//! `OLD_PROGRAM` names the program of the release before (`make soak` builds it). Without it this build plays both parts: the
//! tables are brought to a later release's by hand, so that what is shown is that this program works on those, also anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::mocking::MockCluster;
use servers::{Postgres, wait_until};

use crate::node::{Node, SOON, get, send};
use crate::oracle::{Ledger, rules};
use crate::outage::{TOPIC, produce_until};
use crate::program::{PROGRAM, Sandbox};

/// What a later release may do to the tables while this one runs: more tables, more columns.
const LATER_RELEASE: &str = "
    CREATE TABLE later_things (id TEXT PRIMARY KEY);
    ALTER TABLE findings ADD COLUMN later_note TEXT;
    ALTER TABLE incidents ADD COLUMN later_rank BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE incident_findings ADD COLUMN later_reason TEXT NOT NULL DEFAULT '';
    ALTER TABLE sources ADD COLUMN later_lag BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE audit ADD COLUMN later_region TEXT NOT NULL DEFAULT '';
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'later things', true, '\\x00', 0);";
/// How long nothing more comes before the end is judged.
const SETTLED: Duration = Duration::from_secs(60);
const PARTS: [&str; 2] = ["agent", "analyzer"];

/// One agent and one analyzer with folders and ports of their own.
struct PodPair {
    node: Node,
    /// An agent that wants tokens.
    guarded: Node,
    sandbox: Sandbox,
    settings: Vec<(&'static str, String)>,
}

impl PodPair {
    fn new(name: &str, store: &str, broker: &str) -> Self {
        let sandbox = Sandbox::new();
        let mut settings = rules(&sandbox);
        settings.extend([
            ("store.url", store.to_owned()),
            ("kafka.brokers", broker.to_owned()),
            ("kafka.topics", TOPIC.to_owned()),
            ("analyzer.instance", name.to_owned()),
            ("archive.folder", String::new()),
        ]);
        PodPair { node: Node::new(), guarded: Node::new(), sandbox, settings }
    }

    fn start(&mut self, program: &str) {
        self.node.program = Some(PathBuf::from(program));
        for part in PARTS {
            self.node.start(&self.sandbox, part, &self.settings);
        }
        let tokens = [("auth.tokens", "true".to_owned())];
        let settings: Vec<_> = self.settings.iter().cloned().chain(tokens).collect();
        self.guarded.program = Some(PathBuf::from(program));
        self.guarded.start(&self.sandbox, "agent", &settings);
    }

    /// Ends both in order, as a rollout does, and starts both as `program`.
    fn become_program(&mut self, program: &str) {
        for part in PARTS {
            assert_eq!(self.node.stop(part), Some(0), "{part} ends in order");
        }
        assert_eq!(self.guarded.stop("agent"), Some(0), "the guarded agent ends in order");
        self.start(program);
    }
}

/// Changes that agents were asked for and did, by the id of the request; and logins that they were asked for, and refused.
#[derive(Default)]
struct Changes {
    done: Mutex<BTreeSet<String>>,
    asked: AtomicU64,
    refused: AtomicU64,
}

impl Changes {
    /// Asks the agent of the one port for one change after another, and that of the other without being let in. They may be away,
    /// or go away.
    fn ask_until(self: &Arc<Self>, [port, guarded]: [u16; 2], stop: &Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
        let (changes, stop) = (Arc::clone(self), Arc::clone(stop));
        std::thread::spawn(move || {
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let id = format!("change-{port}-{number}");
                let answer = send(port, "POST", "/admin/cache/clear", &[("X-Request-Id", &id)], b"");
                if answer.is_some_and(|(status, ..)| (200..300).contains(&status)) {
                    changes.done.lock().unwrap().insert(id);
                }
                changes.asked.fetch_add(1, Ordering::Relaxed);
                if get(guarded, "/api/v1/findings").is_some_and(|(status, _)| status == 401) {
                    changes.refused.fetch_add(1, Ordering::Relaxed);
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        })
    }

    /// Every change that was done has one entry of the audit log, and every refused login counts once, whoever counted it.
    /// How many changes and refusals there are.
    fn judge(&self, node: &Node) -> (usize, u64) {
        let told = entries(node, "cache.clear", "request_id");
        let twice: Vec<_> = told.iter().filter(|(_, counts)| **counts != [1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
        let done = self.done.lock().unwrap();
        let missing: Vec<_> = done.iter().filter(|id| !told.contains_key(*id)).collect();
        assert!(missing.is_empty(), "{} of {} have no entry: {missing:?}", missing.len(), done.len());
        let logins = entries(node, "login", "id");
        assert!(logins.values().all(|counts| counts.len() == 1), "an entry is told twice: {logins:?}");
        let refused = logins.values().flatten().sum();
        let (answered, asked) = (self.refused.load(Ordering::Relaxed), self.asked.load(Ordering::Relaxed));
        // An agent that went away may have counted what it did not answer any more.
        assert!((answered..=asked).contains(&refused), "{refused} refused logins are told, {answered} were answered");
        (told.len(), refused)
    }
}

/// Entries of the audit log of an action: the counts of those that have the same value under `key`.
fn entries(node: &Node, action: &str, key: &str) -> BTreeMap<String, Vec<u64>> {
    let mut told: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = node.json(&format!("/api/v1/audit?action={action}&limit=500{cursor}"));
        for entry in page["data"].as_array().unwrap() {
            let value = entry[key].as_str().unwrap().to_owned();
            told.entry(value).or_default().push(entry["count"].as_u64().unwrap());
        }
        let Some(next) = page["next_cursor"].as_str() else { return told };
        cursor = format!("&cursor={next}");
    }
}

#[test]
fn an_upgrade_under_load_and_the_way_back_lose_nothing_and_count_nothing_twice() {
    let old = std::env::var("OLD_PROGRAM").unwrap_or_else(|_| PROGRAM.to_owned());
    // A broker whose consumers come and go faster than the small one of other tests shares partitions out.
    let (postgres, broker) = (Postgres::start(), MockCluster::new(1).unwrap());
    let (store, address) = (postgres.database(), broker.bootstrap_servers());
    broker.create_topic(TOPIC, 4, 1).unwrap();
    let mut places = ["a", "b"].map(|name| PodPair::new(name, &store, &address));
    places.iter_mut().for_each(|place| place.start(&old));
    let ledger = Arc::new(Ledger::default());
    let stop = Arc::new(AtomicBool::new(false));
    let senders = [0, 1].map(|at: usize| ledger.send_until(places[at].node.ingest, &stop));
    let producer = produce_until(&address, &ledger, &stop);
    let changes = Arc::new(Changes::default());
    let changing = [0, 1].map(|at: usize| changes.ask_until([places[at].node.api, places[at].guarded.api], &stop));
    let more = |words: &str| {
        let before = ledger.acknowledged();
        wait_until(SOON, words, || ledger.acknowledged() > before + 300);
    };
    more("the old programs take events");
    // The job that brings the tables up to date, while the old programs run.
    if old == PROGRAM {
        postgres.execute(&store, LATER_RELEASE);
    } else {
        let mut migrate = places[0].sandbox.command(&["db", "migrate"]);
        assert!(migrate.env("C0DI3_STORE_URL", &store).status().unwrap().success());
    }
    more("the old programs go on with later tables");
    for (name, program) in [("new", PROGRAM), ("old", old.as_str())] {
        places[0].become_program(program);
        more(&format!("one of two is {name}"));
        // What a rollout has not reached yet is restarted as what it was, where its machine goes away.
        let as_before = if name == "new" { old.as_str() } else { PROGRAM };
        places[1].become_program(as_before);
        more(&format!("the other is started again while the first is {name}"));
        places[1].become_program(program);
        more(&format!("both are {name}"));
    }
    stop.store(true, Ordering::Relaxed);
    senders.into_iter().chain(changing).for_each(|sender| sender.join().unwrap());
    producer.join().unwrap();
    let counted = || {
        let page = places[0].node.json("/api/v1/findings?rule=oracle-all&limit=500");
        let counts = page["data"].as_array().unwrap().iter().map(|finding| finding["count"].as_u64().unwrap());
        counts.sum::<u64>()
    };
    let all = ledger.acknowledged() as u64;
    let (mut before, mut since) = (0, Instant::now());
    // A group of Kafka's consumers takes seconds to share its partitions out anew.
    wait_until(SETTLED * 3, "nothing more is counted", || {
        let now = counted();
        if now != before {
            (before, since) = (now, Instant::now());
        }
        now >= all || since.elapsed() > SETTLED
    });
    for place in &places {
        println!("{:?}", get(place.node.ingest, "/health").map(|(_, health)| health));
    }
    println!("{all} acknowledged, {before} counted");
    let stored = places.each_ref().map(|place| ledger.judge(&place.node));
    assert_eq!(stored[0], stored[1], "both agents see the same");
    println!("{} acknowledged, {} stored", ledger.acknowledged(), stored[0]);
    let told = places.each_ref().map(|place| changes.judge(&place.node));
    assert_eq!(told[0], told[1], "both agents tell the same");
    let (done, refused) = (changes.done.lock().unwrap().len(), changes.refused.load(Ordering::Relaxed));
    println!("{done} changes done and {refused} logins refused, {:?} in the audit log", told[0]);
    // Fails where there is none: new programs have made the month.
    postgres.execute(&store, "SELECT 1 / count(*) FROM pg_inherits WHERE inhparent = 'audit'::regclass");
}
