//! Puts the files that rules always need into the program: their texts, and the trees that are read of them.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a build script reports to cargo by printing and failing")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Folder of vocabularies; files beside them.
const VOCABULARIES: &str = "rules/vocabularies";
const SCHEMAS: [&str; 2] = ["schemas/response.yaml", "schemas/sigma-taxonomy.yaml"];

fn main() {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../..");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("set by cargo"));
    println!("cargo:rerun-if-changed={}", root.join(VOCABULARIES).display());
    let listed = std::fs::read_dir(root.join(VOCABULARIES)).expect("the folder is there");
    let names = listed.map(|entry| entry.expect("can be listed").file_name().into_string().expect("UTF-8"));
    let mut paths: Vec<String> =
        names.filter(|name| name.ends_with(".yml")).map(|name| format!("{VOCABULARIES}/{name}")).collect();
    paths.sort();
    paths.extend(SCHEMAS.map(str::to_owned));
    let mut index = String::from("&[\n");
    for (at, path) in paths.iter().enumerate() {
        let file = root.join(path).canonicalize().expect("is there");
        println!("cargo:rerun-if-changed={}", file.display());
        let text = std::fs::read_to_string(&file).expect("is text");
        // What cannot be read is told by whoever loads it.
        let packed = yaml::read(&text).map(|nodes| yaml::pack(&nodes)).unwrap_or_default();
        let packed_file = out.join(format!("standard{at}.packed"));
        std::fs::write(&packed_file, packed).expect("the build folder can be written to");
        let (file, packed_file) = (file.display().to_string(), packed_file.display().to_string());
        writeln!(index, "    ({path:?}, include_str!({file:?}), include_bytes!({packed_file:?})),")
            .expect("a String takes everything");
    }
    index.push_str("]\n");
    std::fs::write(out.join("standard.rs"), index).expect("the build folder can be written to");
}
