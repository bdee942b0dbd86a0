//! The operations runbook, walked from top to bottom with processes in place of pods.

use std::process::Command;

use crate::program::PROGRAM;

#[test]
fn the_runbook_is_walked_from_top_to_bottom() {
    let script = format!("{}/../tests/runbook/walk.sh", env!("CARGO_MANIFEST_DIR"));
    let mut walk = Command::new(script);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("C0DI3_") || name.starts_with("POSTGRES_")) {
        walk.env_remove(name);
    }
    let out = walk.arg(PROGRAM).output().unwrap();
    let (said, err) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    println!("{said}");
    assert!(out.status.success() && said.contains("the runbook was walked: "), "{said}\n{err}");
}

/// Runs a script of `tests/deploy` on the program; it must say the words.
fn deploy(name: &str, words: &str) {
    let script = format!("{}/../tests/deploy/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(script);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("C0DI3_")) {
        command.env_remove(name);
    }
    let out = command.arg(PROGRAM).output().unwrap();
    let (said, err) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success() && said.contains(words), "{said}\n{err}");
}

#[test]
fn the_debian_package_is_whole() {
    deploy("package.sh", "is whole");
}

#[test]
fn the_archive_of_the_program_is_whole_and_the_same_twice() {
    deploy("tarball.sh", "the same bytes twice");
}

#[test]
fn containers_may_use_the_system_calls_that_the_program_needs() {
    deploy("seccomp.sh", "none that the profile refuses");
}

#[test]
fn output_for_people_is_coloured_cut_and_paged_on_terminals_alone() {
    deploy("terminal.sh", "all as promised");
}

#[test]
fn one_hardened_machine_is_set_up_as_the_runbook_has_it() {
    deploy("single-node.sh", "the single machine");
}
