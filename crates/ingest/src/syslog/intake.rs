//! What comes on one connection, cut into messages. The room to read into belongs to the thread, not to the connection, so
//! that ten thousand idle senders cost little. It waits for no spool.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

use crate::framing::{Framer, packed};
use crate::spoken::Spoken;
use crate::tls::Stream;

/// Bytes that one read of a connection takes.
pub(super) const READ_BYTES: usize = 128 << 10;
/// Bytes of one read where they may be compressed: they unpack to a thousand times as much at most.
const PACKED_BYTES: usize = 8 << 10;
/// Room that has to be left for one more read: a record of TLS.
const RECORD_BYTES: usize = 16 << 10;
/// Room for messages that an idle connection keeps, in bytes.
const IDLE_LINES_BYTES: usize = 1024;

thread_local! {
    static INPUT: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into_boxed_slice());
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Bytes, which are with the framer now.
    Bytes,
    /// The first bytes are another protocol's; none is kept.
    Foreign(Spoken),
    /// The end, or a broken connection.
    End,
}

/// A connection, and what has been read of it.
pub(super) struct Intake {
    pub(super) stream: Stream,
    pub(super) framer: Framer,
    /// Messages that are complete.
    pub(super) lines: Vec<u8>,
    /// Where those end that have been cut.
    pub(super) cuts: Vec<usize>,
    is_fresh: bool,
    /// Where the connection is one zlib stream, as of omfwd with `compression.mode="stream:always"`.
    unpacking: Option<Box<packed::Inflating>>,
}

impl Intake {
    pub(super) fn new(stream: Stream, message_bytes_max: usize) -> Self {
        Intake {
            stream,
            framer: Framer::new(message_bytes_max),
            lines: Vec::new(),
            cuts: Vec::new(),
            is_fresh: true,
            unpacking: None,
        }
    }

    /// Waits for bytes and cuts them into messages.
    pub(super) async fn read(&mut self) -> Came {
        poll_fn(|context| self.poll_read(context)).await
    }

    /// What has come already, without waiting.
    pub(super) async fn read_ready(&mut self) -> Option<Came> {
        poll_fn(|context| {
            Poll::Ready(match self.poll_read(context) {
                Poll::Ready(came) => Some(came),
                Poll::Pending => None,
            })
        })
        .await
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Came> {
        let limit = if self.is_fresh || self.unpacking.is_some() { PACKED_BYTES } else { READ_BYTES };
        let Intake { stream, framer, lines, is_fresh, unpacking, .. } = self;
        let came = poll_bytes(stream, context, limit, |bytes| {
            if std::mem::take(is_fresh) {
                if let Some(spoken) = Spoken::of(bytes) {
                    return Came::Foreign(spoken);
                }
                *unpacking = begins_stream(bytes).then(|| Box::new(packed::Inflating::new()));
            }
            let Some(unpacking) = unpacking else {
                framer.push(bytes, lines);
                return Came::Bytes;
            };
            match unpacking.push(bytes, |text| framer.push(text, lines)) {
                Ok(()) => Came::Bytes,
                Err(()) => {
                    metrics::counter!("ingest_frames_total", "result" => "broken_stream").increment(1);
                    Came::End
                }
            }
        });
        if came.is_pending() {
            self.lines.shrink_to(IDLE_LINES_BYTES);
        }
        came.map(|came| came.unwrap_or(Came::End))
    }
}

/// Whether the connection is a zlib stream: its first bytes say so, and unpack to a priority or a length.
fn begins_stream(bytes: &[u8]) -> bool {
    let mut first = None;
    let unpacked = packed::is_zlib(bytes) == Some(true)
        && packed::Inflating::new().push(bytes, |text| first = first.or(text.first().copied())).is_ok();
    unpacked && first.is_some_and(|byte| byte == b'<' || byte.is_ascii_digit())
}

/// Hands bytes that have come to `take`; `None`: the end, or a broken connection.
pub(super) fn poll_bytes<T>(
    stream: &mut Stream,
    context: &mut Context<'_>,
    limit: usize,
    take: impl FnOnce(&[u8]) -> T,
) -> Poll<Option<T>> {
    INPUT.with_borrow_mut(|input| {
        let limit = limit.min(input.len());
        let mut into = ReadBuf::new(&mut input[..limit]);
        while into.remaining() >= limit.min(RECORD_BYTES) {
            let before = into.filled().len();
            match Pin::new(&mut *stream).poll_read(context, &mut into) {
                Poll::Pending if before == 0 => return Poll::Pending,
                Poll::Ready(Ok(())) if into.filled().len() > before => {}
                // An end or a failure comes again at the next read.
                _ if before > 0 => break,
                _ => return Poll::Ready(None),
            }
        }
        Poll::Ready(Some(take(into.filled())))
    })
}
