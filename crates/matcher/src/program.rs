//! A rule's condition over numbered predicates. Data alone: it is compiled in `compile.rs` and run in `row.rs`.

/// Longest list of values that is checked one by one where the rule asks. Of longer lists, all values are searched for.
pub(super) const LIST_CHECKED_MAX: usize = 16;

/// Effort of a test of the row itself.
const DIRECT_EFFORT: usize = 8;

/// A compiled condition.
#[derive(Debug)]
pub(super) enum Program {
    /// All of these hold.
    And(Vec<Program>),
    /// One of these holds.
    Or(Vec<Program>),
    Not(Box<Program>),
    /// Any of these predicates, sorted: long value lists cost a look-up, not a walk.
    AnyOf(Box<[u32]>),
    /// A test that no search can answer, such as absence: its number.
    Direct(u32),
}

impl Program {
    /// Puts what is quickly asked before what must be looked up in the row. `efforts`: of each predicate, 1 where it is known
    /// when the program runs. Which part is asked first changes no answer.
    pub(super) fn order(&mut self, efforts: &[usize]) {
        match self {
            Program::And(parts) | Program::Or(parts) => {
                parts.iter_mut().for_each(|part| part.order(efforts));
                parts.sort_by_cached_key(|part| part.effort(efforts));
            }
            Program::Not(inner) => inner.order(efforts),
            Program::AnyOf(_) | Program::Direct(_) => {}
        }
    }

    /// How much work it is to run this, in bits that are asked.
    fn effort(&self, efforts: &[usize]) -> usize {
        match self {
            Program::And(parts) | Program::Or(parts) => {
                parts.iter().map(|part| part.effort(efforts)).sum::<usize>() + 1
            }
            Program::Not(inner) => inner.effort(efforts),
            Program::AnyOf(any_of) if any_of.len() > LIST_CHECKED_MAX => LIST_CHECKED_MAX,
            Program::AnyOf(any_of) => any_of.iter().map(|predicate| efforts[*predicate as usize]).sum(),
            Program::Direct(_) => DIRECT_EFFORT,
        }
    }

    /// Visits every predicate.
    pub(super) fn each(&self, visit: &mut impl FnMut(u32)) {
        match self {
            Program::And(parts) | Program::Or(parts) => parts.iter().for_each(|part| part.each(visit)),
            Program::Not(inner) => inner.each(visit),
            Program::AnyOf(any_of) => any_of.iter().copied().for_each(visit),
            Program::Direct(_) => {}
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
}
