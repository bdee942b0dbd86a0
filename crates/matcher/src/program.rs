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
