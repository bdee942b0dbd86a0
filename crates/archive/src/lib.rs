//! Events at rest: Parquet files with the fields of the catalog as columns, and the ways to ask them.
//!
//! ```text
//! EventBatch ──Segment──▶ partitions (kind of log, hour) ──Writer──▶ files ──commit names them──▶ readers
//! ```
//! A raw line that its fields reproduce is stored as a form ([`form`]), not a second time. **Absent on purpose:** the catalogue of
//! files, which is the store's, and any decision what to keep.

#![warn(missing_docs)]

mod around;
mod columns;
mod compact;
mod erase;
mod error;
mod facets;
mod footers;
mod form;
mod hunt;
mod needle;
mod needs;
mod owner;
mod passage;
mod place;
mod privacy;
mod read;
mod restore;
pub mod schema;
mod search;
mod segment;
mod stamp;
#[cfg(test)]
mod tests;
mod write;

pub use around::lines_around;
pub use compact::to_compact;
pub use erase::{Rewritten, Subject};
pub use error::ArchiveError;
pub use facets::{FACET_VALUES_MAX, HISTOGRAM_BARS_MAX};
pub use hunt::{
    Answer, AnswerForm, AnswerSize, AnswerWriter, FunctionOfTexts, FunctionType, FunctionValue, Hunt, HuntError,
    HuntFunction, HuntLimits, HuntMeter, HuntProgress, QUESTION_BYTES_MAX, RunningHunt, copy_answer, first_rows,
};
pub use needs::{Need, NeededValue, PassingTest};
pub use owner::{adopt, is_owned, missing};
pub use passage::{FoundLine, Passage, PassageLine, passage_question, passage_rows, passages};
pub use place::{ArchivePlace, PlaceSettings};
pub use privacy::{Hiding, Privacy, PrivateField};
pub use read::{FileReader, StoredFile};
pub use restore::{Restored, restore};
pub use search::{BadSearch, Search};
pub use segment::Segment;
pub use write::Writer;
