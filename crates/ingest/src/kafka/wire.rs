//! One batch as the broker holds it: librdkafka says that it cannot read a batch, but neither how far it reaches nor
//! what is in it. Two requests of Kafka's protocol (metadata version 1, fetch version 4) over a plain connection, the
//! only kind that this build of librdkafka has, too. Reads one answer of bounded size and closes.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::decompress::{self, Compression};

/// Longest wait for a connection, and for each part of an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer about topics and brokers, in bytes.
const METADATA_BYTES_MAX: usize = 8 << 20;
/// What stands in an answer to a fetch before the batches, at most, in bytes.
const FETCH_HEAD_BYTES: usize = 64 << 10;
/// Decompressed bytes in which damage is looked for. Longer runs may be cut, or stopped as a bomb.
const DAMAGE_BYTES: u64 = 1 << 20;
/// Bytes of a batch that tell what it is.
const BATCH_HEAD_BYTES: usize = 61;

const METADATA: i16 = 3;
const FETCH: i16 = 1;

/// A batch that stands at or around an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordBatch {
    pub(super) first: i64,
    pub(super) last: i64,
    /// Number of the codec, as the batch says.
    pub(super) codec: u8,
    /// Version of the format; from 2 on the records stand behind a head of [`BATCH_HEAD_BYTES`].
    pub(super) magic: u8,
    /// As the broker gave it; its start where it is longer than asked for.
    pub(super) bytes: Vec<u8>,
    pub(super) full_bytes: u64,
}

impl RecordBatch {
    /// The error of our own decompressor at the start of the records. `None` also where we have none for the codec.
    pub(super) fn damage(&self) -> Option<String> {
        let records = self.bytes.get(BATCH_HEAD_BYTES..).filter(|_| self.magic >= 2)?;
        let compression = match self.codec {
            1 => Compression::Gzip,
            4 => Compression::Zstd,
            _ => return None,
        };
        let reader = decompress::open(compression, io::Cursor::new(records.to_vec()));
        let read = reader.and_then(|reader| io::copy(&mut reader.take(DAMAGE_BYTES), &mut io::sink()));
        read.err().map(|error| format!("the records do not decompress: {error}"))
    }
}

/// The batch that holds the offset, or the first behind it; `None` where there is none. `bytes_max`: what is kept of it.
pub(super) fn batch_at(
    brokers: &str,
    topic: &str,
    partition: i32,
    offset: i64,
    bytes_max: usize,
) -> io::Result<Option<RecordBatch>> {
    let leader = leader(brokers, topic, partition)?;
    let mut request = head(FETCH, 4);
    request.extend((-1_i32).to_be_bytes()); // no replica
    request.extend(1_000_i32.to_be_bytes()); // longest wait, in milliseconds
    request.extend(1_i32.to_be_bytes()); // fewest bytes
    request.extend((bytes_max as i32).to_be_bytes());
    request.push(0); // also what is not committed by its producer
    request.extend(1_i32.to_be_bytes());
    string(&mut request, topic);
    request.extend(1_i32.to_be_bytes());
    request.extend(partition.to_be_bytes());
    request.extend(offset.to_be_bytes());
    request.extend((bytes_max as i32).to_be_bytes());
    let answer = ask(&leader, &request, bytes_max.saturating_add(FETCH_HEAD_BYTES), true)?;
    batch(&answer, offset, bytes_max)
}

fn batch(answer: &[u8], offset: i64, bytes_max: usize) -> io::Result<Option<RecordBatch>> {
    let mut read = Reading(answer);
    read.take(4)?; // throttled for, in milliseconds
    read.count()?;
    read.string()?;
    read.count()?;
    read.take(4)?; // partition
    refuse(read.i16()?)?;
    read.take(16)?; // high watermark, last stable offset
    for _ in 0..read.i32()?.max(0) {
        read.take(16)?; // an aborted transaction
    }
    let length = read.i32()?.max(0) as usize;
    let mut records = &read.0[..length.min(read.0.len())];
    while records.len() >= BATCH_HEAD_BYTES {
        let mut batch = Reading(records);
        let first = batch.i64()?;
        let full = 12 + i64::from(batch.i32()?).max(0) as usize;
        batch.take(4)?; // epoch of the leader, or the old checksum
        let magic = batch.take(1)?[0];
        let (codec, last) = if magic < 2 {
            // One message, or a wrapper that has the offset of its last one.
            (batch.take(1)?[0], first)
        } else {
            batch.take(4)?; // checksum
            let attributes = batch.i16()?;
            (attributes as u8, first.saturating_add(i64::from(batch.i32()?)))
        };
        if last >= offset {
            let bytes = records[..full.min(records.len()).min(bytes_max)].to_vec();
            return Ok(Some(RecordBatch { first, last, codec: codec & 7, magic, bytes, full_bytes: full as u64 }));
        }
        records = records.get(full..).unwrap_or(&[]);
    }
    Ok(None)
}

/// Where the leader of the partition listens.
fn leader(brokers: &str, topic: &str, partition: i32) -> io::Result<String> {
    let mut request = head(METADATA, 1);
    request.extend(1_i32.to_be_bytes());
    string(&mut request, topic);
    let mut failed = io::Error::other("no broker is named");
    for broker in brokers.split(',').map(str::trim).filter(|broker| !broker.is_empty()) {
        let broker = broker.strip_prefix("PLAINTEXT://").unwrap_or(broker);
        let broker = if broker.contains(':') { broker.to_owned() } else { format!("{broker}:9092") };
        let asked = ask(&broker, &request, METADATA_BYTES_MAX, false);
        match asked.and_then(|answer| leader_in(&answer, partition)) {
            Ok(leader) => return Ok(leader),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn leader_in(answer: &[u8], partition: i32) -> io::Result<String> {
    let mut read = Reading(answer);
    let mut brokers = Vec::new();
    for _ in 0..read.count()? {
        let id = read.i32()?;
        let host = read.string()?;
        let port = read.i32()?;
        read.string()?; // rack
        brokers.push((id, format!("{host}:{port}")));
    }
    read.take(4)?; // controller
    for _ in 0..read.count()? {
        refuse(read.i16()?)?;
        read.string()?;
        read.take(1)?; // internal
        for _ in 0..read.count()? {
            read.take(2)?; // a partition may lack replicas and have a leader
            let (number, leader) = (read.i32()?, read.i32()?);
            for _ in 0..2 {
                let copies = read.count()?;
                read.take(copies * 4)?;
            }
            if number == partition
                && let Some((_, address)) = brokers.iter().find(|(id, _)| *id == leader)
            {
                return Ok(address.clone());
            }
        }
    }
    Err(io::Error::other("the partition has no leader"))
}

fn head(key: i16, version: i16) -> Vec<u8> {
    let mut request = Vec::new();
    request.extend(key.to_be_bytes());
    request.extend(version.to_be_bytes());
    request.extend(1_i32.to_be_bytes()); // number of the request
    string(&mut request, "c0di3");
    request
}

fn string(request: &mut Vec<u8>, text: &str) {
    request.extend((text.len() as i16).to_be_bytes());
    request.extend_from_slice(text.as_bytes());
}

/// Sends a request and reads its answer; `cut`: of a longer one the start is enough.
pub(super) fn ask(broker: &str, request: &[u8], bytes_max: usize, cut: bool) -> io::Result<Vec<u8>> {
    let mut failed = io::Error::other(format!("`{broker}` has no address"));
    for address in broker.to_socket_addrs()? {
        let mut stream = match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => stream,
            Err(error) => {
                failed = error;
                continue;
            }
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(&(request.len() as i32).to_be_bytes())?;
        stream.write_all(request)?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let length = i32::from_be_bytes(length).max(0) as usize;
        if length > bytes_max && !cut {
            return Err(io::Error::other(format!("an answer of {length} bytes is longer than {bytes_max}")));
        }
        let mut answer = Vec::new();
        stream.take(length.min(bytes_max) as u64).read_to_end(&mut answer)?;
        if answer.len() < length.min(bytes_max) || answer.len() < 4 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answer.drain(..4); // number of the request
        return Ok(answer);
    }
    Err(failed)
}

fn refuse(code: i16) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::other(format!("the broker answers with error {code}"))) }
}

/// What is left of an answer.
struct Reading<'a>(&'a [u8]);

impl<'a> Reading<'a> {
    fn take(&mut self, bytes: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn i16(&mut self) -> io::Result<i16> {
        self.array().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> io::Result<i32> {
        self.array().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> io::Result<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// Members of a list. Each takes a byte or more, so that a wrong count ends where the answer does.
    fn count(&mut self) -> io::Result<usize> {
        Ok(self.i32()?.max(0) as usize)
    }

    fn string(&mut self) -> io::Result<String> {
        let length = self.i16()?.max(0) as usize;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }
}
