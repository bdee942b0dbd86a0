//! RELP: syslog that is answered. A message is acknowledged when it is on disk, and never before; nothing more is read of a
//! connection until what came has been answered, so that its window and its memory are bounded. What has no answer when a
//! connection ends is sent again by the client: such messages may come twice.

mod frames;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::framing::{FrameCounts, push_line};
use crate::spoken::{Spoken, misdirected};
use crate::syslog::connections::Seated;
use crate::syslog::intake::{READ_BYTES, poll_bytes};
use crate::syslog::port::TcpPort;
use crate::syslog::{Drain, SyslogOptions, behind, count, next_batch, report, stopped};
use crate::tls::Stream;
use frames::{BrokenFrame, RelpFrame, RelpFrames};

/// What we offer; a client that knows another version or command cannot be served.
const OFFERS: &str = "200 OK\nrelp_version=0\nrelp_software=c0di3\ncommands=syslog\n";
/// Told at the end of a connection that we end.
const SERVER_CLOSE: &[u8] = b"0 serverclose 0\n";
/// Longest that a client may take to read its answers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Silence that ends a connection while the service stops.
const QUIET: Duration = Duration::from_millis(500);

/// A connection that has begun, and what it works with.
pub(super) struct Conversation {
    pub(super) stream: Stream,
    pub(super) seat: Seated,
    pub(super) peer: SocketAddr,
    pub(super) port: TcpPort,
    pub(super) options: SyslogOptions,
    pub(super) origin: String,
}

/// Why a conversation ends; as metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    ByPeer,
    Closed,
    Idle,
    GaveWay,
    Broken(BrokenFrame),
    Foreign(Spoken),
    Spool,
    Unread,
    Stopped(Instant),
}

impl Over {
    fn word(self) -> &'static str {
        match self {
            Over::ByPeer | Over::Closed => "peer",
            Over::Idle => "idle",
            Over::GaveWay => "gave_way",
            Over::Broken(_) => "broken",
            Over::Foreign(_) => "foreign",
            Over::Spool => "spool",
            Over::Unread => "unread",
            Over::Stopped(_) => "stopped",
        }
    }
}

/// What has come of a conversation and is not answered yet.
struct Relp {
    with: Conversation,
    frames: RelpFrames,
    is_open: bool,
    is_fresh: bool,
}

/// Serves a connection to its end.
pub(super) async fn converse(with: Conversation, mut drain: watch::Receiver<Drain>) {
    let frames = RelpFrames::new(with.options.message_bytes_max);
    let mut relp = Relp { with, frames, is_open: false, is_fresh: true };
    let mut ended = relp.receive(&mut drain).await;
    if let Over::Stopped(deadline) = ended {
        ended = relp.read_rest(deadline, &mut drain).await;
    }
    if matches!(ended, Over::Idle | Over::GaveWay | Over::Stopped(_)) {
        // What it has not been told is sent again, to whoever answers next.
        let _gone = relp.answer(SERVER_CLOSE).await.is_err();
    }
    let _gone = timeout(ANSWER_TIMEOUT, relp.with.stream.shutdown()).await.is_err();
    let Conversation { peer, port, origin, .. } = &relp.with;
    match ended {
        Over::Broken(BrokenFrame(what)) => {
            metrics::counter!("ingest_frames_total", "result" => "relp_broken").increment(1);
            tracing::warn!(
                origin,
                what,
                "a RELP connection is closed: the client sends again what has not been answered"
            );
        }
        Over::Foreign(spoken) => {
            misdirected(port.key, spoken, *peer, "which speaks RELP: omrelp, not omfwd, sends to it")
        }
        Over::Spool => tracing::error!(origin, "a RELP connection is closed: the spool takes nothing"),
        _ => {}
    }
    port.closed(ended.word());
}

impl Relp {
    /// Until the connection ends, has to end, or the service stops.
    async fn receive(&mut self, drain: &mut watch::Receiver<Drain>) -> Over {
        loop {
            let idle = self.with.port.connections.limits.idle.map(|idle| Instant::now() + idle);
            let idle = async {
                match idle {
                    Some(idle) => sleep_until(idle).await,
                    None => std::future::pending().await,
                }
            };
            let came = {
                let Relp { with, frames, is_fresh, .. } = &mut *self;
                let read = read(&mut with.stream, frames, is_fresh);
                tokio::select! {
                    biased;
                    deadline = stopped(drain) => return Over::Stopped(deadline),
                    () = with.seat.leave() => return Over::GaveWay,
                    came = read => came,
                    () = idle => return Over::Idle,
                }
            };
            self.with.seat.came(true);
            let ended = self.take(came, drain).await;
            self.with.seat.came(self.frames.is_within());
            if let Err(ended) = ended {
                return ended;
            }
        }
    }

    /// The service stops: what is on its way is read and answered until it ends, is silent for a moment, or the deadline.
    async fn read_rest(&mut self, deadline: Instant, drain: &mut watch::Receiver<Drain>) -> Over {
        while Instant::now() < deadline {
            let silent = deadline.min(Instant::now() + QUIET);
            let Relp { with, frames, is_fresh, .. } = &mut *self;
            let Ok(came) = timeout_at(silent, read(&mut with.stream, frames, is_fresh)).await else { break };
            if let Err(ended) = self.take(came, drain).await {
                return ended;
            }
        }
        Over::Stopped(deadline)
    }

    /// What came is put on disk, and then answered; what came before something broken, too.
    async fn take(&mut self, came: Taken, drain: &mut watch::Receiver<Drain>) -> Result<(), Over> {
        let Taken { frames, then } = came;
        let (mut lines, mut answers, mut counts) = (Vec::new(), Vec::new(), FrameCounts::default());
        let mut cuts = Vec::new();
        let mut ended = then;
        for RelpFrame { transaction, command, data, cut } in frames {
            match command.as_str() {
                "open" if offers_syslog(&data) => {
                    self.is_open = true;
                    respond(transaction, OFFERS, &mut answers);
                }
                "open" => {
                    respond(transaction, "500 only version 0 and the command syslog are known", &mut answers);
                    ended = Some(Over::Broken(BrokenFrame("it offers no command or version that is known")));
                    break;
                }
                "syslog" if self.is_open => {
                    let before = lines.len();
                    counts.cut += u64::from(cut);
                    counts.escaped += u64::from(push_line(&data, &mut lines));
                    if cut && lines.len() > before {
                        cuts.push(lines.len());
                    }
                    respond(transaction, "200 OK", &mut answers);
                }
                "close" => {
                    respond(transaction, "", &mut answers);
                    answers.extend_from_slice(SERVER_CLOSE);
                    ended = Some(Over::Closed);
                    break;
                }
                _ => {
                    respond(transaction, "500 this command is not known here", &mut answers);
                    ended = Some(Over::Broken(BrokenFrame("a command that is not known, or before open")));
                    break;
                }
            }
        }
        report(counts, &self.with.origin);
        self.keep(lines, cuts, drain).await?;
        self.answer(&answers).await?;
        ended.map_or(Ok(()), Err)
    }

    /// On disk, or `Err`: then nothing of it may be answered.
    async fn keep(
        &self,
        mut lines: Vec<u8>,
        mut cuts: Vec<usize>,
        drain: &mut watch::Receiver<Drain>,
    ) -> Result<(), Over> {
        let Conversation { options, origin, port, .. } = &self.with;
        let kept = async {
            let mut last = None;
            while !lines.is_empty() {
                let batch = next_batch(origin, &lines, &cuts, (options.clock)());
                last = Some(options.spool.append_when_room(batch).await?);
                count(port.source, batch.lines);
                let taken = batch.lines.len();
                behind(&mut lines, &mut cuts, taken);
            }
            match last {
                Some(ticket) => options.spool.durable(ticket).await,
                None => Ok(()),
            }
        };
        let late = async {
            let deadline = stopped(drain).await;
            sleep_until(deadline).await;
            deadline
        };
        tokio::select! {
            biased;
            kept = kept => kept.map_err(|refused| {
                tracing::error!(%refused, origin, "messages over RELP could not be put on disk: they are not answered");
                Over::Spool
            })?,
            deadline = late => return Err(Over::Stopped(deadline)),
        }
        Ok(())
    }

    async fn answer(&mut self, answers: &[u8]) -> Result<(), Over> {
        let write = async {
            self.with.stream.write_all(answers).await?;
            self.with.stream.flush().await
        };
        match timeout(ANSWER_TIMEOUT, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Over::ByPeer),
            Err(_) => Err(Over::Unread),
        }
    }
}

/// RelpFrames that are complete, and what ends the conversation behind them.
struct Taken {
    frames: Vec<RelpFrame>,
    then: Option<Over>,
}

async fn read(stream: &mut Stream, reader: &mut RelpFrames, is_fresh: &mut bool) -> Taken {
    let came = poll_fn(|context| {
        poll_bytes(stream, context, READ_BYTES, |bytes| {
            let mut frames = Vec::new();
            let is_fresh = std::mem::take(is_fresh);
            let then = match Spoken::of(bytes).filter(|spoken| is_fresh && *spoken != Spoken::Relp) {
                Some(spoken) => Some(Over::Foreign(spoken)),
                None => match reader.push(bytes, &mut frames) {
                    Ok(()) => None,
                    Err(_) if is_fresh && frames.is_empty() => Some(Over::Foreign(Spoken::Plain)),
                    Err(broken) => Some(Over::Broken(broken)),
                },
            };
            Taken { frames, then }
        })
    });
    came.await.unwrap_or(Taken { frames: Vec::new(), then: Some(Over::ByPeer) })
}

/// Offers of a client: names and values, a line each.
fn offers_syslog(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let offer = |name: &str| text.lines().filter_map(|line| line.split_once('=')).find(|(key, _)| *key == name);
    let is_known = offer("relp_version").is_none_or(|(_, version)| matches!(version.trim(), "0" | "1"));
    let has_syslog =
        offer("commands").is_some_and(|(_, commands)| commands.split(',').any(|one| one.trim() == "syslog"));
    is_known && has_syslog
}

fn respond(transaction: u32, data: &str, answers: &mut Vec<u8>) {
    let space = if data.is_empty() { "" } else { " " };
    answers.extend_from_slice(format!("{transaction} rsp {}{space}{data}\n", data.len()).as_bytes());
}
