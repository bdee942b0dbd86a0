//! A rule's condition over numbered predicates. Data alone: it is compiled in `compile.rs` and run in `row.rs`.

/// Longest list of values that is checked one by one where the rule asks. Of longer lists, all values are searched for.
pub(super) const LIST_CHECKED_MAX: usize = 16;

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
    /// Puts what is quickly asked before what must be looked up in the row. `searched`: predicates that are known when the
    /// program runs. Which part is asked first changes no answer.
    pub(super) fn order(&mut self, searched: &[bool]) {
        match self {
            Program::And(parts) | Program::Or(parts) => {
                parts.iter_mut().for_each(|part| part.order(searched));
                parts.sort_by_cached_key(|part| part.effort(searched));
            }
            Program::Not(inner) => inner.order(searched),
            Program::AnyOf(_) | Program::Direct(_) => {}
        }
    }

    /// How much work it is to run this: 1 for each bit that is asked, much more for each value that is looked at.
    fn effort(&self, searched: &[bool]) -> usize {
        const VALUE: usize = 32;
        match self {
            Program::And(parts) | Program::Or(parts) => {
                parts.iter().map(|part| part.effort(searched)).sum::<usize>() + 1
            }
            Program::Not(inner) => inner.effort(searched),
            Program::AnyOf(any_of) if any_of.len() > LIST_CHECKED_MAX => LIST_CHECKED_MAX,
            Program::AnyOf(any_of) => {
                any_of.iter().map(|predicate| if searched[*predicate as usize] { 1 } else { VALUE }).sum()
            }
            Program::Direct(_) => VALUE / 4,
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
