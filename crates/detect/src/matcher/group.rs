//! The rules that judge one dataset, compiled together.

use crate::check::Check;
use crate::matcher::plan::{Direct, Plan, Predicates};
use crate::matcher::program::Program;
use crate::sigma::rule::Rule;

#[derive(Debug)]
pub(super) struct Group {
    pub(super) rules: Vec<GroupRule>,
    pub(super) checks: Vec<Check>,
    pub(super) directs: Vec<Direct>,
    pub(super) plans: Vec<Plan>,
    /// For each predicate, the rules that may match where it holds (indexes into `rules`).
    pub(super) triggered: Vec<Vec<u32>>,
    /// Rules that can match without any predicate: evaluated on every row.
    pub(super) always: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct GroupRule {
    /// Index in the rule set.
    pub(super) index: u32,
    pub(super) program: Program,
}

impl Group {
    /// `parts_hold`: fields are parts of one another as the catalog says.
    pub(super) fn compile<'a>(rules: impl Iterator<Item = (u32, &'a Rule)>, parts_hold: bool) -> Self {
        let mut predicates = Predicates::new(parts_hold);
        let rules: Vec<GroupRule> = rules
            .map(|(index, rule)| GroupRule { index, program: Program::compile(&rule.condition, rule, &mut predicates) })
            .collect();
        let mut triggered = vec![Vec::new(); predicates.checks.len()];
        let mut always = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            match rule.program.triggers(&predicates) {
                Some((_, triggers)) => {
                    for predicate in triggers {
                        triggered[predicate as usize].push(at as u32);
                    }
                }
                None => always.push(at as u32),
            }
        }
        let plans = predicates.plans();
        Group { rules, checks: predicates.checks, directs: predicates.directs, plans, triggered, always }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
