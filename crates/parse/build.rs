//! Puts the trees that are read of the shapes of events and of the dictionary of synonyms into the program.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a build script reports to cargo by printing and failing")]

use std::path::{Path, PathBuf};

fn main() {
    let schemas = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../schemas");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("set by cargo"));
    for name in ["json-shapes", "synonyms"] {
        let file = schemas.join(format!("{name}.yaml"));
        println!("cargo:rerun-if-changed={}", file.display());
        let text = std::fs::read_to_string(&file).expect("is text");
        // What cannot be read is told by whoever loads it.
        let packed = yaml::read(&text).map(|nodes| yaml::pack(&nodes)).unwrap_or_default();
        std::fs::write(out.join(format!("{name}.packed")), packed).expect("the build folder can be written to");
    }
}
