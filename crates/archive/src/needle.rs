//! Looking in a column of a file for one text, or for those that pass a test, page by page: the dictionary first, and only where a text in
//! it passes the places of its number among the rows. Each text of a dictionary is judged once, and no value of a row becomes a column.
//! What it cannot read so it does not decide.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

/// For some texts, whether each passes.
type Passes<'a> = dyn Fn(&[&str]) -> Result<Vec<bool>, ParquetError> + 'a;

/// What texts are looked for.
#[derive(Clone, Copy)]
pub(crate) enum SoughtTexts<'a> {
    /// This one.
    Text(&'a str),
    /// Those that pass.
    Passing(&'a Passes<'a>),
}

/// Rows of a group that hold such a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NeedleRows {
    /// These, in ascending order.
    Rows(Vec<u32>),
    /// The pages are written in a way that is not read here.
    Unknown,
}

/// The bytes of one column in a group, where they begin in the file.
#[derive(Clone)]
pub(crate) struct Chunk {
    pub(crate) start: u64,
    pub(crate) bytes: Bytes,
}

impl Chunk {
    fn part(&self, start: u64, length: Option<usize>) -> parquet::errors::Result<Bytes> {
        let wrong = || ParquetError::EOF("a page lies outside of its column".to_owned());
        let from = start.checked_sub(self.start).and_then(|from| usize::try_from(from).ok()).ok_or_else(wrong)?;
        let to = length.map_or(Some(self.bytes.len()), |length| from.checked_add(length)).ok_or_else(wrong)?;
        if from > to || to > self.bytes.len() {
            return Err(wrong());
        }
        Ok(self.bytes.slice(from..to))
    }
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Chunk {
    type T = std::io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(std::io::Cursor::new(self.part(start, None)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        self.part(start, Some(length))
    }
}

/// The rows of a column that hold such a text. `rows`: how many the group has.
pub(crate) fn places(
    chunk: Chunk,
    column: &parquet::file::metadata::ColumnChunkMetaData,
    rows: usize,
    wanted: SoughtTexts<'_>,
) -> Result<NeedleRows, ParquetError> {
    let levels = column.column_descr().max_def_level();
    if column.column_descr().max_rep_level() > 0 || levels > 1 {
        return Ok(NeedleRows::Unknown);
    }
    let mut pages = SerializedPageReader::new(Arc::new(chunk), column, rows, None)?;
    let (mut found, mut first, mut numbers) = (Vec::new(), 0, None);
    while let Some(page) = pages.get_next_page()? {
        let (buf, values, encoding) = match page {
            Page::DictionaryPage { buf, num_values, encoding, .. } => {
                if !matches!(encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY) {
                    return Ok(NeedleRows::Unknown);
                }
                numbers = Some(match wanted {
                    SoughtTexts::Text(text) => Numbers::of(equal_to(text.as_bytes(), &buf, num_values)?),
                    SoughtTexts::Passing(pass) => Numbers::of(pass(&texts(&buf, num_values)?)?),
                });
                continue;
            }
            Page::DataPage { buf, num_values, encoding, .. } => (buf, num_values, encoding),
            Page::DataPageV2 { .. } => return Ok(NeedleRows::Unknown),
        };
        let mut page = PageRows { first, values, present: None, found: &mut found };
        let buf = if levels == 0 { &buf[..] } else { page.take_levels(&buf)? };
        match (encoding, &numbers) {
            (Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY, Some(numbers)) => {
                if !matches!(numbers, Numbers::None) {
                    page.take_numbers(buf, numbers)?;
                }
            }
            (Encoding::PLAIN, _) => match wanted {
                SoughtTexts::Text(text) => page.take_texts(buf, text.as_bytes())?,
                SoughtTexts::Passing(pass) => page.take_passed(&pass(&texts(buf, page.count())?)?),
            },
            _ => return Ok(NeedleRows::Unknown),
        }
        first += values;
    }
    Ok(NeedleRows::Rows(found))
}

fn damaged() -> ParquetError {
    ParquetError::General("a page ends too early".to_owned())
}

/// For each text of a dictionary, whether it is this one; nothing where none is.
fn equal_to(text: &[u8], dictionary: &[u8], values: u32) -> Result<Vec<bool>, ParquetError> {
    let mut pattern = Vec::with_capacity(4 + text.len());
    pattern.extend_from_slice(&(text.len() as u32).to_le_bytes());
    pattern.extend_from_slice(text);
    // Most dictionaries do not have it, and the bytes tell so faster than the values.
    if memmem::find(dictionary, &pattern).is_none() {
        return Ok(Vec::new());
    }
    let mut rest = dictionary;
    let next = |_| {
        let (value, behind) = plain_text(rest)?;
        rest = behind;
        Ok(value == text)
    };
    (0..values).map(next).collect()
}

/// So many texts, one behind the other. The column has text: bytes that are none were written by nobody of us.
fn texts(bytes: &[u8], count: u32) -> Result<Vec<&str>, ParquetError> {
    let mut rest = bytes;
    let next = |_| {
        let (value, behind) = plain_text(rest)?;
        rest = behind;
        std::str::from_utf8(value).map_err(|_| damaged())
    };
    (0..count).map(next).collect()
}

/// Numbers of a dictionary that are looked for.
enum Numbers {
    None,
    One(u32),
    /// For each number, whether it is one of them.
    Many(Vec<bool>),
}

impl Numbers {
    /// `passed`: for each number, whether it is looked for.
    fn of(passed: Vec<bool>) -> Self {
        let mut numbers = passed.iter().zip(0..).filter(|(passed, _)| **passed).map(|(_, number)| number);
        match (numbers.next(), numbers.next()) {
            (None, _) => Numbers::None,
            (Some(only), None) => Numbers::One(only),
            _ => Numbers::Many(passed),
        }
    }

    #[inline]
    fn has(&self, number: u32) -> bool {
        match self {
            Numbers::None => false,
            Numbers::One(only) => *only == number,
            Numbers::Many(many) => many.get(number as usize).is_some_and(|wanted| *wanted),
        }
    }
}

/// A text with its length in front of it, and what follows.
fn plain_text(bytes: &[u8]) -> Result<(&[u8], &[u8]), ParquetError> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(damaged)
}

/// The rows of one page.
struct PageRows<'a> {
    /// Number of the first row.
    first: u32,
    values: u32,
    /// Rows that have a value, counted from the first; `None`: all have.
    present: Option<Vec<u32>>,
    found: &'a mut Vec<u32>,
}

impl PageRows<'_> {
    /// Reads which rows have a value, and gives what follows.
    fn take_levels<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], ParquetError> {
        let (levels, rest) = plain_text(bytes)?;
        let mut present = Vec::new();
        let mut whole = true;
        each_run(levels, 1, self.values, |at, run| match run {
            Run::Same(1, count) => present.extend(at..at + count),
            Run::Same(..) => whole = false,
            Run::Packed(packed, count) => {
                let before = present.len();
                present.extend((0..count).filter(|one| packed.get(*one) == 1).map(|one| at + one));
                whole &= present.len() - before == count as usize;
            }
        })?;
        self.present = (!whole).then_some(present);
        Ok(rest)
    }

    fn add(&mut self, value: u32) {
        let row = self.present.as_ref().map_or(Some(value), |present| present.get(value as usize).copied());
        self.found.extend(row.map(|row| self.first + row));
    }

    fn count(&self) -> u32 {
        self.present.as_ref().map_or(self.values, |present| present.len() as u32)
    }

    /// Rows whose value is one of these numbers of the dictionary.
    fn take_numbers(&mut self, bytes: &[u8], numbers: &Numbers) -> Result<(), ParquetError> {
        if self.count() == 0 {
            return Ok(());
        }
        let (width, runs) = bytes.split_first().ok_or_else(damaged)?;
        if *width > 32 {
            return Err(damaged());
        }
        let mut places = Vec::new();
        each_run(runs, u32::from(*width), self.count(), |at, run| match run {
            Run::Same(number, count) if numbers.has(number) => places.extend(at..at + count),
            Run::Same(..) => {}
            Run::Packed(packed, count) => match numbers {
                Numbers::One(only) => {
                    places.extend((0..count).filter(|one| packed.get(*one) == *only).map(|one| at + one))
                }
                many => places.extend((0..count).filter(|one| many.has(packed.get(*one))).map(|one| at + one)),
            },
        })?;
        places.into_iter().for_each(|place| self.add(place));
        Ok(())
    }

    /// Rows whose value has passed.
    fn take_passed(&mut self, passed: &[bool]) {
        for (number, _) in (0..).zip(passed).filter(|(_, passed)| **passed) {
            self.add(number);
        }
    }

    /// Rows whose value is the text.
    fn take_texts(&mut self, bytes: &[u8], text: &[u8]) -> Result<(), ParquetError> {
        let mut rest = bytes;
        for number in 0..self.count() {
            let (value, behind) = plain_text(rest)?;
            if value == text {
                self.add(number);
            }
            rest = behind;
        }
        Ok(())
    }
}

/// Some numbers that follow one another.
enum Run<'a> {
    /// One number, so many times.
    Same(u32, u32),
    /// So many numbers of a few bits each.
    Packed(Packed<'a>, u32),
}

/// Numbers of a few bits each.
struct Packed<'a> {
    bytes: &'a [u8],
    width: u32,
}

impl Packed<'_> {
    #[inline]
    fn get(&self, at: u32) -> u32 {
        let bit = u64::from(at) * u64::from(self.width);
        let byte = (bit / 8) as usize;
        let word = match self.bytes.get(byte..byte + 8).and_then(|bytes| bytes.first_chunk::<8>()) {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => self.bytes[byte.min(self.bytes.len())..]
                .iter()
                .take(8)
                .enumerate()
                .fold(0, |word, (at, byte)| word | u64::from(*byte) << (8 * at)),
        };
        ((word >> (bit % 8)) & ((1u64 << self.width) - 1)) as u32
    }
}

/// Calls with the place of each run's first number. The form is that of Parquet's "RLE/bit-packed hybrid".
fn each_run(mut bytes: &[u8], width: u32, count: u32, mut take: impl FnMut(u32, Run<'_>)) -> Result<(), ParquetError> {
    let mut at = 0;
    while at < count {
        let (mut header, mut shift) = (0u64, 0);
        loop {
            let (byte, rest) = bytes.split_first().ok_or_else(damaged)?;
            bytes = rest;
            header |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
            if shift > 35 {
                return Err(damaged());
            }
        }
        let left = count - at;
        if header & 1 == 0 {
            let length = (header >> 1).min(u64::from(left)) as u32;
            let (value, rest) = bytes.split_at_checked(width.div_ceil(8) as usize).ok_or_else(damaged)?;
            let number = value.iter().enumerate().fold(0, |all, (at, byte)| all | u32::from(*byte) << (8 * at));
            take(at, Run::Same(number, length));
            (bytes, at) = (rest, at + length);
            if length == 0 {
                return Err(damaged());
            }
        } else {
            let groups = header >> 1;
            let room = (groups * u64::from(width)) as usize;
            // The last run may end with its last number.
            let (packed, rest) = bytes.split_at(room.min(bytes.len()));
            let length = (groups * 8).min(u64::from(left)) as u32;
            if length == 0 || (packed.len() as u64) * 8 < u64::from(length) * u64::from(width) {
                return Err(damaged());
            }
            take(at, Run::Packed(Packed { bytes: packed, width }, length));
            (bytes, at) = (rest, at + length);
        }
    }
    Ok(())
}
