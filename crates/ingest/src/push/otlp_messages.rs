//! Log records of OpenTelemetry and what they are made of, as protobuf and as JSON (opentelemetry.io/docs/specs/otlp,
//! `opentelemetry/proto/logs/v1`). Knows no event.

use serde::{Deserialize, Deserializer};

/// `KeyValue`
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(super) struct OtlpPair {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<OtlpAny>,
}

/// `AnyValue`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OtlpAny {
    #[prost(oneof = "OtlpValue", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub(super) value: Option<OtlpValue>,
}

/// What an `AnyValue` may be.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum OtlpValue {
    #[prost(string, tag = "1")]
    String(String),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(int64, tag = "3")]
    Int(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    Array(OtlpArray),
    #[prost(message, tag = "6")]
    Pairs(OtlpPairs),
    #[prost(bytes, tag = "7")]
    Bytes(Vec<u8>),
}

/// `ArrayValue`
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(super) struct OtlpArray {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<OtlpAny>,
}

/// `KeyValueList`
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(super) struct OtlpPairs {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<OtlpPair>,
}

/// `Resource`
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(super) struct OtlpResource {
    #[prost(message, repeated, tag = "1")]
    pub(super) attributes: Vec<OtlpPair>,
}

/// `LogRecord`, without what only traces need.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct OtlpRecord {
    #[prost(fixed64, tag = "1")]
    #[serde(deserialize_with = "number")]
    pub(super) time_unix_nano: u64,
    #[prost(int32, tag = "2")]
    pub(super) severity_number: i32,
    #[prost(string, tag = "3")]
    pub(super) severity_text: String,
    #[prost(message, optional, tag = "5")]
    pub(super) body: Option<OtlpAny>,
    #[prost(message, repeated, tag = "6")]
    pub(super) attributes: Vec<OtlpPair>,
    #[prost(fixed64, tag = "11")]
    #[serde(deserialize_with = "number")]
    pub(super) observed_time_unix_nano: u64,
    #[prost(string, tag = "12")]
    pub(super) event_name: String,
}

/// 64-bit numbers are texts or numbers in JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum JsonNumber {
    Unsigned(u64),
    Signed(i64),
    Text(String),
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(match Option::<JsonNumber>::deserialize(deserializer)? {
        Some(JsonNumber::Unsigned(number)) => number,
        Some(JsonNumber::Text(text)) => text.parse().unwrap_or(0),
        Some(JsonNumber::Signed(_)) | None => 0,
    })
}

/// `AnyValue` in JSON: one of the members.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JsonAny {
    string_value: Option<String>,
    bool_value: Option<bool>,
    int_value: Option<JsonNumber>,
    double_value: Option<f64>,
    array_value: Option<OtlpArray>,
    kvlist_value: Option<OtlpPairs>,
    bytes_value: Option<String>,
}

impl<'de> Deserialize<'de> for OtlpAny {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = JsonAny::deserialize(deserializer)?;
        let int = json.int_value.and_then(|number| match number {
            JsonNumber::Unsigned(number) => i64::try_from(number).ok(),
            JsonNumber::Signed(number) => Some(number),
            JsonNumber::Text(text) => text.parse().ok(),
        });
        let value = json.string_value.map(OtlpValue::String);
        let value = value.or(json.bool_value.map(OtlpValue::Bool)).or(int.map(OtlpValue::Int));
        let value = value.or(json.double_value.map(OtlpValue::Double)).or(json.array_value.map(OtlpValue::Array));
        let value = value.or(json.kvlist_value.map(OtlpValue::Pairs));
        // Bytes are Base64 in JSON, as they are written out later.
        let value = value.or(json.bytes_value.map(OtlpValue::String));
        Ok(OtlpAny { value })
    }
}
