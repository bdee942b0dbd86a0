//! Keys under which state is saved: kind, id of the rule, group. Ids stand in them, because the order of rules may
//! change from one start to the next.

use rules::ruleset::RuleSet;

/// Between the parts of a key.
pub(crate) const SEPARATOR: char = '\u{1f}';

/// Ids of the detection rules, by index.
pub(crate) fn rule_ids(set: &RuleSet) -> Vec<String> {
    set.rules.iter().map(|rule| rule.head.id.clone()).collect()
}

/// Ids of the correlations, by index.
pub(crate) fn correlation_ids(set: &RuleSet) -> Vec<String> {
    set.correlations.iter().map(|bound| bound.rule.head.id.clone()).collect()
}

/// Key of an open finding in the table of them: rule by index, and group.
pub(crate) fn fold_table_key(rule: u32, group: &str) -> String {
    format!("{rule}{SEPARATOR}{group}")
}

/// Rule and group of such a key.
pub(crate) fn read_fold_table_key(key: &str) -> Option<(usize, &str)> {
    let (rule, group) = key.split_once(SEPARATOR)?;
    Some((rule.parse().ok()?, group))
}

/// Key under which an open finding is saved: the rule by id instead of by index.
pub(crate) fn fold_key(rules: &[String], key: &str) -> String {
    let (rule, group) = read_fold_table_key(key).map_or((None, ""), |(rule, group)| (rules.get(rule), group));
    let id = rule.map_or("", String::as_str);
    format!("fold{SEPARATOR}{id}{SEPARATOR}{group}")
}

/// Key under which a window of a correlation is saved.
pub(crate) fn window_key(id: &str, key: &str) -> String {
    format!("window{SEPARATOR}{id}{SEPARATOR}{key}")
}

/// Key under which the risk of an entity is saved.
pub(crate) fn risk_key(entity: &str) -> String {
    format!("risk{SEPARATOR}{SEPARATOR}{entity}")
}

/// Kind, rule id and group of a saved key.
pub(crate) fn read_saved_key(key: &str) -> Option<(&str, &str, &str)> {
    let mut parts = key.splitn(3, SEPARATOR);
    Some((parts.next()?, parts.next()?, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_were_written() {
        let ids = ["ssh".to_owned(), "web".to_owned()];
        let group = "source.ip=192.0.2.7\u{1f}odd";
        let saved = fold_key(&ids, &fold_table_key(1, group));
        assert_eq!(read_saved_key(&saved), Some(("fold", "web", group)));
        assert_eq!(read_saved_key(&window_key("spray", "9:192.0.2.7")), Some(("window", "spray", "9:192.0.2.7")));
        assert_eq!(read_saved_key(&risk_key("user.name=root")), Some(("risk", "", "user.name=root")));
        assert_eq!(read_saved_key("fold"), None);
    }
}
