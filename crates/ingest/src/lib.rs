//! Outside to blocks: log files found, opened and merged by time; files that are followed as they grow; syslog, HTTP bodies
//! and shippers' own protocols through the durable spool; Kafka. One file per kind of source.
//!
//! **Absent on purpose:** no log format. Where an event time is needed to order files, the caller brings the reader.

#![warn(missing_docs)]

pub mod accounts;
pub mod block_reader;
pub mod body;
pub mod content;
pub mod decompress;
pub mod discover;
pub mod file;
pub mod framing;
pub mod input;
pub mod kafka;
pub mod live;
pub mod merge;
pub mod pipes;
pub mod proxy;
pub mod push;
pub mod shippers;
pub mod spoken;
pub mod spool;
pub mod stream;
pub mod syslog;
pub mod tail;
pub mod tls;
pub mod told;

pub use block_reader::BlockReader;
pub use discover::{Discovered, Skipped, discover};
pub use file::{FileSource, Fingerprint, OpenError, ReadError};
pub use input::{Barrier, Pull, Pulled};
pub use merge::Merge;
pub use stream::StreamSource;
