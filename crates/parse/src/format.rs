//! What a format is, and which of them a line may have. A format is one file with a function that reads one line; adding one adds
//! a row to the table.

mod first_bytes;
mod table;

use std::str::FromStr;
use std::sync::OnceLock;

use event::{BatchBuilder, DatasetId};
use first_bytes::{ByFirst, FirstBytes};

use crate::context::{Context, Refusal};
use crate::envelope::ansi;
use crate::key_value;
use crate::own_file;
use crate::put_values;
use crate::user_format::UserFormats;

pub use table::FORMATS;

/// Formats that read what may be of another format, too, which is to read it whatever the lines around it are: a program's own line,
/// colours that may stand behind a header, what all others refuse.
pub(crate) const NEVER_FIRST: [&str; 3] = [own_file::NAME, ansi::NAME, "application"];

type Read = fn(&[u8], &mut Context, &mut BatchBuilder) -> Result<DatasetId, Refusal>;

/// One log format.
#[derive(Debug)]
pub struct Format {
    /// What `--format` calls the group that the format belongs to.
    pub group: &'static str,
    /// Unique among formats.
    pub name: &'static str,
    /// With what its lines can begin.
    pub(crate) first_bytes: FirstBytes,
    /// Cheap: may say yes to a line that `read` then refuses.
    pub looks_like: fn(&[u8]) -> bool,
    /// Whether the line begins as only this format does, so that it is broken where `read` refuses it. A date alone begins
    /// many other texts.
    pub(crate) begins_like: fn(&[u8]) -> bool,
    pub(crate) read: Read,
    /// A line of the format, as it is found in the field.
    pub example: &'static str,
    /// Where the format is described: an address without its scheme, or a standard.
    pub documentation: &'static str,
}

/// Whether the format reads just the lines that look and begin like it: looking first would be the same work twice.
fn reads_as_it_looks(format: &Format) -> bool {
    std::ptr::fn_addr_eq(format.looks_like, key_value::looks_like as fn(&[u8]) -> bool)
}

/// Reads a line that another one carries.
pub(crate) fn read_carried(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    if let Some(dataset) = put_values::read_bound(text, context, rows) {
        return Some(dataset);
    }
    read_where(text, context, rows, looks_like)
}

/// Which of all formats can read a line.
fn by_first() -> ByFirst {
    static BY_FIRST: OnceLock<ByFirst> = OnceLock::new();
    *BY_FIRST.get_or_init(|| ByFirst::new(FORMATS.iter().map(|format| format.first_bytes)))
}

/// Formats whose lines say who wrote them.
const SYSLOG: &str = "syslog";

/// Reads what a program says that is named: a line that says who wrote it would be believed to be another's.
pub(crate) fn read_said(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    read_where(text, context, rows, |format, text| format.group != SYSLOG && looks_like(format, text))
}

/// As [`read_said`], where the text begins as no other does.
pub(crate) fn read_said_surely(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    read_where(text, context, rows, |format, text| format.group != SYSLOG && begins_like(format, text))
}

/// Reads a line that another one carries where it begins as no other text does.
pub(crate) fn read_carried_surely(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    read_where(text, context, rows, begins_like)
}

fn looks_like(format: &Format, text: &[u8]) -> bool {
    reads_as_it_looks(format) || (format.looks_like)(text)
}

fn begins_like(format: &Format, text: &[u8]) -> bool {
    reads_as_it_looks(format) || (format.begins_like)(text)
}

/// Reads a line in the first of all formats that is tried and takes it.
fn read_where(
    text: &[u8],
    context: &mut Context,
    rows: &mut BatchBuilder,
    is_tried: impl Fn(&Format, &[u8]) -> bool,
) -> Option<DatasetId> {
    by_first().of(text).filter_map(|at| FORMATS.get(at)).filter(|format| is_tried(format, text)).find_map(|format| {
        let dataset = (format.read)(text, context, rows).ok()?;
        context.readers.format(format.name);
        Some(dataset)
    })
}

/// The formats that lines may have: all of them (`auto`) or one group.
#[derive(Clone, Debug)]
pub struct FormatChoice {
    candidates: Vec<&'static Format>,
    by_first: ByFirst,
    /// The one of them that takes colours out.
    of_colours: Option<&'static Format>,
    /// Number of the operator's format that was asked for.
    own: Option<usize>,
}

impl FormatChoice {
    /// Whether one format was asked for by its name: what it cannot read then is broken.
    pub(crate) fn is_told(&self) -> bool {
        self.candidates.len() < FORMATS.len()
    }

    /// Number of the operator's format that was asked for.
    pub(crate) fn own(&self) -> Option<usize> {
        self.own
    }

    /// The format that takes colours out, where lines may have it.
    #[inline]
    pub(crate) fn of_colours(&self) -> Option<&'static Format> {
        self.of_colours
    }

    fn of(candidates: Vec<&'static Format>) -> Self {
        let of_colours = candidates.iter().copied().find(|format| format.name == ansi::NAME);
        let by_first = ByFirst::new(candidates.iter().map(|format| format.first_bytes));
        FormatChoice { candidates, by_first, of_colours, own: None }
    }

    /// The formats that a word stands for: the operator's own are known, too.
    pub fn named(word: &str, user_formats: &UserFormats) -> Result<Self, UnknownFormat> {
        match user_formats.named(word) {
            Some(own) => Ok(FormatChoice { own: Some(own), ..FormatChoice::default() }),
            None => word.parse(),
        }
    }

    pub(crate) fn candidates(&self) -> &[&'static Format] {
        &self.candidates
    }

    /// Those of the formats that can read a line which begins as this one, in their order.
    #[inline]
    pub(crate) fn candidates_of(&self, line: &[u8]) -> impl Iterator<Item = &'static Format> {
        self.by_first.of(line).filter_map(|at| self.candidates.get(at).copied())
    }

    /// Every word that `--format` takes.
    pub fn words() -> Vec<&'static str> {
        let mut words = vec!["auto"];
        for format in FORMATS {
            for word in [format.group, format.name] {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
        }
        words
    }
}

impl Default for FormatChoice {
    fn default() -> Self {
        FormatChoice::of(FORMATS.iter().collect())
    }
}

/// A word that is neither `auto`, a format nor a group of formats.
#[derive(Debug, thiserror::Error)]
#[error("unknown format `{0}`: use one of {list}", list = FormatChoice::words().join(", "))]
pub struct UnknownFormat(String);

impl FromStr for FormatChoice {
    type Err = UnknownFormat;
    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        if word == "auto" {
            return Ok(FormatChoice::default());
        }
        let candidates: Vec<_> = FORMATS.iter().filter(|format| format.group == word || format.name == word).collect();
        if candidates.is_empty() {
            return Err(UnknownFormat(word.to_owned()));
        }
        Ok(FormatChoice::of(candidates))
    }
}
