//! Entries of a taxonomy as their files have them. What is wrong is told with its line, and the rest counts.

use event::LogSource;

use crate::fold::fold;
use crate::sigma::diagnostic::Problems;
use crate::taxonomy::form::{FieldColumn, Form, Section};
use crate::yaml::{self, Location, Node};

pub(super) fn section(node: &Node, problems: &mut Problems) -> Option<Section> {
    let (Some(logsource), Some(fields)) = (node.get("logsource"), node.get("fields").and_then(Node::map)) else {
        problems
            .error(node.place, "an entry needs `logsource`, one or a list, and `fields`, a map of names to columns");
        return None;
    };
    let logsources: Vec<LogSource> =
        logsource.one_or_many().iter().filter_map(|node| log_source(node, problems)).collect();
    if logsources.is_empty() {
        problems.error(logsource.place, "`logsource` needs a product, category or service");
    }
    let fields = fields.iter().map(|(name, node)| (name.text.clone(), targets(node, problems))).collect();
    Some(Section { logsources, fields })
}

fn log_source(node: &Node, problems: &mut Problems) -> Option<LogSource> {
    let mut source = LogSource::default();
    for (key, value) in node.map().unwrap_or_default() {
        let part = match key.text.as_str() {
            "product" => &mut source.product,
            "category" => &mut source.category,
            "service" => &mut source.service,
            other => {
                let reason = format!("`{other}` is no part of a log source: product, category or service");
                problems.error(key.place, reason);
                continue;
            }
        };
        *part = value.text().map(str::to_lowercase);
    }
    (source != LogSource::default()).then_some(source)
}

fn targets(node: &Node, problems: &mut Problems) -> Vec<FieldColumn> {
    let targets: Vec<FieldColumn> = node.one_or_many().iter().filter_map(|node| target(node, problems)).collect();
    if targets.is_empty() {
        problems.error(node.place, "the name needs at least one column");
    }
    targets
}

fn target(node: &Node, problems: &mut Problems) -> Option<FieldColumn> {
    if let Some(column) = node.text() {
        return Some(FieldColumn { column: column.to_owned(), form: Form::Same });
    }
    let Some(column) = node.get("column").and_then(Node::text) else {
        problems.error(
            node.place,
            "a column is a name, or a map with `column` and one of prefix, trailing, scale, values, absent, within",
        );
        return None;
    };
    let mut form = Form::Same;
    for (key, value) in node.map().unwrap_or_default().iter().filter(|(key, _)| key.text != "column") {
        let read = read_form(&key.text, value);
        match read {
            Some(read) if form == Form::Same => form = read,
            Some(_) => problems.error(key.place, "a column holds its value in one other form only"),
            None => wrong_form(&key.text, key.place, problems),
        }
    }
    Some(FieldColumn { column: column.to_owned(), form })
}

fn wrong_form(key: &str, place: Location, problems: &mut Problems) {
    let reason = match key {
        "prefix" | "trailing" | "absent" => format!("`{key}` takes a text that is not empty"),
        "scale" => "`scale` takes a number above 0".to_owned(),
        "within" => "`within` is true, or left out".to_owned(),
        "values" => "`values` takes a map of texts to texts".to_owned(),
        other => format!("`{other}` is not known here: prefix, trailing, scale, values, absent or within"),
    };
    problems.error(place, reason);
}

fn read_form(key: &str, value: &Node) -> Option<Form> {
    let text = || value.text().filter(|text| !text.is_empty()).map(str::to_owned);
    Some(match key {
        "prefix" => Form::Prefix(text()?),
        "trailing" => Form::Trailing(text()?),
        "absent" => Form::Absent(fold(&text()?)),
        "scale" => Form::Scale(text()?.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor > 0.0)?),
        "within" => (value.text()? == "true").then_some(Form::Within)?,
        "values" => {
            let pair = |(theirs, ours): &(yaml::Key, Node)| Some((theirs.text.clone(), ours.text()?.to_owned()));
            Form::Values(value.map()?.iter().map(pair).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
