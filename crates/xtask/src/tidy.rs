//! The house rules as a test: what is written in ARCHITECTURE.md and can be checked, is checked here, on parsed syntax.
//! One file per rule; what is allowed stands in the tables of `tidy/house.rs`.

mod arrows;
mod circles;
mod costs;
mod crates;
mod documents;
mod house;
mod modules;
mod names;
mod problems;
mod sizes;
mod sources;
mod text;
mod types;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arrows::Arrows;
use costs::House;
use modules::Tree;
use problems::Problems;
use sources::Source;

/// Every problem found, one line each; what ties a circle follows indented.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut sources = sources::read_all(root)?;
    let packages = packages(root)?;
    let trees: Vec<Tree> = packages
        .iter()
        .flat_map(|package| modules::roots(&sources, package))
        .map(|root| Tree::of(&sources, root))
        .collect();
    trees.iter().flat_map(|tree| &tree.test_files).for_each(|file| sources[*file].is_test = true);
    let mut problems = Problems::default();
    modules::check_lost(&sources, &trees, &mut problems);
    for source in &sources {
        text::check(source, &mut problems);
        sizes::check(source, &mut problems);
        names::check(source, &mut problems);
    }
    names::check_excused(house::OTHER_SENSES, &sources, &mut problems);
    for crate_sources in by_crate(&sources).values() {
        types::check(crate_sources, &mut problems);
    }
    crates::check(root, &sources, &packages, &mut problems)?;
    let crates: Vec<(Tree, Arrows)> = trees
        .into_iter()
        .map(|tree| {
            let arrows = arrows::of(&sources, &tree);
            (tree, arrows)
        })
        .collect();
    let meant = crates.iter().flat_map(|(_, arrows)| circles::check(&sources, arrows, &mut problems)).collect();
    circles::check_meant(&meant, &mut problems);
    documents::check(root, &mut problems)?;
    let texts = costs::texts(root)?;
    costs::check(root, &House { sources: &sources, crates: &crates, texts: &texts }, &mut problems)?;
    Ok(problems.into_lines())
}

/// Folders under `crates/`.
fn packages(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join("crates"))? {
        found.push(entry?.file_name().to_string_lossy().into_owned());
    }
    found.sort();
    Ok(found)
}

/// Sources that are compiled together: those of a package; each program of a folder `bin` and each fuzz target alone.
fn by_crate(sources: &[Source]) -> BTreeMap<String, Vec<&Source>> {
    let mut found: BTreeMap<String, Vec<&Source>> = BTreeMap::new();
    for source in sources {
        let is_alone = ["/bin/", "/benches/", "/fuzz_targets/"].iter().any(|folder| source.path.contains(folder));
        let package = source.path.split("/src/").next().unwrap_or("");
        found.entry(if is_alone { source.path.clone() } else { package.to_owned() }).or_default().push(source);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_keeps_its_house_rules() {
        let problems = check(&crate::root()).unwrap();
        assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    }
}
