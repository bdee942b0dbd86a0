//! Metrics as OpenMetrics 1.0 writes them, with exemplars, for scrapers that ask for it: made of the Prometheus text, because the
//! recorder writes nothing else. Names of series stay as they are.
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use crate::exemplars::{Exemplar, Series, of_bucket};

/// What the answer says that it is.
pub(crate) const CONTENT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether a scraper that sends this `Accept` reads OpenMetrics. Those that do name it before the plain text.
pub(crate) fn is_wanted(accept: &str) -> bool {
    accept.split(',').any(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/openmetrics-text"))
}

/// The Prometheus text in the words of OpenMetrics.
pub(crate) fn of_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("# ") {
            Some(about) => describe(about, &mut out),
            None => sample(line, &mut out),
        }
        out.push('\n');
    }
    out.push_str("# EOF\n");
    out
}

/// `TYPE name kind`: a counter's family is named without the `_total` of its samples.
fn describe(about: &str, out: &mut String) {
    let mut words = about.splitn(3, ' ');
    let (what, name, rest) = (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (family, kind) = match (rest, name.strip_suffix("_total")) {
        ("counter", Some(family)) => (family, rest),
        // Counters are named so by rule; one that is not has no kind there.
        ("counter", None) => (name, "unknown"),
        _ => (name, rest),
    };
    out.push_str(&format!("# {what} {family} {kind}"));
}

fn sample(line: &str, out: &mut String) {
    let Some((name, labels, value)) = parts(line) else {
        out.push_str(line);
        return;
    };
    out.push_str(name);
    let labels: Vec<(String, String)> = labels
        .into_iter()
        .map(
            |(name, value)| {
                if matches!(name.as_str(), "le" | "quantile") { (name, decimal(&value)) } else { (name, value) }
            },
        )
        .collect();
    if !labels.is_empty() {
        let written: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        out.push_str(&format!("{{{}}}", written.join(",")));
    }
    out.push_str(&format!(" {value}"));
    if let Some(Exemplar { trace_id, value, at }) = exemplar(name, labels) {
        out.push_str(&format!(" # {{trace_id=\"{trace_id}\"}} {value} {at:.3}"));
    }
}

/// Bounds are written as decimal numbers.
fn decimal(bound: &str) -> String {
    if bound.bytes().all(|byte| byte.is_ascii_digit()) { format!("{bound}.0") } else { bound.to_owned() }
}

/// The newest trace of the bucket, if the line is one of a bucket.
fn exemplar(name: &str, mut labels: Vec<(String, String)>) -> Option<Exemplar> {
    let histogram = name.strip_suffix("_bucket")?;
    let at = labels.iter().position(|(name, _)| name == "le")?;
    let (_, bound) = labels.remove(at);
    let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
    labels.sort();
    let series: Series = (histogram.to_owned(), labels);
    of_bucket(&series, bound)
}

/// Labels with their values as they are written.
type Labels = Vec<(String, String)>;

/// Name, labels and value of a sample.
fn parts(line: &str) -> Option<(&str, Labels, &str)> {
    let name_end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(name_end);
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"")?;
            let end = closing_quote(after)?;
            labels.push((label.trim_start_matches(',').to_owned(), after[..end].to_owned()));
            rest = &after[end + 1..];
        }
        rest = &rest[1..];
    }
    Some((name, labels, rest.trim_start()))
}

/// Where the value of a label ends: at the first quote that no backslash escapes.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exemplars::put;

    #[test]
    fn the_plain_text_is_told_in_the_words_of_openmetrics() {
        let text = "# TYPE events_total counter\nevents_total 7\n\n# TYPE spool gauge\nspool{folder=\"a \\\"b\\\", }c\"} 1\n\n\
                    # TYPE asked_seconds histogram\nasked_seconds_bucket{route=\"/x\",le=\"0.5\"} 1\n\
                    asked_seconds_bucket{route=\"/x\",le=\"1\"} 2\nasked_seconds_bucket{route=\"/x\",le=\"+Inf\"} 3\n\
                    asked_seconds_sum{route=\"/x\"} 1.5\nasked_seconds_count{route=\"/x\"} 3\n\n\
                    # TYPE odd counter\nodd 1\n# TYPE size summary\nsize{quantile=\"0\"} 1\n";
        let series = |route: &str| ("asked_seconds".to_owned(), vec![("route".to_owned(), route.to_owned())]);
        put(series("/x"), 0.9, "0af7651916cd43dd8448eb211c80319c");
        put(series("/x"), 70.0, "1af7651916cd43dd8448eb211c80319c");
        put(series("/y"), 0.1, "2af7651916cd43dd8448eb211c80319c");
        let want = "# TYPE events counter\nevents_total 7\n# TYPE spool gauge\nspool{folder=\"a \\\"b\\\", }c\"} 1\n\
                    # TYPE asked_seconds histogram\nasked_seconds_bucket{route=\"/x\",le=\"0.5\"} 1\n\
                    asked_seconds_bucket{route=\"/x\",le=\"1.0\"} 2 # {trace_id=\"0af7651916cd43dd8448eb211c80319c\"} 0.9 1.500\n\
                    asked_seconds_bucket{route=\"/x\",le=\"+Inf\"} 3 # {trace_id=\"1af7651916cd43dd8448eb211c80319c\"} 70 1.500\n\
                    asked_seconds_sum{route=\"/x\"} 1.5\nasked_seconds_count{route=\"/x\"} 3\n\
                    # TYPE odd unknown\nodd 1\n# TYPE size summary\nsize{quantile=\"0.0\"} 1\n# EOF\n";
        assert_eq!(of_text(text), want);
    }

    #[test]
    fn whoever_asks_for_it_gets_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert!(is_wanted(prometheus));
        assert!(is_wanted("text/plain, Application/OpenMetrics-Text"));
        assert!(!is_wanted("*/*") && !is_wanted("") && !is_wanted("text/plain;x=application/openmetrics-text"));
    }
}
