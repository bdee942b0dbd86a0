//! One name, one type: no crate defines a type name twice. Types of tests and of function bodies are left out.

use std::collections::BTreeMap;

use syn::Item;

use super::problems::Problems;
use super::sources::{Source, attributes, is_for_tests};

/// Every type name that a package's sources define again.
pub(super) fn check(sources: &[&Source], problems: &mut Problems) {
    let mut known: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test) {
        for (name, line) in types(&source.syntax.items) {
            match known.get(&name) {
                None => drop(known.insert(name, (&source.path, line))),
                Some((path, first)) => {
                    let what = format!("type `{name}` is defined in {path}:{first} too");
                    problems.add(&source.path, line, &what, "one name, one thing");
                }
            }
        }
    }
}

/// Names of types with their lines, those of inline modules included.
pub(super) fn types(items: &[Item]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for item in items.iter().filter(|item| !is_for_tests(attributes(item))) {
        let name = match item {
            Item::Struct(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Mod(item) => {
                found.extend(item.content.iter().flat_map(|(_, items)| types(items)));
                continue;
            }
            _ => continue,
        };
        found.push((name.to_string(), name.span().start().line));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_name_is_defined_once() {
        let found = |files: &[(&str, &str)]| {
            let read = |(path, text): &(&str, &str)| Source::read(path, (*text).to_owned()).unwrap();
            let sources: Vec<Source> = files.iter().map(read).collect();
            let mut problems = Problems::default();
            check(&sources.iter().collect::<Vec<_>>(), &mut problems);
            problems.lines().join("; ")
        };
        for twice in ["enum X {}", "union X { a: u8 }", "type X = u8;", "trait X {}", "mod y { pub struct X; }"] {
            assert!(
                found(&[("a.rs", "struct X;"), ("b.rs", twice)]).contains("b.rs:1: type `X` is defined in a.rs:1 too")
            );
        }
        assert_eq!(found(&[("a.rs", "struct X;"), ("b.rs", "#[cfg(test)]\nmod tests { struct X; }")]), "");
        assert_eq!(found(&[("a.rs", "struct X;"), ("b_tests.rs", "struct X;"), ("c.rs", "fn y() { struct X; }")]), "");
        assert_eq!(found(&[("a.rs", "struct X; impl Y for X { type X = u8; }")]), "");
    }
}
