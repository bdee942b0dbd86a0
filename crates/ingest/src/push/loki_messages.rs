//! What a client of Loki pushes, as far as it is read: `logproto.PushRequest` of grafana.com/docs/loki/latest/reference/loki-http-api.

/// `EntryAdapter`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LokiEntry {
    #[prost(message, optional, tag = "1")]
    pub(super) timestamp: Option<LokiTime>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) line: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    pub(super) metadata: Vec<LokiPair>,
}

/// `google.protobuf.Timestamp`
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct LokiTime {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

/// `LabelPairAdapter`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LokiPair {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}
