//! Payloads of shippers' protocols to lines of the spool: one file per protocol. A payload is read in one pass with bounded memory;
//! what cannot be understood of it is kept as it came and counted, because an error would make the sender drop the good with the bad.
//! Knows no HTTP: who asks, and what is answered, stands in the crate `api`.

mod bulk;
mod carrier;
mod datadog;
mod gelf;
mod hec;
mod journal;
mod loki;
mod loki_messages;
mod otlp;
mod otlp_messages;
mod sink;
mod values;
mod wire;

pub use bulk::{BULK_ITEMS_MAX, Bulk};
pub use datadog::Datadog;
pub use gelf::Gelf;
pub use hec::{HecEvents, HecRaw};
pub use journal::{JOURNAL_ENTRY_BYTES_MAX, Journal};
pub use loki::{LokiJson, LokiProtobuf};
pub use otlp::{OtlpJson, OtlpProtobuf};
pub use sink::{Action, BulkItem, Lines, Payload, PayloadError, Report};
pub use values::DEPTH_MAX;
