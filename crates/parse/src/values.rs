//! What the values of a line may be: the words in which W3C headings and layouts say it. Reads no lines.

use event::{BatchBuilder, FieldId};

/// What becomes of a value. A `-` is nothing everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nothing: the line keeps it.
    Skip,
    Date,
    Time,
    /// Date and time in one.
    Stamp(TimeForm),
    /// The address that the server saw, with a port perhaps.
    Peer,
    /// A list of forwarded addresses.
    Forwarded,
    Ip(FieldId),
    /// An address with a port, for the destination.
    Server,
    Text(FieldId),
    /// A text that the server has escaped: blanks as `+` or `%20`, quotes as `\"`.
    Escaped(FieldId),
    Number(FieldId),
    /// `METHOD target HTTP/version`
    Request,
    /// The path of the target, or the whole target.
    Stem,
    Query,
    Host,
    Version,
    /// A duration of so many nanoseconds for each unit, with a fraction perhaps.
    Duration(i64),
    /// What a firewall did.
    Action,
    /// A value of no known name: its place in the list of names.
    Own(u16),
}

impl Value {
    /// Whether a client may choose the text: all but what the server writes in a form of its own.
    pub(crate) fn may_be_a_clients(self) -> bool {
        use Value::{Action, Date, Duration, Ip, Number, Peer, Server, Stamp, Time, Version};
        !matches!(self, Date | Time | Stamp(_) | Peer | Ip(_) | Server | Number(_) | Version | Duration(_) | Action)
    }
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeForm {
    /// As web servers write it, or in ISO 8601.
    Any,
    /// Units since 1970, so many in a second, with a fraction perhaps.
    Since(i64),
}

/// How blanks and quotes are written within values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// `\"`, `\x22`
    #[default]
    Backslash,
    /// IIS: `+` for a blank.
    Plus,
    /// CloudFront: `%20` for a blank, and so on, once.
    Percent,
}

/// What the values of a line have in common.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dialect {
    pub(crate) escapes: Escapes,
    /// Times are in the zone of the machine; else in UTC, where they name none.
    pub(crate) is_local: bool,
    /// What was asked for is a whole address.
    pub(crate) is_proxy: bool,
}

/// Columns of no known name: their names, and their ids in the batch at hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    names: Vec<String>,
    ids: Vec<Option<FieldId>>,
}

impl Own {
    /// The value of a column of this name.
    pub(crate) fn add(&mut self, name: String) -> Value {
        let at = self.names.iter().position(|known| *known == name).unwrap_or(self.names.len());
        if at == self.names.len() {
            self.names.push(name);
            self.ids.push(None);
        }
        Value::Own(at as u16)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Ids are those of a batch.
    pub(crate) fn begin_block(&mut self) {
        self.ids.fill(None);
    }

    pub(crate) fn clear(&mut self) {
        self.names.clear();
        self.ids.clear();
    }

    pub(crate) fn put(&mut self, at: usize, word: &[u8], rows: &mut BatchBuilder) {
        let (Some(slot), Some(name)) = (self.ids.get_mut(at), self.names.get(at)) else { return };
        if slot.is_none() {
            *slot = rows.column_named(name).ok();
        }
        match slot {
            Some(id) => rows.text(*id, word),
            None => rows.count_field_dropped(),
        }
    }
}
