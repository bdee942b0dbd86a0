//! One value of one row against what rules ask of it, where no search of the column has the answer: presence, lists,
//! and decoded views of URLs.
//!
//! It must not use `rules::evaluate`, which does all of this the slow way and is what it is tested against.

use std::borrow::Cow;

use event::{EventBatch, ValueTag};
use rules::check::{Check, FieldRef, Value};
use rules::percent::{decoded, may_be_encoded};

/// Whether the value passes as it is, or, where the column's text is also matched decoded, one of its decoded views
/// does.
pub(super) fn passes_in_any_view(check: &Check, value: Value<'_>, decodes: bool) -> bool {
    if check.passes(value) {
        return true;
    }
    // Packs of patterns decode by themselves.
    let decodes = decodes && !matches!(check, Check::Pack(_));
    match value {
        Value::Text(text, tag) if decodes && may_be_encoded(text.as_bytes()) => {
            decoded(text).any(|view| check.passes(Value::Text(&view, tag)))
        }
        _ => false,
    }
}

/// Whether the row has the column, an explicit null included.
pub(super) fn exists(batch: &EventBatch, position: usize, row: usize) -> bool {
    match batch.text_at(position) {
        Some(text) => text.exists(row),
        None => Value::at(batch, position, row).is_some(),
    }
}

/// Whether the row has a value in the column that is more than an empty list.
pub(super) fn has_value(batch: &EventBatch, position: usize, row: usize) -> bool {
    match Value::at(batch, position, row) {
        Some(Value::Text(array, ValueTag::Array)) => has_element(array),
        value => value.is_some(),
    }
}

/// Whether a JSON array holds anything but nulls and empty lists.
fn has_element(array: &str) -> bool {
    fn is_something(element: &serde_json::Value) -> bool {
        match element {
            serde_json::Value::Null => false,
            serde_json::Value::Array(elements) => elements.iter().any(is_something),
            _ => true,
        }
    }
    serde_json::from_str::<serde_json::Value>(array).map_or(true, |array| is_something(&array))
}

/// Whether `holds` is true for the value as text, or for one text, number or truth value at any depth of a list.
pub(super) fn any_text(value: Value<'_>, holds: &mut dyn FnMut(&str) -> bool) -> bool {
    match value {
        Value::Text(array, ValueTag::Array) => {
            serde_json::from_str(array).is_ok_and(|array: serde_json::Value| any_leaf(&array, holds))
        }
        Value::Text(_, ValueTag::Null) => false,
        Value::Text(text, _) => holds(text),
        Value::Long(number) => holds(&number.to_string()),
    }
}

fn any_leaf(value: &serde_json::Value, holds: &mut dyn FnMut(&str) -> bool) -> bool {
    match value {
        serde_json::Value::Null => false,
        serde_json::Value::String(text) => holds(text),
        serde_json::Value::Array(elements) => elements.iter().any(|element| any_leaf(element, holds)),
        serde_json::Value::Object(members) => members.values().any(|member| any_leaf(member, holds)),
        other => holds(&other.to_string()),
    }
}

/// Whether a value at the positions has a value at the others where the reference says.
pub(super) fn refers(
    batch: &EventBatch,
    row: usize,
    positions: impl Iterator<Item = usize>,
    others: impl Iterator<Item = usize>,
    reference: &FieldRef,
) -> bool {
    // Read once: a sender may compare long lists.
    let others: Vec<Cow<'_, str>> =
        others.filter_map(|position| Value::at(batch, position, row)).flat_map(texts).collect();
    let mut values = positions.filter_map(|position| Value::at(batch, position, row));
    !others.is_empty()
        && values.any(|value| any_text(value, &mut |text| others.iter().any(|other| reference.holds(text, other))))
}

/// The value as text, or each text, number and truth value of a list.
fn texts(value: Value<'_>) -> Vec<Cow<'_, str>> {
    match value {
        Value::Text(text, tag) if !matches!(tag, ValueTag::Array | ValueTag::Null) => vec![text.into()],
        _ => {
            let mut texts = Vec::new();
            any_text(value, &mut |text| {
                texts.push(text.to_owned().into());
                false
            });
            texts
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lists_hold_nothing() {
        for (array, expected) in
            [("[]", false), ("[null,[[]]]", false), ("[0]", true), ("[{}]", true), ("[[\"\"]]", true)]
        {
            assert_eq!(has_element(array), expected, "{array}");
        }
    }

    #[test]
    fn texts_of_a_list_are_those_of_its_leaves() {
        let array = r#"[1,"two",[null,"3"],{"k":"v"},false]"#;
        assert_eq!(texts(Value::Text(array, ValueTag::Array)), ["1", "two", "3", "v", "false"]);
        assert_eq!(texts(Value::Text("x", ValueTag::String)), ["x"]);
        assert_eq!(texts(Value::Text("", ValueTag::Null)), Vec::<Cow<'_, str>>::new());
        assert_eq!(texts(Value::Long(-4)), ["-4"]);
    }
}
