//! Grammars that attacks are derived from (`quality/grammars/*.txt`; how a file is written stands in `quality/grammars/README.md`).
//! Reading them, with every slip of the pen as an error. Nothing here knows what the rules look for.

use std::collections::BTreeSet;

use anyhow::{Context, bail, ensure};

use crate::quality::grammar::{Alternative, Family, Function, Grammar, Made, Piece};

/// Every grammar: its language and its text.
const FILES: &[(&str, &str)] = &[
    ("batch", include_str!("../../quality/grammars/batch.txt")),
    ("files", include_str!("../../quality/grammars/files.txt")),
    ("header", include_str!("../../quality/grammars/header.txt")),
    ("ldap", include_str!("../../quality/grammars/ldap.txt")),
    ("log4j", include_str!("../../quality/grammars/log4j.txt")),
    ("mail", include_str!("../../quality/grammars/mail.txt")),
    ("markup", include_str!("../../quality/grammars/markup.txt")),
    ("nosql", include_str!("../../quality/grammars/nosql.txt")),
    ("php", include_str!("../../quality/grammars/php.txt")),
    ("powershell", include_str!("../../quality/grammars/powershell.txt")),
    ("script", include_str!("../../quality/grammars/script.txt")),
    ("serialised", include_str!("../../quality/grammars/serialised.txt")),
    ("shell", include_str!("../../quality/grammars/shell.txt")),
    ("sql", include_str!("../../quality/grammars/sql.txt")),
    ("ssi", include_str!("../../quality/grammars/ssi.txt")),
    ("ssrf", include_str!("../../quality/grammars/ssrf.txt")),
    ("template", include_str!("../../quality/grammars/template.txt")),
    ("traversal", include_str!("../../quality/grammars/traversal.txt")),
    ("xml", include_str!("../../quality/grammars/xml.txt")),
];

/// All grammars, checked.
pub(crate) fn all() -> anyhow::Result<Vec<Grammar>> {
    FILES.iter().map(|(language, text)| read(language, text).with_context(|| (*language).to_owned())).collect()
}

/// What the lines that are indented belong to.
enum Open {
    Nothing,
    Family,
    Production(&'static str),
}

pub(crate) fn read(language: &str, text: &'static str) -> anyhow::Result<Grammar> {
    let mut grammar = Grammar::default();
    let mut open = Open::Nothing;
    for (at, line) in text.lines().enumerate() {
        let place = || format!("line {}: {line}", at + 1);
        match line.strip_prefix("  ") {
            Some(written) => grammar.add(&open, alternative(written).with_context(place)?).with_context(place)?,
            None if line.is_empty() || line.starts_with('#') => {}
            None => open = grammar.head(language, line).with_context(place)?,
        }
    }
    grammar.check()?;
    Ok(grammar)
}

impl Grammar {
    fn head(&mut self, language: &str, line: &'static str) -> anyhow::Result<Open> {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("class") => self.class = words.next().context("a class has a name")?,
            Some("places") => self.places = words.collect(),
            Some("parameters") => self.parameters = words.filter(|word| *word != "own").collect(),
            Some("words") => {
                let name = words.next().and_then(|name| name.strip_suffix(':')).context("`words NAME: …`")?;
                let list = words.map(alternative).collect::<anyhow::Result<Vec<_>>>()?;
                ensure!(self.productions.insert(name, list).is_none(), "`{name}` stands twice");
            }
            Some("production") => {
                let name = words.next().context("a production has a name")?;
                ensure!(self.productions.insert(name, Vec::new()).is_none(), "`{name}` stands twice");
                return Ok(Open::Production(name));
            }
            Some("family") => {
                let name = words.next().context("a family has a name")?;
                ensure!(name.split_once('/').is_some_and(|(known, _)| known == language), "`family {language}/…`");
                let marks: BTreeSet<&str> = words.collect();
                ensure!(marks.iter().all(|mark| ["held-out", "as-written"].contains(mark)), "{marks:?}");
                self.families.push(Family {
                    name,
                    is_held_out: marks.contains("held-out"),
                    is_as_written: marks.contains("as-written"),
                    alternatives: Vec::new(),
                });
                return Ok(Open::Family);
            }
            _ => bail!("a line begins with a word of the format, `#` or two blanks"),
        }
        Ok(Open::Nothing)
    }

    fn add(&mut self, open: &Open, alternative: Alternative) -> anyhow::Result<()> {
        let list = match open {
            Open::Nothing => None,
            Open::Family => self.families.last_mut().map(|family| &mut family.alternatives),
            Open::Production(name) => self.productions.get_mut(name),
        };
        list.context("an alternative stands below a family or a production")?.push(alternative);
        Ok(())
    }

    /// Everything that is named exists, is used, and ends.
    fn check(&mut self) -> anyhow::Result<()> {
        ensure!(!self.class.is_empty() && !self.places.is_empty(), "class and places are told");
        let names: BTreeSet<&str> = self.families.iter().map(|family| family.name).collect();
        ensure!(names.len() == self.families.len(), "a family stands twice");
        ensure!(self.families.iter().all(|family| !family.alternatives.is_empty()), "a family has no alternative");
        let lists = self.families.iter().map(|family| &family.alternatives).chain(self.productions.values());
        let used: BTreeSet<&str> = lists.flatten().flatten().filter_map(Piece::derived).collect();
        for name in &used {
            ensure!(self.productions.contains_key(name), "`{name}` is not there");
        }
        let idle = self.productions.keys().find(|name| !used.contains(**name));
        ensure!(idle.is_none(), "nobody uses {idle:?}");
        // A production ends one step after the deepest part of its best alternative.
        while self.depths.len() < self.productions.len() {
            let found: Vec<(&'static str, usize)> = self
                .productions
                .iter()
                .filter(|(name, _)| !self.depths.contains_key(**name))
                .filter_map(|(name, list)| {
                    Some((*name, 1 + list.iter().filter_map(|alternative| self.depth(alternative)).min()?))
                })
                .collect();
            ensure!(!found.is_empty(), "a production never ends");
            self.depths.extend(found);
        }
        Ok(())
    }
}

fn alternative(written: &'static str) -> anyhow::Result<Alternative> {
    let mut pieces = Vec::new();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('«') {
        let (name, behind) = after.split_once('»').context("« without »")?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(match (name.strip_suffix(')').and_then(|call| call.split_once('(')), Made::named(name)) {
            (Some((function, name)), _) => {
                let known = Function::named(function).with_context(|| format!("no function `{function}`"))?;
                Piece::Derived(name, Some(known))
            }
            (None, Some(made)) => Piece::Made(made),
            (None, None) => Piece::Derived(name, None),
        });
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    ensure!(!pieces.is_empty(), "an alternative is not empty: «none» says so");
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_and_has_families_of_both_kinds() {
        let grammars = all().unwrap();
        let folder = crate::root().join("crates/xtask/quality/grammars");
        let files = std::fs::read_dir(folder).unwrap().filter_map(Result::ok);
        let files = files.filter(|file| file.path().extension().is_some_and(|end| end == "txt"));
        assert_eq!(files.count(), grammars.len(), "every file stands in the table");
        let families = || grammars.iter().flat_map(|grammar| &grammar.families);
        let held_out = families().filter(|family| family.is_held_out).count();
        let share = held_out as f64 / families().count() as f64;
        assert!((0.25..=0.4).contains(&share), "about a third is held out, not {share:.2}");
    }

    #[test]
    fn slips_of_the_pen_are_errors() {
        let head = "class c\nplaces query\n";
        let fails = |body: &str| {
            let text: &'static str = format!("{head}{body}").leak();
            read("x", text).err().map(|error| format!("{error:#}")).unwrap_or_default()
        };
        assert!(fails("family x/a\n  «b»\n").contains("`b` is not there"));
        assert!(fails("family x/a\n  1\nwords b: 2\n").contains("nobody uses"));
        assert!(fails("family x/a\n  «b»\nproduction b\n  («b»)\n").contains("never ends"));
        assert!(fails("family x/a\n  «b\n").contains("« without »"));
        assert!(fails("family y/a\n  1\n").contains("family x/"));
        assert!(fails("family x/a heldout\n  1\n").contains("heldout"));
        assert!(fails("family x/a\n").contains("no alternative"));
        assert_eq!(fails("family x/a held-out\n  «b»\nproduction b\n  («b»)\n  1\n"), "");
    }
}
