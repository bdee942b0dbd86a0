//! Lines of hosts (`quality/hosts.tsv`): what single lines of syslog and audit records tell, by class, and what honest hosts
//! write. The lines were written by somebody who had not seen the rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::{Block, Timestamp};
use matcher::{MatchScratch, Matcher};
use parse::{Options, Parser};
use rules::RuleSet;

use crate::quality::{Share, speaks};

const LINES: &str = include_str!("../../quality/hosts.tsv");
/// Class of lines that nobody should be told of.
const HONEST: &str = "-";

/// Lines found, by class, and honest lines reported.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    pub(crate) classes: BTreeMap<&'static str, Share>,
    pub(crate) honest: Share,
    missed: Vec<(&'static str, &'static str)>,
    reported: Vec<(String, &'static str)>,
}

pub(crate) fn measure(set: RuleSet) -> Hosts {
    let set = Arc::new(set);
    let lines: Vec<(&str, &str)> =
        LINES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t')).collect();
    let text: String = lines.iter().map(|(_, line)| format!("{line}\n")).collect();
    let received = Timestamp::from_unix_seconds(1_795_000_000);
    let batch = Parser::new(Options::default()).parse(Block::detached("hosts", text.into_bytes(), received));
    let matcher = Matcher::new(Arc::clone(&set), None);
    let mut found: BTreeMap<usize, &str> = BTreeMap::new();
    for (row, rule) in matcher.matches(&batch, &mut MatchScratch::default()) {
        if speaks(&set, *rule as usize) {
            found.insert(*row as usize, &set.rules[*rule as usize].head.title);
        }
    }
    let mut hosts = Hosts::default();
    for (row, (class, line)) in lines.into_iter().enumerate() {
        let title = found.get(&row);
        if class == HONEST {
            hosts.honest.add(title.is_some());
            hosts.reported.extend(title.map(|title| ((*title).to_owned(), line)));
        } else {
            hosts.classes.entry(class).or_default().add(title.is_some());
            if title.is_none() {
                hosts.missed.push((class, line));
            }
        }
    }
    hosts
}

impl Hosts {
    pub(crate) fn recall(&self) -> Share {
        self.classes
            .values()
            .fold(Share::default(), |all, one| Share { hits: all.hits + one.hits, of: all.of + one.of })
    }

    /// For people: some lines that were not found, and some that should not have been.
    pub(crate) fn examples(&self, most: usize) -> String {
        let missed = self.missed.iter().take(most).map(|(class, line)| format!("not found, {class}: {line}"));
        let reported = self.reported.iter().take(most).map(|(title, line)| format!("reported, {title}: {line}"));
        missed.chain(reported).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::own_rules;

    /// What no class may fall below, in percent, and honest lines that may be reported, of a thousand.
    const RECALL_MIN: f64 = 0.85;
    const CLASS_MIN: f64 = 0.60;
    const HONEST_MAX: f64 = 0.01;

    #[test]
    fn lines_of_hosts_are_found_in_every_class_and_honest_ones_left_alone() {
        let hosts = measure(own_rules(&crate::root(), 1).unwrap());
        assert!(hosts.recall().share() >= RECALL_MIN, "{:.3}\n{}", hosts.recall().share(), hosts.examples(40));
        for (class, share) in &hosts.classes {
            assert!(share.share() >= CLASS_MIN, "{class}: {:.3}\n{}", share.share(), hosts.examples(40));
        }
        assert!(hosts.honest.share() <= HONEST_MAX, "{:.4}\n{}", hosts.honest.share(), hosts.examples(40));
    }
}
