//! What is known of a file that lies in a place.

use event::Timestamp;

/// A file that was found in a place.
#[derive(Debug)]
pub(crate) struct FoundFile {
    /// Below the root, with `/` between the parts.
    pub(crate) path: String,
    /// When it was last written.
    pub(crate) written_at: Timestamp,
}
