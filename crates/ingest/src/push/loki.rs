//! What clients of Loki push: streams of lines that share labels, as JSON or as a protobuf message. Labels stand beside each line.

use std::borrow::Cow;
use std::io::BufRead;

use prost::Message;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::carrier::{Carrier, first_of};
use super::loki_messages::LokiEntry;
use super::sink::{Lines, Payload, PayloadError};
use super::wire;

/// Label of counters.
const SOURCE: &str = "loki";
/// Longest labels of a stream that stand beside each of its lines, as JSON, in bytes.
const LABELS_BYTES_MAX: usize = 8 << 10;
/// Labels in which clients name the machine and the program.
const HOST_LABELS: [&str; 7] = ["host", "hostname", "host_name", "nodename", "node_name", "node", "instance"];
const PROGRAM_LABELS: [&str; 8] =
    ["syslog_identifier", "program", "appname", "app_name", "ident", "app", "service_name", "application"];
const SOURCE_LABELS: [&str; 2] = ["filename", "file"];

/// Labels of a stream, and what they say of all its lines.
struct LokiStream {
    labels: Map<String, Value>,
    json: Option<Box<RawValue>>,
}

impl LokiStream {
    fn new(labels: Map<String, Value>) -> Self {
        let json = serde_json::value::to_raw_value(&labels).ok();
        let json = json.filter(|json| (3..=LABELS_BYTES_MAX).contains(&json.get().len()));
        LokiStream { labels, json }
    }

    fn named(&self, names: &[&str]) -> Option<Cow<'_, str>> {
        first_of(names, |name| self.labels.get(name).and_then(Value::as_str))
    }

    /// `metadata`: what stands beside this line alone.
    fn put(
        &self,
        time: Cow<'_, str>,
        line: &[u8],
        metadata: &Map<String, Value>,
        lines: &mut Lines<'_>,
    ) -> Result<(), PayloadError> {
        let mut more = None;
        if !metadata.is_empty() {
            let mut all = self.labels.clone();
            all.extend(metadata.iter().map(|(key, value)| (key.clone(), value.clone())));
            more = Some(LokiStream::new(all));
        }
        let told = more.as_ref().unwrap_or(self);
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        if text.is_empty() {
            lines.rejected("empty");
            return Ok(());
        }
        let carrier = Carrier {
            via: SOURCE,
            time: Some(time),
            host: told.named(&HOST_LABELS),
            program: told.named(&PROGRAM_LABELS),
            source: told.named(&SOURCE_LABELS),
            labels: told.json.as_deref(),
            text: Cow::Borrowed(text),
            ..Carrier::default()
        };
        lines.written(|out| carrier.write(out))?;
        Ok(())
    }
}

/// JSON bodies of `/loki/api/v1/push`.
#[derive(Debug, Default)]
pub struct LokiJson;

#[derive(Deserialize)]
struct JsonPush<'a> {
    #[serde(borrow)]
    streams: Vec<JsonStream<'a>>,
}

#[derive(Deserialize)]
struct JsonStream<'a> {
    #[serde(default)]
    stream: Map<String, Value>,
    #[serde(borrow, default)]
    values: Vec<&'a RawValue>,
}

impl Payload for LokiJson {
    fn read(&mut self, body: &mut dyn BufRead, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
        let all = wire::whole(body)?;
        let all = String::from_utf8_lossy(&all);
        if all.trim().is_empty() {
            return Err(PayloadError::Empty);
        }
        let push: JsonPush<'_> =
            serde_json::from_str(&all).map_err(|error| PayloadError::Format(format!("no push request: {error}")))?;
        for JsonStream { stream, values } in push.streams {
            let stream = LokiStream::new(stream);
            for value in values {
                match json_entry(value.get()) {
                    Some((time, line, metadata)) => stream.put(time, line.as_bytes(), &metadata, lines)?,
                    None => lines.poison(value.get().as_bytes(), "no_entry")?,
                }
            }
        }
        Ok(())
    }
}

/// `["<nanoseconds>","line",{"key":"value"}]`; the time may be a number.
#[allow(clippy::type_complexity, reason = "time, line and metadata, taken apart at once")]
fn json_entry(value: &str) -> Option<(Cow<'_, str>, Cow<'_, str>, Map<String, Value>)> {
    let parts: Vec<&RawValue> = serde_json::from_str(value).ok()?;
    let time = Cow::Borrowed(parts.first()?.get().trim_matches('"'));
    let line: String = serde_json::from_str(parts.get(1)?.get()).ok()?;
    let metadata = parts.get(2).and_then(|metadata| serde_json::from_str(metadata.get()).ok()).unwrap_or_default();
    time.bytes().all(|byte| byte.is_ascii_digit()).then_some((time, Cow::Owned(line), metadata))
}

/// Protobuf bodies of `/loki/api/v1/push`, without their snappy block.
#[derive(Debug, Default)]
pub struct LokiProtobuf;

impl Payload for LokiProtobuf {
    fn read(&mut self, body: &mut dyn BufRead, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
        let all = wire::whole(body)?;
        if all.is_empty() {
            return Err(PayloadError::Empty);
        }
        wire::fields(&all, &mut |number, stream| {
            if number != 1 {
                return Ok(());
            }
            let mut labels = Map::new();
            wire::fields(stream, &mut |number, field| {
                if number == 1 {
                    labels = label_set(&String::from_utf8_lossy(field));
                }
                Ok(())
            })?;
            let stream_told = LokiStream::new(labels);
            wire::fields(stream, &mut |number, entry| {
                if number == 2 { put_entry(entry, &stream_told, lines) } else { Ok(()) }
            })
        })
    }
}

fn put_entry(entry: &[u8], stream: &LokiStream, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
    let Ok(entry) = LokiEntry::decode(entry) else {
        lines.poison(&entry.escape_ascii().collect::<Vec<u8>>(), "no_entry")?;
        return Ok(());
    };
    let time = entry.timestamp.unwrap_or_default();
    let nanoseconds = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
    let pairs = entry.metadata.into_iter().map(|pair| (pair.name, Value::String(pair.value)));
    stream.put(Cow::Owned(nanoseconds.to_string()), &entry.line, &pairs.collect(), lines)
}

/// `{job="j", level="info"}`; what cannot be read of it is left out.
fn label_set(text: &str) -> Map<String, Value> {
    let mut labels = Map::new();
    let mut rest = text.trim().trim_start_matches('{').trim_end_matches('}');
    while let Some((name, after)) = rest.split_once('=') {
        let Some(quoted) = after.trim_start().strip_prefix('"') else { break };
        let mut end = None;
        let mut is_escaped = false;
        for (at, letter) in quoted.char_indices() {
            match letter {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '"' => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let Some(end) = end else { break };
        let value = serde_json::from_str::<String>(&format!("\"{}\"", &quoted[..end]));
        let value = value.unwrap_or_else(|_| quoted[..end].to_owned());
        labels.insert(name.trim().trim_start_matches(',').trim().to_owned(), Value::String(value));
        rest = &quoted[end + 1..];
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::loki_messages::{LokiPair, LokiTime};

    fn read(payload: &mut dyn Payload, body: &[u8]) -> Result<String, PayloadError> {
        let mut out = Vec::new();
        let mut take = |piece: &[u8]| {
            out.extend_from_slice(piece);
            Ok(())
        };
        let mut lines = Lines::new("test", &mut take);
        payload.read(&mut &body[..], &mut lines)?;
        lines.finish()?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn json_and_protobuf_give_the_same_lines() {
        let json = r#"{"streams":[{"stream":{"app":"sshd","host":"gate"},"values":[["1795915781000000000","one\"line"],["1795915782000000000","two",{"k":"v"}],[1,2]]}]}"#;
        let lines = read(&mut LokiJson, json.as_bytes()).unwrap();
        let wanted = "{\"via\":\"loki\",\"time\":\"1795915781000000000\",\"host\":\"gate\",\"program\":\"sshd\",\"labels\":{\"app\":\"sshd\",\"host\":\"gate\"},\"text\":\"one\\\"line\"}\n\
            {\"via\":\"loki\",\"time\":\"1795915782000000000\",\"host\":\"gate\",\"program\":\"sshd\",\"labels\":{\"app\":\"sshd\",\"host\":\"gate\",\"k\":\"v\"},\"text\":\"two\"}\n";
        assert_eq!(lines, format!("{wanted}[1,2]\n"));
        let entry = |seconds, line: &str, metadata| LokiEntry {
            timestamp: Some(LokiTime { seconds, nanos: 0 }),
            line: line.as_bytes().to_vec(),
            metadata,
        };
        let pair = LokiPair { name: "k".to_owned(), value: "v".to_owned() };
        let mut stream = Vec::new();
        for entry in [entry(1_795_915_781, "one\"line", vec![]), entry(1_795_915_782, "two", vec![pair])] {
            prost::encoding::message::encode(2, &entry, &mut stream);
        }
        // The labels may stand behind the entries.
        prost::encoding::string::encode(1, &"{app=\"sshd\", host=\"gate\"}".to_owned(), &mut stream);
        let mut push = Vec::new();
        prost::encoding::bytes::encode(1, &stream, &mut push);
        assert_eq!(read(&mut LokiProtobuf, &push).unwrap(), wanted);
        assert!(matches!(read(&mut LokiProtobuf, &push[..push.len() - 1]), Err(PayloadError::Format(_))));
        assert!(matches!(read(&mut LokiProtobuf, b"{\"streams\":[]}"), Err(PayloadError::Format(_))));
        assert!(matches!(read(&mut LokiJson, b"\x0a\x01"), Err(PayloadError::Format(_))));
    }

    #[test]
    fn label_sets_are_read_whatever_their_values_hold() {
        let set = |text: &str| serde_json::to_string(&label_set(text)).unwrap();
        assert_eq!(set(r#"{level="info",job="a=\"b\", c"}"#), r#"{"level":"info","job":"a=\"b\", c"}"#);
        assert_eq!((set("{}"), set("junk"), set("{a=b}")), ("{}".to_owned(), "{}".to_owned(), "{}".to_owned()));
    }
}
