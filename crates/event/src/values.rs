//! The values of one event that correlations read, each under the place that the rule set gives it. Few of a set's many
//! places are filled, so only those are kept. Knows no rule.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Values that need no memory of their own for their places.
const INLINE: usize = 6;

/// Where a value stands: its place among what the rule set asks for, and where it ends in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ValueEnd {
    place: u32,
    end: u32,
}

/// Values by place; a place without one is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Option<Box<str>>>", into = "Vec<Option<Box<str>>>")]
pub struct HitValues {
    /// One value after the other.
    text: Box<str>,
    count: u32,
    /// How many places there are, filled or not.
    places: u32,
    ends: [ValueEnd; INLINE],
    /// Ends beyond the first ones.
    more: Vec<ValueEnd>,
}

impl HitValues {
    /// Of values by place, of so many places; the texts are together below 4 GiB.
    pub fn new<'v>(places: usize, values: impl Iterator<Item = (usize, &'v str)>) -> Self {
        HitValues::gathered(places, values.map(|(place, value)| (place, Cow::Borrowed(value))), &mut String::new())
    }

    /// [`HitValues::new`], with memory for the text that is used again.
    pub fn gathered<'v>(places: usize, values: impl Iterator<Item = (usize, Cow<'v, str>)>, text: &mut String) -> Self {
        let bounded = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        text.clear();
        let mut new = HitValues { places: bounded(places), ..HitValues::default() };
        for (place, value) in values {
            text.push_str(&value);
            let end = ValueEnd { place: bounded(place), end: bounded(text.len()) };
            match new.ends.get_mut(new.count as usize) {
                Some(free) => *free = end,
                None => new.more.push(end),
            }
            new.count += 1;
        }
        new.text = text.as_str().into();
        new
    }

    /// Whether there is no place for any: nobody asked for values.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.places == 0
    }

    /// The value at a place.
    #[inline]
    pub fn get(&self, place: usize) -> Option<&str> {
        self.iter().find(|(known, _)| *known == place).map(|(_, value)| value)
    }

    /// Values with their places, in the order in which they were given.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (usize, &str)> + Clone {
        let inline = &self.ends[..INLINE.min(self.count as usize)];
        let mut from = 0;
        inline.iter().chain(&self.more).map(move |ValueEnd { place, end }| {
            let value = self.text.get(from..*end as usize).unwrap_or("");
            from = *end as usize;
            (*place as usize, value)
        })
    }
}

impl FromIterator<Option<Box<str>>> for HitValues {
    fn from_iter<I: IntoIterator<Item = Option<Box<str>>>>(values: I) -> Self {
        let values: Vec<Option<Box<str>>> = values.into_iter().collect();
        let given = values.iter().enumerate().filter_map(|(place, value)| Some((place, value.as_deref()?)));
        HitValues::new(values.len(), given)
    }
}

impl From<Vec<Option<Box<str>>>> for HitValues {
    fn from(values: Vec<Option<Box<str>>>) -> Self {
        values.into_iter().collect()
    }
}

impl From<HitValues> for Vec<Option<Box<str>>> {
    fn from(values: HitValues) -> Self {
        let mut list = vec![None; values.places as usize];
        for (place, value) in values.iter() {
            if let Some(free) = list.get_mut(place) {
                *free = Some(value.into());
            }
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_at_their_places_however_many_there_are() {
        let texts: Vec<String> = (0..10).map(|number| "é".repeat(number)).collect();
        let values = HitValues::new(30, texts.iter().enumerate().map(|(at, text)| (at * 3, text.as_str())));
        for (at, text) in texts.iter().enumerate() {
            assert_eq!((values.get(at * 3), values.get(at * 3 + 1)), (Some(text.as_str()), None));
        }
        assert!(HitValues::default().is_empty() && !values.is_empty());
    }

    #[test]
    fn they_are_saved_as_a_list_with_gaps() {
        let text = r#"[null,"a",null,"",null]"#;
        let values: HitValues = serde_json::from_str(text).unwrap();
        assert_eq!((values.get(0), values.get(1), values.get(3)), (None, Some("a"), Some("")));
        assert_eq!(serde_json::to_string(&values).unwrap(), text);
        assert_eq!(serde_json::from_str::<HitValues>("[]").unwrap(), HitValues::default());
    }
}
