//! What became of every event, for each sender: at any moment `received = committed + duplicates + dead letters + rejected + dropped + in
//! flight`, because each change writes both sides under one lock. Bounded: senders that have been quiet longest are summed up as one.
//! Counts begin with the process; what an earlier one left in the spool is received when it is read. Knows no protocol.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event::Timestamp;
use hashbrown::HashMap;

mod pace;

pub use pace::Silence;

use pace::Pace;

/// Senders that are told apart.
const SENDERS_MAX: usize = 4096;
/// The sender that all others are.
pub const OTHERS: &str = "(others)";
/// Bytes of the spool whose events are remembered together until they are committed.
const SPAN_BYTES: u64 = 1 << 20;

/// How events ended that were not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// The sender was told, where its protocol has words for it.
    Rejected,
    /// Nobody was told.
    Dropped,
    /// They went to the dead-letter topic.
    DeadLetter,
}

impl Loss {
    /// Label of metrics.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Rejected => "rejected",
            Loss::Dropped => "dropped",
            Loss::DeadLetter => "dead_letter",
        }
    }
}

/// What became of the events of one sender.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Everything that came.
    pub received: u64,
    /// Judged, and in the store's last checkpoint.
    pub committed: u64,
    /// Acknowledged again, and not taken again.
    pub duplicates: u64,
    /// Taken, and not committed yet.
    pub in_flight: u64,
    /// Not kept, by how and why.
    pub lost: BTreeMap<(Loss, &'static str), u64>,
    /// Of those that were judged: lines that break the format that they begin with.
    pub unparsed: u64,
    /// When something came last.
    pub last: Option<Timestamp>,
    /// Time of the newest event less its reception, in microseconds: of the last block.
    pub skew_us: Option<i64>,
    /// When the oldest of what is in flight came, as far as that is known.
    pub oldest: Option<Timestamp>,
    pace: Pace,
}

impl Account {
    /// Zero, or a fault of this program.
    pub fn difference(&self) -> i128 {
        let lost: u64 = self.lost.values().sum();
        let ended = self.committed + self.duplicates + lost + self.in_flight;
        i128::from(self.received) - i128::from(ended)
    }

    /// Events of the last whole minute, and of a usual one.
    pub fn pace(&self, now: Timestamp) -> (u64, f64) {
        self.pace.shown(now)
    }

    fn came(&mut self, events: u64, at: Timestamp) {
        self.received += events;
        self.last = self.last.max(Some(at));
        self.pace.came(events, at);
    }

    fn add(&mut self, other: Account) {
        self.received += other.received;
        self.committed += other.committed;
        self.duplicates += other.duplicates;
        self.in_flight += other.in_flight;
        self.unparsed += other.unparsed;
        self.last = self.last.max(other.last);
        for (loss, number) in other.lost {
            *self.lost.entry(loss).or_default() += number;
        }
    }
}

/// Where events stand in the spool, and when they came.
struct SpoolStretch {
    bytes: u64,
    end: u64,
    at: Timestamp,
}

/// Events of a part of the spool, by sender.
#[derive(Debug, Default)]
struct Span {
    /// When its first event came.
    at: Timestamp,
    end: u64,
    bytes: u64,
    events: BTreeMap<Arc<str>, u64>,
}

#[derive(Debug, Default)]
struct Ledger {
    accounts: HashMap<Arc<str>, Account>,
    /// In the order of the spool.
    spans: VecDeque<Span>,
    /// What an earlier process left, as far as it was read.
    found: VecDeque<Span>,
    /// How far what an earlier process left is known.
    known_to: u64,
    /// How far everything is committed: a commit can be told before the events that it holds are.
    released_to: u64,
    /// Events of sources that are pulled, until the next checkpoint.
    pulled: BTreeMap<Arc<str>, u64>,
}

/// The accounts of all senders. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    ledger: Arc<Mutex<Ledger>>,
    /// Where what this process appends to the spool begins.
    begins: u64,
}

impl Accounts {
    /// `begins`: end of what the spool holds already.
    pub(crate) fn new(begins: u64) -> Self {
        Accounts { ledger: Arc::default(), begins }
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The spool has taken events that end there.
    pub(crate) fn taken(&self, sender: &str, events: u64, bytes: u64, end: u64, at: Timestamp) {
        let mut ledger = self.lock();
        let name = ledger.named(sender);
        let is_committed = end <= ledger.released_to;
        let account = ledger.account(&name);
        account.came(events, at);
        if is_committed {
            account.committed += events;
            return;
        }
        account.in_flight += events;
        note(&mut ledger.spans, name, events, SpoolStretch { bytes, end, at });
    }

    /// Events were read from the spool: those of an earlier process are received now.
    pub(crate) fn found(&self, sender: &str, lines: &[u8], end: u64, at: Timestamp) {
        let mut ledger = self.lock();
        if end > self.begins || end <= ledger.known_to {
            return;
        }
        ledger.known_to = end;
        let (events, bytes) = (memchr::memchr_iter(b'\n', lines).count() as u64, lines.len() as u64);
        let name = ledger.named(sender);
        let account = ledger.account(&name);
        account.came(events, at);
        account.in_flight += events;
        note(&mut ledger.found, name, events, SpoolStretch { bytes, end, at });
    }

    /// Everything of the spool before `offset` is committed.
    pub(crate) fn released(&self, offset: u64) {
        let mut ledger = self.lock();
        ledger.released_to = ledger.released_to.max(offset);
        let Ledger { spans, found, accounts, .. } = &mut *ledger;
        for queue in [found, spans] {
            while queue.front().is_some_and(|span| span.end <= offset) {
                for (name, events) in queue.pop_front().map(|span| span.events).unwrap_or_default() {
                    settle(accounts, &name, events);
                }
            }
        }
    }

    /// Events of a source that is pulled were judged.
    pub fn pulled(&self, source: &str, events: u64, at: Timestamp) {
        let mut ledger = self.lock();
        let name = ledger.named(source);
        let account = ledger.account(&name);
        account.came(events, at);
        account.in_flight += events;
        *ledger.pulled.entry(name).or_default() += events;
    }

    /// A checkpoint was taken.
    pub fn checkpoint(&self) {
        let mut ledger = self.lock();
        let Ledger { pulled, accounts, .. } = &mut *ledger;
        for (name, events) in std::mem::take(pulled) {
            settle(accounts, &name, events);
        }
    }

    /// Events came again, and were not taken again.
    pub fn duplicates(&self, sender: &str, events: u64, at: Timestamp) {
        let mut ledger = self.lock();
        let name = ledger.named(sender);
        let account = ledger.account(&name);
        account.came(events, at);
        account.duplicates += events;
    }

    /// Events came, and were not kept.
    pub fn lost(&self, sender: &str, how: Loss, reason: &'static str, events: u64, at: Timestamp) {
        if events == 0 {
            return;
        }
        let mut ledger = self.lock();
        let name = ledger.named(sender);
        let account = ledger.account(&name);
        account.came(events, at);
        *account.lost.entry((how, reason)).or_default() += events;
    }

    /// What was seen of events that were judged: lines that break their format, and how the clock of the sender goes.
    pub fn judged(&self, sender: &str, unparsed: u64, skew_us: Option<i64>) {
        let mut ledger = self.lock();
        let name = ledger.named(sender);
        let account = ledger.account(&name);
        account.unparsed += unparsed;
        account.skew_us = skew_us.or(account.skew_us);
    }

    /// All accounts at one moment, by sender.
    pub fn all(&self) -> BTreeMap<Arc<str>, Account> {
        let ledger = self.lock();
        let accounts = ledger.accounts.iter();
        let mut all: BTreeMap<_, _> = accounts.map(|(name, account)| (Arc::clone(name), account.clone())).collect();
        for span in ledger.found.iter().chain(&ledger.spans).rev() {
            for name in span.events.keys() {
                if let Some(account) = all.get_mut(name) {
                    account.oldest = Some(span.at);
                }
            }
        }
        all
    }

    /// Senders that have fallen silent since the last time, by their own history; `after`: silence of senders for whom it is set, in
    /// microseconds, where 0 is never.
    pub fn silent(&self, now: Timestamp, after: impl Fn(&str) -> Option<i64>) -> Vec<Silence> {
        let mut ledger = self.lock();
        let accounts = ledger.accounts.iter_mut().filter(|(name, _)| &***name != OTHERS);
        let mut silent: Vec<Silence> =
            accounts.filter_map(|(name, account)| account.pace.silent(name, now, after(name))).collect();
        silent.sort_by(|one, other| one.sender.cmp(&other.sender));
        silent
    }
}

impl Ledger {
    /// The sender's own name, or that of all others where there is no room.
    fn named(&mut self, sender: &str) -> Arc<str> {
        if let Some((name, _)) = self.accounts.get_key_value(sender) {
            return Arc::clone(name);
        }
        if self.accounts.len() >= SENDERS_MAX {
            let quiet = self.accounts.iter().filter(|(name, account)| account.in_flight == 0 && &***name != OTHERS);
            let oldest = quiet.min_by_key(|(_, account)| account.last).map(|(name, _)| Arc::clone(name));
            let Some(account) = oldest.and_then(|oldest| self.accounts.remove(&oldest)) else {
                return Arc::from(OTHERS);
            };
            self.account(&Arc::from(OTHERS)).add(account);
        }
        let name: Arc<str> = Arc::from(sender);
        self.accounts.insert(Arc::clone(&name), Account::default());
        name
    }

    fn account(&mut self, name: &Arc<str>) -> &mut Account {
        self.accounts.entry(Arc::clone(name)).or_default()
    }
}

fn settle(accounts: &mut HashMap<Arc<str>, Account>, name: &Arc<str>, events: u64) {
    if let Some(account) = accounts.get_mut(name) {
        account.in_flight -= events;
        account.committed += events;
    }
}

/// Remembers events in the last span, or in a new one where that is full.
fn note(spans: &mut VecDeque<Span>, name: Arc<str>, events: u64, SpoolStretch { bytes, end, at }: SpoolStretch) {
    if spans.back().is_none_or(|last| last.bytes >= SPAN_BYTES) {
        spans.push_back(Span { at, ..Span::default() });
    }
    if let Some(last) = spans.back_mut() {
        last.end = last.end.max(end);
        last.bytes += bytes;
        *last.events.entry(name).or_default() += events;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(accounts: &Accounts) -> (u64, u64, u64) {
        let all = accounts.all();
        assert!(all.values().all(|account| account.difference() == 0), "{all:?}");
        assert!(all.len() <= SENDERS_MAX + 1);
        let sum = |of: fn(&Account) -> u64| all.values().map(of).sum();
        (sum(|account| account.received), sum(|account| account.committed), sum(|account| account.in_flight))
    }

    #[test]
    fn every_event_is_somewhere_at_every_moment() {
        let accounts = Accounts::new(1000);
        let at = Timestamp(5);
        accounts.found("a", b"1\n2\n3\n", 600, at);
        accounts.found("a", b"1\n2\n3\n", 600, at);
        accounts.taken("a", 10, 2 << 20, 1000 + (2 << 20), at);
        accounts.taken("b", 1, 10, 1010 + (2 << 20), at);
        assert_eq!(sums(&accounts), (14, 0, 14));
        accounts.found("a", b"4\n5\n", 1000, at);
        accounts.released(1000);
        assert_eq!(sums(&accounts), (16, 5, 11));
        accounts.duplicates("a", 7, at);
        accounts.lost("b", Loss::Dropped, "spool", 2, at);
        accounts.pulled("file", 4, at);
        accounts.released(1000 + (2 << 20));
        assert_eq!(sums(&accounts), (29, 15, 5));
        accounts.checkpoint();
        accounts.released(u64::MAX);
        assert_eq!(sums(&accounts), (29, 20, 0));
        assert_eq!(accounts.all()["b"].lost, BTreeMap::from([((Loss::Dropped, "spool"), 2)]));
    }

    #[test]
    fn a_flood_of_senders_is_summed_up_and_nothing_is_lost() {
        let accounts = Accounts::new(0);
        for number in 0..3 * SENDERS_MAX as u64 {
            accounts.taken(&format!("udp://{number}"), 1, 1, number + 1, Timestamp(number as i64));
            if number % 2 == 0 {
                accounts.released(number);
            }
        }
        let all = 3 * SENDERS_MAX as u64;
        assert_eq!(sums(&accounts).0, all);
        accounts.released(all);
        assert_eq!(sums(&accounts), (all, all, 0));
        assert!(accounts.all()[OTHERS].received > 0);
    }
}
