//! Log records that OpenTelemetry clients export, as protobuf or as JSON: the body is the event, what resource and attributes say
//! stands beside it. Traces and metrics are no matter of this file.

use std::borrow::Cow;
use std::io::BufRead;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::carrier::{Carrier, first_of};
use super::otlp_messages::{OtlpAny, OtlpPair, OtlpRecord, OtlpResource, OtlpValue};
use super::sink::{Lines, Payload, PayloadError};
use super::wire;
use crate::spool::ENTRY_BYTES_MAX;

/// Label of counters.
const SOURCE: &str = "otlp";
/// Longest record, and longest resource, in bytes: decoded it takes many times as much.
const RECORD_BYTES_MAX: usize = ENTRY_BYTES_MAX;
/// Longest attributes that stand beside an event, as JSON, in bytes.
const LABELS_BYTES_MAX: usize = 64 << 10;
/// Attributes that name the machine, the program and the file.
const HOST_KEYS: [&str; 4] = ["host.name", "hostname", "host", "net.host.name"];
const PROGRAM_KEYS: [&str; 7] = [
    "appname",
    "syslog.appname",
    "SYSLOG_IDENTIFIER",
    "program",
    "process.name",
    "process.executable.name",
    "service.name",
];
const SOURCE_KEYS: [&str; 3] = ["log.file.path", "log.file.name", "file"];
/// What SDKs say where nobody told them a name.
const NO_SERVICE: &str = "unknown_service";

/// Protobuf bodies of `/v1/logs`.
#[derive(Debug, Default)]
pub struct OtlpProtobuf;

impl Payload for OtlpProtobuf {
    fn read(&mut self, body: &mut dyn BufRead, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
        let all = wire::whole(body)?;
        // ExportLogsServiceRequest.resource_logs = 1; ResourceLogs.resource = 1, .scope_logs = 2; ScopeLogs.log_records = 2
        wire::fields(&all, &mut |number, resource_logs| {
            if number != 1 {
                return Ok(());
            }
            let mut resource = Map::new();
            wire::fields(resource_logs, &mut |number, field| {
                if number == 1 && field.len() <= RECORD_BYTES_MAX {
                    let told = OtlpResource::decode(field).map_err(broken)?;
                    resource = object(told.attributes);
                }
                Ok(())
            })?;
            wire::fields(resource_logs, &mut |number, scope_logs| {
                if number != 2 {
                    return Ok(());
                }
                wire::fields(scope_logs, &mut |number, record| {
                    if number == 2 { put_encoded(record, &resource, lines) } else { Ok(()) }
                })
            })
        })
    }
}

fn broken(error: prost::DecodeError) -> PayloadError {
    PayloadError::Format(format!("no sound protobuf message: {error}"))
}

fn put_encoded(record: &[u8], resource: &Map<String, Value>, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
    if record.len() > RECORD_BYTES_MAX {
        lines.rejected("a record is longer than 1048576 bytes");
        return Ok(());
    }
    match OtlpRecord::decode(record) {
        Ok(record) => put(record, resource, lines),
        Err(_) => Ok(lines.poison(STANDARD.encode(record).as_bytes(), "no_record")?),
    }
}

/// JSON bodies of `/v1/logs`.
#[derive(Debug, Default)]
pub struct OtlpJson;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JsonExport<'a> {
    #[serde(borrow)]
    resource_logs: Vec<JsonResourceLogs<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JsonResourceLogs<'a> {
    resource: OtlpResource,
    #[serde(borrow)]
    scope_logs: Vec<JsonScopeLogs<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JsonScopeLogs<'a> {
    #[serde(borrow)]
    log_records: Vec<&'a RawValue>,
}

impl Payload for OtlpJson {
    fn read(&mut self, body: &mut dyn BufRead, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
        let all = wire::whole(body)?;
        let all = String::from_utf8_lossy(&all);
        if all.trim().is_empty() {
            return Ok(());
        }
        let export: JsonExport<'_> =
            serde_json::from_str(&all).map_err(|error| PayloadError::Format(format!("no export request: {error}")))?;
        for JsonResourceLogs { resource, scope_logs } in export.resource_logs {
            let resource = object(resource.attributes);
            for record in scope_logs.into_iter().flat_map(|scope| scope.log_records) {
                match serde_json::from_str::<OtlpRecord>(record.get()) {
                    Ok(read) => put(read, &resource, lines)?,
                    Err(_) => lines.poison(record.get().replace('\n', " ").as_bytes(), "no_record")?,
                }
            }
        }
        Ok(())
    }
}

/// The body is the event; where there is none, the attributes are.
fn put(record: OtlpRecord, resource: &Map<String, Value>, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
    let mut attributes = object(record.attributes);
    if !record.event_name.is_empty() {
        attributes.insert("event.name".to_owned(), Value::String(record.event_name));
    }
    let body = record.body.map(json).unwrap_or_default();
    let text = match body {
        Value::Null if attributes.is_empty() => {
            lines.rejected("a record has neither body nor attributes");
            return Ok(());
        }
        Value::Null => Value::Object(std::mem::take(&mut attributes)).to_string(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    let told = |name: &str| attributes.get(name).or_else(|| resource.get(name)).and_then(Value::as_str);
    let (host, source) = (first_of(&HOST_KEYS, told), first_of(&SOURCE_KEYS, told));
    let program = first_of(&PROGRAM_KEYS, told).filter(|name| !name.starts_with(NO_SERVICE));
    let mut labels = resource.clone();
    labels.extend(attributes.iter().map(|(key, value)| (key.clone(), value.clone())));
    let labels = serde_json::value::to_raw_value(&labels).ok();
    let labels = labels.filter(|labels| (3..=LABELS_BYTES_MAX).contains(&labels.get().len()));
    let time = if record.time_unix_nano > 0 { record.time_unix_nano } else { record.observed_time_unix_nano };
    let carrier = Carrier {
        via: SOURCE,
        time: (time > 0).then(|| Cow::Owned(time.to_string())),
        host,
        program,
        severity: Some(record.severity_text).filter(|text| !text.is_empty()).map(Cow::Owned),
        source,
        labels: labels.as_deref(),
        text: Cow::Borrowed(text.trim_end_matches(['\n', '\r'])),
        ..Carrier::default()
    };
    lines.written(|out| carrier.write(out))?;
    Ok(())
}

fn object(pairs: Vec<OtlpPair>) -> Map<String, Value> {
    pairs.into_iter().map(|pair| (pair.key, pair.value.map(json).unwrap_or_default())).collect()
}

/// The decoder bounds the depth.
fn json(any: OtlpAny) -> Value {
    match any.value {
        None => Value::Null,
        Some(OtlpValue::String(text)) => Value::String(text),
        Some(OtlpValue::Bool(value)) => Value::Bool(value),
        Some(OtlpValue::Int(number)) => number.into(),
        Some(OtlpValue::Double(number)) => serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number),
        Some(OtlpValue::Array(array)) => array.values.into_iter().map(json).collect(),
        Some(OtlpValue::Pairs(pairs)) => Value::Object(object(pairs.values)),
        Some(OtlpValue::Bytes(bytes)) => {
            String::from_utf8(bytes).unwrap_or_else(|bytes| STANDARD.encode(bytes.as_bytes())).into()
        }
    }
}

#[cfg(test)]
mod tests;
