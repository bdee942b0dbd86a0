//! What to do about a finding: what its rule says, or else what its technique asks for (`schemas/response.yaml`).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::rule_text::{RuleText, standard};
use crate::sigma::diagnostic::{Diagnostic, Problems};
use crate::yaml::Node;

/// Where the steps stand.
const STEPS_PATH: &str = "schemas/response.yaml";
const DEFAULT: &str = "default";
/// Key under which a rule has steps of its own.
const KEY: &str = "c0di3.response";

/// Steps by the id of the technique, such as `T1110.003`, or `default`.
type StepsById = BTreeMap<String, Vec<String>>;

fn known() -> &'static (StepsById, Vec<Diagnostic>) {
    static READ: OnceLock<(StepsById, Vec<Diagnostic>)> = OnceLock::new();
    READ.get_or_init(|| by_id(standard(STEPS_PATH)))
}

fn steps() -> &'static StepsById {
    &known().0
}

/// What is wrong with the steps that are part of the program: nothing, or loading tells it.
pub(crate) fn problems() -> &'static [Diagnostic] {
    &known().1
}

/// Reads a file of steps: what can be used of it, and what is wrong with the rest.
fn by_id(file: RuleText<'_>) -> (StepsById, Vec<Diagnostic>) {
    let mut problems = Problems::new(STEPS_PATH);
    let documents = file.sound_documents().unwrap_or_else(|error| {
        problems.error(error.place, error.message);
        Vec::new()
    });
    let mut steps = StepsById::new();
    for document in &documents {
        let Some(pairs) = document.map() else {
            problems.error(document.place, format!("steps are a map by technique, not {}", document.shown()));
            continue;
        };
        for (key, node) in pairs {
            let of_key = texts(node);
            if of_key.is_empty() || of_key.len() < node.one_or_many().len() {
                problems.error(node.place, format!("`{}` needs a list of steps, each a text", key.text));
            }
            steps.insert(key.text.clone(), of_key);
        }
    }
    if !steps.contains_key(DEFAULT) {
        let place = documents.first().map_or_else(Default::default, |document| document.place);
        problems.error(place, format!("`{DEFAULT}` is missing: the steps for every other technique"));
    }
    (steps, problems.into_found())
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
    use crate::yaml;

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

    #[test]
    fn a_bad_file_of_steps_is_told() {
        assert_eq!(problems(), [], "the file that is part of the program");
        for (text, line, words) in [
            ("default: [a]\nT1: [b\n", 2, "not YAML"),
            ("default: [a]\nT1: {b: c}\n", 2, "`T1` needs a list"),
            ("default: [a]\nT1: [b, [c]]\n", 2, "`T1` needs a list"),
            ("default: []\n", 1, "`default` needs a list"),
            ("- default\n", 1, "a map by technique"),
            ("T1: [b]\n", 1, "`default` is missing"),
            ("", 0, "`default` is missing"),
        ] {
            let found = by_id((STEPS_PATH, text).into()).1;
            assert!(found.iter().any(|problem| problem.reason.contains(words)), "{text:?}: {found:?}");
            assert!(found.iter().any(|problem| problem.line.abs_diff(line) <= 1), "{text:?}: {found:?}");
        }
    }
}
