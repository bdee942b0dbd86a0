//! What to do about a finding: what its rule says, or else what its technique asks for (`schemas/response.yaml`).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::sigma::diagnostic::Problems;
use crate::yaml::{self, Node};

const STEPS: &str = include_str!("../../../schemas/response.yaml");
const DEFAULT: &str = "default";
/// Key under which a rule has steps of its own.
const KEY: &str = "c0di3.response";

fn steps() -> &'static BTreeMap<String, Vec<String>> {
    static READ: OnceLock<BTreeMap<String, Vec<String>>> = OnceLock::new();
    READ.get_or_init(|| {
        let documents = yaml::read(STEPS).unwrap_or_default();
        let pairs = documents.iter().filter_map(Node::map).flatten();
        pairs.map(|(key, node)| (key.text.clone(), texts(node))).collect()
    })
}

fn texts(node: &Node) -> Vec<String> {
    node.one_or_many().iter().filter_map(Node::text).map(str::to_owned).collect()
}

/// The steps for a rule with these techniques, the first of which says most.
pub(crate) fn read(rule: &Node, techniques: &[String], problems: &mut Problems) -> Vec<String> {
    if let Some(own) = rule.get(KEY) {
        let own_steps = texts(own);
        if own_steps.is_empty() {
            problems.error(own.place, format!("`{KEY}` is a list of steps, each a text"));
        }
        return own_steps;
    }
    let known = steps();
    let of = |technique: &String| {
        let base = technique.split('.').next().unwrap_or(technique);
        known.get(technique).or_else(|| known.get(base))
    };
    techniques.iter().find_map(of).or_else(|| known.get(DEFAULT)).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rule: &str, techniques: &[&str]) -> Vec<String> {
        let documents = yaml::read(rule).unwrap();
        let techniques: Vec<String> = techniques.iter().map(|id| (*id).to_owned()).collect();
        let mut problems = Problems::new("test");
        let steps = read(&documents[0], &techniques, &mut problems);
        assert_eq!(problems.error_count(), 0);
        steps
    }

    #[test]
    fn a_rule_or_its_technique_says_what_to_do() {
        assert_eq!(of("c0di3.response: [call the owner]", &["T1110"]), ["call the owner"]);
        assert_eq!(of("title: x", &["T1110.001"]), steps()["T1110"], "the base, where it has none of its own");
        assert_eq!(of("title: x", &["T9999", "T1110.003"]), steps()["T1110.003"]);
        assert_eq!(of("title: x", &[]), steps()["default"]);
        assert!(steps().len() > 40 && steps().values().all(|steps| !steps.is_empty()));
    }
}
