//! Loading rule files: all rules, or one of many with those that it needs: what it counts, what forgives it, the packs whose points it adds
//! up. Filters stay as they are: they mean rules by what those are.

use std::collections::BTreeSet;

use super::keys::RuleKeys;
use super::{Loaded, Loading, names, reading};
use crate::response;
use crate::rule_text::RuleText;
use crate::sigma::diagnostic::Diagnostic;
use crate::sigma::rule::Head;
use crate::sigma::words;
use crate::taxonomy::{self, Terms};

/// Loads rules from files, each with the path that diagnostics name. One bad rule never fails the set.
pub fn load<'a>(files: impl IntoIterator<Item = impl Into<RuleText<'a>>>, terms: &Terms) -> Loaded {
    read(files, terms, |loading, terms| loading.finish(terms))
}

/// Loads of these files one rule, by id, name or title, and those that it needs. Where no file has it: what was wrong with what
/// was read.
pub fn load_alone<'a>(
    files: impl IntoIterator<Item = impl Into<RuleText<'a>>>,
    terms: &Terms,
    wanted: &str,
) -> Result<Loaded, Vec<Diagnostic>> {
    read(files, terms, |mut loading, terms| match loading.keep_alone(wanted) {
        true => Ok(loading.finish(terms)),
        false => Err(loading.diagnostics),
    })
}

/// Loads the rules of the files with these paths, and those of the other files that they need. Where they hold no rule: what was
/// wrong with what was read.
pub fn load_given<'a>(
    files: impl IntoIterator<Item = impl Into<RuleText<'a>>>,
    terms: &Terms,
    paths: &[&str],
) -> Result<Loaded, Vec<Diagnostic>> {
    let is_given = |head: &Head| paths.contains(&head.path.as_ref());
    read(files, terms, |mut loading, terms| match loading.keep(is_given) {
        true => Ok(loading.finish(terms)),
        false => Err(loading.diagnostics),
    })
}

/// Reads all documents; what becomes of them is the caller's to say.
fn read<'a, T>(
    files: impl IntoIterator<Item = impl Into<RuleText<'a>>>,
    terms: &Terms,
    end: impl FnOnce(Loading, &Terms) -> T,
) -> T {
    let mut loading = Loading::default();
    // Files that are part of the program: a mistake in them is told like one of the user's.
    loading.diagnostics.extend(response::problems().iter().chain(&taxonomy::standard().1).cloned());
    let files: Vec<RuleText<'_>> = files.into_iter().map(Into::into).collect();
    let vocabulary = terms.vocabulary.with(&files, &mut loading.diagnostics);
    let terms = &Terms { vocabulary, ..terms.clone() };
    let files: Vec<RuleText<'_>> = files.into_iter().filter(|file| !words::is_vocabulary(file.text)).collect();
    for (documents, mut problems) in reading::read_all(&files, terms) {
        loading.diagnostics.append(&mut problems);
        for document in documents {
            loading.accept(document);
        }
    }
    end(loading, terms)
}

impl Loading {
    /// Keeps the rule of this id, name or title, and what it needs. False where there is none: then nothing has changed.
    pub(super) fn keep_alone(&mut self, wanted: &str) -> bool {
        let rules = self.rules.iter().map(|rule| &rule.head);
        let mut heads = rules.chain(self.correlations.iter().map(|rule| &rule.head));
        let first = heads.find(|head| names(head, wanted)).map(|head| head.id.clone());
        first.is_some_and(|first| self.keep(|head| head.id == first))
    }

    /// Keeps the rules that are wanted, and what they need. False where there is none: then nothing has changed.
    pub(super) fn keep(&mut self, is_wanted: impl Fn(&Head) -> bool) -> bool {
        let rules = || self.rules.iter().map(|rule| &rule.head);
        let correlations = || self.correlations.iter().map(|rule| &rule.head);
        let mut todo: Vec<String> =
            rules().chain(correlations()).filter(|head| is_wanted(head)).map(|head| head.id.clone()).collect();
        if todo.is_empty() {
            return false;
        }
        let mut kept: BTreeSet<String> = todo.iter().cloned().collect();
        while let Some(id) = todo.pop() {
            for needed in self.needed_by(&id) {
                let fits = |head: &&Head| head.id == needed || head.name.as_deref() == Some(needed.as_str());
                let Some(head) = rules().chain(correlations()).find(fits) else { continue };
                if kept.insert(head.id.clone()) {
                    todo.push(head.id.clone());
                }
            }
        }
        self.rules.retain(|rule| kept.contains(&rule.head.id));
        self.correlations.retain(|rule| kept.contains(&rule.head.id));
        self.keys = RuleKeys::default();
        // Keys were told apart when the rules were accepted.
        self.rules.iter().all(|rule| self.keys.add(&rule.head.id).is_ok())
    }

    /// Names of the rules that a rule refers to.
    fn needed_by(&self, id: &str) -> Vec<String> {
        let rule = self.rules.iter().filter(|rule| rule.head.id == id).flat_map(|rule| &rule.sum_of);
        let correlation = self.correlations.iter().filter(|rule| rule.head.id == id);
        rule.chain(correlation.flat_map(|rule| rule.references())).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::taxonomy::Terms;
    use crate::{load, load_alone, load_given};

    const FILE: &str = "title: A\nid: 6f0f6a0b-2f0a-4f0e-8d0e-000000000001\nname: a\nlogsource: {product: linux}\n\
        detection: {s: [one], condition: s}\n---\ntitle: B\nid: 6f0f6a0b-2f0a-4f0e-8d0e-000000000002\n\
        logsource: {product: linux}\ndetection: {s: [two], condition: s}\n---\ntitle: Many A\n\
        id: 6f0f6a0b-2f0a-4f0e-8d0e-000000000003\ncorrelation: {type: event_count, rules: [a], timespan: 5m, condition: {gte: 3}}\n";

    #[test]
    fn a_rule_is_loaded_with_those_that_it_needs() {
        let titles = |wanted: &str| {
            let loaded = load_alone([("f.yml", FILE)], &Terms::default(), wanted).ok()?;
            Some(loaded.set.heads().map(|head| head.title.clone()).collect::<Vec<_>>())
        };
        assert_eq!(load([("f.yml", FILE)], &Terms::default()).set.heads().count(), 3);
        assert_eq!(titles("Many A"), Some(vec!["A".to_owned(), "Many A".to_owned()]));
        assert_eq!(titles("6f0f6a0b-2f0a-4f0e-8d0e-000000000002"), Some(vec!["B".to_owned()]));
        assert_eq!(titles("a"), Some(vec!["A".to_owned()]));
        assert_eq!(titles("C"), None);
        let counting = FILE.rsplit("---").next().unwrap_or("");
        let given = load_given([("given.yml", counting), ("f.yml", FILE)], &Terms::default(), &["given.yml"]).unwrap();
        assert_eq!(given.set.heads().map(|head| head.title.as_str()).collect::<Vec<_>>(), ["A", "Many A"]);
        assert!(load_given([("f.yml", FILE)], &Terms::default(), &["given.yml"]).is_err());
        let broken =
            load_alone([("b.yml", "title: a\ndetection: {s: {x: 1}, condition: t}\n")], &Terms::default(), "a");
        assert!(broken.unwrap_err().iter().any(|problem| problem.path == "b.yml"), "what is wrong is told");
        let set = load_alone([("f.yml", FILE)], &Terms::default(), "Many A").unwrap().set;
        assert_eq!(set.rule_of(set.key_of(0)), Some(0));
    }
}
