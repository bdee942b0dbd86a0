//! Rules that can match without any predicate, such as "a method, and none of these": most rows are ruled out for them
//! by the verdicts on their values, by what their conditions need at the least. What is left is evaluated as every rule is,
//! so that a gate decides nothing; evaluating such rules on every row is the slow twin.

use crate::program::Program;

/// Rules that have a gate, at most: as many as a verdict has bits for.
pub(super) const GATES_MAX: usize = 128;

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

    /// Whether a condition needs tests of the row itself.
    pub(super) fn has_directs(program: &Program) -> bool {
        match program {
            Program::And(parts) => parts.iter().any(Self::has_directs),
            Program::Direct(_) => true,
            Program::Or(_) | Program::AnyOf(_) | Program::Not(_) => false,
        }
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
