//! Outside to blocks: finding log files, opening them (compressed or not), cutting them into blocks of whole lines, and
//! merging several by time. One file per kind of source.
//!
//! **Absent on purpose:** no log format. Where an event time is needed to order files, the caller brings the reader.

pub mod block_reader;
pub mod decompress;
pub mod discover;
pub mod file;
pub mod merge;

pub use block_reader::BlockReader;
pub use discover::{Discovered, Skipped, discover};
pub use file::{FileSource, Fingerprint, OpenError};
pub use merge::{Merge, Pulled};
