//! The Rust files of the workspace as parsed syntax, and which of their items are compiled for tests only. Knows no rule.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// Folders that hold no sources of ours.
const SKIPPED: [&str; 6] = ["target", ".git", "data", "logs", "corpus", "artifacts"];

/// One Rust file.
pub(super) struct Source {
    /// Path from the root of the repository, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) syntax: syn::File,
    /// Compiled for tests only: declared behind `cfg(test)`, named `*tests.rs`, or a file of the folder `tests`.
    pub(super) is_test: bool,
}

impl Source {
    pub(super) fn read(path: &str, text: String) -> anyhow::Result<Self> {
        let syntax = syn::parse_file(&text).with_context(|| format!("{path} is not Rust"))?;
        let is_test = path.ends_with("tests.rs") || format!("/{path}").contains("/tests/");
        Ok(Source { path: path.to_owned(), text, syntax, is_test })
    }

    /// Folder of the package under `crates/`, such as `event`.
    pub(super) fn package(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    pub(super) fn lines(&self) -> usize {
        self.text.lines().count()
    }
}

/// Every Rust file below `root`, ordered by path.
pub(super) fn read_all(root: &Path) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in files(root, "rs")? {
        let text = fs::read_to_string(&path)?;
        sources.push(Source::read(&relative(root, &path), text)?);
    }
    sources.sort_by(|one: &Source, other| one.path.cmp(&other.path));
    Ok(sources)
}

/// Every file below `root` with this extension, ordered by path.
pub(super) fn files(root: &Path, extension: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|known| known == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Path from the root of the repository.
pub(super) fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// Whether attributes leave an item out of every build but a test's: `#[cfg(test)]`, `#[cfg(all(test, …))]`, `#[test]`,
/// `#[tokio::test]`.
pub(super) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        if path.segments.last().is_some_and(|last| last.ident == "test") {
            return true;
        }
        path.is_ident("cfg") && attribute.parse_args::<Meta>().is_ok_and(|condition| needs_test(&condition))
    })
}

/// Whether a condition holds in tests only. `any(test, …)` counts too: what else it names is there for tests of others.
fn needs_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if !list.path.is_ident("not") => list
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .is_ok_and(|parts| parts.iter().any(needs_test)),
        _ => false,
    }
}

/// The attributes of an item, of whatever kind.
pub(super) fn attributes(item: &syn::Item) -> &[Attribute] {
    use syn::Item;
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_tests_only_is_known_by_its_attributes() {
        let is = |attribute: &str| {
            let file = syn::parse_file(&format!("{attribute}\nfn x() {{}}")).unwrap();
            is_for_tests(attributes(&file.items[0]))
        };
        for attribute in ["#[cfg(test)]", "#[test]", "#[tokio::test]", "#[cfg(all(unix, test))]"] {
            assert!(is(attribute), "{attribute}");
        }
        for attribute in ["", "#[cfg(not(test))]", "#[cfg(feature = \"test\")]", "#[inline]"] {
            assert!(!is(attribute), "{attribute}");
        }
    }
}
