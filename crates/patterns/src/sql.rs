//! SQL injection by structure: a value is read as SQL would read it, behind a number, or behind the quote that ends the
//! text it was put into. Words alone prove nothing, neither `select` in a search phrase nor the apostrophe of a name:
//! what counts is that the value goes on as a statement does. The text is in lower case, its encodings undone.

use memchr::memchr;

use crate::Part;
use crate::grammar::{Grammar, Reading};
use crate::sql_value::{Inside, SqlWords, Value};
use crate::vocabulary::Vocabulary;

/// Texts of which each injection has one, beside the names of functions and tables. (flat table)
const NEEDS: &[&str] = &[
    "'",
    "\"",
    "`",
    "select ",
    "select(",
    "select/",
    "select*",
    "select@",
    "select+",
    "select\t",
    "select\n",
    "select`",
    "select~",
    "select!",
    "select\u{b}",
    "select\u{c}",
    "select\r",
    " or ",
    "or ",
    ")or",
    "(or",
    "or(",
    " and ",
    "and ",
    ")and",
    "and(",
    "||",
    "&&",
    "xor",
    ";--",
    ";#",
    "; --",
    "order by",
    "group by",
    "having",
    "rlike",
    "/**/",
    "\n",
    " where ",
    ")where",
    "where(",
    "boolean mode",
    "language mode",
    "query expansion",
    "::",
    "->>",
    "@>",
    "<@",
    "#>",
    ":=",
    "{fn",
    "{ts",
    "{d ",
    "{call",
    "/*!",
    "\\n",
    "<=>",
    ")like",
    ") like",
    ")in(",
    "insert into",
    "delete from",
    "drop ",
    "create ",
    "alter ",
    "truncate ",
    "exec(",
    "exec ",
    "execute ",
    "declare ",
    "grant ",
    "update ",
    "shutdown",
    "waitfor",
    "union",
    "except ",
    "intersect",
    "case when",
    "count(*",
    "merge into",
    ".e(",
    "fetch first",
    "fetch next",
    "if(",
    "cast(",
    "convert(",
    "procedure",
    "0x",
    "2.22507",
    "1e30",
    "214748364",
    "429496729",
    "922337203685",
    "184467440737",
    "values(",
];
/// Comparisons of digits, and what a second statement begins with, are needs, too.
const STACKED: &[&str] = &[
    "select",
    "insert",
    "replace",
    "update",
    "delete",
    "drop",
    "alter",
    "create",
    "truncate",
    "rename",
    "lock",
    "exec",
    "declare",
    "shutdown",
    "waitfor",
    "grant",
    "revoke",
    "merge",
    "call",
    "handler",
    "backup",
    "restore",
    "load",
    "copy",
    "vacuum",
    "analy",
    "reconfigure",
    "begin",
    "attach",
    "detach",
    "pragma",
    "prepare",
    "deallocate",
    "set",
    "dbcc",
    "bulk",
    "openrowset",
    "flush",
    "reset",
    "install",
    "optimize",
    "repair",
    "check",
    "show",
    "with",
    "values",
    "if",
    "while",
    "do",
    "print",
    "use",
    "kill",
];
/// Segments of a path that are tried as the beginning of a value.
const SEGMENTS_MAX: usize = 16;

/// The language of databases.
#[derive(Debug)]
pub(crate) struct SqlGrammar {
    words: SqlWords,
}

impl SqlGrammar {
    pub(crate) fn new(words: &Vocabulary) -> Self {
        SqlGrammar { words: SqlWords::new(words) }
    }
}

impl Grammar for SqlGrammar {
    fn name(&self) -> &'static str {
        "sql"
    }

    fn needs(&self) -> Vec<String> {
        let words = &self.words;
        let mut needs: Vec<String> = NEEDS.iter().map(|need| (*need).to_owned()).collect();
        needs.extend(STACKED.iter().flat_map(|word| [format!(";{word}"), format!("; {word}")]));
        needs.extend((0..10).flat_map(|digit| [format!("{digit}={digit}"), format!("{digit} like")]));
        needs.extend(
            words
                .acts
                .iter()
                .chain(words.only.iter())
                .chain(words.report.iter())
                .chain(words.schema.iter())
                .map(str::to_owned),
        );
        needs.extend(words.shared.iter().flat_map(|word| [format!("{word}("), format!("{word} (")]));
        needs
    }

    fn read(&self, text: &str, part: Part) -> Option<Reading> {
        if part == Part::Path { in_path(text, &self.words) } else { injection(text, &self.words) }
    }
}

/// How a path would go on as SQL, if that is what it does: a value may begin with any of its segments.
fn in_path(path: &str, words: &SqlWords) -> Option<Reading> {
    let begins = |segment: &&str| {
        segment.starts_with(|first: char| first.is_ascii_digit() || "-()'\"".contains(first))
            || ["or ", "and ", "xor "].iter().any(|word| segment.starts_with(word))
    };
    let segments = path.match_indices('/').filter_map(|(at, _)| path.get(at + 1..)).filter(begins);
    let mut best = injection(path, words);
    for segment in segments.take(SEGMENTS_MAX) {
        if best.as_ref().is_some_and(|best| best.points == 5) {
            break;
        }
        best = Reading::surer(best, judge(segment, Inside::Statement, words));
    }
    // Pages about databases are named after their words.
    best.map(|read| Reading { points: if read.points < 5 { read.points - 1 } else { 5 }, ..read })
        .filter(|read| read.points > 0)
}

/// How the value would go on as SQL, if that is what it does: the surest of all places that it may stand in.
fn injection(text: &str, words: &SqlWords) -> Option<Reading> {
    let mut best = judge(text, Inside::Statement, words);
    for quote in [b'\'', b'"', b'`'] {
        if best.as_ref().is_some_and(|best| best.points == 5) || memchr(quote, text.as_bytes()).is_none() {
            continue;
        }
        let most = if quote == b'`' { 4 } else { 5 };
        let found = judge(text, Inside::Text(quote), words);
        let escaped = text.as_bytes().windows(2).any(|pair| pair == [b'\\', quote]);
        let plain = if escaped { judge(text, Inside::PlainText(quote), words) } else { None };
        let found = Reading::surer(found, plain);
        best = Reading::surer(best, found.map(|read| Reading { points: read.points.min(most), ..read }));
    }
    best
}

/// How the value would go on as SQL where it stands there.
fn judge(text: &str, inside: Inside, words: &SqlWords) -> Option<Reading> {
    let value = Value::read(text, inside, words)?;
    let sure = |read: &Option<Reading>| read.as_ref().is_some_and(|read| read.points >= 5);
    let mut best = Reading::surer(value.tail(), value.queries());
    if !sure(&best) {
        best = Reading::surer(best, Reading::surer(value.constants(), value.words_of_databases()));
    }
    if sure(&best) { best } else { Reading::surer(best, value.whole()) }
}
