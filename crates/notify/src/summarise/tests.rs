//! Summaries with a model that answers well, badly, slowly, or not at all.

use std::sync::atomic::{AtomicUsize, Ordering};

use event::{Entities, FindingId, FindingRating, FindingRule, FindingSpan, Level, Severity};
use serde_json::json;
use store::people::IncidentQuery;
use store::{Commit, JoinPolicy, SqlStore, Store, Use};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::llm::{Constrain, LlmOptions};

const JOIN: JoinPolicy = JoinPolicy { gap_us: 1, opens_from: Severity::P3, notify_age_us: None };

/// A server that gives the same bytes to every request; how many it had.
async fn server(answer: String, pause: Duration) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 32 << 10];
                let _read = stream.read(&mut request).await;
                tokio::time::sleep(pause).await;
                let _written = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    (url, asked)
}

fn http(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn chat(content: &str) -> String {
    http("200 OK", &json!({"choices": [{"message": {"content": content}}]}).to_string())
}

async fn store_with_an_incident(url: &str) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = store::open(url, Use::Ask).await.unwrap();
    let finding = event::Finding {
        id: FindingId(1),
        rule: FindingRule { id: "r".into(), title: "a rule".into(), level: Level::High },
        also: Vec::new(),
        rating: FindingRating { score: 70, parts: Vec::new(), severity: Severity::P1 },
        span: FindingSpan { first_seen: Some(Timestamp(1)), last_seen: Some(Timestamp(2)), count: 5 },
        entities: Entities { source_ip: vec!["192.0.2.1".into()], ..Entities::default() },
        techniques: Vec::new(),
        reason: "x".into(),
        response: Vec::new(),
        continues: None,
        counted: event::Counted::default(),
        evidence: Vec::new(),
    };
    store.commit(&Commit { findings: vec![finding], join: Some(JOIN), ..Commit::default() }).await.unwrap();
    store
}

/// A store with one incident, and its summary after one step with the model behind `answer`.
async fn summary(answer: String, pause: Duration) -> (Summary, usize) {
    let folder = tempfile::tempdir().unwrap();
    let store = store_with_an_incident(&format!("sqlite:{}/a.db", folder.path().display())).await;
    let (url, asked) = server(answer, pause).await;
    let options = LlmOptions {
        url,
        model: "m".into(),
        api_key: None,
        timeout: Duration::from_millis(500),
        constrain: Constrain::Grammar,
    };
    let mut summariser = Summariser::new(Arc::clone(&store), Some(Llm::new(options).unwrap()), || Timestamp(1000));
    assert_eq!(summariser.step().await.unwrap(), 1);
    assert_eq!(summariser.step().await.unwrap(), 0, "it is not written again without new facts");
    let incident = store.incidents(&IncidentQuery { limit: 1, ..IncidentQuery::default() }).await.unwrap().remove(0);
    let stored = store.summary(incident.id).await.unwrap().unwrap();
    (serde_json::from_str(&stored.text).unwrap(), asked.load(Ordering::Relaxed))
}

const NOW: Duration = Duration::ZERO;

fn install_tls() {
    let _already = rustls::crypto::ring::default_provider().install_default().is_err();
}

#[tokio::test]
async fn good_words_replace_the_template() {
    install_tls();
    let content = json!({
        "headline": "{rule1} from {ip1}",
        "sentences": [{"text": "The rule {rule1} matched 5 events from {ip1}.", "facts": ["F1"]}],
    });
    let (summary, asked) = summary(chat(&content.to_string()), NOW).await;
    assert_eq!((summary.source.as_str(), asked), ("llm", 1));
    assert_eq!(summary.sentences[0].text, "The rule a rule matched 5 events from 192.0.2.1.");
}

#[tokio::test]
async fn whatever_else_comes_back_the_template_stands() {
    install_tls();
    let invented = json!({
        "headline": "breach", "sentences": [{"text": "The attacker stole 900 files from 10.9.9.9.", "facts": ["F1"]}],
    });
    let huge = "x".repeat(200 << 10);
    for (answer, pause) in [
        (chat(&invented.to_string()), NOW),
        (chat("plain text, not JSON"), NOW),
        (chat("{\"headline\": 5}"), NOW),
        (http("200 OK", "{\"choices\": []}"), NOW),
        (http("200 OK", "half a {"), NOW),
        (http("200 OK", &huge), NOW),
        (http("503 Service Unavailable", "{\"error\":{\"message\":\"Loading model\"}}"), NOW),
        (http("401 Unauthorized", "{}"), NOW),
        (String::new(), NOW),
        (chat(&invented.to_string()), Duration::from_secs(30)),
    ] {
        let (summary, _) = summary(answer.clone(), pause).await;
        assert_eq!(summary.source, "template", "{}", answer.chars().take(200).collect::<String>());
        assert!(summary.sentences[0].text.contains("matched 5 events from 192.0.2.1"));
    }
}

#[tokio::test]
async fn equal_facts_are_not_asked_about_twice_and_a_dead_server_is_left_alone() {
    install_tls();
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&format!("sqlite:{}/a.db", folder.path().display()), Use::Commit).await.unwrap();
    let options = LlmOptions {
        url: "http://127.0.0.1:9".into(),
        model: "m".into(),
        api_key: None,
        timeout: Duration::from_millis(300),
        constrain: Constrain::Schema,
    };
    let mut summariser = Summariser::new(Arc::new(store), Some(Llm::new(options).unwrap()), || Timestamp(1000));
    for _ in 0..BREAKER_FAILURES {
        assert!(summariser.model_is_open());
        summariser.judge_server::<()>(&Err(LlmError::Loading));
    }
    assert!(!summariser.model_is_open());
}

#[tokio::test]
async fn an_answer_that_never_stands_is_asked_for_three_times_only() {
    install_tls();
    for content in ["not JSON", "{\"headline\": \"breach\", \"sentences\": []}"] {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/a.db", folder.path().display());
        let store = store_with_an_incident(&url).await;
        let (url, asked) = server(chat(content), NOW).await;
        let options = LlmOptions {
            url,
            model: "m".into(),
            api_key: None,
            timeout: Duration::from_millis(500),
            constrain: Constrain::Grammar,
        };
        for minute in 0..20 {
            // Nothing but the store remembers how often it was asked.
            let clock: Clock = CLOCKS[minute % CLOCKS.len()];
            let mut summariser = Summariser::new(Arc::clone(&store), Some(Llm::new(options.clone()).unwrap()), clock);
            summariser.step().await.unwrap();
        }
        assert_eq!(asked.load(Ordering::Relaxed) as u64, ATTEMPTS_MAX, "{content}");
    }
}

/// Later and later; beyond the last it is late enough for every retry.
const CLOCKS: [Clock; 4] = [
    || Timestamp(1000),
    || Timestamp(1000 + 2 * RETRY_US),
    || Timestamp(1000 + 4 * RETRY_US),
    || Timestamp(1000 + 6 * RETRY_US),
];
