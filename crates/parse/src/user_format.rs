//! Formats that an operator defines: a `log_format` of nginx, a `LogFormat` of Apache, a delimiter with the names of its columns, or
//! a pattern with named fields; each for files, for a source, or asked for by its name.
//!
//! All that is wrong with the definitions is told at once, with the column of the string. Reads no files.

use std::fmt;

use event::{BatchBuilder, Dataset, DatasetId, dataset};

use crate::format::FormatChoice;
use crate::layout::{BadLayout, Fits, Layout, VALUES_MAX, apache, named_fields, names, nginx, split_delimited};
use crate::near::{self, NameKind};
use crate::values::{Dialect, Own, Value};

/// A format as it is written. Exactly one of `nginx`, `apache`, `pattern` and `delimiter` says how its lines look.
#[derive(Clone, Debug, Default)]
pub struct FormatDefinition {
    /// What it is called, also by `--format`.
    pub name: String,
    /// The string of nginx's `log_format`.
    pub nginx: Option<String>,
    /// The string of Apache's `LogFormat`.
    pub apache: Option<String>,
    /// Text with fields in brackets: `{@timestamp} {source.ip} "{request}"`.
    pub pattern: Option<String>,
    /// The byte between columns; `columns` name them.
    pub delimiter: Option<String>,
    /// Names of fields in the order of the columns; `-` for one that is left out.
    pub columns: Vec<String>,
    /// Files whose lines have the format, as patterns with `*` and `?`.
    pub files: Vec<String>,
    /// Name of the source whose lines have the format.
    pub source: Option<String>,
    /// Kind of log of its events, such as `http.access`; without it, access logs of web servers are one and others have the
    /// name of the format.
    pub dataset: Option<String>,
}

/// Why a definition is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct BadDefinition {
    name: String,
    key: &'static str,
    /// Column of the string, from 1.
    column: Option<usize>,
    reason: String,
}

impl BadDefinition {
    /// The format, and the key of its definition.
    pub fn place(&self) -> (&str, &str) {
        (&self.name, self.key)
    }
}

impl fmt::Display for BadDefinition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "format `{}`: {}", self.name, self.key)?;
        if let Some(column) = self.column {
            write!(out, ", column {column}")?;
        }
        write!(out, ": {}", self.reason)
    }
}

/// How lines are cut.
#[derive(Debug)]
enum How {
    Layout(Layout),
    Columns { delimiter: u8, values: Vec<Value>, own: Own },
}

#[derive(Debug)]
struct UserFormat {
    name: String,
    how: How,
    files: Vec<glob::Pattern>,
    source: Option<String>,
    dataset: DatasetId,
}

/// Every format that is defined.
#[derive(Debug, Default)]
pub struct UserFormats(Vec<UserFormat>, Vec<BadDefinition>);

impl UserFormats {
    /// Compiles the definitions, or says all that is wrong with them.
    pub fn compile(definitions: &[FormatDefinition]) -> Result<Self, Vec<BadDefinition>> {
        let (mut formats, mut problems, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for (at, definition) in definitions.iter().enumerate() {
            let mut check = Check { name: &definition.name, problems: Vec::new() };
            check.name(definitions[..at].iter().any(|other| other.name == definition.name));
            let how = check.how(definition);
            let files = check.files(&definition.files);
            let dataset = check.dataset(definition);
            problems.append(&mut check.problems);
            if let Some(how) = how {
                notes.append(&mut check.new_names(&how, definition));
                let (name, source) = (definition.name.clone(), definition.source.clone());
                formats.push(UserFormat { name, how, files, source, dataset });
            }
        }
        if problems.is_empty() { Ok(UserFormats(formats, notes)) } else { Err(problems) }
    }

    /// The first format for a source of this name.
    pub(crate) fn bound_to(&self, source: &str) -> Option<usize> {
        self.0.iter().position(|format| {
            format.source.as_deref() == Some(source) || format.files.iter().any(|pattern| pattern.matches(source))
        })
    }

    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|format| format.name == name)
    }

    /// Names, in the order of the definitions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|format| format.name.as_str())
    }

    /// What is to be known of the definitions, though it is no mistake: fields that are new.
    pub fn notes(&self) -> &[BadDefinition] {
        &self.1
    }

    /// The columns of no known name of each format.
    pub(crate) fn own(&self) -> Vec<Own> {
        let own = |format: &UserFormat| match &format.how {
            How::Layout(layout) => layout.own.clone(),
            How::Columns { own, .. } => own.clone(),
        };
        self.0.iter().map(own).collect()
    }

    /// Cuts a line of one of the formats; `None` where it is not of it.
    pub(crate) fn cut<'a>(&self, at: usize, text: &'a [u8], words: &mut [&'a [u8]; VALUES_MAX]) -> Option<CutLine<'_>> {
        Some(match &self.0.get(at)?.how {
            How::Layout(layout) => {
                CutLine { count: layout.cut(text, words)?, values: layout.values(), dialect: layout.dialect }
            }
            How::Columns { delimiter, values, .. } => {
                let count = split_delimited(text, *delimiter, words).filter(|count| *count == values.len())?;
                CutLine { count, values, dialect: Dialect::default() }
            }
        })
    }

    /// Whether a line of one of the formats tells one peer only, however it is read.
    pub(crate) fn is_clear(&self, at: usize, text: &[u8], fits: &Fits<'_>) -> bool {
        match self.0.get(at).map(|format| &format.how) {
            Some(How::Layout(layout)) => layout.is_clear(text, fits),
            _ => true,
        }
    }

    /// The kind of log of a format's lines; one without a kind of its own has the format's name.
    pub(crate) fn name_dataset(&self, at: usize, rows: &mut BatchBuilder) -> Option<DatasetId> {
        let format = self.0.get(at)?;
        if format.dataset == dataset::CUSTOM {
            rows.name_dataset(&format.name);
        }
        Some(format.dataset)
    }
}

/// A line that was cut: how many words it has, and what they are.
#[derive(Debug)]
pub(crate) struct CutLine<'f> {
    pub(crate) count: usize,
    pub(crate) values: &'f [Value],
    pub(crate) dialect: Dialect,
}

/// One definition that is being read, and what is wrong with it.
struct Check<'a> {
    name: &'a str,
    problems: Vec<BadDefinition>,
}

impl Check<'_> {
    fn keep(&mut self, key: &'static str, column: Option<usize>, reason: impl Into<String>) {
        self.problems.push(BadDefinition { name: self.name.to_owned(), key, column, reason: reason.into() });
    }

    fn name(&mut self, is_taken: bool) {
        let is_word = |name: &str| {
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'))
        };
        if self.name.is_empty() || !is_word(self.name) {
            self.keep("name", None, "must be a word of small letters, digits, `_` and `-`");
        } else if is_taken {
            self.keep("name", None, "is taken by a format above: choose another one");
        } else if FormatChoice::words().contains(&self.name) {
            self.keep("name", None, "is that of a built-in format: choose another one");
        }
    }

    fn how(&mut self, definition: &FormatDefinition) -> Option<How> {
        let FormatDefinition { nginx, apache, pattern, delimiter, columns, .. } = definition;
        let told = [nginx.is_some(), apache.is_some(), pattern.is_some(), delimiter.is_some()];
        if told.iter().filter(|is_told| **is_told).count() != 1 {
            self.keep("nginx, apache, pattern, delimiter", None, "exactly one of them must say how lines look");
            return None;
        }
        if !columns.is_empty() && delimiter.is_none() {
            self.keep("columns", None, "belong to a delimiter: the other forms name their values themselves");
        }
        let (key, compiled) = match (nginx, apache, pattern) {
            (Some(text), ..) => ("nginx", nginx::compile(text)),
            (_, Some(text), _) => ("apache", apache::compile(text)),
            (.., Some(text)) => ("pattern", named_fields::compile(text)),
            _ => return self.columns(delimiter.as_deref().unwrap_or_default(), columns),
        };
        match compiled {
            Ok(layout) => Some(How::Layout(layout)),
            Err(problems) => {
                for BadLayout { column, reason } in problems {
                    self.keep(key, Some(column), reason);
                }
                None
            }
        }
    }

    /// Fields that the operator names, and that the catalog does not know.
    fn new_names(&self, how: &How, definition: &FormatDefinition) -> Vec<BadDefinition> {
        let (key, own) = match how {
            How::Columns { own, .. } => ("columns", own),
            How::Layout(layout) if definition.pattern.is_some() => ("pattern", &layout.own),
            // Variables of a web server are named by the server.
            How::Layout(_) => return Vec::new(),
        };
        let note = |name: &str| match near::field(name, &[]) {
            NameKind::Exactly => None,
            NameKind::Nearly(nearest) | NameKind::Not(nearest) => {
                Some(BadDefinition { name: self.name.to_owned(), key, column: None, reason: near::note(name, nearest) })
            }
        };
        own.names().filter_map(note).collect()
    }

    fn columns(&mut self, delimiter: &str, columns: &[String]) -> Option<How> {
        let byte = match delimiter.as_bytes() {
            [byte] => Some(*byte),
            _ => {
                self.keep("delimiter", None, format!("`{delimiter}` must be one character, such as `,`, `|` or `\\t`"));
                None
            }
        };
        if columns.is_empty() || columns.len() > VALUES_MAX {
            self.keep(
                "columns",
                None,
                format!("name the fields in their order, from 1 to {VALUES_MAX}; `-` leaves one out"),
            );
        }
        let (mut own, mut values) = (Own::default(), Vec::with_capacity(columns.len()));
        for (at, column) in columns.iter().enumerate() {
            let (name, unit) =
                column.split_once(':').map_or((column.as_str(), None), |(name, unit)| (name, Some(unit)));
            match names::value(name, unit, &mut own) {
                Ok(value) => {
                    let first = values.iter().position(|known| *known == value && value != Value::Skip);
                    if let Some(first) = first {
                        self.keep("columns", Some(at + 1), named_fields::twice(name, first + 1));
                    }
                    values.push(value);
                }
                Err(reason) => {
                    self.keep("columns", Some(at + 1), reason);
                    values.push(Value::Skip);
                }
            }
        }
        Some(How::Columns { delimiter: byte?, values, own })
    }

    fn files(&mut self, files: &[String]) -> Vec<glob::Pattern> {
        let mut patterns = Vec::with_capacity(files.len());
        for file in files {
            match glob::Pattern::new(file) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => self.keep("files", Some(error.pos + 1), format!("`{file}`: {}", error.msg)),
            }
        }
        patterns
    }

    fn dataset(&mut self, definition: &FormatDefinition) -> DatasetId {
        let is_web = definition.nginx.is_some() || definition.apache.is_some();
        let Some(name) = &definition.dataset else {
            return if is_web { dataset::ACCESS } else { dataset::CUSTOM };
        };
        let known = dataset::DATASETS.iter().position(|known| known.name == name && !known.is_unknown());
        match known.and_then(|at| u8::try_from(at).ok()) {
            Some(at) => {
                debug_assert_eq!(Dataset::of(DatasetId(at)).name, name);
                DatasetId(at)
            }
            None => {
                let meant = match near::of(name, dataset::DATASETS.iter().map(|known| known.name)) {
                    NameKind::Nearly(meant) => meant,
                    _ => "http.access",
                };
                let reason = format!("`{name}` is no known kind of log: leave it out, or write {meant}");
                self.keep("dataset", None, reason);
                dataset::CUSTOM
            }
        }
    }
}
