//! A rule's condition over numbered predicates, and which of them must hold for the rule to have a chance.

use crate::matcher::plan::Predicates;
use crate::sigma::rule::{Expr, Rule};

/// A compiled condition.
#[derive(Debug)]
pub(super) enum Program {
    And(Vec<Program>),
    Or(Vec<Program>),
    Not(Box<Program>),
    /// Any of these predicates, sorted: long value lists cost a look-up, not a walk.
    AnyOf(Box<[u32]>),
    /// A test that no scan can answer, such as absence.
    Direct(u32),
}

/// The predicates that hold for a row, as a list and as bits.
pub(super) struct Held<'a> {
    pub(super) list: &'a [u32],
    pub(super) bits: &'a [u64],
}

impl Held<'_> {
    fn has(&self, predicate: u32) -> bool {
        self.bits[predicate as usize / 64] >> (predicate % 64) & 1 == 1
    }
}

impl Program {
    pub(super) fn compile(expr: &Expr, rule: &Rule, predicates: &mut Predicates) -> Self {
        match expr {
            Expr::And(parts) => Program::And(parts.iter().map(|part| Self::compile(part, rule, predicates)).collect()),
            Expr::Or(parts) => Self::compile_or(parts, rule, predicates),
            Expr::Not(inner) => Program::Not(Box::new(Self::compile(inner, rule, predicates))),
            Expr::Named(_, inner) => Self::compile(inner, rule, predicates),
            Expr::Item(item) => predicates.add(item, rule),
        }
    }

    fn compile_or(parts: &[Expr], rule: &Rule, predicates: &mut Predicates) -> Self {
        let mut any_of = Vec::new();
        let mut others = Vec::new();
        for part in parts {
            match Self::compile(part, rule, predicates) {
                Program::AnyOf(more) => any_of.extend(more),
                other => others.push(other),
            }
        }
        if !any_of.is_empty() {
            any_of.sort_unstable();
            any_of.dedup();
            others.push(Program::AnyOf(any_of.into()));
        }
        if others.len() == 1 { others.remove(0) } else { Program::Or(others) }
    }

    /// Whether the condition holds, given the predicates that do.
    pub(super) fn holds(&self, row: &Held<'_>, direct: &impl Fn(u32) -> bool) -> bool {
        match self {
            Program::And(parts) => parts.iter().all(|part| part.holds(row, direct)),
            Program::Or(parts) => parts.iter().any(|part| part.holds(row, direct)),
            Program::Not(inner) => !inner.holds(row, direct),
            Program::AnyOf(any_of) if any_of.len() <= row.list.len() * 4 => {
                any_of.iter().any(|predicate| row.has(*predicate))
            }
            Program::AnyOf(any_of) => row.list.iter().any(|predicate| any_of.binary_search(predicate).is_ok()),
            Program::Direct(test) => direct(*test),
        }
    }

    /// Predicates of which at least one must hold, chosen to be rare; with the expected cost of evaluating on them.
    /// `None` where the condition can hold without any (absence, negation).
    pub(super) fn triggers(&self, predicates: &Predicates) -> Option<(u64, Vec<u32>)> {
        match self {
            Program::And(parts) => parts.iter().filter_map(|part| part.triggers(predicates)).min(),
            Program::Or(parts) => {
                let mut all = (0, Vec::new());
                for part in parts {
                    let (cost, more) = part.triggers(predicates)?;
                    all.0 += cost;
                    all.1.extend(more);
                }
                Some(all)
            }
            Program::AnyOf(any_of) => {
                Some((any_of.iter().map(|predicate| predicates.cost(*predicate)).sum(), any_of.to_vec()))
            }
            Program::Not(_) | Program::Direct(_) => None,
        }
    }
}
