//! An incident as a receiver wants it. One function for each format, one table line each.

use event::{Incident, Timestamp};
use serde_json::{Value, json};

use crate::endpoint::Format;

/// Slack refuses long sections.
const SECTION_CHARS_MAX: usize = 2900;
/// Values of one kind that a message names.
const NAMED_MAX: usize = 5;

/// The body for a notice of `kind` about an incident.
pub(crate) fn body(format: Format, kind: &str, incident: &Incident, at: Timestamp, link: Option<&str>) -> Vec<u8> {
    let body = match format {
        Format::Generic => generic(kind, incident, at, link),
        Format::Slack => slack(kind, incident, link),
    };
    body.to_string().into_bytes()
}

fn generic(kind: &str, incident: &Incident, at: Timestamp, link: Option<&str>) -> Value {
    let mut data = serde_json::to_value(incident).unwrap_or_default();
    if let (Value::Object(data), Some(link)) = (&mut data, link) {
        data.insert("url".to_owned(), Value::from(format!("{link}/api/v1/incidents/{}", incident.id)));
    }
    json!({"type": kind, "timestamp": at.to_string(), "data": data})
}

fn slack(kind: &str, incident: &Incident, link: Option<&str>) -> Value {
    let what = match kind {
        "incident.created" => "New incident",
        "incident.escalated" => "Incident escalated",
        _ => "Incident changed",
    };
    let headline = format!("{what} {}: {}", incident.severity, incident.title);
    let mut lines = vec![format!("*{}*", escaped(&headline))];
    lines.push(format!(
        "{} findings, {} events, stage {}, status {}",
        incident.findings, incident.events, incident.stage, incident.status
    ));
    for (name, values) in incident.entities.kinds() {
        if !values.is_empty() {
            let named: Vec<String> = values.iter().take(NAMED_MAX).map(|value| escaped(value)).collect();
            let more = values.len().saturating_sub(NAMED_MAX);
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            lines.push(format!("{name}: {}{rest}", named.join(", ")));
        }
    }
    if let Some(link) = link {
        lines.push(format!("{}/api/v1/incidents/{}", escaped(link), incident.id));
    }
    let text: String = lines.join("\n").chars().take(SECTION_CHARS_MAX).collect();
    json!({
        "text": escaped(&headline),
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}],
    })
}

/// Text that Slack shows as it is: no mentions, links or markup out of a log line.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '*' | '_' | '`' | '~' => {
                out.push('\u{200B}');
                out.push(character);
            }
            '@' => out.push_str("@\u{200B}"),
            character if character.is_control() => out.push(' '),
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_out_of_a_log_mentions_nobody() {
        assert_eq!(escaped("<!channel> @here\n"), "&lt;!channel&gt; @\u{200B}here ");
    }
}
