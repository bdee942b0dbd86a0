//! Hits over time: repeats fold into one finding, and correlations count within sliding windows of event time.
//!
//! ```text
//! Hit ─▶ BatchCorrelator: reorder buffer, until the watermark passes ─┐
//! Hit ─▶ LiveCorrelator: at once ─────────────────────────────────────┴▶ fold ──▶ Finding
//!                                                                      └▶ window ─▶ Finding
//! ```
//! Order of arrival within the allowed lateness does not matter. State is bounded; what is evicted is counted.
#![warn(missing_docs)]

mod acts;
mod batch;
mod budget;
mod change;
mod clock;
mod correlator;
mod counts;
mod deadlines;
mod episode;
mod explain;
mod findings;
mod group_key;
mod group_notes;
mod group_view;
mod groups;
mod hit;
mod inspect;
mod judge;
mod lead;
mod live;
mod mapping;
mod one_event;
mod options;
mod out_of_order;
mod prefetch;
mod propagate;
mod reload;
mod reorder;
mod risk;
mod save;
mod saved_keys;
mod score;
mod setup;
mod shared_texts;
mod state;
mod table;
mod watch;
mod window;
mod windows;

pub use batch::{Batch, BatchCorrelator};
pub use change::Change;
pub use correlator::Correlator;
pub use counts::{CorrelatorCounts, UnplacedHits};
pub use explain::{CorrelationExplanation, explain_correlation};
pub use group_view::GroupView;
pub use live::{Live, LiveCorrelator};
pub use options::{ASSET_WEIGHT_MAX, Assets, CorrelatorOptions};
pub use reload::Reloaded;
pub use save::{SavedState, StateError};
pub use watch::{ExplainedEvent, JudgedWindow, NearestGroup};

#[cfg(test)]
mod acts_tests;
#[cfg(test)]
mod exception_tests;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod lead_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod one_event_tests;
#[cfg(test)]
mod out_of_order_tests;
#[cfg(test)]
mod reload_tests;
#[cfg(test)]
mod story_tests;
#[cfg(test)]
mod tests;
