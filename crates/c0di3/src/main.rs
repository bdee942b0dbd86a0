//! `c0di3`: security logs in, findings out. Everything is in the library.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: c0di3::Jemalloc = c0di3::Jemalloc;

fn main() -> ExitCode {
    c0di3::main()
}
