//! What a command ends with: the exit codes of the contract, and how errors are told.

use std::io::{self, Write};

/// Exit codes. They do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Outcome {
    Done = 0,
    Failed = 1,
    /// The command line or the configuration is wrong; nothing was done.
    Usage = 2,
    /// Done, but some input was rejected and `--strict` was given.
    Rejected = 3,
}

/// A mistake of the caller: told without a cause chain, exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Tells the error on standard error. A reader that went away (`| head`) is no failure.
pub(crate) fn explain(error: &anyhow::Error) -> Outcome {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return Outcome::Done;
    }
    tell(&format!("error: {error:#}"));
    if let Some(hint) = hint(error) {
        tell(&format!("hint: {hint}"));
    }
    if error.downcast_ref::<Usage>().is_some() { Outcome::Usage } else { Outcome::Failed }
}

/// What to do next, where the error does not say so itself.
fn hint(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(|cause| {
        if let Some(error) = cause.downcast_ref::<store::StoreError>() {
            return error
                .is_passing()
                .then_some("the store may be away or busy: `c0di3 doctor` looks at it, and says what to do");
        }
        match cause.downcast_ref::<io::Error>()?.kind() {
            io::ErrorKind::AddrInUse => Some("`ss -ltnp` tells who listens there; `c0di3 doctor` looks at every port"),
            io::ErrorKind::PermissionDenied => {
                Some("run it as the user of the service, or let this one: `ls -l` tells who may")
            }
            io::ErrorKind::StorageFull => Some("`c0di3 tasks monthly` tells what grows, `df -h` which disk is full"),
            _ => None,
        }
    })
}

/// One line for people, on standard error.
///
/// Where nobody can be told (a closed or full standard error) the work goes on all the same.
pub(crate) fn tell(line: &str) {
    let _unheard = writeln!(io::stderr(), "{line}").is_err();
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn an_error_that_does_not_say_what_to_do_is_followed_by_a_hint() {
        let of = |kind: io::ErrorKind| hint(&anyhow::Error::from(io::Error::from(kind)).context("cannot do it"));
        assert!(of(io::ErrorKind::AddrInUse).is_some_and(|hint| hint.contains("doctor")));
        assert!(of(io::ErrorKind::PermissionDenied).is_some() && of(io::ErrorKind::UnexpectedEof).is_none());
        let away: Result<(), _> = Err(store::StoreError::Uncounted);
        assert!(hint(&away.context("cannot count").unwrap_err()).is_some());
        assert_eq!(hint(&Usage("wrong".into()).into()), None);
    }
}
