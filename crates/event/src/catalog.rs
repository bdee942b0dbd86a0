//! The field catalog in memory. Rows come from `schemas/fields.yaml` through `cargo xtask schemas`; none are written here.

mod row;
mod table;

use crate::dataset::Dataset;

pub use row::{Field, FieldId, FieldType};
pub use table::{FIELDS, field};

/// Fields that only the pipeline writes: a sender must not be able to forge them, and they are no values of a sender.
pub const OF_THE_PIPELINE: [&str; 6] =
    ["event.original", "event.kind", "event.dataset", "error.message", "tags", "c0di3.guessed"];

impl Field {
    /// The row of a catalog field; `None` for a column that only one batch knows.
    #[inline]
    pub fn of(id: FieldId) -> Option<&'static Field> {
        FIELDS.get(usize::from(id.0))
    }

    /// Catalog row with this ECS name. A scan of the table: for compiling rules and configuration, not for events.
    pub fn named(name: &str) -> Option<(FieldId, &'static Field)> {
        FIELDS.iter().position(|row| row.name == name).map(|at| (FieldId(at as u16), &FIELDS[at]))
    }
}

impl Field {
    /// Whether a parser writes the field for events of this kind.
    pub fn is_written_for(&self, dataset: &Dataset) -> bool {
        let by_syslog = dataset.services.contains(&"syslog");
        let means = |name: &&str| *name == "*" || *name == dataset.name || *name == "syslog" && by_syslog;
        self.datasets.iter().any(means)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_named_once_and_every_container_exists() {
        for (at, row) in FIELDS.iter().enumerate() {
            assert_eq!(Field::named(row.name).unwrap().0, FieldId(at as u16), "{} stands twice", row.name);
            if let Some(container) = row.within {
                assert!(Field::named(container).is_some(), "{container} is not in the catalog");
            }
        }
        assert_eq!(Field::of(field::SOURCE_IP).unwrap().name, "source.ip");
    }
}
