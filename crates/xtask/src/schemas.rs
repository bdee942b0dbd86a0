//! `schemas/fields.yaml` → the field catalog in the program.

use std::fmt::Write;

use anyhow::{Context, anyhow, bail};
use detect::yaml::{self, Node};

pub(crate) const SOURCE: &str = "schemas/fields.yaml";
pub(crate) const TARGET: &str = "crates/event/src/catalog/table.rs";

const HEAD: &str = "//! Generated from schemas/fields.yaml by `cargo xtask schemas`. Do not edit. (flat table)

use super::{Field, FieldId, FieldType};

/// Ids of the catalog's fields.
pub mod field {
    use super::FieldId;

";

/// Text of the generated file.
pub(crate) fn catalog_table(text: &str) -> anyhow::Result<String> {
    let documents = yaml::read(text).map_err(|error| anyhow!("{SOURCE}:{}: {error}", error.place.line))?;
    let rows = documents.first().context("the catalog is empty")?.one_or_many();
    let mut out = HEAD.to_owned();
    for (at, row) in rows.iter().enumerate() {
        let name = part(row, "name")?;
        let constant = name.replace('@', "").replace('.', "_").to_uppercase();
        writeln!(out, "    pub const {constant}: FieldId = FieldId({at});")?;
    }
    out.push_str("}\n\n/// The catalog.\npub static FIELDS: &[Field] = &[\n");
    for row in rows {
        write_row(row, &mut out)?;
    }
    out.push_str("];\n");
    Ok(out)
}

fn part<'a>(row: &'a Node, key: &str) -> anyhow::Result<&'a str> {
    row.get(key).and_then(Node::text).with_context(|| format!("{SOURCE}:{}: the row has no `{key}`", row.place.line))
}

fn write_row(row: &Node, out: &mut String) -> anyhow::Result<()> {
    let kind = match part(row, "type")? {
        "keyword" => "Keyword",
        "long" => "Long",
        "date" => "Date",
        "ip" => "Ip",
        other => bail!("{SOURCE}:{}: unknown type `{other}`", row.place.line),
    };
    let within = row.get("within").and_then(Node::text);
    let url = row.get("url").and_then(Node::text) == Some("true");
    writeln!(out, "    Field {{")?;
    writeln!(out, "        name: {:?},", part(row, "name")?)?;
    writeln!(out, "        kind: FieldType::{kind},")?;
    writeln!(out, "        meaning: {:?},", part(row, "meaning")?)?;
    let datasets: Vec<&str> =
        row.get("datasets").map_or(&[][..], Node::one_or_many).iter().filter_map(Node::text).collect();
    writeln!(out, "        datasets: &{datasets:?},")?;
    writeln!(out, "        within: {within:?},")?;
    writeln!(out, "        url: {url},\n    }},")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_table_is_what_the_catalog_gives() {
        let root = crate::root();
        let expected = catalog_table(&std::fs::read_to_string(root.join(SOURCE)).unwrap()).unwrap();
        let found = std::fs::read_to_string(root.join(TARGET)).unwrap();
        // The formatter breaks long lines: compare without white space and trailing commas.
        let bare = |text: &str| text.split_whitespace().collect::<String>().replace(",]", "]").replace(",)", ")");
        assert_eq!(bare(&expected), bare(&found), "run `cargo xtask schemas`");
    }

    #[test]
    fn a_row_without_a_part_is_refused_with_its_line() {
        let error = catalog_table("- {name: a, type: keyword, meaning: x}\n- {type: long}\n").unwrap_err().to_string();
        assert!(error.contains("fields.yaml:2") && error.contains("`name`"), "{error}");
    }
}
