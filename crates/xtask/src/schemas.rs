//! `schemas/fields.yaml` and the parsers' samples → `schemas/written.yaml` and the field catalog in the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use event::{Block, Timestamp};
use rules::yaml::{self, Node};

pub(crate) const SOURCE: &str = "schemas/fields.yaml";
pub(crate) const TARGET: &str = "crates/event/src/catalog/table.rs";
/// For which datasets parsers write which fields.
pub(crate) const WRITTEN: &str = "schemas/written.yaml";
const SAMPLES: &str = "crates/parse/testdata";

const WRITTEN_HEAD: &str = "# Which fields parsers write for which kinds of log, read off crates/parse/testdata by `cargo xtask schemas`. Do not edit.
# What no sample shows stands in fields.yaml. JSON may bring any field.

";

const HEAD: &str = "//! Generated from schemas/fields.yaml and schemas/written.yaml by `cargo xtask schemas`. Do not edit. (flat table)

use super::row::{Field, FieldId, FieldType};

/// Ids of the catalog's fields.
pub mod field {
    use super::FieldId;

";

/// Text of the generated file.
pub(crate) fn catalog_table(text: &str, written: &str) -> anyhow::Result<String> {
    let documents = yaml::read(text).map_err(|error| anyhow!("{SOURCE}:{}: {error}", error.place.line))?;
    let written = yaml::read(written).map_err(|error| anyhow!("{WRITTEN}:{}: {error}", error.place.line))?;
    let rows = documents.first().context("the catalog is empty")?.one_or_many();
    let mut out = HEAD.to_owned();
    for (at, row) in rows.iter().enumerate() {
        let name = part(row, "name")?;
        let constant = name.replace('@', "").replace('.', "_").to_uppercase();
        writeln!(out, "    /// `{name}`: {}.", part(row, "meaning")?)?;
        writeln!(out, "    pub const {constant}: FieldId = FieldId({at});")?;
    }
    out.push_str("}\n\n/// The catalog.\npub static FIELDS: &[Field] = &[\n");
    for row in rows {
        write_row(row, written.first(), &mut out)?;
    }
    out.push_str("];\n");
    Ok(out)
}

fn part<'a>(row: &'a Node, key: &str) -> anyhow::Result<&'a str> {
    row.get(key).and_then(Node::text).with_context(|| format!("{SOURCE}:{}: the row has no `{key}`", row.place.line))
}

fn write_row(row: &Node, written: Option<&Node>, out: &mut String) -> anyhow::Result<()> {
    let kind = match part(row, "type")? {
        "keyword" => "Keyword",
        "long" => "Long",
        "date" => "Date",
        "ip" => "Ip",
        other => bail!("{SOURCE}:{}: unknown type `{other}`", row.place.line),
    };
    let name = part(row, "name")?;
    let within = row.get("within").and_then(Node::text);
    let url = row.get("url").and_then(Node::text) == Some("true");
    writeln!(out, "    Field {{")?;
    writeln!(out, "        name: {name:?},")?;
    writeln!(out, "        kind: FieldType::{kind},")?;
    writeln!(out, "        meaning: {:?},", part(row, "meaning")?)?;
    let marked = row.get("datasets").map_or(&[][..], Node::one_or_many);
    let found = written.and_then(|table| table.get(name)).map_or(&[][..], Node::one_or_many);
    let datasets: BTreeSet<&str> = marked.iter().chain(found).filter_map(Node::text).collect();
    let datasets: Vec<&str> = if datasets.contains("*") { vec!["*"] } else { datasets.into_iter().collect() };
    writeln!(out, "        datasets: &{datasets:?},")?;
    writeln!(out, "        within: {within:?},")?;
    writeln!(out, "        url: {url},\n    }},")?;
    Ok(())
}

/// What is added to events that have the second field, beside what their lines say.
const ADDED: &[(&str, &str)] = &[
    ("source.geo.country_iso_code", "source.ip"),
    ("source.as.number", "source.ip"),
    ("source.as.organization.name", "source.ip"),
    ("source.scope", "source.ip"),
    ("user_agent.type", "user_agent.original"),
];

/// Text of the table of written fields.
pub(crate) fn written_table(root: &Path) -> anyhow::Result<String> {
    let mut written: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut folders = vec![root.join(SAMPLES)];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()? {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "log") {
                read_sample(std::fs::read(path)?, &mut written);
            }
        }
    }
    for (added, field) in ADDED {
        written.insert(added, written.get(field).cloned().unwrap_or_default());
    }
    let mut out = WRITTEN_HEAD.to_owned();
    for (name, datasets) in written {
        writeln!(out, "{name:?}: [{}]", datasets.into_iter().collect::<Vec<_>>().join(", "))?;
    }
    Ok(out)
}

fn read_sample(bytes: Vec<u8>, written: &mut BTreeMap<&str, BTreeSet<String>>) {
    let block = Block::detached("sample", bytes, Timestamp(1_795_000_000_000_000));
    let batch = parse::Parser::new(parse::Options::default()).parse(block);
    let kinds = batch.text(event::catalog::field::EVENT_DATASET);
    let any = ["json", "text", "unparsed", "continuation"];
    for field in event::catalog::FIELDS {
        let Some(at) = batch.position_of(field.name) else { continue };
        let has = |row: usize| match (batch.text_at(at), batch.long_at(at), batch.date_at(at)) {
            (Some(column), ..) => column.exists(row),
            (_, Some(column), _) | (_, _, Some(column)) => column.get(row).is_some(),
            _ => false,
        };
        let rows = (0..batch.rows()).filter(|row| has(*row));
        let names = rows.filter_map(|row| kinds?.str(row)).filter(|name| !any.contains(name));
        let known = written.entry(field.name).or_default();
        for name in names {
            if !known.contains(name) {
                known.insert(name.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_table_is_what_the_catalog_gives() {
        let root = crate::root();
        let written = std::fs::read_to_string(root.join(WRITTEN)).unwrap();
        assert_eq!(written_table(&root).unwrap(), written, "run `cargo xtask schemas`");
        let expected = catalog_table(&std::fs::read_to_string(root.join(SOURCE)).unwrap(), &written).unwrap();
        let found = std::fs::read_to_string(root.join(TARGET)).unwrap();
        // The formatter breaks long lines: compare without white space and trailing commas.
        let bare = |text: &str| text.split_whitespace().collect::<String>().replace(",]", "]").replace(",)", ")");
        assert_eq!(bare(&expected), bare(&found), "run `cargo xtask schemas`");
    }

    #[test]
    fn a_row_without_a_part_is_refused_with_its_line() {
        let error =
            catalog_table("- {name: a, type: keyword, meaning: x}\n- {type: long}\n", "").unwrap_err().to_string();
        assert!(error.contains("fields.yaml:2") && error.contains("`name`"), "{error}");
    }

    /// Documents of a rule file as JSON.
    fn documents(text: &str) -> Vec<serde_json::Value> {
        yaml::read(text).unwrap().iter().map(Node::to_json).collect()
    }

    fn rule_schema() -> jsonschema::Validator {
        let text = std::fs::read_to_string(crate::root().join("schemas/rule.schema.json")).unwrap();
        jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
    }

    fn rule_files(folder: &std::path::Path, into: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                rule_files(&entry, into);
            } else if entry.extension().is_some_and(|extension| extension == "yml") {
                into.push(entry);
            }
        }
    }

    #[test]
    fn every_rule_of_ours_is_as_the_schema_says() {
        let schema = rule_schema();
        let mut files = Vec::new();
        rule_files(&crate::root().join("rules"), &mut files);
        assert!(files.len() > 30, "the walker found its files");
        for file in files {
            for document in documents(&std::fs::read_to_string(&file).unwrap()) {
                let wrong: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
                assert!(wrong.is_empty(), "{}: {wrong:#?}", file.display());
                // A filter is tested by the rules that it is part of.
                let tested = document.get("tests").or(document.get("filter"));
                assert!(tested.is_some(), "{} has no tests", file.display());
            }
        }
    }

    #[test]
    fn the_schema_refuses_what_the_reader_refuses() {
        let schema = rule_schema();
        let good = "title: t\nlogsource: {product: linux}\ndetection: {s: {A|contains: x, B: null}, condition: s}\n";
        assert!(schema.is_valid(&documents(good)[0]));
        for (from, to) in [
            ("title: t\n", ""),
            ("logsource: {product: linux}\n", ""),
            ("product: linux", "product: Linux"),
            (", condition: s", ""),
            ("condition: s", "condition: s | count() > 5"),
            ("condition: s", "timeframe: 5m, condition: s"),
            ("A|contains", "A|cintains"),
            ("B: null", "B: []"),
            ("B: null", "B: [x, null]"),
            ("title: t", "level: severe\ntitle: t"),
            ("condition: s", "condition: []"),
            ("{product: linux}", "{prodcut: linux}"),
            ("{product: linux}", "{product: [linux, windows]}"),
            ("title: t", "tests: {match: [x]}\ntitle: t"),
            ("title: t", "correlation: {type: event_count, rules: [a], timespan: 5m, condition: {gte: 1}}\ntitle: t"),
        ] {
            assert!(good.contains(from));
            assert!(!schema.is_valid(&documents(&good.replace(from, to))[0]), "{from} -> {to}");
        }
        let correlation = "title: t\ncorrelation: {type: value_count, rules: [a], group-by: [b], timespan: 5m, condition: {gte: 2, field: c}}\n";
        assert!(schema.is_valid(&documents(correlation)[0]));
        for (from, to) in [
            ("timespan: 5m", "timespan: 0m"),
            (", field: c", ""),
            ("gte", "atleast"),
            ("value_count", "count"),
            ("group-by", "group_by"),
            ("rules: [a]", "rules: [a, a]"),
            ("rules: [a]", "rules: [a, [b]]"),
            ("gte: 2", "gte: -2"),
            ("gte: 2", "eq: 1.5"),
        ] {
            assert!(correlation.contains(from));
            assert!(!schema.is_valid(&documents(&correlation.replace(from, to))[0]), "{from} -> {to}");
        }
        let filter = "title: t\nlogsource: {product: linux}\nfilter: {rules: any, s: {A: x}, condition: s}\n";
        assert!(schema.is_valid(&documents(filter)[0]));
        for (from, to) in [("rules: any", "rules: [a, [b]]"), ("rules: any", "rules: any, timeframe: 5m")] {
            assert!(!schema.is_valid(&documents(&filter.replace(from, to))[0]), "{from} -> {to}");
        }
    }
}
