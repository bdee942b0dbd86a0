//! The members of events under their names: the column of each, and which keys the event at hand has. Lines of one sender have
//! the same members in the same order, so that mostly one comparison finds what is known of a key.

use std::hash::BuildHasher;
use std::sync::Arc;

use event::catalog::{FIELDS, OF_THE_PIPELINE};
use event::{BatchBuilder, FieldId};
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::needle::{begins_behind, is_pair_name};
use crate::shape::Shapes;
use crate::shape::model::Signs;

/// Keys that hold the event time where `@timestamp` is missing, best first.
pub(crate) const TIME_KEYS: &[&str] =
    &["@timestamp", "timestamp", "eventTime", "EventTime", "UtcTime", "time", "ts", "datetime", "date"];

/// Members that are remembered of one block.
const MEMBERS_MAX: usize = 4096;
/// The event itself, of which the outermost members are.
pub(crate) const ROOT: MemberId = MemberId(0);
/// A member that is not remembered.
const UNKNOWN: MemberId = MemberId(u32::MAX);

/// Number of a member within one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MemberId(u32);

/// What becomes of a member's value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemberPlace {
    /// Rank among the keys that may hold the event time.
    pub(crate) time: Option<u8>,
    /// `None` where there are too many columns, or the member is an object.
    pub(crate) column: Option<FieldId>,
    /// Its number among the keys of signatures.
    sign: Option<u16>,
}

/// Up to eight bytes at the start of a key, as one number.
#[derive(Clone, Copy, Debug)]
struct KeyStart {
    bytes: u64,
    mask: u64,
}

impl KeyStart {
    fn new(key: &[u8]) -> Self {
        let mut bytes = [0; 8];
        let length = key.len().min(8);
        bytes[..length].copy_from_slice(&key[..length]);
        let mask = if length == 8 { u64::MAX } else { (1 << (8 * length)) - 1 };
        KeyStart { bytes: u64::from_le_bytes(bytes), mask }
    }

    /// Whether the text, which has at least the bytes of the key, begins with it.
    #[inline]
    fn begins(self, text: &[u8], key: &[u8]) -> bool {
        match text.first_chunk::<8>() {
            Some(chunk) => {
                u64::from_le_bytes(*chunk) & self.mask == self.bytes && (key.len() <= 8 || begins_behind(text, key))
            }
            None => text[..key.len()] == *key,
        }
    }
}

/// What is expected at a place of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) id: MemberId,
    /// Bytes of its key.
    pub(crate) length: usize,
    pub(crate) is_object: bool,
    place: MemberPlace,
}

/// The name of a pair that is expected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpectedWord<'p> {
    pub(crate) id: MemberId,
    pub(crate) key: &'p [u8],
    start: KeyStart,
}

impl ExpectedWord<'_> {
    /// Whether the text begins with the name and a `=`.
    #[inline]
    pub(crate) fn begins(&self, text: &[u8]) -> bool {
        text.get(self.key.len()) == Some(&b'=') && self.start.begins(text, self.key)
    }
}

/// A key that some line of the block had.
#[derive(Debug)]
struct Member {
    parent: MemberId,
    is_object: bool,
    /// The key stands in JSON as it is.
    is_plain: bool,
    /// It is the name of a pair, and is made of nothing but the bytes of such names.
    is_word: bool,
    key: Box<[u8]>,
    start: KeyStart,
    /// The one that followed it last.
    next: MemberId,
    place: MemberPlace,
    path: Box<str>,
}

/// The members of a block's lines, and of the line at hand.
#[derive(Debug)]
pub(crate) struct Places {
    shapes: Arc<Shapes>,
    members: Vec<Member>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    last: MemberId,
    /// Keys of signatures that the line has.
    pub(super) signs: Signs,
    /// Its members that are no objects.
    pub(super) row: Vec<MemberId>,
    /// The column that the time of the line was surely read from.
    pub(crate) timed_by: Option<FieldId>,
    /// The line that last put something to a column.
    put_by: Vec<u32>,
    line: u32,
}

impl Places {
    pub(crate) fn new(shapes: Arc<Shapes>) -> Self {
        let mut places = Places {
            shapes,
            members: Vec::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            last: ROOT,
            signs: Signs::default(),
            row: Vec::new(),
            timed_by: None,
            put_by: Vec::new(),
            line: 0,
        };
        places.begin_block();
        places
    }

    pub(crate) fn shapes(&self) -> &Arc<Shapes> {
        &self.shapes
    }

    /// Columns outside the catalog have other numbers in each batch.
    pub(crate) fn begin_block(&mut self) {
        self.members.clear();
        self.table.clear();
        self.put_by.clear();
        self.line = 0;
        let place = MemberPlace { time: None, column: None, sign: None };
        let root = Member {
            parent: UNKNOWN,
            is_object: true,
            is_plain: false,
            is_word: false,
            key: Box::default(),
            start: KeyStart::new(b""),
            next: UNKNOWN,
            place,
            path: "".into(),
        };
        self.members.push(root);
    }

    /// Before each event.
    pub(crate) fn begin_line(&mut self) {
        self.last = ROOT;
        self.signs = Signs::default();
        self.row.clear();
        self.timed_by = None;
        self.line += 1;
    }

    /// The member of `parent` that is expected next, where the text begins with its key, a quote and a colon.
    #[inline]
    pub(crate) fn expected(&self, parent: MemberId, text: &[u8]) -> Option<Expected> {
        let id = self.members.get(self.last.0 as usize)?.next;
        let member = self.members.get(id.0 as usize)?;
        let length = member.key.len();
        let is_it = member.parent == parent && member.is_plain && text.get(length..length + 2) == Some(b"\":");
        let expected = Expected { id, length, is_object: member.is_object, place: member.place };
        (is_it && member.start.begins(text, &member.key)).then_some(expected)
    }

    /// Takes what was expected: the line has it from now on.
    #[inline]
    pub(crate) fn take(&mut self, expected: Expected) -> (MemberId, MemberPlace) {
        let Expected { id, is_object, place, .. } = expected;
        self.last = id;
        if let Some(sign) = place.sign {
            self.signs.insert(sign);
        }
        if !is_object {
            self.row.push(id);
        }
        (id, place)
    }

    /// The name of a pair that is expected behind `last`.
    #[inline]
    pub(crate) fn word_behind(&self, last: MemberId) -> Option<ExpectedWord<'_>> {
        let id = self.members.get(last.0 as usize)?.next;
        let member = self.members.get(id.0 as usize).filter(|member| member.is_word)?;
        Some(ExpectedWord { id, key: &member.key, start: member.start })
    }

    /// The member that is the name of a pair, where a line of the block had it.
    pub(crate) fn word(&self, name: &[u8]) -> Option<MemberId> {
        let hash = self.hasher.hash_one((ROOT, false, name));
        let is_it = |at: &u32| {
            let member = &self.members[*at as usize];
            member.parent == ROOT && !member.is_object && *member.key == *name
        };
        self.table.find(hash, is_it).map(|at| MemberId(*at)).filter(|id| self.members[id.0 as usize].is_word)
    }

    /// The member that the line had last.
    pub(crate) fn last(&self) -> MemberId {
        self.last
    }

    /// What is known of a key of `parent`; the line has it from now on.
    #[inline]
    pub(crate) fn recall(&mut self, parent: MemberId, key: &[u8], is_object: bool) -> Option<(MemberId, MemberPlace)> {
        let is_it = |member: &Member| member.parent == parent && member.is_object == is_object && *member.key == *key;
        let is_next = |member: &Member| {
            member.key.len() == key.len()
                && member.start.begins(key, &member.key)
                && member.parent == parent
                && member.is_object == is_object
        };
        let next = self.members[self.last.0 as usize].next;
        let found = match self.members.get(next.0 as usize) {
            Some(member) if is_next(member) => next,
            _ => {
                let members = &self.members;
                let hash = self.hasher.hash_one((parent, is_object, key));
                let found = self.table.find(hash, |at| is_it(&members[*at as usize]))?;
                MemberId(*found)
            }
        };
        Some((found, self.follow(found)))
    }

    /// Takes what a line before it had: the line has these members and keys of signatures, and no others.
    #[inline]
    pub(crate) fn take_all(&mut self, row: &[MemberId], signs: Signs) {
        self.row.clear();
        self.row.extend_from_slice(row);
        self.signs = signs;
    }

    /// The members of the line that are no objects.
    pub(crate) fn row_now(&self) -> &[MemberId] {
        &self.row
    }

    /// Where the values of a member belong.
    pub(crate) fn place_of(&self, member: MemberId) -> MemberPlace {
        self.members[member.0 as usize].place
    }

    /// Keys of signatures that the line has.
    pub(crate) fn signs_now(&self) -> Signs {
        self.signs
    }

    /// What is known of a member; the line has it from now on.
    #[inline]
    pub(crate) fn follow(&mut self, found: MemberId) -> MemberPlace {
        if let Some(last) = self.members.get_mut(self.last.0 as usize) {
            last.next = found;
        }
        self.last = found;
        let member = &self.members[found.0 as usize];
        if let Some(sign) = member.place.sign {
            self.signs.insert(sign);
        }
        if !member.is_object {
            self.row.push(found);
        }
        member.place
    }

    /// Finds the place of a path that is new in the block, and remembers it.
    pub(crate) fn remember(
        &mut self,
        (parent, key): (MemberId, &[u8]),
        path: &str,
        is_object: bool,
        rows: &mut BatchBuilder,
    ) -> (MemberId, MemberPlace) {
        let place = self.place(path, is_object, rows);
        if parent == UNKNOWN || self.members.len() >= MEMBERS_MAX {
            if let Some(sign) = place.sign {
                self.signs.insert(sign);
            }
            return (UNKNOWN, place);
        }
        let id = self.members.len() as u32;
        let is_plain = memchr::memchr2(b'"', b'\\', key).is_none();
        let is_word = parent == ROOT && !is_object && is_pair_name(key);
        let (start, key, path) = (KeyStart::new(key), key.into(), path.into());
        self.members.push(Member { parent, is_object, is_plain, is_word, key, start, next: UNKNOWN, place, path });
        let (members, hasher) = (&self.members, &self.hasher);
        let hash_of = |at: &u32| {
            let member = &members[*at as usize];
            hasher.hash_one((member.parent, member.is_object, &*member.key))
        };
        self.table.insert_unique(hash_of(&id), id, hash_of);
        self.follow(MemberId(id));
        (MemberId(id), place)
    }

    /// Where the value under a path belongs.
    pub(crate) fn place(&self, path: &str, is_object: bool, rows: &mut BatchBuilder) -> MemberPlace {
        let sign = self.shapes.sign(path);
        if is_object {
            return MemberPlace { time: None, column: None, sign };
        }
        let time = TIME_KEYS.iter().position(|key| *key == path).map(|at| at as u8);
        let column = match OF_THE_PIPELINE.contains(&path) {
            true => rows.column_named(&format!("json.{path}")),
            false => rows.column_named(path),
        };
        MemberPlace { time, column: column.ok(), sign }
    }

    /// Whether the line has put nothing to a column yet; from now on it has, but for a `null`, which is nothing but may not hide a
    /// value.
    #[inline]
    pub(crate) fn is_first_put(&mut self, column: FieldId, is_null: bool) -> bool {
        let is_first = !self.has_put(column);
        if !is_null {
            self.note_put(column);
        }
        is_first
    }

    /// The line puts something to a column.
    #[inline]
    pub(crate) fn note_put(&mut self, column: FieldId) {
        let at = usize::from(column.0);
        if at >= self.put_by.len() {
            self.put_by.resize(at + 64, 0);
        }
        self.put_by[at] = self.line;
    }

    #[inline]
    fn has_put(&self, column: FieldId) -> bool {
        self.put_by.get(usize::from(column.0)) == Some(&self.line)
    }

    /// Whether a column may hold what a member of the line says: one of the catalog may hold what the line's header said, which is
    /// no member of it.
    #[inline]
    pub(super) fn is_of_members(&self, column: FieldId) -> bool {
        usize::from(column.0) >= FIELDS.len() || self.has_put(column)
    }

    /// The members of the line with their paths and columns.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, Option<FieldId>)> {
        self.row
            .iter()
            .filter_map(|id| self.members.get(id.0 as usize))
            .map(|member| (&*member.path, member.place.column))
    }

    /// A number for the line's keys, whatever their order. A key that comes twice counts twice: such a line may not be taken for
    /// one that lacks the key.
    pub(super) fn key_set(&self) -> u64 {
        self.row.iter().fold(0, |sum: u64, id| sum.wrapping_add(self.hasher.hash_one(id)))
    }
}
