//! The field's words: no name is one of a private dialect, whole or by a part. Which names are looked at depends on the
//! crate: files, modules and types in all, functions, fields, variants, constants and variables in those of detection.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};

use super::house::{DETECTION, OTHER_SENSES, OtherSense, VAGUE_FILES, VAGUE_TYPES, WORDS};
use super::problems::Problems;
use super::sources::{Source, is_for_tests};

/// Every name in one file that has a word of the dialect.
pub(super) fn check(source: &Source, problems: &mut Problems) {
    check_file_name(source, problems);
    let is_detection = source.package().is_some_and(|package| DETECTION.contains(&package));
    let mut names = NamesSeen { source, is_detection, said: BTreeSet::new(), problems };
    names.visit_file(&source.syntax);
}

/// Excused names that no file has any more.
pub(super) fn check_excused(senses: &[OtherSense], sources: &[Source], problems: &mut Problems) {
    for excused in senses {
        let is_there = sources
            .iter()
            .any(|source| source.package() == Some(excused.package) && source.text.contains(excused.name));
        if !is_there {
            let what = format!("`{}` of `{}` is excused ({}), but gone", excused.name, excused.package, excused.reason);
            problems.add("crates/xtask/src/tidy/house.rs", 1, &what, "take it out of OTHER_SENSES");
        }
    }
}

fn check_file_name(source: &Source, problems: &mut Problems) {
    let file = source.path.rsplit('/').next().unwrap_or("");
    if let Some((_, better)) = VAGUE_FILES.iter().find(|(vague, _)| *vague == file) {
        problems.add(&source.path, 1, &format!("a file named `{file}`"), &format!("say `{better}`"));
    }
    let stem = file.trim_end_matches(".rs");
    if let Some((word, better)) = dialect(source, stem, stem) {
        problems.add(
            &source.path,
            1,
            &format!("a file named `{file}`: `{word}`"),
            &format!("say `{better}`, or what it is"),
        );
    }
}

/// The word of the dialect in a name, whose parts stand between `_`.
fn dialect(source: &Source, name: &str, parts: &str) -> Option<(&'static str, &'static str)> {
    let between = |text: &str| format!("_{}_", text.to_lowercase());
    let (word, better) = WORDS.iter().find(|(word, _)| between(parts).contains(&between(word)))?;
    (!is_excused(OTHER_SENSES, source, name)).then_some((word, better))
}

fn is_excused(senses: &[OtherSense], source: &Source, name: &str) -> bool {
    senses.iter().any(|other| source.package() == Some(other.package) && other.name == name)
}

/// `SpoolRoom` as `spool_room`.
fn in_parts(name: &str) -> String {
    let mut parts = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !parts.is_empty() {
            parts.push('_');
        }
        parts.extend(character.to_lowercase());
    }
    parts
}

struct NamesSeen<'a> {
    source: &'a Source,
    is_detection: bool,
    /// Variables that were told once; a second one adds nothing.
    said: BTreeSet<String>,
    problems: &'a mut Problems,
}

impl NamesSeen<'_> {
    fn name(&mut self, kind: &str, name: &syn::Ident, parts: &str) {
        let text = name.to_string();
        if let Some((word, better)) = dialect(self.source, &text, parts)
            && self.said.insert(format!("{kind} {text}"))
        {
            let what = format!("{kind} `{text}`: `{word}`");
            self.problems.add(
                &self.source.path,
                name.span().start().line,
                &what,
                &format!("say `{better}`, or what it is"),
            );
        }
    }

    fn type_name(&mut self, name: &syn::Ident) {
        self.name("type", name, &in_parts(&name.to_string()));
        if let Some((vague, better)) = VAGUE_TYPES.iter().find(|(vague, _)| name == vague) {
            let line = name.span().start().line;
            self.problems.add(&self.source.path, line, &format!("type `{vague}`"), &format!("say {better}"));
        }
    }

    fn detection_name(&mut self, kind: &str, name: &syn::Ident) {
        if self.is_detection {
            self.name(kind, name, &name.to_string());
        }
    }
}

impl<'ast> Visit<'ast> for NamesSeen<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // The name of a file says it already.
        if item.content.is_some() {
            self.name("module", &item.ident, &item.ident.to_string());
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.type_name(&item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.type_name(&item.ident);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_union(&mut self, item: &'ast syn::ItemUnion) {
        self.type_name(&item.ident);
        visit::visit_item_union(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.type_name(&item.ident);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.type_name(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        // The name of a test is a sentence, in which these are ordinary words.
        if !is_for_tests(&item.attrs) {
            self.detection_name("function", &item.sig.ident);
        }
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.detection_name("function", &item.sig.ident);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.detection_name("function", &item.sig.ident);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        if self.is_detection {
            self.name("variant", &variant.ident, &in_parts(&variant.ident.to_string()));
        }
        visit::visit_variant(self, variant);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        field.ident.iter().for_each(|name| self.detection_name("field", name));
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.detection_name("constant", &item.ident);
        visit::visit_item_const(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.detection_name("constant", &item.ident);
        visit::visit_impl_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.detection_name("constant", &item.ident);
        visit::visit_item_static(self, item);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.detection_name("variable", &pattern.ident);
        visit::visit_pat_ident(self, pattern);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::problems;

    fn found(path: &str, text: &str) -> String {
        problems::found(check, path, text)
    }

    #[test]
    fn names_of_the_dialect_are_told_in_every_crate() {
        assert!(
            found("crates/x/src/read_ahead.rs", "").contains("a file named `read_ahead.rs`: `ahead`: say `prefetch`")
        );
        assert!(found("crates/x/src/pattern.rs", "").contains("say `text_pattern.rs`"));
        assert!(found("crates/x/src/a.rs", "mod inline_test_x {}").contains("module `inline_test_x`"));
        for text in ["struct SpoolRoom;", "enum Room {}", "type RoomX = u8;", "trait XRoom {}", "union Room { a: u8 }"]
        {
            assert!(found("crates/x/src/a.rs", text).contains("say `budget`"), "{text}");
        }
        assert!(found("crates/x/src/a.rs", "struct Place;").contains("type `Place`"));
        let plain = "struct Watermark; struct Roomy; fn few(due: u8) {} struct X { ahead: u8 } mod residue {}";
        assert_eq!(found("crates/x/src/a.rs", plain), "");
    }

    #[test]
    fn crates_of_detection_are_held_to_it_in_every_name() {
        for text in [
            "fn look_ahead() {}",
            "struct X { ahead: u8 }",
            "struct X; impl X { fn ahead(&self) {} const AHEAD_MAX: u8 = 1; }",
            "const READ_AHEAD: u8 = 1;",
            "static AHEAD: u8 = 1;",
            "fn x(ahead: u8) {}",
            "fn x() { let (a, mut ahead_of) = y; }",
            "fn x() { y(|ahead| 1); }",
            "trait X { fn ahead(&self); }",
            "enum X { Ahead }",
        ] {
            assert!(found("crates/rules/src/a.rs", text).contains("say `prefetch`"), "{text}");
        }
        let used = "#[test] fn what_is_ahead_counts() { x.ahead(); ahead::y(); } struct Foresight;";
        assert_eq!(found("crates/rules/src/a.rs", used), "");
    }

    #[test]
    fn a_name_with_another_sense_is_excused_while_it_is_there() {
        let senses = [OtherSense { package: "x", name: "byte_mark", reason: "a byte-order mark" }];
        let source = Source::read("crates/x/src/a.rs", "fn byte_mark() {}".to_owned()).unwrap();
        assert!(is_excused(&senses, &source, "byte_mark") && !is_excused(&senses, &source, "mark"));
        let mut problems = Problems::default();
        check_excused(&senses, &[source], &mut problems);
        assert!(problems.lines().is_empty());
        check_excused(&senses, &[], &mut problems);
        assert!(problems.lines()[0].contains("`byte_mark` of `x` is excused (a byte-order mark), but gone"));
    }
}
