//! What `doctor` tells: one fault or note, with its remedy. Looks at nothing itself.

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Whether something does not work, or lets somebody in; otherwise somebody should look.
    pub(super) is_fault: bool,
    /// The setting, or the place, that it is about.
    pub(super) about: String,
    pub(super) what: String,
    pub(super) remedy: String,
}

/// Something that does not work, or lets somebody in.
pub(super) fn fault(about: &str, what: impl Into<String>, remedy: impl Into<String>) -> Complaint {
    Complaint { is_fault: true, about: about.to_owned(), what: what.into(), remedy: remedy.into() }
}

/// Something that somebody should look at.
pub(super) fn note(about: &str, what: impl Into<String>, remedy: impl Into<String>) -> Complaint {
    Complaint { is_fault: false, ..fault(about, what, remedy) }
}
