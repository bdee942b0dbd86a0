//! Puts the rule files of `rules/` into the program, so that it runs without any file beside it: their texts, and the
//! trees that are read of them, so that it need not read them as YAML at each start. And the commit it is built of.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a build script reports to cargo by printing and failing")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../rules");
    let target = PathBuf::from(std::env::var("OUT_DIR").expect("set by cargo"));
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut out = String::from("&[\n");
    for (at, file) in files.iter().enumerate() {
        println!("cargo:rerun-if-changed={}", file.display());
        let name = format!("rules/{}", file.strip_prefix(&root).expect("below the folder").display());
        let path = file.canonicalize().expect("just listed").display().to_string();
        let packed = target.join(format!("rules{at}.packed")).display().to_string();
        let text = std::fs::read_to_string(file).expect("rule files are text");
        // What cannot be read is told by whoever loads it.
        let trees = yaml::read(&text).map(|nodes| yaml::pack(&nodes)).unwrap_or_default();
        std::fs::write(&packed, trees).expect("the build folder can be written to");
        writeln!(out, "    ({name:?}, include_str!({path:?}), include_bytes!({packed:?})),")
            .expect("a String takes everything");
    }
    out.push_str("]\n");
    std::fs::write(target.join("default_rules.rs"), out).expect("the build folder can be written to");
    println!("cargo:rustc-env=BUILD_COMMIT={}", commit());
}

/// The commit that is built, for `--version`: as told by C0DI3_COMMIT, or by git. Builds for development do not ask git, so that
/// a commit does not make them begin anew.
fn commit() -> String {
    println!("cargo:rerun-if-env-changed=C0DI3_COMMIT");
    if let Some(told) = std::env::var("C0DI3_COMMIT").ok().filter(|told| !told.is_empty()) {
        return told;
    }
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return "development".to_owned();
    }
    let git = |arguments: &[&str]| {
        let out = std::process::Command::new("git").args(arguments).output().ok().filter(|out| out.status.success())?;
        Some(String::from_utf8(out.stdout).ok()?.trim().to_owned())
    };
    if let Some(log) = git(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    git(&["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".to_owned())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    println!("cargo:rerun-if-changed={}", folder.display());
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            files.push(path);
        }
    }
}
