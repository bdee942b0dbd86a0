//! What every operation has in common is added to the OpenAPI description here: who may call it, how it refuses, in which
//! media types it takes and answers. So no operation can forget it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::Method;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;
use utoipa::{PartialSchema, ToSchema};

use crate::auth::needed;
use crate::guard::Parameterless;
use crate::problem::Problem;
use crate::schema;

const PROBLEM: &str = "application/problem+json";
const HEALTH: &str = "application/health+json";
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// The whole description, as it is served.
pub(crate) fn complete(description: &OpenApi) -> Value {
    let mut document = serde_json::to_value(description).unwrap_or_default();
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    let schemas = &mut document["components"]["schemas"];
    for (name, schema) in shared_schemas() {
        schemas[name] = schema;
    }
    for (_, schema) in schemas.as_object_mut().into_iter().flatten() {
        join_groups(schema);
    }
    document["components"]["securitySchemes"] = json!({"token": {
        "type": "http", "scheme": "bearer", "bearerFormat": "c0di3_<id>_<secret>",
        "description": "A token of `c0di3 token create`. Its role decides: ingest delivers events only; viewer reads; analyst \
            works on incidents, too; admin does everything. Each operation names the role that it needs. Without \
            `auth.tokens` none is needed, and only requests to a loopback address are answered.",
    }});
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (name, operation) in item.as_object_mut().into_iter().flatten() {
            if METHODS.contains(&name.as_str()) {
                complete_operation(path, name, operation);
            }
        }
    }
    document
}

/// Fields that stand in groups in our types are members of one object in JSON: their schemas become one, too.
fn join_groups(schema: &mut Value) {
    let Some(Value::Array(groups)) = schema.get("allOf") else { return };
    if groups.iter().any(|group| group["type"] != "object" || group.get("properties").is_none()) {
        return;
    }
    let (mut properties, mut required) = (serde_json::Map::new(), Vec::new());
    for group in groups {
        properties.extend(
            group["properties"].as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())),
        );
        required.extend(group["required"].as_array().into_iter().flatten().cloned());
    }
    schema["properties"] = Value::Object(properties);
    schema["required"] = Value::Array(required);
    schema["type"] = "object".into();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("allOf");
    }
}

/// What several operations refer to, and those that cannot name it themselves.
fn shared_schemas() -> Vec<(String, Value)> {
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    schemas.push((Problem::name().into_owned(), Problem::schema()));
    schema::Alive::schemas(&mut schemas);
    schemas.push((schema::Alive::name().into_owned(), schema::Alive::schema()));
    schemas.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default())).collect()
}

fn reference(name: &str) -> Value {
    json!({"schema": {"$ref": format!("#/components/schemas/{name}")}})
}

fn complete_operation(path: &str, name: &str, operation: &mut Value) {
    let method: Method = name.to_uppercase().parse().unwrap_or_default();
    let role = needed(&method, path);
    let mut refusals = vec![("503", "Busy, or something behind it is away: again after Retry-After")];
    if let Some(role) = role {
        operation["security"] = json!([{"token": [role.name()]}]);
        refusals.push(("400", "A parameter is unknown or cannot be read"));
        refusals.push(("401", "There is no token, or it is unknown, wrong, revoked or expired"));
        refusals.push(("403", "The role of the token does not allow it"));
    } else {
        operation["security"] = json!([]);
    }
    if path == "/ingest" {
        describe_ingest(operation);
    }
    if operation.get("requestBody").is_some() {
        refusals.push(("408", "The body stopped coming: send it again"));
        refusals.push(("413", "The body is too large"));
    }
    if matches!(path, "/health" | "/ready" | "/live") {
        describe_health(path, operation);
    }
    for (status, description) in refusals {
        let response = &mut operation["responses"][status];
        if response.is_null() {
            *response = json!({"description": description, "content": {}});
        }
        response["content"][PROBLEM] = reference("Problem");
    }
}

/// The three ways in which shippers write events, and how bodies are compressed.
fn describe_ingest(operation: &mut Value) {
    let text = |example: &str| json!({"schema": {"type": "string"}, "example": example});
    operation["requestBody"] = json!({
        "required": true,
        "description": "Events, as they are or compressed (Content-Encoding)",
        "content": {
            "application/x-ndjson": text("{\"message\": \"one\"}\n{\"message\": \"two\"}\n"),
            "application/json": {"schema": {"oneOf": [{"type": "array", "items": {}}, {"type": "object", "additionalProperties": true}]}},
            "text/plain": text("Nov 28 10:00:00 gate sshd[7]: Failed password for root from 192.0.2.1 port 4000 ssh2\n"),
        },
    });
    let encodings = ["identity", "gzip", "x-gzip", "zstd", "deflate"];
    let encoding = json!({
        "name": "content-encoding", "in": "header", "required": false,
        "description": "How the body is compressed", "schema": {"type": "string", "enum": encodings},
    });
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(encoding),
        None => operation["parameters"] = json!([encoding]),
    }
}

/// Health has a media type of its own; a process that runs, or is stopping, says less.
fn describe_health(path: &str, operation: &mut Value) {
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let content = response["content"].as_object_mut().map(std::mem::take).unwrap_or_default();
        let known = content.into_iter().find(|(kind, _)| kind != PROBLEM).map(|(_, known)| known);
        let alive = reference("Alive");
        let known = match (path, status.as_str(), known) {
            ("/ready", "503", Some(known)) => json!({"schema": {"oneOf": [known["schema"], alive["schema"]]}}),
            (_, _, Some(known)) => known,
            (_, _, None) => alive,
        };
        response["content"] = Value::Object(Map::from_iter([(HEALTH.to_owned(), known)]));
    }
}

/// Method and route of what needs a role and takes no parameters in the query.
pub(crate) fn parameterless(document: &Value) -> Parameterless {
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (name, operation) in item.as_object().into_iter().flatten() {
            let method: Method = name.to_uppercase().parse().unwrap_or_default();
            let mut parameters = operation["parameters"].as_array().into_iter().flatten();
            let takes_some = parameters.any(|parameter| parameter["in"] == "query");
            if METHODS.contains(&name.as_str()) && needed(&method, path).is_some() && !takes_some {
                routes.insert((name.clone(), path.clone()));
            }
        }
    }
    Arc::new(routes)
}

/// A schema of the document by itself, which takes no property that it does not name: what tests hold answers against.
#[doc(hidden)]
pub fn closed(document: &Value, schema: &Value) -> Value {
    let definitions = document["components"]["schemas"].as_object().into_iter().flatten();
    let definitions: Map<String, Value> =
        definitions.map(|(name, schema)| (name.clone(), close(schema, true))).collect();
    let mut closed = close(schema, false);
    closed["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    closed["$defs"] = Value::Object(definitions);
    closed
}

/// `open`: part of a whole that is closed itself.
fn close(schema: &Value, open: bool) -> Value {
    let Value::Object(parts) = schema else { return schema.clone() };
    let mut closed = Map::new();
    for (name, part) in parts {
        let part = match (name.as_str(), part) {
            ("$ref", Value::String(to)) => json!(to.replace("#/components/schemas/", "#/$defs/")),
            ("allOf", Value::Array(all)) => all.iter().map(|part| close(part, true)).collect(),
            ("oneOf" | "anyOf", Value::Array(some)) => some.iter().map(|part| close(part, open)).collect(),
            ("properties", Value::Object(named)) => {
                named.iter().map(|(name, part)| (name.clone(), close(part, false))).collect()
            }
            ("items" | "additionalProperties", part) => close(part, false),
            (_, part) => part.clone(),
        };
        closed.insert(name.clone(), part);
    }
    let names_some = ["properties", "$ref", "allOf"].iter().any(|name| closed.contains_key(*name));
    if names_some && !open && !closed.contains_key("additionalProperties") {
        closed.insert("unevaluatedProperties".to_owned(), json!(false));
    }
    Value::Object(closed)
}
