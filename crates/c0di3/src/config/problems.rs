//! What is wrong with the settings, each with its key: collected, so that all of it is told at once.

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use event::time::parse_span_us;

use super::value::address;

/// The problems so far. What reads a setting gives a value in any case, so that the reading goes on.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<String>);

impl Problems {
    pub(super) fn keep(&mut self, key: &str, reason: impl Display) {
        self.0.push(format!("{key}: {reason}"));
    }

    /// A time span in microseconds.
    pub(super) fn span(&mut self, key: &str, text: &str) -> i64 {
        parse_span_us(text).unwrap_or_else(|| {
            self.keep(key, format!("`{text}` is not a time span: write a number and s, m, h or d, such as 5m"));
            0
        })
    }

    pub(super) fn duration(&mut self, key: &str, text: &str) -> Duration {
        Duration::from_micros(self.span(key, text).max(0) as u64)
    }

    /// `None` where nothing is written, or a span that is no time at all.
    pub(super) fn optional_duration(&mut self, key: &str, text: &str) -> Option<Duration> {
        let span_us = (!text.is_empty()).then(|| self.span(key, text));
        span_us.filter(|span| *span > 0).map(|span| Duration::from_micros(span as u64))
    }

    pub(super) fn address(&mut self, key: &str, text: &str) -> SocketAddr {
        address(text).unwrap_or_else(|| {
            self.keep(key, format!("`{text}` is not an address such as 127.0.0.1:3000"));
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    pub(super) fn optional_address(&mut self, key: &str, text: &str) -> Option<SocketAddr> {
        (!text.is_empty()).then(|| self.address(key, text))
    }

    pub(super) fn check<T, E: Display>(&mut self, key: &str, read: Result<T, E>) -> Option<T> {
        read.map_err(|error| self.keep(key, error)).ok()
    }
}
