//! Names by log source: which columns a field of a rule may stand in.

use super::*;

fn source(category: &str) -> LogSource {
    LogSource { category: Some(category.into()), ..LogSource::default() }
}

#[test]
fn names_are_mapped_by_log_source() {
    let terms = Terms::default();
    let columns = |field: &str, category: &str| terms.taxonomy.names_for(&source(category)).columns(field);
    assert_eq!(columns("c-ip", "webserver"), ["source.ip", "source.address", "c-ip"]);
    assert_eq!(columns("cs-uri-query", "webserver"), ["url.query", "cs-uri-query"]);
    assert_eq!(columns("c-ip", "process_creation"), ["c-ip"]);
    assert_eq!(columns("url.path", "webserver"), ["url.path"]);
}

#[test]
fn a_rule_speaks_every_entry_that_its_log_source_satisfies() {
    let terms = Terms::default();
    let linux = LogSource { product: Some("linux".into()), ..LogSource::default() };
    let names = terms.taxonomy.names_for(&LogSource { category: Some("process_creation".into()), ..linux });
    assert_eq!(names.columns("User"), ["user.name", "process.user.name", "User"]);
    assert_eq!(names.columns("Image"), ["process.executable", "Image", "process.name", "auditd.log.comm"]);
}

#[test]
fn what_is_wrong_with_an_entry_is_told_with_its_line() {
    let mut taxonomy = Taxonomy::default();
    let text = "- logsource: {produkt: x}\n  fields:\n    a: []\n    b: {column: c, scale: none}\n    d: {column: c, prefix: x, trailing: y}\n- fields: {}\n";
    let found: Vec<String> = taxonomy.add("mine.yaml", text).iter().map(ToString::to_string).collect();
    let wanted = [
        ("mine.yaml:1", "`produkt`"),
        ("mine.yaml:1", "needs a product"),
        ("mine.yaml:3", "at least one column"),
        ("mine.yaml:4", "above 0"),
        ("mine.yaml:5", "one other form"),
        ("mine.yaml:6", "needs `logsource`"),
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, (place, words)) in found.iter().zip(wanted) {
        assert!(found.starts_with(place) && found.contains(words), "{found}");
    }
}
