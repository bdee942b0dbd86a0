//! A rule's condition over numbered predicates, and which of them must hold for the rule to have a chance.

use rules::sigma::rule::Expr;

use crate::plan::{COST_MAX, Predicates};
use crate::row::RowCheck;

/// Values of a list that are checked one by one where the rule asks; of longer lists all are searched for.
const LIST_CHECKED_MAX: usize = 16;

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

impl Program {
    pub(super) fn compile(expr: &Expr, predicates: &mut Predicates) -> Self {
        match expr {
            Expr::And(parts) => Program::And(parts.iter().map(|part| Self::compile(part, predicates)).collect()),
            Expr::Or(parts) => Self::compile_or(parts, predicates),
            Expr::Not(inner) => Program::Not(Box::new(Self::compile(inner, predicates))),
            Expr::Named(_, inner) => Self::compile(inner, predicates),
            Expr::Item(item) => predicates.add(item),
        }
    }

    fn compile_or(parts: &[Expr], predicates: &mut Predicates) -> Self {
        let mut any_of = Vec::new();
        let mut others = Vec::new();
        for part in parts {
            match Self::compile(part, predicates) {
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

    /// Whether the condition holds for the row.
    pub(super) fn holds(&self, row: &mut RowCheck<'_>) -> bool {
        match self {
            Program::And(parts) => parts.iter().all(|part| part.holds(row)),
            Program::Or(parts) => parts.iter().any(|part| part.holds(row)),
            Program::Not(inner) => !inner.holds(row),
            Program::AnyOf(any_of) if any_of.len() <= LIST_CHECKED_MAX => {
                any_of.iter().any(|predicate| row.has(*predicate))
            }
            Program::AnyOf(any_of) => row.searched().iter().any(|predicate| any_of.binary_search(predicate).is_ok()),
            Program::Direct(test) => row.direct(*test),
        }
    }

    /// Visits the predicates of lists that are too long to be checked one by one.
    pub(super) fn long_lists(&self, visit: &mut impl FnMut(u32)) {
        match self {
            Program::And(parts) | Program::Or(parts) => parts.iter().for_each(|part| part.long_lists(visit)),
            Program::Not(inner) => inner.long_lists(visit),
            Program::AnyOf(any_of) if any_of.len() > LIST_CHECKED_MAX => any_of.iter().copied().for_each(visit),
            Program::AnyOf(_) | Program::Direct(_) => {}
        }
    }

    /// Predicates of which at least one must hold, chosen to be rare; with the expected cost of evaluating on them.
    /// `None` where the condition can hold without any (absence, negation).
    pub(super) fn triggers(&self, predicates: &Predicates) -> Option<(u64, Vec<u32>)> {
        match self {
            Program::And(parts) => parts.iter().filter_map(|part| part.triggers(predicates)).min(),
            Program::Or(parts) => {
                let mut all: (u64, Vec<u32>) = (0, Vec::new());
                for part in parts {
                    let (cost, more) = part.triggers(predicates)?;
                    all.0 += cost;
                    all.1.extend(more);
                }
                Some((all.0.min(COST_MAX), all.1))
            }
            Program::AnyOf(any_of) => {
                let cost: u64 = any_of.iter().map(|predicate| predicates.cost(*predicate)).sum();
                Some((cost.min(COST_MAX), any_of.to_vec()))
            }
            Program::Not(_) | Program::Direct(_) => None,
        }
    }
}
