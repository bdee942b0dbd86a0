//! The rules that judge one dataset, compiled together.

use rules::check::Check;
use rules::percent::is_url_column;
use rules::sigma::rule::Rule;

use crate::cache::Role;
use crate::compile::{COST_MAX, COST_OF_FREQUENT, Predicates};
use crate::gate::{GATES_MAX, Gate};
use crate::plan::{self, Plan};
use crate::predicate::{ColumnId, Direct};
use crate::program::Program;

/// Rules compiled together: their programs, the predicates that these share, and how each column is searched for them.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) rules: Vec<GroupRule>,
    /// The check of each predicate.
    pub(super) checks: Vec<Check>,
    /// Columns of each predicate.
    pub(super) columns_of: Vec<Box<[ColumnId]>>,
    /// Names of the columns, and whether their text is also matched decoded.
    pub(super) columns: Vec<(String, bool)>,
    /// Predicates that are searched for in every row; the others are checked when a rule asks.
    pub(super) searched: Vec<bool>,
    pub(super) directs: Vec<Direct>,
    pub(super) plans: Vec<Plan>,
    /// For each predicate, the rules that may match where it holds (indexes into `rules`).
    pub(super) triggered: Vec<Vec<u32>>,
    /// What each predicate means for the row in which it holds.
    pub(super) roles: Vec<Role>,
    /// Rules that can match without any predicate: evaluated on every row that their gate leaves open.
    pub(super) always: Vec<(u32, Gate)>,
    /// Rules without a gate: those that look at some rows only, and what is more than there are gates. Evaluated on every
    /// row that is looked at.
    pub(super) ungated: Vec<u32>,
    /// One in how many rows the former look at; each number once.
    pub(super) samples: Vec<u32>,
}

/// What is quickly asked is asked first.
fn order(rules: &mut [GroupRule], predicates: &Predicates, searched: &[bool]) {
    let efforts: Vec<usize> = searched.iter().zip(0..).map(|(known, at)| predicates.effort(at, *known)).collect();
    rules.iter_mut().for_each(|rule| rule.program.order(&efforts));
}

/// A rule that is evaluated in many rows asks the search for what a search finds.
fn search_also(program: &Program, predicates: &Predicates, searched: &mut [bool]) {
    program.each(&mut |predicate| searched[predicate as usize] |= predicates.is_found_in_place(predicate));
}

/// A rule of a group.
#[derive(Debug)]
pub(super) struct GroupRule {
    /// Index in the rule set.
    pub(super) index: u32,
    pub(super) program: Program,
    /// Only one in so many events is looked at.
    pub(super) sample_of: Option<u32>,
}

impl Group {
    /// `parts_hold`: fields are parts of one another as the catalog says. `sampled`: rules that look at some events
    /// only do so.
    pub(super) fn compile<'a>(rules: impl Iterator<Item = (u32, &'a Rule)>, parts_hold: bool, sampled: bool) -> Self {
        let mut predicates = Predicates::new(parts_hold);
        let mut rules: Vec<GroupRule> = rules
            .map(|(index, rule)| {
                let program = Program::compile(&rule.condition, &mut predicates);
                GroupRule { index, program, sample_of: rule.sample_of.filter(|_| sampled) }
            })
            .collect();
        let mut triggered = vec![Vec::new(); predicates.checks.len()];
        let mut searched = vec![false; predicates.checks.len()];
        let (mut always, mut ungated) = (Vec::new(), Vec::new());
        for (at, rule) in rules.iter().enumerate() {
            if rule.sample_of.is_some() {
                // A sampled rule needs no triggers: it is evaluated on every row of its sample, and on no other.
                ungated.push(at as u32);
                continue;
            }
            match rule.program.triggers(&predicates) {
                // What triggers it holds in most rows: a test of the row rules out more.
                Some((COST_MAX, _)) if Gate::has_directs(&rule.program) => always.push(at as u32),
                Some((cost, triggers)) => {
                    for predicate in triggers {
                        triggered[predicate as usize].push(at as u32);
                        searched[predicate as usize] = true;
                    }
                    if cost >= COST_OF_FREQUENT {
                        search_also(&rule.program, &predicates, &mut searched);
                    }
                }
                None => always.push(at as u32),
            }
            rule.program.long_lists(&mut |predicate| searched[predicate as usize] = true);
        }
        for (predicate, searched) in searched.iter_mut().enumerate() {
            // Looked up by the value, not by the row.
            *searched |= predicates.is_on_words(predicate as u32);
        }
        order(&mut rules, &predicates, &searched);
        ungated.extend(always.split_off(always.len().min(GATES_MAX)));
        let always: Vec<(u32, Gate)> =
            always.into_iter().map(|rule| (rule, Gate::new(&rules[rule as usize].program, &searched))).collect();
        let triggers = triggered.iter().map(|rules| !rules.is_empty());
        let mut roles: Vec<Role> = triggers.map(|triggers| Role { triggers, closes: 0 }).collect();
        for (at, (_, gate)) in always.iter().enumerate() {
            gate.absent.iter().for_each(|predicate| roles[*predicate as usize].closes |= 1 << at);
        }
        let mut samples: Vec<u32> = rules.iter().filter_map(|rule| rule.sample_of).collect();
        samples.sort_unstable();
        samples.dedup();
        let plans = plan::plans(&predicates, &searched);
        let Predicates { checks, columns: columns_of, directs, names, .. } = predicates;
        let columns = names.into_iter().map(|name| {
            let decodes = is_url_column(&name);
            (name, decodes)
        });
        Group {
            rules,
            checks,
            columns_of,
            columns: columns.collect(),
            searched,
            directs,
            plans,
            triggered,
            roles,
            always,
            ungated,
            samples,
        }
    }

    /// Makes the searches and engines that are otherwise made when a batch first has their column.
    pub(super) fn prepare(&self) {
        for plan in &self.plans {
            plan.literals();
            plan.engines();
        }
    }

    /// Whether some rule looks at every row.
    pub(super) fn looks_at_all(&self) -> bool {
        self.ungated.iter().any(|rule| self.rules[*rule as usize].sample_of.is_none())
    }

    /// All gates, as bits.
    pub(super) fn gates(&self) -> u128 {
        u128::MAX.checked_shr((GATES_MAX - self.always.len()) as u32).unwrap_or(0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
