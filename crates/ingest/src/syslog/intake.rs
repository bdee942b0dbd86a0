//! What comes on one connection, cut into messages. The room to read into belongs to the thread, not to the connection, so
//! that ten thousand idle senders cost little. It waits for no spool.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

use crate::framing::Framer;
use crate::spoken::Spoken;
use crate::tls::Stream;

/// Bytes that one read of a connection takes.
const READ_BYTES: usize = 128 << 10;
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
    is_fresh: bool,
}

impl Intake {
    pub(super) fn new(stream: Stream, message_bytes_max: usize) -> Self {
        Intake { stream, framer: Framer::new(message_bytes_max), lines: Vec::new(), is_fresh: true }
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
        let Intake { stream, framer, lines, is_fresh } = self;
        let came = poll_bytes(stream, context, |bytes| match Spoken::of(bytes).filter(|_| std::mem::take(is_fresh)) {
            Some(spoken) => Came::Foreign(spoken),
            None => {
                *is_fresh = false;
                framer.push(bytes, lines);
                Came::Bytes
            }
        });
        if came.is_pending() {
            self.lines.shrink_to(IDLE_LINES_BYTES);
        }
        came.map(|came| came.unwrap_or(Came::End))
    }
}

/// Hands bytes that have come to `take`; `None`: the end, or a broken connection.
pub(super) fn poll_bytes<T>(
    stream: &mut Stream,
    context: &mut Context<'_>,
    take: impl FnOnce(&[u8]) -> T,
) -> Poll<Option<T>> {
    INPUT.with_borrow_mut(|input| {
        let mut into = ReadBuf::new(input);
        while into.remaining() >= RECORD_BYTES {
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
