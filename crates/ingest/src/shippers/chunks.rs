//! GELF messages that come in several datagrams (go2docs.graylog.org, GELF via UDP): put together within bounds of number, age and memory.
//! Every message that is given up is counted with its reason. Knows no JSON.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

/// What a chunk begins with: two bytes, a name, its number and how many there are.
const MAGIC: [u8; 2] = [0x1E, 0x0F];
const HEAD_BYTES: usize = 12;
/// Most chunks of a message.
const CHUNKS_MAX: u8 = 128;
/// Longest wait for the chunks of a message.
const AGE_MAX: Duration = Duration::from_secs(5);
/// Messages that are put together at once, of all senders, and of one.
const MESSAGES_MAX: usize = 4096;
const MESSAGES_EACH_MAX: usize = 1024;
/// Bytes of chunks that are held.
const HELD_BYTES_MAX: usize = 32 << 20;
/// What a message takes beside its bytes.
const MESSAGE_OVERHEAD_BYTES: usize = 256;

/// The name of a message, with its sender: nobody may put chunks into the messages of others.
type Name = (IpAddr, [u8; 8]);

/// A message of which chunks have come.
struct Partial {
    began: Instant,
    chunks: Vec<Option<Vec<u8>>>,
    missing: u8,
    bytes: usize,
}

/// The messages of one sender.
#[derive(Default)]
struct Share {
    messages: usize,
    /// In the order in which they began; some are whole or given up already.
    began: VecDeque<(Instant, Name)>,
}

/// Messages that are not whole yet.
pub(super) struct Chunks {
    partial: HashMap<Name, Partial>,
    /// In the order in which they began.
    order: VecDeque<(Instant, Name)>,
    senders: HashMap<IpAddr, Share>,
    held_bytes: usize,
    /// Messages that were given up: whose, why, how many.
    pub(super) lost: Vec<(IpAddr, &'static str, u64)>,
}

/// What a datagram is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Datagram {
    /// A message of its own.
    Whole,
    /// The last chunk of a message, which is this.
    Last(Vec<u8>),
    /// A chunk of a message of which others are to come, or which is lost.
    Chunk,
}

impl Chunks {
    pub(super) fn new() -> Self {
        Chunks {
            partial: HashMap::new(),
            order: VecDeque::new(),
            senders: HashMap::new(),
            held_bytes: 0,
            lost: Vec::new(),
        }
    }

    /// Takes a datagram.
    pub(super) fn take(&mut self, from: IpAddr, datagram: &[u8], now: Instant) -> Datagram {
        if !datagram.starts_with(&MAGIC) {
            return Datagram::Whole;
        }
        let Some((head, chunk)) = datagram.split_at_checked(HEAD_BYTES) else {
            self.lose(from, "bad_chunk");
            return Datagram::Chunk;
        };
        let (number, count) = (head[10], head[11]);
        if count == 0 || count > CHUNKS_MAX || number >= count {
            self.lose(from, "bad_chunk");
            return Datagram::Chunk;
        }
        self.expire(now);
        let mut id = [0; 8];
        id.copy_from_slice(&head[2..10]);
        let name = (from, id);
        if !self.partial.contains_key(&name) {
            self.begin(name, count, now);
        }
        self.put(&name, number, count, chunk)
    }

    fn begin(&mut self, name: Name, count: u8, now: Instant) {
        if self.senders.get(&name.0).is_some_and(|share| share.messages >= MESSAGES_EACH_MAX) {
            // A sender that has its share gives up its own.
            while let Some((began, oldest)) = self.senders.get_mut(&name.0).and_then(|share| share.began.pop_front()) {
                if self.partial.get(&oldest).is_some_and(|partial| partial.began == began) {
                    self.give_up(&oldest, "too_many");
                    break;
                }
            }
        } else if self.partial.len() >= MESSAGES_MAX {
            self.give_up_oldest("too_many");
        }
        let chunks = vec![None; usize::from(count)];
        self.held_bytes += MESSAGE_OVERHEAD_BYTES + chunks.len() * size_of::<Option<Vec<u8>>>();
        self.partial.insert(name, Partial { began: now, chunks, missing: count, bytes: 0 });
        self.order.push_back((now, name));
        let share = self.senders.entry(name.0).or_default();
        share.messages += 1;
        share.began.push_back((now, name));
        if share.began.len() > 2 * MESSAGES_EACH_MAX {
            let partial = &self.partial;
            share.began.retain(|(began, name)| partial.get(name).is_some_and(|partial| partial.began == *began));
        }
    }

    fn put(&mut self, name: &Name, number: u8, count: u8, chunk: &[u8]) -> Datagram {
        let Some(partial) = self.partial.get_mut(name) else { return Datagram::Chunk };
        if partial.chunks.len() != usize::from(count) {
            self.give_up(name, "mismatch");
            return Datagram::Chunk;
        }
        let place = &mut partial.chunks[usize::from(number)];
        if place.is_some() {
            return Datagram::Chunk;
        }
        *place = Some(chunk.to_vec());
        partial.missing -= 1;
        partial.bytes += chunk.len();
        self.held_bytes += chunk.len();
        if partial.missing == 0 {
            let whole = self.remove(name).map(|partial| partial.chunks.into_iter().flatten().flatten().collect());
            return whole.map_or(Datagram::Chunk, Datagram::Last);
        }
        while self.held_bytes > HELD_BYTES_MAX {
            self.give_up_oldest("memory");
        }
        Datagram::Chunk
    }

    /// Gives up what has waited too long.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some((began, name)) = self.order.front().copied() {
            if self.partial.get(&name).is_none_or(|partial| partial.began != began) {
                self.order.pop_front();
            } else if now.saturating_duration_since(began) >= AGE_MAX {
                self.give_up(&name, "incomplete");
            } else {
                break;
            }
        }
        if self.order.len() > 4 * MESSAGES_MAX {
            let partial = &self.partial;
            self.order.retain(|(began, name)| partial.get(name).is_some_and(|partial| partial.began == *began));
        }
    }

    /// Gives up everything: the service ends.
    pub(super) fn end(&mut self) {
        while !self.partial.is_empty() {
            self.give_up_oldest("incomplete");
        }
    }

    fn give_up_oldest(&mut self, reason: &'static str) {
        while let Some((began, name)) = self.order.pop_front() {
            if self.partial.get(&name).is_some_and(|partial| partial.began == began) {
                self.give_up(&name, reason);
                return;
            }
        }
    }

    fn give_up(&mut self, name: &Name, reason: &'static str) {
        if self.remove(name).is_some() {
            self.lose(name.0, reason);
        }
    }

    fn remove(&mut self, name: &Name) -> Option<Partial> {
        let partial = self.partial.remove(name)?;
        self.held_bytes -= MESSAGE_OVERHEAD_BYTES + partial.chunks.len() * size_of::<Option<Vec<u8>>>() + partial.bytes;
        if let Some(share) = self.senders.get_mut(&name.0) {
            share.messages -= 1;
            if share.messages == 0 {
                self.senders.remove(&name.0);
            }
        }
        Some(partial)
    }

    fn lose(&mut self, from: IpAddr, reason: &'static str) {
        match self.lost.last_mut().filter(|last| last.0 == from && last.1 == reason) {
            Some((_, _, count)) => *count += 1,
            None => self.lost.push((from, reason, 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(id: u64, number: u8, count: u8, text: &[u8]) -> Vec<u8> {
        [&MAGIC[..], &id.to_be_bytes(), &[number, count], text].concat()
    }

    fn lost(chunks: &Chunks) -> Vec<(&'static str, u64)> {
        assert_eq!(chunks.partial.is_empty(), chunks.held_bytes == 0);
        assert_eq!(chunks.partial.is_empty(), chunks.senders.is_empty());
        let mut sums: Vec<(&'static str, u64)> = Vec::new();
        for (_, reason, count) in &chunks.lost {
            match sums.iter_mut().find(|(known, _)| known == reason) {
                Some((_, sum)) => *sum += count,
                None => sums.push((*reason, *count)),
            }
        }
        sums
    }

    #[test]
    fn chunks_come_in_any_order_twice_and_from_others() {
        let (mut chunks, now) = (Chunks::new(), Instant::now());
        let [one, other] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        assert_eq!(chunks.take(one, b"{}", now), Datagram::Whole);
        assert_eq!(chunks.take(one, &chunk(7, 2, 3, b"c"), now), Datagram::Chunk);
        assert_eq!(chunks.take(other, &chunk(7, 1, 3, b"x"), now), Datagram::Chunk, "nobody else's chunk counts");
        assert_eq!(chunks.take(one, &chunk(7, 0, 3, b"a"), now), Datagram::Chunk);
        assert_eq!(chunks.take(one, &chunk(7, 0, 3, b"z"), now), Datagram::Chunk);
        assert_eq!(chunks.take(one, &chunk(7, 1, 3, b"b"), now), Datagram::Last(b"abc".to_vec()));
        chunks.expire(now + AGE_MAX);
        assert_eq!(lost(&chunks), [("incomplete", 1)]);
    }

    #[test]
    fn what_is_wrong_is_lost_and_told() {
        let (mut chunks, now) = (Chunks::new(), Instant::now());
        let from = IpAddr::from([192, 0, 2, 1]);
        for wrong in [chunk(1, 3, 3, b""), chunk(1, 0, 0, b""), chunk(1, 0, 129, b""), b"\x1E\x0F\x00".to_vec()] {
            assert_eq!(chunks.take(from, &wrong, now), Datagram::Chunk);
        }
        chunks.take(from, &chunk(1, 0, 3, b"a"), now);
        chunks.take(from, &chunk(1, 1, 4, b"a"), now);
        assert_eq!(lost(&chunks), [("bad_chunk", 4), ("mismatch", 1)]);
    }

    #[test]
    fn number_and_memory_are_bounded_and_a_flood_gives_up_its_own() {
        let (mut chunks, now) = (Chunks::new(), Instant::now());
        let [flood, quiet] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        chunks.take(quiet, &chunk(0, 0, 2, b"a"), now);
        for id in 0..10_000 {
            chunks.take(flood, &chunk(id, 0, 2, &[b'x'; 1000]), now);
            assert!(chunks.held_bytes <= HELD_BYTES_MAX && chunks.partial.len() <= MESSAGES_EACH_MAX + 1);
        }
        assert!(chunks.order.len() <= 4 * MESSAGES_MAX + 1);
        assert_eq!(chunks.take(quiet, &chunk(0, 1, 2, b"b"), now), Datagram::Last(b"ab".to_vec()));
        assert_eq!(lost(&chunks), [("too_many", 10_000 - MESSAGES_EACH_MAX as u64)]);
        let mut chunks = Chunks::new();
        for id in 0..900 {
            chunks.take(flood, &chunk(id, 0, 2, &[b'x'; 60_000]), now);
            assert!(chunks.held_bytes <= HELD_BYTES_MAX);
        }
        assert!(matches!(lost(&chunks)[..], [("memory", 300..)]));
        chunks.end();
        assert_eq!(lost(&chunks).iter().map(|(_, count)| count).sum::<u64>(), 900);
    }
}
