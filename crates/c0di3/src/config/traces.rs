//! Where spans of traces go, checked: an address, how many traces are kept, and what is said of this process in each.

use std::path::PathBuf;
use std::time::Duration;

use super::file::TracesSection;
use super::problems::Problems;
use super::value::{filled, filled_path};

/// Path of an OTLP receiver for traces, where the address names none.
const TRACES_PATH: &str = "/v1/traces";

/// Where spans go.
#[derive(Clone)]
pub(crate) struct TracesConfig {
    pub(crate) endpoint: reqwest::Url,
    /// Sent as `Authorization`.
    pub(crate) authorization: Option<String>,
    /// Authorities of the receiver's certificate, beside the public ones.
    pub(crate) ca: Option<PathBuf>,
    /// Share of the traces that begin here and are kept, from 0 to 1.
    pub(crate) sample_ratio: f64,
    /// Further attributes of the resource.
    pub(crate) attributes: Vec<(String, String)>,
    /// Spans that wait to be sent at most.
    pub(crate) queue: usize,
    /// Longest that one try to send takes.
    pub(crate) timeout: Duration,
}

impl std::fmt::Debug for TracesConfig {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "TracesConfig {{ sample_ratio: {}, queue: {} }}", self.sample_ratio, self.queue)
    }
}

/// `None`: no traces.
pub(super) fn check_traces(section: &TracesSection, problems: &mut Problems) -> Option<TracesConfig> {
    let timeout = problems.duration("traces.timeout", &section.timeout);
    if timeout.is_zero() {
        problems.keep("traces.timeout", "must be above 0");
    }
    if !(0.0..=1.0).contains(&section.sample_ratio) {
        problems.keep("traces.sample_ratio", format!("`{}` is not a share from 0.0 to 1.0", section.sample_ratio));
    }
    if section.queue == 0 {
        problems.keep("traces.queue", "must be above 0; an empty traces.endpoint makes no traces");
    }
    let mut attributes = Vec::new();
    for text in &section.attributes {
        match text.split_once('=').filter(|(name, _)| !name.trim().is_empty()) {
            Some((name, value)) => attributes.push((name.trim().to_owned(), value.trim().to_owned())),
            None => problems.keep("traces.attributes", format!("`{text}` is not written NAME=VALUE")),
        }
    }
    if section.authorization.bytes().any(|byte| byte.is_ascii_control()) {
        problems.keep("traces.authorization", "must be one line");
    }
    let written = filled(&section.endpoint)?;
    // An operator's own collector beside the service has no TLS.
    let mut endpoint = problems.check("traces.endpoint", notify::endpoint::url(&written, true))?;
    if endpoint.path() == "/" {
        endpoint.set_path(TRACES_PATH);
    }
    let (authorization, ca) = (filled(&section.authorization), filled_path(&section.ca));
    let (sample_ratio, queue) = (section.sample_ratio, section.queue);
    Some(TracesConfig { endpoint, authorization, ca, sample_ratio, attributes, queue, timeout })
}
