//! Crates: which uses which, as ARCHITECTURE.md says; how large the largest is; whether libraries ask for documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::house::{ARROWS, LARGER_CRATES};
use super::problems::Problems;
use super::sources::Source;

/// Largest share of the lines under `crates/` that one crate may have, in percent.
const SHARE_MAX: usize = 20;
const MAP: &str = "ARCHITECTURE.md";

type Uses = BTreeMap<String, BTreeSet<String>>;

/// Arrows, shares and lints of all crates.
pub(super) fn check(
    root: &Path,
    sources: &[Source],
    packages: &[String],
    problems: &mut Problems,
) -> anyhow::Result<()> {
    let mut manifests = Uses::new();
    for package in packages {
        let manifest = fs::read_to_string(root.join("crates").join(package).join("Cargo.toml"))?;
        manifests.insert(package.clone(), uses(&manifest, packages));
    }
    let allowed =
        ARROWS.iter().map(|(name, uses)| ((*name).to_owned(), uses.iter().map(|to| (*to).to_owned()).collect()));
    let map = drawn(&fs::read_to_string(root.join(MAP))?);
    compare(&allowed.collect(), &manifests, &map, problems);
    check_shares(sources, problems);
    check_lints(sources, problems);
    Ok(())
}

/// The three say the same: the table of arrows, the manifests, and the map.
fn compare(
    allowed: &Uses,
    manifests: &Uses,
    map: &BTreeMap<String, (usize, BTreeSet<String>)>,
    problems: &mut Problems,
) {
    let list = |uses: &BTreeSet<String>| uses.iter().cloned().collect::<Vec<_>>().join(", ");
    for (name, uses) in manifests {
        let place = format!("crates/{name}/Cargo.toml");
        let Some(allowed) = allowed.get(name) else {
            problems.add(&place, 1, "a crate without a row in ARROWS", "add it to `tidy/house.rs` and to the map");
            continue;
        };
        for more in uses.difference(allowed) {
            problems.add(&place, 1, &format!("must not use `{more}`"), "arrows go down only: see ARROWS");
        }
        for less in allowed.difference(uses) {
            problems.add(&place, 1, &format!("does not use `{less}`, which ARROWS allows"), "take the arrow out");
        }
        match map.get(name) {
            None => problems.add(MAP, 1, &format!("the table of crates has no `{name}`"), "add its row"),
            Some((line, drawn)) if drawn != allowed => {
                let what = format!("`{name}` uses `{}`, ARROWS has `{}`", list(drawn), list(allowed));
                problems.add(MAP, *line, &what, "map and check say one thing");
            }
            Some(_) => {}
        }
    }
    for gone in allowed.keys().filter(|name| !manifests.contains_key(*name)) {
        problems.add("crates", 1, &format!("ARROWS has `{gone}`, which is no crate"), "take it out");
    }
    for (gone, (line, _)) in map.iter().filter(|(name, _)| !manifests.contains_key(*name)) {
        problems.add(MAP, *line, &format!("`{gone}` is no crate"), "take its row out");
    }
}

/// Crates of ours that a manifest names outside its dev-dependencies.
fn uses(manifest: &str, packages: &[String]) -> BTreeSet<String> {
    let mut is_used = false;
    let mut found = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_used = line.trim_end_matches(']').ends_with("dependencies") && !line.contains("dev-dependencies");
        } else if is_used {
            let name = line.split(['.', '=', ' ']).next().unwrap_or("");
            found.extend(packages.iter().filter(|package| *package == name).cloned());
        }
    }
    found
}

/// The map's table of crates: name, line and what it uses. The last column lists it in backquotes, `all` stands for all
/// crates named in rows below.
fn drawn(map: &str) -> BTreeMap<String, (usize, BTreeSet<String>)> {
    let rows: Vec<(usize, Vec<&str>)> = map
        .lines()
        .enumerate()
        .skip_while(|(_, line)| *line != "## Crates")
        .skip(1)
        .take_while(|(_, line)| !line.starts_with("## "))
        .filter(|(_, line)| line.starts_with("| ") && line.contains('`'))
        .map(|(at, line)| (at + 1, line.trim_matches('|').split('|').map(str::trim).collect()))
        .collect();
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let mut found = BTreeMap::new();
    for (line, cells) in &rows {
        let [_, name, uses, ..] = cells.as_slice() else { continue };
        if let Some(name) = quoted(name).pop() {
            found.insert(name, (*line, quoted(uses).into_iter().collect()));
        }
    }
    found
}

fn check_shares(sources: &[Source], problems: &mut Problems) {
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources {
        if let Some(package) = source.package() {
            *lines.entry(package).or_default() += source.lines();
        }
    }
    let all: usize = lines.values().sum();
    for (package, own) in lines {
        let granted = LARGER_CRATES.iter().find(|larger| larger.package == package).map(|larger| larger.share);
        let at_most = granted.unwrap_or(SHARE_MAX);
        if own * 100 <= all * at_most {
            continue;
        }
        let percent = own * 100 / all;
        let what = format!("{own} of {all} lines, {percent} %, at most {at_most} %");
        problems.add(&format!("crates/{package}"), 1, &what, "divide the crate");
    }
}

/// A library is a crate without a program.
fn check_lints(sources: &[Source], problems: &mut Problems) {
    for source in sources.iter().filter(|source| source.path.ends_with("/src/lib.rs")) {
        let program = source.path.replace("lib.rs", "main.rs");
        let is_library = source.package().is_some() && !sources.iter().any(|other| other.path == program);
        if is_library && !asks_for_documentation(&source.syntax) {
            problems.add(&source.path, 1, "does not ask for documentation", "add #![warn(missing_docs)]");
        }
    }
}

fn asks_for_documentation(file: &syn::File) -> bool {
    file.attrs.iter().any(|attribute| {
        let is_asking = ["warn", "deny", "forbid"].iter().any(|level| attribute.path().is_ident(level));
        let mut is_named = false;
        let read = attribute.parse_nested_meta(|lint| {
            is_named |= lint.path.is_ident("missing_docs");
            if let Ok(value) = lint.value() {
                value.parse::<syn::Lit>()?;
            }
            Ok(())
        });
        is_asking && is_named && read.is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[(&str, &[&str])]) -> Uses {
        rows.iter().map(|(name, uses)| ((*name).to_owned(), uses.iter().map(|to| (*to).to_owned()).collect())).collect()
    }

    #[test]
    fn arrows_manifests_and_map_must_agree() {
        let found = |allowed: &[(&str, &[&str])], manifest: &str, map: &str| {
            let names = ["a".to_owned(), "b".to_owned()];
            let manifests = Uses::from([("a".to_owned(), BTreeSet::new()), ("b".to_owned(), uses(manifest, &names))]);
            let mut problems = Problems::default();
            let map = format!("## Crates\n\n| layer | crate | uses |\n|---|---|---|\n{map}\n## More\n");
            compare(&of(allowed), &manifests, &drawn(&map), &mut problems);
            problems.lines().join("; ")
        };
        let allowed: &[(&str, &[&str])] = &[("a", &[]), ("b", &["a"])];
        let manifest = "[package]\nname = \"b\"\n[dependencies]\na.workspace = true\n";
        let map = "| 1 | `a` | – |\n| 2 | `b` | `a` |";
        assert_eq!(found(allowed, manifest, map), "");
        assert!(found(&[("a", &[]), ("b", &[])], manifest, map).contains("must not use `a`"));
        assert!(found(allowed, "[dev-dependencies]\na.workspace = true\n", map).contains("does not use `a`"));
        assert!(found(&allowed[..1], manifest, map).contains("without a row in ARROWS"));
        assert!(found(allowed, manifest, "| 1 | `a` | – |").contains("no `b`"));
        assert!(found(allowed, manifest, &map.replace("`b` | `a` |", "`b` | – |")).contains("ARCHITECTURE.md:6"));
        assert!(found(allowed, manifest, &format!("{map}\n| 3 | `c` | – |")).contains("`c` is no crate"));
        assert!(found(&[allowed, &[("c", &[])]].concat(), manifest, map).contains("ARROWS has `c`"));
    }

    #[test]
    fn no_crate_is_most_of_the_house() {
        let crates = |lines: usize| {
            let sources: Vec<Source> = (0..6)
                .map(|at| Source::read(&format!("crates/c{at}/a.rs"), "//\n".repeat(if at == 0 { lines } else { 10 })))
                .collect::<Result<_, _>>()
                .unwrap();
            let mut problems = Problems::default();
            check_shares(&sources, &mut problems);
            problems.lines().join("; ")
        };
        assert_eq!(crates(12), "");
        assert!(crates(20).contains("crates/c0:1: 20 of 70 lines, 28 %, at most 20 %"));
    }

    #[test]
    fn libraries_ask_for_documentation() {
        let found = |files: &[(&str, &str)]| {
            let read = |(path, text): &(&str, &str)| Source::read(path, (*text).to_owned()).unwrap();
            let sources: Vec<Source> = files.iter().map(read).collect();
            let mut problems = Problems::default();
            check_lints(&sources, &mut problems);
            problems.lines().join("; ")
        };
        assert!(found(&[("crates/a/src/lib.rs", "#![allow(missing_docs)]")]).contains("missing_docs"));
        assert_eq!(found(&[("crates/a/src/lib.rs", "#![warn(missing_docs, reason = \"x\")]")]), "");
        assert_eq!(found(&[("crates/a/src/lib.rs", ""), ("crates/a/src/main.rs", "")]), "");
    }
}
