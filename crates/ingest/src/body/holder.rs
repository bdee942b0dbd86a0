//! JSON that holds many events, element by element: an array, `{"Records":[{…}]}` as AWS writes audit logs, and what Firehose
//! sends to an HTTP endpoint: `{"requestId":"…","timestamp":1,"records":[{"data":"Base64"}]}`. Holds one element at a time.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// What an element of an object's list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ElementKind {
    /// An event.
    Event,
    /// An object with text in Base64.
    Data,
}

/// Takes elements; an error ends the reading.
pub(super) type TakeOfKind<'a> = &'a mut dyn FnMut(ElementKind, Box<RawValue>) -> std::io::Result<()>;

/// Reads an object that holds a list of objects and nothing else that tells something. An error: it is none, or breaks off.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D, take: TakeOfKind<'_>) -> Result<(), D::Error> {
    deserializer.deserialize_map(Holder(take))
}

struct Holder<'a>(TakeOfKind<'a>);

impl<'de> Visitor<'de> for Holder<'_> {
    type Value = ();

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("an object with a list of events")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let (mut list, mut has_id, mut is_empty) = (None, false, true);
        while let Some(key) = members.next_key::<String>()? {
            let held = match key.as_str() {
                "Records" => ElementKind::Event,
                "records" => ElementKind::Data,
                "requestId" | "timestamp" => {
                    has_id |= key == "requestId";
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
                _ => return Err(Error::custom("a member that is no list of events")),
            };
            if list.replace(held).is_some() {
                return Err(Error::custom("two lists of events"));
            }
            members.next_value_seed(Elements(&mut |element| {
                is_empty = false;
                if element.get().starts_with('{') {
                    return (self.0)(held, element);
                }
                Err(std::io::Error::other("an element that is no object"))
            }))?;
        }
        let is_known = list == Some(if has_id { ElementKind::Data } else { ElementKind::Event });
        if is_known && !is_empty { Ok(()) } else { Err(Error::custom("no list of events")) }
    }
}

/// The elements of an array, one after another.
pub(super) struct Elements<'a>(pub(super) &'a mut dyn FnMut(Box<RawValue>) -> std::io::Result<()>);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<Box<RawValue>>()? {
            (self.0)(element).map_err(Error::custom)?;
        }
        Ok(())
    }
}
