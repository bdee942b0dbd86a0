//! What the events of a search have in common, as questions in SQL: the most frequent values of a field, and how many events there
//! were in each span of time. It asks nothing itself.

use event::time::SECOND_US;

use crate::search::{Search, known_field};

/// Values of a facet, at most.
pub const FACET_VALUES_MAX: usize = 100;

/// Bars of a histogram, at most: the newest are kept.
pub const HISTOGRAM_BARS_MAX: usize = 1000;

impl Search {
    /// The most frequent values of a field among the events: rows of `value` and `count`, one more than are wanted where there are
    /// more. What is wrong with the field's name is told with what was perhaps meant.
    pub fn facet(&self, field: &str, values: usize) -> Result<String, String> {
        let column = known_field(field)?.column;
        let (condition, rows) = (self.whole_condition(), values.clamp(1, FACET_VALUES_MAX) + 1);
        Ok(format!(
            "SELECT {column} AS \"value\", count(*) AS \"count\" FROM events WHERE {condition} AND {column} IS NOT NULL
             GROUP BY {column} ORDER BY 2 DESC, 1 LIMIT {rows}"
        ))
    }

    /// How many events there are in each span of time, the newest span first: rows of `time`, when it begins, and `count`. Spans
    /// without events have no row.
    pub fn histogram(&self, width_us: i64) -> Result<String, String> {
        let seconds = width_us / SECOND_US;
        if seconds < 1 || width_us % SECOND_US != 0 {
            return Err("a histogram needs a time span of whole seconds, such as 5m, 1h or 1d".to_owned());
        }
        let bar = format!("date_bin(INTERVAL '{seconds} seconds', \"@timestamp\", TIMESTAMP '1970-01-01T00:00:00Z')");
        let (condition, rows) = (self.whole_condition(), HISTOGRAM_BARS_MAX + 1);
        Ok(format!(
            "SELECT {bar} AS \"time\", count(*) AS \"count\" FROM events WHERE {condition} AND \"@timestamp\" IS NOT NULL
             GROUP BY {bar} ORDER BY 1 DESC LIMIT {rows}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use event::Timestamp;

    use super::*;

    #[test]
    fn facets_are_of_known_fields_and_histograms_of_whole_seconds() {
        let search = Search::read("status>=500", Timestamp(0)).unwrap();
        let question = search.facet("ip", 5).unwrap();
        assert!(question.contains("GROUP BY \"source.ip\"") && question.ends_with("LIMIT 6"), "{question}");
        assert!(search.facet("labels.it's", 5).unwrap().contains("['it''s']"));
        assert!(search.facet("sorce.ip", 5).unwrap_err().contains("did you mean source.ip?"));
        assert!(search.histogram(3600 * SECOND_US).unwrap().contains("INTERVAL '3600 seconds'"));
        assert!(search.histogram(SECOND_US / 2).is_err() && search.histogram(0).is_err());
    }
}
