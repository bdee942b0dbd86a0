//! The software bill of materials of the program: every crate that goes into it, with version, licence, source and the sum of what
//! the registry gave, as CycloneDX 1.5. Made of `cargo metadata` and `Cargo.lock`; the same lock file gives the same text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

/// The package that is built of all others.
const PROGRAM: &str = "c0di3";

/// The bill, with a line end at its end.
pub(crate) fn bill(root: &Path) -> anyhow::Result<String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Of other platforms nothing is built in, and on a new machine nothing is there. What is missing is fetched.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", &platform];
    let out = cargo.args(arguments).current_dir(root).output()?;
    ensure!(out.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&out.stderr));
    let lock = std::fs::read_to_string(root.join("Cargo.lock"))?;
    of(&serde_json::from_slice(&out.stdout)?, &sums(&lock))
}

/// Sums of the registry by name and version.
fn sums(lock: &str) -> BTreeMap<(String, String), String> {
    let packages = lock.split("[[package]]").skip(1);
    let value = |text: &str, key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
        Some(line.trim_matches('"').to_owned())
    };
    let sum = |text: &str| Some(((value(text, "name")?, value(text, "version")?), value(text, "checksum")?));
    packages.filter_map(sum).collect()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// What the package is made of: not what its tests need.
fn needs(node: &Value) -> BTreeSet<&str> {
    let is_built_in = |dep: &&Value| list(dep, "dep_kinds").any(|kind| kind["kind"].as_str() != Some("dev"));
    list(node, "deps").filter(is_built_in).map(|dep| text(dep, "pkg")).collect()
}

fn of(metadata: &Value, sums: &BTreeMap<(String, String), String>) -> anyhow::Result<String> {
    let packages: BTreeMap<&str, &Value> = list(metadata, "packages").map(|one| (text(one, "id"), one)).collect();
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"], "nodes").map(|one| (text(one, "id"), one)).collect();
    let program = packages.iter().find(|(_, package)| text(package, "name") == PROGRAM);
    let (program, _) = program.context("the program is not among the packages")?;
    let (mut wanted, mut seen) = (vec![*program], BTreeSet::from([*program]));
    while let Some(id) = wanted.pop() {
        let more = nodes.get(id).map(|node| needs(node)).unwrap_or_default();
        wanted.extend(more.into_iter().filter(|id| seen.insert(id)));
    }
    let reference = |id: &str| packages.get(id).map_or_else(|| id.to_owned(), |package| purl(package));
    let component = |id: &&str| packages.get(id).map(|package| component(package, sums));
    let mut components: Vec<Value> = seen.iter().filter(|id| *id != program).filter_map(component).collect();
    components.sort_by_key(|one| text(one, "bom-ref").to_owned());
    let depends = |id: &&str| {
        let on: BTreeSet<String> = needs(nodes.get(id)?).into_iter().map(reference).collect();
        Some(json!({"ref": reference(id), "dependsOn": on}))
    };
    let mut dependencies: Vec<Value> = seen.iter().filter_map(depends).collect();
    dependencies.sort_by_key(|one| text(one, "ref").to_owned());
    let mut main = packages.get(program).map(|package| component_of_program(package)).unwrap_or_default();
    main["bom-ref"] = json!(reference(program));
    let bill = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": main}, "components": components, "dependencies": dependencies,
    });
    Ok(serde_json::to_string_pretty(&bill)? + "\n")
}

/// The package's address, as package-url has it.
fn purl(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(package, "name"), text(package, "version"))
}

fn component_of_program(package: &Value) -> Value {
    json!({"type": "application", "name": text(package, "name"), "version": text(package, "version")})
}

fn component(package: &Value, sums: &BTreeMap<(String, String), String>) -> Value {
    let (name, version) = (text(package, "name"), text(package, "version"));
    let mut made =
        json!({"type": "library", "bom-ref": purl(package), "name": name, "version": version, "purl": purl(package)});
    if let Some(licence) = package["license"].as_str() {
        // Old manifests write "or" as a slash.
        made["licenses"] = json!([{"expression": licence.replace('/', " OR ")}]);
    }
    if let Some(sum) = sums.get(&(name.to_owned(), version.to_owned())) {
        made["hashes"] = json!([{"alg": "SHA-256", "content": sum}]);
    }
    if let Some(repository) = package["repository"].as_str() {
        made["externalReferences"] = json!([{"type": "vcs", "url": repository}]);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_names_what_is_built_in_with_licence_and_sum() {
        let text = bill(&crate::root()).unwrap();
        assert_eq!(text, bill(&crate::root()).unwrap(), "the same lock file gives the same bill");
        let bill: Value = serde_json::from_str(&text).unwrap();
        let names: BTreeMap<&str, &Value> =
            list(&bill, "components").map(|one| (super::text(one, "name"), one)).collect();
        for (name, sum) in [("sqlx", true), ("rdkafka", true), ("store", false)] {
            assert_eq!(names[name]["hashes"][0]["content"].as_str().map(str::len), sum.then_some(64), "{name}");
            assert!(names[name]["licenses"][0]["expression"].is_string(), "{name}");
        }
        assert!(
            !names.contains_key("proptest") && !names.contains_key("xtask"),
            "what tests and tools need is not in it"
        );
        let unlicensed: Vec<_> = names.values().filter(|one| one["licenses"].is_null()).collect();
        assert!(unlicensed.is_empty(), "{unlicensed:?}");
        let program = list(&bill, "dependencies").find(|one| super::text(one, "ref").starts_with("pkg:cargo/c0di3@"));
        assert!(list(program.unwrap(), "dependsOn").any(|on| on.as_str().unwrap().starts_with("pkg:cargo/ingest@")));
        let known: BTreeSet<&str> = list(&bill, "components").map(|one| super::text(one, "bom-ref")).collect();
        let on = list(&bill, "dependencies").flat_map(|one| list(one, "dependsOn")).filter_map(Value::as_str);
        assert_eq!(on.filter(|on| !known.contains(on)).count(), 0, "every reference is a component");
    }
}
