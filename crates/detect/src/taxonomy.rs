//! Names that rules use for fields, and the columns that hold them. Decided once, when a rule is compiled.

use event::catalog::FIELDS;
use event::{Field, LogSource};

/// Which names of the catalog's `sigma` column a rule for this log source speaks.
fn taxonomies(logsource: &LogSource) -> &'static [&'static str] {
    let is = |part: &Option<String>, word: &str| part.as_deref() == Some(word);
    if is(&logsource.category, "webserver") || is(&logsource.product, "apache") || is(&logsource.product, "nginx") {
        &["webserver"]
    } else if is(&logsource.category, "firewall") {
        &["firewall", "linux"]
    } else if is(&logsource.product, "linux") {
        &["linux"]
    } else {
        &[]
    }
}

/// Columns that may hold `field` for a rule on `logsource`: a rule matches if any of them does. The name itself is
/// always among them, for events that carry it literally.
pub(crate) fn columns(field: &str, logsource: &LogSource) -> Vec<String> {
    if Field::named(field).is_some() {
        return vec![field.to_owned()];
    }
    let mut columns = Vec::new();
    for taxonomy in taxonomies(logsource) {
        let speaks = |row: &&Field| row.sigma.contains(&(*taxonomy, field));
        columns.extend(FIELDS.iter().filter(speaks).map(|row| row.name.to_owned()));
    }
    columns.push(field.to_owned());
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mapped_by_log_source() {
        let source = |category: &str| LogSource { category: Some(category.into()), ..LogSource::default() };
        assert_eq!(columns("c-ip", &source("webserver")), ["source.ip", "source.address", "c-ip"]);
        assert_eq!(columns("cs-uri-query", &source("webserver")), ["url.original", "url.query", "cs-uri-query"]);
        assert_eq!(columns("c-ip", &source("process_creation")), ["c-ip"]);
        assert_eq!(columns("url.path", &source("webserver")), ["url.path"]);
    }
}
