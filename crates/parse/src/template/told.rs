//! What the readings of one message agree on: fields and their values, put to a row. Reads nothing.

use event::catalog::{FieldType, field};
use event::{BatchBuilder, FieldId};

use super::parts::{CAPTURES_MAX, Takes};
use crate::address::{AMBIGUOUS, decimal, put_ip, put_peer};
use crate::proxies::client_of_unknown;

/// A field, what its capture takes, and where its value stands; no place where readings differ.
#[derive(Clone, Copy, Debug)]
struct ValueOf {
    id: FieldId,
    kind: Takes,
    place: ValueSpan,
}

/// Where a value begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ValueSpan {
    start: u32,
    end: u32,
}

impl ValueSpan {
    /// No value.
    pub(super) const NONE: Self = ValueSpan { start: u32::MAX, end: 0 };

    pub(super) fn new(start: usize, end: usize) -> Self {
        ValueSpan { start: start as u32, end: end as u32 }
    }
}

/// Fields and their values, as a message told them; no value where it can be read in several ways.
#[derive(Clone, Debug)]
pub(crate) struct Values<'a> {
    message: &'a [u8],
    values: [ValueOf; CAPTURES_MAX],
    count: usize,
    /// Readings name several clients.
    is_ambiguous: bool,
}

impl<'a> Values<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        const NONE: ValueOf = ValueOf { id: field::MESSAGE, kind: Takes::Text, place: ValueSpan::NONE };
        Values { message, values: [NONE; CAPTURES_MAX], count: 0, is_ambiguous: false }
    }

    pub(super) fn push(&mut self, id: FieldId, kind: Takes, place: ValueSpan) {
        if let Some(slot) = self.values.get_mut(self.count) {
            *slot = ValueOf { id, kind, place };
            self.count += 1;
        }
    }

    #[inline]
    fn text(&self, place: ValueSpan) -> Option<&'a [u8]> {
        self.message.get(place.start as usize..place.end as usize)
    }

    /// Fields, what their captures take, and their values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (FieldId, Takes, Option<&'a [u8]>)> {
        self.values[..self.count].iter().map(|value| (value.id, value.kind, self.text(value.place)))
    }

    /// Takes out what another reading of the same message tells otherwise; where they differ on who it was, all that the other
    /// one does not tell.
    pub(crate) fn doubt(&mut self, other: &Values<'a>) {
        let mut is_another = false;
        for at in 0..self.count {
            let ValueOf { id, place, .. } = self.values[at];
            let own = self.text(place);
            if other.iter().any(|(known, _, it)| known == id && (it != own || it.is_none())) {
                self.values[at].place = ValueSpan::NONE;
                is_another |= matches!(id, field::USER_NAME | field::SOURCE_IP);
                self.is_ambiguous |= id == field::SOURCE_IP && own.is_some();
            }
        }
        self.is_ambiguous |= other.is_ambiguous;
        if is_another {
            self.keep_shared(other);
        }
    }

    /// Takes out what another reading by the same template does not tell, too.
    pub(super) fn keep_shared(&mut self, other: &Values<'a>) {
        for at in 0..self.count {
            let ValueOf { id, place, .. } = self.values[at];
            let own = self.text(place);
            if !other.iter().any(|(known, _, it)| known == id && it == own) {
                self.values[at].place = ValueSpan::NONE;
                self.is_ambiguous |= id == field::SOURCE_IP && own.is_some();
            }
        }
    }

    pub(crate) fn put(&self, rows: &mut BatchBuilder) {
        for (id, kind, value) in self.iter() {
            if let Some(value) = value {
                put_value(rows, id, kind, value);
            }
        }
        if self.is_ambiguous && !rows.has(field::SOURCE_IP) {
            rows.mark(AMBIGUOUS);
        }
    }
}

fn put_value(rows: &mut BatchBuilder, id: FieldId, kind: Takes, value: &[u8]) {
    if matches!(value, b"" | b"-") {
        return;
    }
    match (kind, BatchBuilder::kind_of(id)) {
        (Takes::Peer, _) => put_peer(rows, value),
        (Takes::Clients, _) => put_peer(rows, client_of_unknown(value)),
        // Names are kept without the dot of the root, as rules and lists write them.
        _ if id == field::DNS_QUESTION_NAME => {
            rows.text(id, value.strip_suffix(b".").filter(|name| !name.is_empty()).unwrap_or(value));
        }
        (_, FieldType::Ip) => put_ip(rows, id, value),
        (_, FieldType::Long) => {
            if let Some(number) = decimal(value) {
                rows.long(id, number);
            }
        }
        _ => rows.text(id, value),
    }
}
