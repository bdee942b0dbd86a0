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
    if error.downcast_ref::<Usage>().is_some() { Outcome::Usage } else { Outcome::Failed }
}

/// One line for people, on standard error.
///
/// Where nobody can be told (a closed or full standard error) the work goes on all the same.
pub(crate) fn tell(line: &str) {
    let _unheard = writeln!(io::stderr(), "{line}").is_err();
}
