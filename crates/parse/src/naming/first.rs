//! The members of the first object of an array, gone through once for all steps that ask for them. What is unusual in any way is
//! left to [`super::inside`], which reads every array. Knows no rows.

use std::ops::Range;

use event::FieldId;
use event::catalog::FIELDS;

use super::inside;

/// Members of an object that are kept.
const MEMBERS_MAX: usize = 64;

/// The first object of the array that a column has in the event at hand.
#[derive(Debug, Default)]
pub(super) struct FirstObject {
    column: Option<FieldId>,
    is_plain: bool,
    /// Where keys and values stand in the text of the array.
    members: Vec<(Range<usize>, Range<usize>)>,
    /// Whether it is the only element.
    is_alone: bool,
}

impl FirstObject {
    /// Another event begins.
    pub(super) fn forget(&mut self) {
        self.column = None;
    }

    /// A field was put: what was kept of its column does not hold any more.
    #[inline]
    pub(super) fn forget_column(&mut self, column: FieldId) {
        if self.column == Some(column) {
            self.column = None;
        }
    }

    /// Goes through the object where that was not done.
    pub(super) fn look(&mut self, column: FieldId, array: &[u8]) {
        if self.column == Some(column) {
            return;
        }
        self.members.clear();
        // Columns of the catalog are put by several steps.
        self.is_plain = usize::from(column.0) >= FIELDS.len() && self.read(array).is_some();
        self.column = Some(column);
    }

    fn read(&mut self, array: &[u8]) -> Option<()> {
        let place = |part: &[u8]| {
            let start = part.as_ptr() as usize - array.as_ptr() as usize;
            start..start + part.len()
        };
        let mut rest = array.strip_prefix(b"[{")?;
        loop {
            let (key, after) = inside::value(rest)?;
            let key = key.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
            let (value, after) = inside::value(after.strip_prefix(b":")?)?;
            let is_scalar = !matches!(value.first(), Some(b'"' | b'{' | b'['));
            if self.members.len() >= MEMBERS_MAX || is_scalar && !value.iter().all(u8::is_ascii_alphanumeric) {
                return None;
            }
            self.members.push((place(key), place(value)));
            match after {
                [b',', after @ ..] => rest = after,
                [b'}', b']'] => {
                    self.is_alone = true;
                    return Some(());
                }
                [b'}', b',', ..] => {
                    self.is_alone = false;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// Elements of the array beside the first one.
    pub(super) fn others(&self, array: &[u8]) -> usize {
        if self.is_plain && self.is_alone { 0 } else { inside::elements(array).skip(1).count() }
    }

    /// As [`inside::member_of_array`].
    pub(super) fn member<'a>(&self, array: &'a [u8], path: &str) -> Option<&'a [u8]> {
        if !self.is_plain || path.is_empty() {
            return inside::member_of_array(array, path);
        }
        let (first, others) = inside::cut(path);
        let known = self.members.iter().find(|(key, _)| array.get(key.clone()) == Some(first.as_bytes()));
        let value = known.and_then(|(_, value)| array.get(value.clone()));
        let found = value.and_then(|value| if others.is_empty() { Some(value) } else { inside::member(value, others) });
        match found {
            None if !self.is_alone || value.is_some() => inside::member_of_array(array, path),
            found => found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_the_plain_way_tells() {
        for array in [
            r#"[{"a":{"b":"x"},"c":[1,"]}"],"d":7}]"#,
            r#"[{"a":{"b":"x"}},{"a":{"c":2},"d":"y"}]"#,
            r#"[{"a":1,"a":2},{"a":3}]"#,
            r#"[ {"a":1} , {"b":2} ]"#,
            r#"[{},{"a":1}]"#,
            r#"[{"a":1 {"b":2}},{"a":3}]"#,
            r#"[{"a":"1","d":-2.5e3}]"#,
            r#"["a",{"a":1}]"#,
            r#"[{"a""#,
            "[]",
            "[",
        ] {
            let array = array.as_bytes();
            let mut first = FirstObject::default();
            first.look(FieldId(u16::MAX), array);
            for path in ["a", "a.b", "a.c", "b", "c", "d", "z", ""] {
                assert_eq!(first.member(array, path), inside::member_of_array(array, path), "{path}");
            }
            assert_eq!(first.others(array), inside::elements(array).skip(1).count());
        }
    }

    #[test]
    fn another_array_is_another_object() {
        let mut first = FirstObject::default();
        first.look(FieldId(u16::MAX), br#"[{"a":1}]"#);
        first.forget_column(FieldId(u16::MAX));
        first.look(FieldId(u16::MAX), br#"[{"b":22}]"#);
        assert_eq!(first.member(br#"[{"b":22}]"#, "b"), Some(&b"22"[..]));
    }
}
