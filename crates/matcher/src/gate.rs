//! Rules that can match without any predicate, such as "a method, and none of these": most rows are ruled out for them
//! column by column, by what their conditions need at the least. What is left is evaluated as every rule is, so that a gate
//! decides nothing; evaluating such rules on every row is the slow twin.

use crate::cache::{VerdictId, Verdicts};
use crate::program::Program;

/// What a rule needs of a row at the least.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Tests of the row itself that hold.
    pub(super) directs: Vec<u32>,
    /// Predicates that are searched for, and hold nowhere in the row.
    pub(super) absent: Vec<u32>,
}

impl Gate {
    /// The gate of a condition. `searched`: predicates that are searched for in every row.
    pub(super) fn new(program: &Program, searched: &[bool]) -> Self {
        let mut gate = Gate::default();
        gate.require(program);
        gate.absent.retain(|predicate| searched[*predicate as usize]);
        gate
    }

    /// Predicates that must not hold, whether they are searched for or not.
    pub(super) fn excluded(program: &Program) -> Vec<u32> {
        let mut gate = Gate::default();
        gate.require(program);
        gate.absent
    }

    fn require(&mut self, program: &Program) {
        match program {
            Program::And(parts) => parts.iter().for_each(|part| self.require(part)),
            Program::Direct(test) => self.directs.push(*test),
            Program::Not(inner) => self.exclude(inner),
            Program::Or(_) | Program::AnyOf(_) => {}
        }
    }

    /// None of several holds only where each of them does not.
    fn exclude(&mut self, program: &Program) {
        match program {
            Program::Or(parts) => parts.iter().for_each(|part| self.exclude(part)),
            Program::AnyOf(any_of) => self.absent.extend(any_of.iter()),
            Program::And(_) | Program::Not(_) | Program::Direct(_) => {}
        }
    }
}

/// A column that was searched, as gates see it.
pub(super) struct SearchedColumn<'a> {
    /// Predicates on the column, in order.
    pub(super) predicates: &'a [u32],
    pub(super) verdicts: &'a Verdicts,
    /// Verdict of each row.
    pub(super) of_rows: &'a [VerdictId],
}

/// Takes the rows out of `open` (as bits) in which a predicate holds that must not.
pub(super) fn close_where_held(absent: &[u32], columns: &[SearchedColumn<'_>], open: &mut [u64]) {
    for predicate in absent {
        for column in columns.iter().filter(|column| column.predicates.binary_search(predicate).is_ok()) {
            for (at, verdict) in column.of_rows.iter().enumerate().filter(|(_, verdict)| **verdict != 0) {
                let holds = column.verdicts.of(*verdict).held.contains(predicate);
                open[at / 64] &= !(u64::from(holds) << (at % 64));
            }
        }
    }
}
