//! What clients of Elasticsearch ask around bulk requests: who we are, licence, health, and whether templates, policies and
//! pipelines are there. They are: nothing is installed, and nothing of them is kept.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::super::protocol::{Ask, Head, json as answer, text};
use crate::access::percent_decoded;
use crate::ingest::IngestState;
use crate::problem::Problem;

/// Version that is told to whoever names none.
const VERSION: &str = "8.19.0";
const OPENSEARCH_VERSION: &str = "2.19.0";
/// Agents that name their own version, which the server's must not be behind.
const BEATS: [&str; 7] = ["Elastic-", "Filebeat", "Winlogbeat", "Metricbeat", "Packetbeat", "Auditbeat", "Heartbeat"];

const LOOK: &[Method] = &[Method::GET, Method::HEAD];
const ALL: &[Method] = &[Method::GET, Method::HEAD, Method::PUT, Method::POST];

pub(super) const ASKS: &[Ask] = &[
    Ask { methods: LOOK, path: "/", answer: who },
    Ask { methods: LOOK, path: "/_license", answer: license },
    Ask { methods: LOOK, path: "/_xpack", answer: features },
    Ask { methods: LOOK, path: "/_cluster/health", answer: health },
    Ask { methods: LOOK, path: "/_cat/health", answer: cat_health },
    Ask { methods: LOOK, path: "/_nodes/http", answer: nodes },
    Ask { methods: ALL, path: "/_ilm/policy", answer: installed },
    Ask { methods: ALL, path: "/_ilm/policy/{name}", answer: installed },
    Ask { methods: ALL, path: "/_index_template", answer: installed },
    Ask { methods: ALL, path: "/_index_template/{name}", answer: installed },
    Ask { methods: ALL, path: "/_template", answer: installed },
    Ask { methods: ALL, path: "/_template/{name}", answer: installed },
    Ask { methods: ALL, path: "/_component_template", answer: installed },
    Ask { methods: ALL, path: "/_component_template/{name}", answer: installed },
    Ask { methods: ALL, path: "/_data_stream", answer: installed },
    Ask { methods: ALL, path: "/_data_stream/{name}", answer: installed },
    Ask { methods: ALL, path: "/_alias/{name}", answer: installed },
    Ask { methods: ALL, path: "/_ingest/pipeline", answer: installed },
    Ask { methods: ALL, path: "/_ingest/pipeline/{name}", answer: installed },
];

type Answer = Result<Response, Problem>;

fn ok(body: &Value) -> Answer {
    Ok(answer(StatusCode::OK, body))
}

/// Filebeat refuses a server older than itself: it is told its own version.
fn version(agent: &str) -> String {
    let named = BEATS.iter().find_map(|name| agent.split_once(name));
    let rest = named.and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, rest)| rest);
    let number: String = rest.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').take(16).collect();
    let is_whole = number.split('.').count() == 3 && number.split('.').all(|part| !part.is_empty());
    if is_whole { number } else { VERSION.to_owned() }
}

fn who(head: &Head, _: &[u8], _: &IngestState) -> Answer {
    let (name, id) = ("c0di3", "c0di3-c0di3-c0di3-c0di");
    if head.agent().to_ascii_lowercase().contains("opensearch") {
        let version = json!({"distribution": "opensearch", "number": OPENSEARCH_VERSION, "build_type": "tar", "build_snapshot": false,
            "lucene_version": "9.12.1", "minimum_wire_compatibility_version": "7.10.0", "minimum_index_compatibility_version": "7.0.0"});
        let tagline = "The OpenSearch Project: https://opensearch.org/";
        return ok(
            &json!({"name": name, "cluster_name": name, "cluster_uuid": id, "version": version, "tagline": tagline}),
        );
    }
    let version = json!({"number": version(head.agent()), "build_flavor": "default", "build_type": "tar", "build_hash": "c0di3",
        "build_date": "2026-01-01T00:00:00.000000000Z", "build_snapshot": false, "lucene_version": "9.12.2",
        "minimum_wire_compatibility_version": "7.17.0", "minimum_index_compatibility_version": "7.0.0"});
    ok(
        &json!({"name": name, "cluster_name": name, "cluster_uuid": id, "version": version, "tagline": "You Know, for Search"}),
    )
}

fn license(_: &Head, _: &[u8], _: &IngestState) -> Answer {
    ok(&json!({"license": {"status": "active", "uid": "c0di3", "type": "basic", "mode": "basic",
        "expiry_date_in_millis": 4_000_000_000_000_u64, "issued_to": "c0di3", "issuer": "c0di3", "start_date_in_millis": -1}}))
}

fn features(_: &Head, _: &[u8], _: &IngestState) -> Answer {
    let on = json!({"available": true, "enabled": true});
    ok(&json!({"build": {"hash": "c0di3", "date": "2026-01-01T00:00:00.000Z"},
        "license": {"uid": "c0di3", "type": "basic", "mode": "basic", "status": "active"},
        "features": {"ilm": on, "data_streams": on, "security": {"available": true, "enabled": false}}, "tagline": "You know, for X"}))
}

/// A full spool is not told as health: whoever pushes to it is.
fn is_full(state: &IngestState) -> Result<(), Problem> {
    match state.spool.refusal() {
        Some(refused) => Err(Problem::busy(format!("{refused}: ask again after a pause"))),
        None => Ok(()),
    }
}

fn health(_: &Head, _: &[u8], state: &IngestState) -> Answer {
    is_full(state)?;
    ok(
        &json!({"cluster_name": "c0di3", "status": "green", "timed_out": false, "number_of_nodes": 1, "number_of_data_nodes": 1,
        "active_primary_shards": 1, "active_shards": 1, "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0,
        "active_shards_percent_as_number": 100.0}),
    )
}

/// rsyslog asks it until anything answers: nothing does while events would be refused.
fn cat_health(_: &Head, _: &[u8], state: &IngestState) -> Answer {
    is_full(state)?;
    Ok(text(StatusCode::OK, "text/plain; charset=UTF-8", "0 00:00:00 c0di3 green 1 1 1 1 0 0 0 0 - 100.0%\n"))
}

/// Clients that sniff go on with the address that they have.
fn nodes(_: &Head, _: &[u8], _: &IngestState) -> Answer {
    ok(&json!({"_nodes": {"total": 0, "successful": 0, "failed": 0}, "cluster_name": "c0di3", "nodes": {}}))
}

/// Whatever is asked for is there, and whatever is sent is taken note of.
fn installed(head: &Head, _: &[u8], _: &IngestState) -> Answer {
    if head.method == Method::PUT || head.method == Method::POST {
        return ok(&json!({"acknowledged": true}));
    }
    let mut parts = head.path.trim_start_matches('/').split('/').map(percent_decoded);
    let kind = parts.next().unwrap_or_default();
    let name = parts.next_back().filter(|name| !name.starts_with('_') && !matches!(&**name, "policy" | "pipeline"));
    let name = name.unwrap_or_else(|| "c0di3".to_owned());
    let body = match kind.as_str() {
        "_index_template" => {
            json!({"index_templates": [{"name": name, "index_template": {"index_patterns": [], "composed_of": []}}]})
        }
        "_component_template" => {
            json!({"component_templates": [{"name": name, "component_template": {"template": {}}}]})
        }
        "_data_stream" => {
            json!({"data_streams": [{"name": name, "timestamp_field": {"name": "@timestamp"}, "indices": [], "status": "GREEN"}]})
        }
        "_ilm" => json!({name: {"version": 1, "policy": {"phases": {}}}}),
        "_alias" => json!({name.clone(): {"aliases": {name: {"is_write_index": true}}}}),
        _ => json!({name: {}}),
    };
    ok(&body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_is_told_its_own_version_and_others_ours() {
        for (agent, told) in [
            ("Elastic-Filebeat/9.1.2 (linux; amd64; abc; 2026-01-01)", "9.1.2"),
            ("Filebeat/8.4.0", "8.4.0"),
            ("Elastic-Heartbeat-elastic_agent/8.11.3 (x)", "8.11.3"),
            ("curl/8.5.0", VERSION),
            ("Filebeat/9", VERSION),
            ("", VERSION),
        ] {
            assert_eq!(version(agent), told, "{agent}");
        }
    }
}
