//! The program under test: cargo tells integration tests where the programs of their own member are.

use std::process::ExitCode;

fn main() -> ExitCode {
    c0di3::main()
}
