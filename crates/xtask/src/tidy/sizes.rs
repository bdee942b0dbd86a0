//! Limits of length and width: lines of functions and files, parameters, fields. Counts syntax, in bodies of macros tokens.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::problems::Problems;
use super::sources::Source;

/// Longest function in lines, from its signature to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Longest file in lines; files marked `(flat table)` in their first line may be longer.
const FILE_LINES_MAX: usize = 500;
/// Most parameters of a function, `self` included.
const PARAMETERS_MAX: usize = 6;
/// Most named fields of a struct or of a variant of an enum.
const FIELDS_MAX: usize = 12;

/// Everything in one file that is longer or wider than it may be.
pub(super) fn check(source: &Source, problems: &mut Problems) {
    let lines = source.lines();
    let is_table = source.text.lines().next().is_some_and(|first| first.contains("(flat table)"));
    if lines > FILE_LINES_MAX && !is_table {
        let what = format!("{lines} lines, at most {FILE_LINES_MAX}");
        problems.add(&source.path, 1, &what, "one idea per file, or mark it `(flat table)`");
    }
    Sizes { path: &source.path, problems }.visit_file(&source.syntax);
}

struct Sizes<'a> {
    path: &'a str,
    problems: &'a mut Problems,
}

impl Sizes<'_> {
    fn function(&mut self, name: &str, start: usize, end: usize, parameters: usize) {
        let lines = end.saturating_sub(start) + 1;
        if lines > FUNCTION_LINES_MAX {
            let what = format!("function `{name}` of {lines} lines, at most {FUNCTION_LINES_MAX}");
            self.problems.add(self.path, start, &what, "give its steps names of their own");
        }
        if parameters > PARAMETERS_MAX {
            let what = format!("function `{name}` of {parameters} parameters, at most {PARAMETERS_MAX}");
            self.problems.add(self.path, start, &what, "what goes together is a struct");
        }
    }

    fn signature(&mut self, signature: &syn::Signature, whole: proc_macro2::Span) {
        let start = signature.span().start().line;
        self.function(&signature.ident.to_string(), start, whole.end().line, signature.inputs.len());
    }

    fn fields(&mut self, name: &syn::Ident, fields: &syn::Fields) {
        if let syn::Fields::Named(named) = fields {
            self.named(&name.to_string(), name.span().start().line, named);
        }
    }

    fn named(&mut self, name: &str, line: usize, named: &syn::FieldsNamed) {
        let count = named.named.len();
        if count > FIELDS_MAX {
            let what = format!("`{name}` has {count} fields, at most {FIELDS_MAX}");
            self.problems.add(self.path, line, &what, "what goes together is a struct of its own");
        }
    }

    /// Functions and structs that stand in the tokens of a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(word) if word == "fn" => self.function_in(&trees[at..]),
                TokenTree::Ident(word) if word == "struct" => self.struct_in(&trees[at..]),
                _ => {}
            }
        }
    }

    /// `fn name<…>(…) … {…}`; the type `fn(…)` has no name and no body.
    fn function_in(&mut self, trees: &[TokenTree]) {
        let Some((name, rest)) = name_after(trees) else { return };
        let Some(at) = rest.iter().position(|tree| is_group(tree, Delimiter::Parenthesis)) else { return };
        let TokenTree::Group(parameters) = &rest[at] else { return };
        let body = rest[at..].iter().find(|tree| is_group(tree, Delimiter::Brace) || is_punct(tree, ';'));
        let start = trees[0].span().start().line;
        let end = body.map_or(start, |body| body.span().end().line);
        self.function(&name, start, end, count_parameters(parameters.stream()));
    }

    fn struct_in(&mut self, trees: &[TokenTree]) {
        let Some((name, rest)) = name_after(trees) else { return };
        let body = rest.iter().take_while(|tree| !is_punct(tree, ';')).find(|tree| is_group(tree, Delimiter::Brace));
        if let Some(named) = body.and_then(|body| syn::parse2::<syn::FieldsNamed>(body.clone().into()).ok()) {
            self.named(&name, trees[0].span().start().line, &named);
        }
    }
}

impl<'ast> Visit<'ast> for Sizes<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.signature(&item.sig, item.span());
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.signature(&item.sig, item.span());
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.signature(&item.sig, item.span());
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_foreign_item_fn(&mut self, item: &'ast syn::ForeignItemFn) {
        self.signature(&item.sig, item.span());
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.fields(&item.ident, &item.fields);
        visit::visit_item_struct(self, item);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.fields(&variant.ident, &variant.fields);
        visit::visit_variant(self, variant);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.tokens(called.tokens.clone());
    }
}

/// The name behind a keyword, `$name` in a macro's pattern, and what follows it.
fn name_after(trees: &[TokenTree]) -> Option<(String, &[TokenTree])> {
    match trees {
        [_, TokenTree::Ident(name), rest @ ..] => Some((name.to_string(), rest)),
        [_, TokenTree::Punct(dollar), TokenTree::Ident(name), rest @ ..] if dollar.as_char() == '$' => {
            Some((format!("${name}"), rest))
        }
        _ => None,
    }
}

fn is_group(tree: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == delimiter)
}

fn is_punct(tree: &TokenTree, character: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// Parameters between commas, those within `<…>` aside.
fn count_parameters(tokens: TokenStream) -> usize {
    let (mut depth, mut count, mut is_open, mut before) = (0_i32, 0, false, ' ');
    for tree in tokens {
        let character = if let TokenTree::Punct(punct) = &tree { punct.as_char() } else { ' ' };
        match character {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            ',' if depth == 0 => is_open = false,
            _ => {}
        }
        let is_comma = character == ',' && depth == 0;
        if !is_comma && !is_open {
            (count, is_open) = (count + 1, true);
        }
        before = character;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::problems;

    fn found(text: &str) -> String {
        problems::found(check, "a.rs", text)
    }

    #[test]
    fn functions_of_every_kind_have_a_length() {
        let body = "    y();\n".repeat(80);
        for head in [
            "fn x() {",
            "pub(crate) async fn x() {",
            "unsafe extern \"C\" fn x<T>(value: T) {",
            "impl X {\npub const fn x(&self) {",
            "trait X {\nfn x(&self)\nwhere\n    Self: Sized,\n{",
            "mod y {\nfn x() {",
            "fn y() {\nfn x() {",
            "macro_rules! m { ($name:ident) => {\npub(crate) async fn x(&self) -> u8 {",
        ] {
            let ends = head.matches('{').count();
            let text = format!("//! x\n{head}\n{body}{}\n", "}".repeat(ends));
            let found = found(&text);
            assert!(found.contains("function `x` of 8"), "{head}: {found}");
        }
        assert_eq!(found("fn x() {\n    y();\n}\n"), "");
        assert!(found("fn x() {\n}\n\n#[doc = \"long\"]\nfn y() {}\n").is_empty());
    }

    #[test]
    fn a_file_has_a_length_unless_it_is_a_marked_table() {
        let lines = "// y\n".repeat(501);
        assert!(found(&format!("//! x\n{lines}")).contains("a.rs:1: 502 lines, at most 500"));
        assert_eq!(found(&format!("//! x (flat table)\n{lines}")), "");
    }

    #[test]
    fn parameters_are_counted_with_self() {
        let seven = "a: u8, b: u8, c: u8, d: u8, e: u8, f: Map<u8, u8>";
        assert!(found(&format!("impl X {{ fn x(&self, {seven}) {{}} }}")).contains("`x` of 7 parameters"));
        assert!(found(&format!("trait X {{ fn x(&self, {seven}); }}")).contains("`x` of 7 parameters"));
        assert!(found(&format!("m! {{ fn $x(self, {seven}) {{}} }}")).contains("`$x` of 7 parameters"));
        assert_eq!(found(&format!("fn x({seven}) {{}} m! {{ fn x({seven},) {{}} }}")), "");
        assert_eq!(found("type X = fn(u8, u8, u8, u8, u8, u8, u8);"), "");
    }

    #[test]
    fn named_fields_are_counted_in_structs_and_variants() {
        let fields: String = (0..13).map(|at| format!("f{at}: u8, ")).collect();
        assert!(found(&format!("struct X {{ {fields} }}")).contains("`X` has 13 fields"));
        assert!(found(&format!("enum X {{ A, B {{ {fields} }} }}")).contains("`B` has 13 fields"));
        assert!(found(&format!("m! {{ struct X {{ {fields} }} }}")).contains("`X` has 13 fields"));
        assert_eq!(found(&format!("struct X {{ {} }}", fields.replace("f12: u8, ", ""))), "");
        assert_eq!(found("struct X(u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8);"), "");
    }
}
