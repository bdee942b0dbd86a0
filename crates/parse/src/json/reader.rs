//! One JSON object of one line, read from its first brace to its last, its values put under their paths. Checks structure;
//! knows nothing of lines in which a column comes twice, but notes them.

use event::catalog::field;
use event::{BatchBuilder, FieldId, FieldType, ValueTag};

use super::escapes::{self, push_text};
use super::frame::FramedLeaf;
use super::scalars::{instant, is_number, whole_number};
use super::scratch::Scratch;
use crate::naming::places::{MemberId, MemberPlace, Places, ROOT, TIME_KEYS};
use crate::needle::{bytes_of, quote_or_backslash};

/// Deepest nesting of objects and arrays that is read.
const DEPTH_MAX: usize = 64;
/// Longest dotted path in bytes.
pub(super) const PATH_BYTES_MAX: usize = 1024;

/// What stands behind a number or a word.
const ENDS_SCALAR: [bool; 256] = bytes_of(b",}] \t\r\n", false);

/// Room for what stands behind the first escape of a text, in bytes.
const ESCAPED_BYTES: usize = 256;

/// A position in one line. Errors say what was expected; the line is then kept raw.
pub(super) struct Reader<'a, 's> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    pub(super) scratch: &'s mut Scratch,
    pub(super) places: &'s mut Places,
    /// Columns that got a second value.
    pub(super) doubled: Vec<FieldId>,
    /// An escape that JSON does not know has been read since this was last set.
    pub(super) foreign: bool,
    /// One of those meant nothing and stands in its text as it was written.
    pub(super) mended: bool,
}

/// A part of a line that was read, or what was expected there.
pub(super) type Result1<T> = Result<T, &'static str>;

/// A text of the line: as it stands there, or without its escapes.
pub(super) enum Text<'a> {
    Plain(&'a [u8]),
    Unescaped(String),
}

impl Text<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Text::Plain(text) => text,
            Text::Unescaped(text) => text.as_bytes(),
        }
    }
}

impl<'a, 's> Reader<'a, 's> {
    /// At the start of a line without blanks around it.
    pub(super) fn new(text: &'a [u8], scratch: &'s mut Scratch, places: &'s mut Places) -> Self {
        Reader { text, at: 0, scratch, places, doubled: Vec::new(), foreign: false, mended: false }
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&mut self) -> Result1<u8> {
        if let Some(byte) = self.text.get(self.at).filter(|byte| **byte > b' ') {
            return Ok(*byte);
        }
        self.skip_blanks();
        self.text.get(self.at).copied().ok_or("the JSON object is not closed")
    }

    fn expect(&mut self, byte: u8, message: &'static str) -> Result1<()> {
        if self.peek()? != byte {
            return Err(message);
        }
        self.at += 1;
        Ok(())
    }

    /// The whole line.
    pub(super) fn line(&mut self, rows: &mut BatchBuilder) -> Result1<()> {
        self.object(0, ROOT, rows)
    }

    /// The members of an object, each to its place.
    fn object(&mut self, depth: usize, own: MemberId, rows: &mut BatchBuilder) -> Result1<()> {
        self.expect(b'{', "expected {")?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        if depth >= DEPTH_MAX {
            return Err("JSON nested deeper than 64 levels");
        }
        loop {
            self.member(own, depth, rows)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err("expected , or } in a JSON object"),
            }
        }
    }

    fn member(&mut self, parent: MemberId, depth: usize, rows: &mut BatchBuilder) -> Result1<()> {
        if self.peek()? != b'"' {
            return Err("expected a quoted key in a JSON object");
        }
        let start = self.at;
        if let Some(expected) = self.places.expected(parent, &self.text[start + 1..]) {
            self.at = start + expected.length + 3;
            if self.has_members()? == expected.is_object {
                let (own, place) = self.places.take(expected);
                return self.value((start, depth), expected.is_object.then_some(own), place, rows);
            }
            self.at = start;
        }
        let key = self.string()?;
        self.expect(b':', "expected : after a JSON key")?;
        let is_object = self.has_members()?;
        let (own, place) = match self.places.recall(parent, key.bytes(), is_object) {
            Some(known) => known,
            None => self.new_member(parent, start, is_object, rows)?,
        };
        self.value((start, depth), is_object.then_some(own), place, rows)
    }

    /// The value of a member, whose key begins at `start`: an object in which it is the parent, or another value.
    #[inline]
    fn value(
        &mut self,
        (start, depth): (usize, usize),
        object: Option<MemberId>,
        place: MemberPlace,
        rows: &mut BatchBuilder,
    ) -> Result1<()> {
        if let Some(own) = object {
            self.scratch.open.push(start);
            self.object(depth + 1, own, rows)?;
            self.scratch.open.pop();
            return Ok(());
        }
        let from = self.at;
        let (text, tag) = match self.usual_leaf() {
            Some((text, tag)) => (Text::Plain(text), tag),
            None => self.leaf(depth)?,
        };
        self.scratch.frames.note(FramedLeaf { from, to: self.at, depth, place });
        self.put_at(place, &text, tag, rows);
        Ok(())
    }

    /// Finds the place of a member that no line of the block had before. `start`: where its key begins.
    #[cold]
    fn new_member(
        &mut self,
        parent: MemberId,
        start: usize,
        is_object: bool,
        rows: &mut BatchBuilder,
    ) -> Result1<(MemberId, MemberPlace)> {
        let at = self.at;
        self.scratch.path.clear();
        for open in 0..self.scratch.open.len() {
            self.at = self.scratch.open[open];
            let key = self.string()?;
            push_text(&mut self.scratch.path, key.bytes());
            self.scratch.path.push('.');
        }
        self.at = start;
        let key = self.string()?;
        self.at = at;
        push_text(&mut self.scratch.path, key.bytes());
        if self.scratch.path.len() > PATH_BYTES_MAX {
            return Err("a JSON path is longer than 1024 bytes");
        }
        Ok(self.places.remember((parent, key.bytes()), &self.scratch.path, is_object, rows))
    }

    /// Goes through the members of an object. `read` takes the value behind a key.
    pub(super) fn members(&mut self, mut read: impl FnMut(&mut Self, Text<'a>) -> Result1<()>) -> Result1<()> {
        self.expect(b'{', "expected {")?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek()? != b'"' {
                return Err("expected a quoted key in a JSON object");
            }
            let key = self.string()?;
            self.expect(b':', "expected : after a JSON key")?;
            read(self, key)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err("expected , or } in a JSON object"),
            }
        }
    }

    /// An object that is not empty is next.
    pub(super) fn has_members(&mut self) -> Result1<bool> {
        Ok(self.peek()? == b'{' && self.text.get(self.at + 1) != Some(&b'}'))
    }

    /// A text without escapes or a row of digits, which most values are; `None` where another one begins at this place.
    #[inline]
    pub(super) fn usual_leaf(&mut self) -> Option<(&'a [u8], ValueTag)> {
        let rest = self.text.get(self.at..)?;
        match rest.first()? {
            b'"' => {
                let stop = quote_or_backslash(&rest[1..])? + 1;
                if rest[stop] != b'"' {
                    return None;
                }
                self.at += stop + 1;
                Some((&rest[1..stop], ValueTag::String))
            }
            b'0'..=b'9' => {
                let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
                if !matches!(rest[digits], b',' | b'}') {
                    return None;
                }
                self.at += digits;
                Some((&rest[..digits], ValueTag::Number))
            }
            _ => None,
        }
    }

    /// A value that is no object with members.
    pub(super) fn leaf(&mut self, depth: usize) -> Result1<(Text<'a>, ValueTag)> {
        if depth >= DEPTH_MAX {
            return Err("JSON nested deeper than 64 levels");
        }
        match self.peek()? {
            b'{' => {
                self.at += 2;
                Ok((Text::Plain(b"{}"), ValueTag::Object))
            }
            b'[' => {
                let start = self.at;
                self.foreign = false;
                self.skip_array(depth)?;
                let array = &self.text[start..self.at];
                let text = if self.foreign { Text::Unescaped(escapes::as_json(array)) } else { Text::Plain(array) };
                Ok((text, ValueTag::Array))
            }
            b'"' => Ok((self.string()?, ValueTag::String)),
            _ => self.scalar().map(|(text, tag)| (Text::Plain(text), tag)),
        }
    }

    /// A number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Result1<(&'a [u8], ValueTag)> {
        let rest = &self.text[self.at..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && matches!(rest.get(digits), Some(b',' | b'}' | b']')) {
            self.at += digits;
            return Ok((&rest[..digits], ValueTag::Number));
        }
        let ends = |byte: &u8| ENDS_SCALAR[usize::from(*byte)];
        let word = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        let tag = match word {
            b"true" | b"false" => ValueTag::Boolean,
            b"null" => ValueTag::Null,
            _ if is_number(word) => ValueTag::Number,
            _ => return Err("a JSON value is neither a string, a number, true, false nor null"),
        };
        self.at += word.len();
        Ok((word, tag))
    }

    /// A string; `at` stands on its opening quote.
    fn string(&mut self) -> Result1<Text<'a>> {
        let start = self.at + 1;
        let stop = quote_or_backslash(self.text.get(start..).unwrap_or_default());
        let stop = start + stop.ok_or("a JSON string is not closed")?;
        if self.text[stop] == b'"' {
            self.at = stop + 1;
            return Ok(Text::Plain(&self.text[start..stop]));
        }
        let left = self.text.len() - start;
        let mut out = Vec::with_capacity(left.min(stop - start + ESCAPED_BYTES));
        out.extend_from_slice(&self.text[start..stop]);
        self.at = stop;
        loop {
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text::Unescaped(escapes::text_of(out)));
                }
                Some(b'\\') => {
                    let escape = escapes::read(&self.text[self.at..], &mut out).ok_or("a JSON string is not closed")?;
                    self.at += escape.length;
                    self.foreign |= escape.is_foreign;
                    self.mended |= escape.is_mended;
                }
                Some(_) => {
                    let rest = &self.text[self.at..];
                    let length = quote_or_backslash(rest).ok_or("a JSON string is not closed")?;
                    out.extend_from_slice(&rest[..length]);
                    self.at += length;
                }
                None => return Err("a JSON string is not closed"),
            }
        }
    }

    /// Steps over a string; `at` stands on its opening quote.
    fn skip_string(&mut self) -> Result1<()> {
        let mut at = self.at + 1;
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            at += quote_or_backslash(rest).ok_or("a JSON string is not closed")?;
            if self.text[at] == b'"' {
                self.at = at + 1;
                return Ok(());
            }
            if let Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') = self.text.get(at + 1) {
                at += 2;
                continue;
            }
            let escape = escapes::read(&self.text[at..], &mut Vec::new()).ok_or("a JSON string is not closed")?;
            self.foreign |= escape.is_foreign;
            self.mended |= escape.is_mended;
            at += escape.length;
        }
    }

    /// Steps over an array, checking its structure; nesting is bounded together with the objects around it.
    fn skip_array(&mut self, depth: usize) -> Result1<()> {
        let mut open = 0;
        loop {
            match self.peek().map_err(|_| "a JSON array is not closed")? {
                b'[' | b'{' => {
                    open += 1;
                    self.at += 1;
                    if depth + open > DEPTH_MAX {
                        return Err("JSON nested deeper than 64 levels");
                    }
                }
                b']' | b'}' => {
                    open -= 1;
                    self.at += 1;
                    if open == 0 {
                        return Ok(());
                    }
                }
                b'"' => self.skip_string()?,
                b',' | b':' => self.at += 1,
                _ => drop(self.scalar()?),
            }
        }
    }

    /// Where the value under the path belongs.
    pub(super) fn place(&self, rows: &mut BatchBuilder) -> MemberPlace {
        self.places.place(&self.scratch.path, false, rows)
    }

    /// Puts a value to its place.
    #[inline]
    pub(super) fn put_at(&mut self, place: MemberPlace, text: &Text<'_>, tag: ValueTag, rows: &mut BatchBuilder) {
        match text {
            Text::Plain(text) => self.put_plain(place, text, tag, rows),
            Text::Unescaped(text) => {
                if let Some(id) = self.column_of(place, text.as_bytes(), tag, rows) {
                    rows.tagged_owned(id, text, tag);
                }
            }
        }
    }

    /// As [`Self::put_at`], for a text of the line.
    #[inline]
    pub(super) fn put_plain(&mut self, place: MemberPlace, text: &[u8], tag: ValueTag, rows: &mut BatchBuilder) {
        if let Some(id) = self.column_of(place, text, tag, rows) {
            rows.tagged(id, text, tag);
        }
    }

    /// The column of a value; `None` where it was put otherwise, or has no place.
    #[inline]
    fn column_of(
        &mut self,
        place: MemberPlace,
        text: &[u8],
        tag: ValueTag,
        rows: &mut BatchBuilder,
    ) -> Option<FieldId> {
        if let Some(rank) = place.time
            && self.take_time(rank, place, (text, tag), rows)
        {
            return None;
        }
        let Some(id) = place.column else {
            rows.count_field_dropped();
            return None;
        };
        if !self.places.is_first_put(id, tag == ValueTag::Null) {
            self.doubled.push(id);
        }
        if tag == ValueTag::Number && put_number(id, text, rows) { None } else { Some(id) }
    }

    /// What a key says that may hold the time; true where its value is nothing else.
    #[inline(never)]
    fn take_time(
        &mut self,
        rank: u8,
        place: MemberPlace,
        (text, tag): (&[u8], ValueTag),
        rows: &mut BatchBuilder,
    ) -> bool {
        let time = instant(text, tag);
        if let Some((time, is_sure)) = time
            && self.scratch.best_time.is_none_or(|(best, _)| rank <= best)
        {
            self.scratch.best_time = Some((rank, time));
            self.places.timed_by = place.column.filter(|_| is_sure);
        }
        if TIME_KEYS[usize::from(rank)] != "@timestamp" {
            return false;
        }
        match time {
            Some(_) => self.places.note_put(field::TIMESTAMP),
            None => rows.literal(field::ERROR_MESSAGE, "@timestamp is not an RFC 3339 time"),
        }
        true
    }
}

/// Puts a number to a column of numbers; false where the column is another one.
#[inline]
fn put_number(id: FieldId, text: &[u8], rows: &mut BatchBuilder) -> bool {
    let number = if BatchBuilder::kind_of(id) == FieldType::Long { whole_number(text) } else { None };
    if let Some(number) = number {
        rows.long(id, number);
    }
    number.is_some()
}

#[inline]
pub(super) fn put_value(id: FieldId, text: &Text<'_>, tag: ValueTag, rows: &mut BatchBuilder) {
    if tag == ValueTag::Number && put_number(id, text.bytes(), rows) {
        return;
    }
    match text {
        Text::Plain(text) => rows.tagged(id, text, tag),
        Text::Unescaped(text) => rows.tagged_owned(id, text, tag),
    }
}
