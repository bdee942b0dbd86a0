//! Which paths are those of shippers' protocols, for all who treat them apart: a row for each protocol. What they answer stands in
//! [`crate::shippers`].

/// Paths of one protocol.
pub(crate) struct PushPaths {
    /// Label of counters, and part of the names of sources.
    pub(crate) name: &'static str,
    /// Paths that are answered in its words, also where there is nothing.
    owns: fn(&str) -> bool,
    /// Of these, those that need no token.
    is_open: fn(&str) -> bool,
}

/// The journal's: its bodies may have no end.
pub(crate) const JOURNAL: &str = "/upload";

/// Of those that own a path the first counts.
static PATHS: [PushPaths; 9] = [
    PushPaths {
        name: "splunk",
        owns: |path| path.starts_with("/services/collector"),
        is_open: |path| path.starts_with("/services/collector/health"),
    },
    PushPaths {
        name: "loki",
        owns: |path| path.starts_with("/loki/") || path.starts_with("/api/prom/"),
        is_open: |_| false,
    },
    PushPaths {
        name: "datadog",
        owns: |path| {
            matches!(path, "/api/v2/logs" | "/v1/input" | "/api/v1/validate") || path.starts_with("/v1/input/")
        },
        is_open: |_| false,
    },
    PushPaths {
        name: "otlp",
        owns: |path| matches!(path, "/v1/logs" | "/v1/traces" | "/v1/metrics"),
        is_open: |_| false,
    },
    PushPaths {
        name: "otlp_grpc",
        owns: |path| path.starts_with("/opentelemetry.proto.collector."),
        is_open: |_| false,
    },
    PushPaths { name: "gelf", owns: |path| path == "/gelf", is_open: |_| false },
    PushPaths { name: "journal", owns: |path| path == JOURNAL, is_open: |_| false },
    PushPaths { name: "firehose", owns: |path| path == "/firehose", is_open: |_| false },
    PushPaths {
        name: "elasticsearch",
        owns: |path| path == "/" || path.starts_with("/_") || path.ends_with("/_bulk") && !path.starts_with("/api/"),
        is_open: |path| path == "/",
    },
];

/// Whose words the path is answered in.
pub(crate) fn owner(path: &str) -> Option<&'static PushPaths> {
    PATHS.iter().find(|paths| (paths.owns)(path))
}

/// Whether the path needs a token; `None`: it is none of theirs.
pub(crate) fn needs_token(path: &str) -> Option<bool> {
    owner(path).map(|paths| !(paths.is_open)(path))
}
