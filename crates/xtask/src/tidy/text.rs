//! What a file says in words: its head comment, left-overs, sentences of comments; and what a pure crate must not name.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::house::PURE;
use super::modules::leaves;
use super::problems::Problems;
use super::sources::{Source, attributes, is_for_tests};

/// What the pure crates must not touch, outside their tests.
const IMPURE: [&str; 7] =
    ["std::fs", "std::net::Tcp", "std::net::Udp", "SystemTime", "Instant::now", "tokio", "std::process"];

/// Left-overs that must not be committed.
const LEFT_OVERS: [&str; 5] = ["TO\u{44}O", "FIX\u{4d}E", "XX\u{58}", "dbg\u{21}(", "unimplemented\u{21}("];

/// Two words that begin a sentence about another one, which the reader has to look for.
const BACKWARDS: &str = "The sam\u{65} ";

/// Every problem with the words of one file.
pub(super) fn check(source: &Source, problems: &mut Problems) {
    let path = &source.path;
    if !source.text.starts_with("//!") {
        problems.add(path, 1, "no head comment", "a file opens with what it is and what it must not do (//!)");
    }
    for (at, line) in source.text.lines().enumerate() {
        if let Some(word) = LEFT_OVERS.iter().find(|word| line.contains(**word)) {
            problems.add(path, at + 1, &format!("left over: `{word}`"), "finish it or take it out");
        }
        let comment = line.trim_start();
        if comment.starts_with("//") && format!("{comment} ").contains(BACKWARDS) {
            problems.add(path, at + 1, "a sentence that begins with \"The same\"", "say what it is");
        }
    }
    // A build script runs before there is a program.
    let is_build = source.path.ends_with("/build.rs");
    if !source.is_test && !is_build && source.package().is_some_and(|package| PURE.contains(&package)) {
        Impure { path, problems }.visit_file(&source.syntax);
    }
}

struct Impure<'a> {
    path: &'a str,
    problems: &'a mut Problems,
}

impl Impure<'_> {
    fn path(&mut self, parts: &[String], line: usize) {
        let path = format!("::{}", parts.join("::"));
        if let Some(word) = IMPURE.iter().find(|word| path.contains(&format!("::{word}"))) {
            let what = format!("`{word}` in a pure crate");
            self.problems.add(self.path, line, &what, "time and input are arguments");
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let mut parts: Vec<String> = Vec::new();
        for tree in tokens {
            match tree {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(word) => {
                    parts.push(word.to_string());
                    self.path(&parts, word.span().start().line);
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {}
                _ => parts.clear(),
            }
        }
    }
}

impl<'ast> Visit<'ast> for Impure<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        leaves(import).iter().for_each(|leaf| self.path(&leaf.path, leaf.line));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let line = path.segments.first().map_or(1, |first| first.ident.span().start().line);
        self.path(&parts, line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.tokens(called.tokens.clone());
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
    fn a_file_opens_with_what_it_is() {
        assert!(found("a.rs", "fn x() {}\n").contains("a.rs:1: no head comment"));
        assert_eq!(found("a.rs", "//! x\nfn x() {}\n"), "");
    }

    #[test]
    fn left_overs_are_told() {
        assert!(found("a.rs", "//! x\n// TO\u{44}O: later\n").contains("a.rs:2: left over"));
    }

    #[test]
    fn no_sentence_points_backwards() {
        for comment in ["// The sam\u{65} as above.", "/// x. The sam\u{65} for y.", "//! - The sam\u{65}"] {
            assert!(
                found("a.rs", &format!("//! x\n{comment}\nfn x() {{}}\n").replace("//! x\n//!", "//!"))
                    .contains("begins with")
            );
        }
        assert_eq!(found("a.rs", "//! Rows of the same log: the same rules.\nfn x() {}\n"), "");
    }

    #[test]
    fn pure_crates_name_no_input_and_no_clock() {
        for text in
            ["use std::fs;", "use std::{fs, io};", "fn x() { Instant::now(); }", "fn x() { y!(std::fs::read(z)); }"]
        {
            assert!(found("crates/parse/src/a.rs", &format!("//! x\n{text}\n")).contains("pure crate"), "{text}");
            assert_eq!(found("crates/parse/src/a.rs", &format!("//! x\n#[cfg(test)]\nmod t {{ {text} }}\n")), "");
            assert_eq!(found("crates/store/src/a.rs", &format!("//! x\n{text}\n")), "");
        }
        assert_eq!(found("crates/parse/src/a.rs", "//! x\nuse std::net::IpAddr;\n"), "");
    }
}
