//! The program under test: cargo tells integration tests where the programs of their own member are.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: c0di3::Jemalloc = c0di3::Jemalloc;

fn main() -> ExitCode {
    c0di3::main()
}
