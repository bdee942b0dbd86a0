//! One connection of a shipper: bytes to its protocol, lines to the spool, answers once they are on disk. A sender is held back by not being
//! read, and told from time to time that we are there. Knows no protocol, and nothing of what carries the bytes.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::intake::{Advance, NamedBatch, Protocol, Refusal, ShipperIntake};
use super::memory::HeldBytes;
use super::options::ShipperOptions;
use crate::accounts::Loss;
use crate::spool::{Batch, BatchName, Refused};
use crate::syslog::{Drain, Seated, stopped};

/// Bytes that an idle connection has room for, and that one read takes at most.
const IDLE_BYTES: usize = 4 << 10;
const READ_BYTES: usize = 64 << 10;
/// Longer messages are worked on beside, because they may unpack to much more.
const LARGE_BYTES: usize = 16 << 10;
/// Between two signs of life while what came waits for the disk.
const ALIVE_EVERY: Duration = Duration::from_secs(5);
/// Longest silence within a message.
const STALLED: Duration = Duration::from_secs(60);
/// Longest that a peer may take to read an answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Silence that ends a connection while the service stops.
const QUIET: Duration = Duration::from_millis(500);

/// What ends a connection.
#[derive(Debug)]
pub(super) enum SessionEnd {
    ByPeer,
    Idle,
    Stalled,
    GaveWay,
    Memory,
    Spool(Refused),
    Stopped,
    Refused(Refusal),
}

impl SessionEnd {
    /// Label of counters.
    fn reason(&self) -> &'static str {
        match self {
            SessionEnd::ByPeer => "peer",
            SessionEnd::Idle => "idle",
            SessionEnd::Stalled => "stalled",
            SessionEnd::GaveWay => "gave_way",
            SessionEnd::Memory => "memory",
            SessionEnd::Spool(_) => "spool",
            SessionEnd::Stopped => "stopped",
            SessionEnd::Refused(refusal) => refusal.reason,
        }
    }
}

/// A connection at work.
pub(super) struct Session<S> {
    pub(super) stream: S,
    pub(super) seat: Seated,
    pub(super) options: ShipperOptions,
    /// Label of counters.
    pub(super) source: &'static str,
    /// Who it is, such as `forward://192.0.2.1`.
    pub(super) origin: String,
    /// Silence after which it is closed.
    pub(super) idle: Option<Duration>,
    /// `None` while it is at work beside.
    pub(super) protocol: Option<Box<dyn Protocol>>,
    /// Places for what is worked on beside.
    pub(super) beside: Arc<Semaphore>,
    pub(super) held: HeldBytes,
    pub(super) input: Vec<u8>,
    /// The peer waits for answers.
    pub(super) is_answered: bool,
    /// The service stops: when it wants to be gone.
    pub(super) until: Option<Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    /// Works until the connection ends.
    pub(super) async fn serve(mut self, mut drain: watch::Receiver<Drain>) {
        let mut ended = self.talk(&mut drain).await;
        if !matches!(ended, SessionEnd::Refused(_) | SessionEnd::Spool(_)) {
            let mut intake = ShipperIntake::default();
            if let Some(protocol) = &mut self.protocol {
                protocol.finish(&self.input, &mut intake);
            }
            if !self.input.is_empty() && intake.lines.is_empty() {
                self.lost("ingest_rejected_total", Loss::Rejected, "half_message", 1);
            }
            if let Err(failed) = self.keep(intake, &mut drain).await {
                ended = failed;
            }
        }
        let reason = ended.reason();
        match &ended {
            SessionEnd::Refused(Refusal { reason, words }) => {
                metrics::counter!("ingest_refusals_total", "source" => self.source, "reason" => *reason).increment(1);
                tracing::warn!(origin = self.origin, reason, "a connection is closed: {words}");
            }
            SessionEnd::Spool(refused) => tracing::error!(origin = self.origin, %refused, "a connection is closed"),
            _ => tracing::debug!(origin = self.origin, reason, "a connection is closed"),
        }
        metrics::counter!("ingest_connections_closed_total", "source" => self.source, "reason" => reason).increment(1);
        // Or what was answered last may be lost with the connection.
        let _closed = timeout(QUIET, self.stream.shutdown()).await;
    }

    async fn talk(&mut self, drain: &mut watch::Receiver<Drain>) -> SessionEnd {
        let greeting = self.protocol.as_mut().map(|protocol| protocol.greeting()).unwrap_or_default();
        if let Err(ended) = self.answer(&greeting).await {
            return ended;
        }
        let mut need = 1;
        loop {
            if let Err(ended) = self.fill(need, drain).await {
                return ended;
            }
            let (intake, progress) = self.take().await;
            if let Err(ended) = self.keep(intake, drain).await {
                return ended;
            }
            match progress {
                Ok(progress) => {
                    self.input.drain(..progress.taken);
                    need = progress.need;
                }
                Err(refusal) => return SessionEnd::Refused(refusal),
            }
            self.seat.came(!self.input.is_empty());
        }
    }

    /// Reads until there are so many bytes.
    async fn fill(&mut self, need: usize, drain: &mut watch::Receiver<Drain>) -> Result<(), SessionEnd> {
        if self.input.is_empty() && self.input.capacity() > IDLE_BYTES {
            self.input = Vec::new();
        }
        while self.input.len() < need {
            self.room(need).await?;
            let now = Instant::now();
            let is_within = !self.input.is_empty();
            let (wait, silent) = match (self.until, self.idle) {
                (Some(until), _) => (Some(until.min(now + QUIET)), SessionEnd::Stopped),
                (None, Some(idle)) if !is_within || idle < STALLED => (Some(now + idle), SessionEnd::Idle),
                (None, None) if !is_within => (None, SessionEnd::Idle),
                (None, _) => (Some(now + STALLED), SessionEnd::Stalled),
            };
            let pause = async {
                match wait {
                    Some(wait) => sleep_until(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                deadline = stopped(drain), if self.until.is_none() => {
                    self.until = Some(deadline);
                    if !self.is_answered {
                        // Nothing more is taken: a sender that looks stops.
                        let _told = timeout(QUIET, self.stream.shutdown()).await;
                    }
                }
                () = self.seat.leave() => return Err(SessionEnd::GaveWay),
                read = self.stream.read_buf(&mut self.input) => match read {
                    Ok(1..) => self.seat.came(true),
                    _ => return Err(SessionEnd::ByPeer),
                },
                () = pause => return Err(silent),
            }
        }
        Ok(())
    }

    /// Makes room for more bytes: as many as came, not as many as a length claims.
    async fn room(&mut self, need: usize) -> Result<(), SessionEnd> {
        let length = self.input.len();
        if self.input.capacity() - length >= IDLE_BYTES.min(need - length) {
            return Ok(());
        }
        let more = (need - length).clamp(IDLE_BYTES, READ_BYTES.max(length / 2));
        if !self.held.grow(length + more).await {
            return Err(SessionEnd::Memory);
        }
        self.input.reserve_exact(more);
        Ok(())
    }

    /// Gives the protocol what there is.
    async fn take(&mut self) -> (ShipperIntake, Result<Advance, Refusal>) {
        let gone = || Err(Refusal::new("failed", "what came could not be worked on"));
        let mut intake = ShipperIntake::default();
        let Some(mut protocol) = self.protocol.take() else { return (intake, gone()) };
        if self.input.len() < LARGE_BYTES {
            let progress = protocol.take(&self.input, &mut intake);
            self.protocol = Some(protocol);
            return (intake, progress);
        }
        let _place = Arc::clone(&self.beside).acquire_owned().await;
        let input = std::mem::take(&mut self.input);
        let work = tokio::task::spawn_blocking(move || {
            let progress = protocol.take(&input, &mut intake);
            (protocol, input, intake, progress)
        });
        match work.await {
            Ok((protocol, input, intake, progress)) => {
                (self.protocol, self.input) = (Some(protocol), input);
                (intake, progress)
            }
            Err(_) => (ShipperIntake::default(), gone()),
        }
    }

    /// Lines into the spool; then, where the peer waits for answers, until they are on disk.
    async fn keep(&mut self, intake: ShipperIntake, drain: &mut watch::Receiver<Drain>) -> Result<(), SessionEnd> {
        if intake.duplicates > 0 {
            metrics::counter!("ingest_duplicates_total", "source" => self.source).increment(intake.duplicates);
            let now = (self.options.clock)();
            self.options.spool.accounts().duplicates(&self.origin, intake.duplicates, now);
        }
        let mut ticket = None;
        let spool = self.options.spool.clone();
        if !intake.lines.is_empty() {
            let (origin, received) = (self.origin.clone(), (self.options.clock)());
            let names: Vec<BatchName> = intake.batches.iter().map(NamedBatch::name).collect();
            let batch = Batch { names: &names, ..Batch::new(&origin, &intake.lines, received) };
            match self.meanwhile(spool.append_when_room(batch), drain).await {
                Ok(taken) => ticket = Some(taken),
                Err(ended) => {
                    if !self.is_answered && intake.answers.is_empty() {
                        // Nobody sends these again.
                        self.lost("ingest_dropped_total", Loss::Dropped, ended.reason(), intake.report.events);
                    }
                    return Err(ended);
                }
            }
        }
        intake.report.tell_all(self.source);
        for (reason, events) in &intake.report.rejected {
            let now = (self.options.clock)();
            self.options.spool.accounts().lost(&self.origin, Loss::Rejected, reason, *events, now);
        }
        if intake.answers.is_empty() {
            return Ok(());
        }
        self.is_answered = true;
        if let Some(ticket) = ticket {
            self.meanwhile(spool.durable(ticket), drain).await?;
        }
        self.answer(&intake.answers).await
    }

    fn lost(&self, counter: &'static str, how: Loss, reason: &'static str, events: u64) {
        metrics::counter!(counter, "source" => self.source, "reason" => reason).increment(events);
        self.options.spool.accounts().lost(&self.origin, how, reason, events, (self.options.clock)());
    }

    /// Waits for the spool; the peer is told that we are there. Given up when the service has to be gone.
    async fn meanwhile<T>(
        &mut self,
        work: impl Future<Output = Result<T, Refused>>,
        drain: &mut watch::Receiver<Drain>,
    ) -> Result<T, SessionEnd> {
        let mut work = pin!(work);
        let until = self.until;
        let mut given_up = pin!(async {
            let deadline = match until {
                Some(until) => until,
                None => stopped(drain).await,
            };
            sleep_until(deadline).await;
        });
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done.map_err(SessionEnd::Spool),
                () = &mut given_up => return Err(SessionEnd::Stopped),
                () = sleep(ALIVE_EVERY) => {
                    let alive = self.protocol.as_ref().map_or(&[][..], |protocol| protocol.alive());
                    self.answer(alive).await?;
                }
            }
        }
    }

    async fn answer(&mut self, bytes: &[u8]) -> Result<(), SessionEnd> {
        if bytes.is_empty() {
            return Ok(());
        }
        let written = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(ANSWER_MAX, written).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(SessionEnd::ByPeer),
        }
    }
}
