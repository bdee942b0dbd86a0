//! An incident as a receiver wants it. One function for each format, one table line each.

use event::Timestamp;
use serde_json::{Value, json};
use store::NoticeBody;

use crate::endpoint::Format;

/// Slack refuses long sections.
const SECTION_CHARS_MAX: usize = 2900;
/// Values of one kind that a message names.
const NAMED_MAX: usize = 5;

/// The body for a notice of `kind` about an incident.
pub(crate) fn body(format: Format, kind: &str, notice: &NoticeBody, at: Timestamp, link: Option<&str>) -> Vec<u8> {
    let body = match format {
        Format::Generic => generic(kind, notice, at, link),
        Format::Slack => slack(kind, notice, link),
    };
    body.to_string().into_bytes()
}

fn generic(kind: &str, notice: &NoticeBody, at: Timestamp, link: Option<&str>) -> Value {
    let incident = &notice.incident;
    let mut data = serde_json::to_value(incident).unwrap_or_default();
    if let (Value::Object(data), Some(link)) = (&mut data, link) {
        data.insert("url".to_owned(), Value::from(format!("{link}/api/v1/incidents/{}", incident.id)));
    }
    json!({
        "type": kind, "timestamp": at.to_string(), "what": notice.sentence(), "changes": notice.changes, "data": data,
    })
}

fn slack(kind: &str, notice: &NoticeBody, link: Option<&str>) -> Value {
    let incident = &notice.incident;
    let what = match kind {
        "incident.created" => "New incident",
        "incident.continued" => "Incident goes on",
        "incident.escalated" => "Incident escalated",
        "incident.joined" => "More found in incident",
        "incident.resolved" => "Incident resolved",
        _ => "Incident changed",
    };
    let headline = format!("{what} {}: {}", incident.severity, incident.title);
    let mut lines = vec![format!("*{}*", escaped(&headline))];
    if !notice.changes.is_empty() {
        lines.push(escaped(&notice.sentence()));
    }
    let about = if incident.events_are_estimated { "about " } else { "" };
    lines.push(format!(
        "{} findings, {about}{} events, stage {}, status {}",
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
