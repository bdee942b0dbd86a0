//! What goes out: notices to webhooks, and summaries that a local model may reword.
//!
//! ```text
//! notice (store) ─▶ delivery per endpoint ─▶ signed request, guarded connection ─▶ delivered | retry | dead
//! incident (store) ─▶ facts ─▶ template ─▶ model (optional) ─▶ verified sentence by sentence ─▶ summary (store)
//! ```
//! Reads and writes through the store only. **Absent on purpose:** no decision about incidents; the model has no tools,
//! sees no log text, and its words are shown only where the facts bear them out.

#![warn(missing_docs)]

pub mod deliver;
pub mod endpoint;
mod format;
mod grammar;
pub mod guard;
pub mod llm;
mod sign;
pub mod summarise;
mod verify;

pub use deliver::Deliverer;
pub use endpoint::{Endpoint, Format};
pub use llm::Llm;
pub use summarise::Summariser;

/// What time it is, as the program is told.
pub type Clock = fn() -> event::Timestamp;
