//! The answer to a question in a file of its own, as a stream of Arrow batches: written while it is found, and read again in the
//! form that somebody wants. Its size is limited; what is beyond is cut, and it says so.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::Answer;

/// Writes an answer.
pub struct AnswerWriter {
    out: StreamWriter<Counting<BufWriter<File>>>,
    rows: u64,
    rows_max: u64,
    bytes_max: u64,
    is_cut: bool,
}

/// What an answer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerSize {
    /// Rows.
    pub rows: u64,
    /// Bytes of its file.
    pub bytes: u64,
    /// There was more than the limits allow.
    pub is_cut: bool,
}

/// The form in which an answer is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// A JSON object for each row, without fields that have no value.
    Ndjson,
    /// A line of names, then one for each row.
    Csv,
    /// A Parquet file.
    Parquet,
    /// A stream of Arrow batches.
    Arrow,
}

impl std::fmt::Debug for AnswerWriter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AnswerWriter").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl AnswerWriter {
    /// Makes the file.
    pub fn create(path: &Path, schema: &SchemaRef, rows_max: u64, bytes_max: u64) -> io::Result<AnswerWriter> {
        let out = Counting { out: BufWriter::new(File::create_new(path)?), bytes: 0 };
        let out = StreamWriter::try_new(out, schema).map_err(io::Error::other)?;
        Ok(AnswerWriter { out, rows: 0, rows_max, bytes_max, is_cut: false })
    }

    /// Adds rows. False where the limits are reached: there is no room for more.
    pub fn write(&mut self, rows: &RecordBatch) -> io::Result<bool> {
        let room = self.rows_max.saturating_sub(self.rows);
        let taken = rows.num_rows().min(usize::try_from(room).unwrap_or(usize::MAX));
        self.is_cut |= taken < rows.num_rows() || self.out.get_ref().bytes >= self.bytes_max;
        if self.is_cut && (taken == 0 || self.out.get_ref().bytes >= self.bytes_max) {
            return Ok(false);
        }
        self.out.write(&rows.slice(0, taken)).map_err(io::Error::other)?;
        self.rows += taken as u64;
        Ok(!self.is_cut)
    }

    /// How much there is so far.
    pub fn size(&self) -> AnswerSize {
        AnswerSize { rows: self.rows, bytes: self.out.get_ref().bytes, is_cut: self.is_cut }
    }

    /// Ends the file.
    pub fn finish(mut self) -> io::Result<AnswerSize> {
        self.out.finish().map_err(io::Error::other)?;
        self.out.get_mut().flush()?;
        Ok(self.size())
    }
}

/// Writes an answer that lies in a file, in some form.
pub fn copy_answer(path: &Path, form: AnswerForm, out: &mut (impl Write + Send)) -> io::Result<()> {
    if form == AnswerForm::Arrow {
        return io::copy(&mut File::open(path)?, out).map(|_| ());
    }
    let batches = StreamReader::try_new(BufReader::new(File::open(path)?), None).map_err(io::Error::other)?;
    let schema = batches.schema();
    if form == AnswerForm::Parquet {
        let compression = Compression::ZSTD(ZstdLevel::default());
        let properties = WriterProperties::builder().set_compression(compression).build();
        let mut writer = ArrowWriter::try_new(out, schema, Some(properties)).map_err(io::Error::other)?;
        for batch in batches {
            writer.write(&batch.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        return writer.close().map(|_| ()).map_err(io::Error::other);
    }
    let mut part = Answer { schema, batches: Vec::new(), is_cut: false };
    if form == AnswerForm::Csv {
        part.write_csv(out)?;
    }
    for batch in batches {
        part.batches = vec![batch.map_err(io::Error::other)?];
        match form {
            AnswerForm::Csv => part.write_csv_rows(out)?,
            _ => part.write_ndjson(out)?,
        }
    }
    Ok(())
}

/// The first rows of an answer that lies in a file.
pub fn first_rows(path: &Path, rows: usize) -> io::Result<Answer> {
    let stream = StreamReader::try_new(BufReader::new(File::open(path)?), None).map_err(io::Error::other)?;
    let schema = stream.schema();
    let (mut batches, mut room) = (Vec::new(), rows);
    for batch in stream {
        let batch = batch.map_err(io::Error::other)?;
        if batch.num_rows() > room {
            batches.push(batch.slice(0, room));
            return Ok(Answer { schema, batches, is_cut: true });
        }
        room -= batch.num_rows();
        batches.push(batch);
    }
    Ok(Answer { schema, batches, is_cut: false })
}

/// Counts what is written.
struct Counting<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
