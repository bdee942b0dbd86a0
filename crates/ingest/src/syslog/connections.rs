//! Who sits on the connections of syslog over TCP: how many in all and from each address, and who gives way when there
//! is no room. A connection within a message is not idle, unless it has stood still for long.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Connections younger or less idle than this do not give way: they may be about to send.
const IDLE_MIN: Duration = Duration::from_secs(1);
/// A message that has not got on for so long does not keep its connection from giving way.
const STALLED_MIN: Duration = Duration::from_secs(30);
/// How long health speaks of connections that gave way or were turned away.
const RECENT: Duration = Duration::from_secs(600);

/// Limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Open at once.
    pub all: usize,
    /// Open at once from one address (IPv6: from one /64 network).
    pub each: usize,
    /// Silence after which a connection is closed; `None`: never.
    pub idle: Option<Duration>,
}

/// What connections are like, for health.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionState {
    /// Connections that are open.
    pub open: usize,
    /// Connections that may be open.
    pub most: usize,
    /// In the last ten minutes, somebody had no room.
    pub pressed: bool,
    /// Since the start: connections that gave way to new ones.
    pub gave_way: u64,
    /// Since the start: connections that found no room.
    pub refused: u64,
}

/// All open connections.
#[derive(Debug)]
pub struct Connections {
    pub(super) limits: ConnectionLimits,
    /// What comes on them, as metrics name it.
    source: &'static str,
    seats: Mutex<Vec<Arc<Seat>>>,
    began: Instant,
    gave_way: AtomicU64,
    refused: AtomicU64,
    /// Milliseconds since the beginning, and one: when somebody had no room last.
    pressed: AtomicU64,
}

/// One connection.
#[derive(Debug)]
struct Seat {
    address: IpAddr,
    /// Milliseconds since the beginning: when something came last.
    last: AtomicU64,
    within_message: AtomicBool,
    leave: Notify,
}

/// Holds the place of a connection.
#[derive(Debug)]
pub(crate) struct Seated {
    connections: Arc<Connections>,
    seat: Arc<Seat>,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooManyConnections {
    Address,
    All,
}

impl TooManyConnections {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            TooManyConnections::Address => "address_full",
            TooManyConnections::All => "full",
        }
    }
}

impl Connections {
    /// Nobody is connected yet.
    pub fn new(source: &'static str, limits: ConnectionLimits) -> Self {
        Connections {
            limits,
            source,
            seats: Mutex::new(Vec::new()),
            began: Instant::now(),
            gave_way: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            pressed: AtomicU64::new(0),
        }
    }

    /// Silence after which one is closed.
    pub(crate) fn idle(&self) -> Option<Duration> {
        self.limits.idle
    }

    /// How many are open now.
    pub fn state(&self) -> ConnectionState {
        let pressed = self.pressed.load(Ordering::Relaxed);
        ConnectionState {
            open: self.lock().len(),
            most: self.limits.all,
            pressed: pressed > 0 && self.now().saturating_sub(pressed) < RECENT.as_millis() as u64,
            gave_way: self.gave_way.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// A place for a new connection; where there is none, the connection that has been idle longest gives way: among those
    /// of the same address if that has its share, else among all. `is_proxy`: it speaks for many addresses.
    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr, is_proxy: bool) -> Result<Seated, TooManyConnections> {
        let address = network(peer);
        let now = self.now();
        let mut seats = self.lock();
        let of_address = seats.iter().filter(|seat| seat.address == address).count();
        let no_room = if of_address >= self.limits.each && !is_proxy {
            Some(TooManyConnections::Address)
        } else if seats.len() >= self.limits.all {
            Some(TooManyConnections::All)
        } else {
            None
        };
        if let Some(reason) = no_room {
            self.pressed.store(now + 1, Ordering::Relaxed);
            let concerned = |seat: &Seat| reason == TooManyConnections::All || seat.address == address;
            let idle = seats.iter().enumerate().filter(|(_, seat)| concerned(seat) && seat.is_idle(now));
            let Some((oldest, _)) = idle.min_by_key(|(_, seat)| seat.last.load(Ordering::Relaxed)) else {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return Err(reason);
            };
            seats.swap_remove(oldest).leave.notify_one();
            self.gave_way.fetch_add(1, Ordering::Relaxed);
        }
        Ok(self.seat(&mut seats, address, now))
    }

    /// A place whether or not there is room: at the end, for connections that the kernel has already accepted.
    pub(crate) fn admit_last(self: &Arc<Self>, peer: IpAddr) -> Seated {
        let now = self.now();
        self.seat(&mut self.lock(), network(peer), now)
    }

    fn seat(self: &Arc<Self>, seats: &mut Vec<Arc<Seat>>, address: IpAddr, now: u64) -> Seated {
        let seat = Arc::new(Seat {
            address,
            last: AtomicU64::new(now),
            within_message: AtomicBool::new(false),
            leave: Notify::new(),
        });
        seats.push(Arc::clone(&seat));
        metrics::gauge!("ingest_connections_open", "source" => self.source).set(seats.len() as f64);
        Seated { connections: Arc::clone(self), seat }
    }
}

impl Seat {
    fn is_idle(&self, now: u64) -> bool {
        let silent = now.saturating_sub(self.last.load(Ordering::Relaxed));
        let least = if self.within_message.load(Ordering::Relaxed) { STALLED_MIN } else { IDLE_MIN };
        silent >= least.as_millis() as u64
    }
}

impl Seated {
    /// This connection, as one of whom a proxy speaks for.
    pub(super) fn again(self, sender: IpAddr) -> Result<Seated, TooManyConnections> {
        let connections = Arc::clone(&self.connections);
        drop(self);
        connections.admit(sender, false)
    }

    /// Something has come.
    pub(crate) fn came(&self, within_message: bool) {
        self.seat.last.store(self.connections.now(), Ordering::Relaxed);
        self.stands(within_message);
    }

    pub(super) fn stands(&self, within_message: bool) {
        self.seat.within_message.store(within_message, Ordering::Relaxed);
    }

    /// Returns when the connection has to give way.
    pub(crate) async fn leave(&self) {
        self.seat.leave.notified().await;
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let mut seats = self.connections.lock();
        seats.retain(|seat| !Arc::ptr_eq(seat, &self.seat));
        metrics::gauge!("ingest_connections_open", "source" => self.connections.source).set(seats.len() as f64);
    }
}

/// Whoever has one IPv6 address has its whole /64 network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(all: usize, each: usize) -> Arc<Connections> {
        let began = Instant::now().checked_sub(Duration::from_secs(7200)).unwrap();
        Arc::new(Connections { began, ..Connections::new("syslog_tcp", ConnectionLimits { all, each, idle: None }) })
    }

    fn silent(seated: &Seated, seconds: u64) {
        seated.seat.last.fetch_sub(seconds * 1000, Ordering::Relaxed);
    }

    fn was_told(seated: &Seated) -> bool {
        !seated.connections.lock().iter().any(|seat| Arc::ptr_eq(seat, &seated.seat))
    }

    #[test]
    fn the_oldest_idle_connection_gives_way_and_no_other() {
        let connections = connections(3, 3);
        let [a, b, c] = [1, 2, 3].map(|last| connections.admit(IpAddr::from([192, 0, 2, last]), false).unwrap());
        let new = IpAddr::from([192, 0, 2, 9]);
        assert_eq!(connections.admit(new, false).unwrap_err(), TooManyConnections::All, "nobody is idle yet");
        [(&a, 20), (&b, 3600), (&c, 10)].into_iter().for_each(|(seated, seconds)| silent(seated, seconds));
        b.stands(true);
        silent(&a, 1);
        let _d = connections.admit(new, false).unwrap();
        assert!(!was_told(&a), "b has stood still within a message for an hour: it is as idle as any");
        assert!(was_told(&b) && !was_told(&c));
        a.came(true);
        silent(&a, 20);
        let _e = connections.admit(new, false).unwrap();
        assert!(was_told(&c) && !was_told(&a), "a is within a message");
        assert_eq!(connections.admit(new, false).unwrap_err(), TooManyConnections::All);
        drop(c);
        let state = connections.state();
        assert_eq!((state.open, state.gave_way, state.refused, state.pressed), (3, 2, 2, true));
    }

    #[test]
    fn one_address_cannot_take_all_places() {
        let connections = connections(4, 2);
        let greedy = IpAddr::from([192, 0, 2, 1]);
        let [a, b] = [(); 2].map(|()| connections.admit(greedy, false).unwrap());
        let quiet = connections.admit(IpAddr::from([192, 0, 2, 2]), false).unwrap();
        silent(&quiet, 3600);
        assert_eq!(connections.admit(greedy, false).unwrap_err(), TooManyConnections::Address);
        silent(&b, 5);
        let _c = connections.admit(greedy, false).unwrap();
        assert!(was_told(&b) && !was_told(&a) && !was_told(&quiet), "its own connections give way");
        let six = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        let connections = self::connections(4, 1);
        let _first = connections.admit(six(1), false).unwrap();
        assert_eq!(
            connections.admit(six(2), false).unwrap_err(),
            TooManyConnections::Address,
            "one network is one address"
        );
    }
}
