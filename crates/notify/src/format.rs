//! An incident as a receiver wants it. One function for each format, one table line each.

use event::Timestamp;
use serde_json::{Value, json};
use store::NoticeBody;
use store::endpoints::ENDPOINT_DISABLED;

use crate::endpoint::Format;

/// Slack refuses long sections.
const SECTION_CHARS_MAX: usize = 2900;
/// Longest title or value that a message shows, in characters: none pushes the others out.
const SHOWN_CHARS_MAX: usize = 200;
/// Stands between characters that Slack would make a link, a mention or markup of.
const APART: char = '\u{200B}';
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

/// The body for a notice that a receiver was disabled.
pub(crate) fn disabled(format: Format, notice: &Value, at: Timestamp) -> Vec<u8> {
    let body = match format {
        Format::Generic => json!({"type": ENDPOINT_DISABLED, "timestamp": at.to_string(), "data": notice}),
        Format::Slack => {
            let text = |name: &str| escaped(notice[name].as_str().unwrap_or(""));
            let (name, reason) = (text("endpoint"), text("reason"));
            let given_up = notice["deliveries_given_up"].as_u64().unwrap_or(0);
            let headline = format!("The webhook endpoint {name} is disabled");
            let line = format!("*{headline}*\n{reason}. {given_up} waiting deliveries were given up.");
            message(&headline, vec![section(&line)])
        }
    };
    body.to_string().into_bytes()
}

/// The JSON body for receivers that are of no known product.
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
    let headline = escaped(&format!("{what} {}: {}", incident.rating.severity, incident.title));
    let mut lines = vec![format!("*{headline}*")];
    if !notice.changes.is_empty() {
        lines.push(notice.changes.iter().map(|change| escaped(&change.sentence())).collect::<Vec<_>>().join("; "));
    }
    let about = if incident.scope.events_are_estimated { "about " } else { "" };
    lines.push(format!(
        "{} findings, {about}{} events, stage {}, status {}",
        incident.scope.findings, incident.scope.events, incident.work.stage, incident.work.status
    ));
    for (name, values) in incident.scope.entities.kinds() {
        if !values.is_empty() {
            let named: Vec<String> = values.iter().take(NAMED_MAX).map(|value| escaped(value)).collect();
            let more = values.len().saturating_sub(NAMED_MAX);
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            lines.push(format!("{name}: {}{rest}", named.join(", ")));
        }
    }
    let mut blocks = vec![section(&lines.join("\n"))];
    if let Some(link) = link {
        // In a block of its own, which no text can push out.
        blocks.push(section(&format!("<{}/api/v1/incidents/{}|Open the incident>", address(link), incident.id)));
    }
    message(&headline, blocks)
}

/// A message; `headline` is shown where blocks are not, and is escaped already.
fn message(headline: &str, blocks: Vec<Value>) -> Value {
    json!({
        "text": headline, "blocks": blocks,
        // Slack must not make links, previews or mentions out of texts by itself.
        "mrkdwn": false, "parse": "none", "link_names": false, "unfurl_links": false, "unfurl_media": false,
    })
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": cut(text), "verbatim": true}})
}

/// At most what a section takes, and no half of an escape.
fn cut(text: &str) -> String {
    if text.chars().count() <= SECTION_CHARS_MAX {
        return text.to_owned();
    }
    let mut head: String = text.chars().take(SECTION_CHARS_MAX - 1).collect();
    let half = head.rfind('&').filter(|at| !head[*at..].contains(';'));
    head.truncate(half.unwrap_or(head.len()));
    head.push('…');
    head
}

/// Our own address within `<…|…>`.
fn address(link: &str) -> String {
    link.replace('&', "&amp;").replace('<', "%3C").replace('>', "%3E").replace('|', "%7C")
}

/// What changes the order in which text is read, or begins a line.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Text that Slack shows as it is: no mentions, links or markup out of a log line. Addresses of hosts can be copied.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut shown = 0;
    while let Some(character) = characters.next() {
        shown += 1;
        if shown > SHOWN_CHARS_MAX {
            out.push('…');
            break;
        }
        let next = characters.peek().copied();
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '*' | '_' | '`' | '~' => out.extend([APART, character]),
            '@' | '#' | '。' | '．' | '｡' => out.extend([character, APART]),
            // Names of hosts and schemes of addresses; numbers of addresses stay as they are.
            '.' if next.is_some_and(char::is_alphabetic) => out.extend([character, APART]),
            ':' if next == Some('/') => out.extend([character, APART]),
            character if steers(character) => out.push(' '),
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_attacker_writes_is_no_link_and_ours_is() {
        let mut incident = event::Incident::opened(
            event::IncidentId(7),
            "x http://evil.example/a <https://evil.example|log in>".into(),
            event::Severity::P1,
            Timestamp(0),
        );
        incident.scope.entities.user_name = vec![
            "<!channel>".into(),
            "<@U123>".into(),
            "a".repeat(9000),
            "bob@evil.example".into(),
            "www.evil.example".into(),
        ];
        incident.scope.entities.source_ip = vec!["192.0.2.1".into(), "2001:db8::1".into()];
        incident.scope.entities.host_name = vec!["`*_~\u{202E}#general &lt;".into()];
        let changes =
            vec![store::What { field: "status".into(), to: Some("<!here>".into()), ..store::What::default() }];
        let body: Value = serde_json::from_slice(&body(
            Format::Slack,
            "incident.created",
            &NoticeBody { incident: incident.clone(), changes, trace: None },
            Timestamp(0),
            Some("https://soc.example"),
        ))
        .unwrap();
        let text = body.to_string();
        for linked in
            ["http://evil", "https://evil", "evil.example", "www.evil", "<!", "<@", "@evil", "\u{202E}", " `*_~"]
        {
            assert!(!text.contains(linked), "{linked}: {text}");
        }
        let blocks = body["blocks"].as_array().unwrap();
        assert!(blocks.iter().all(|block| block["text"]["verbatim"] == true), "Slack makes no links by itself: {text}");
        assert!(text.contains("192.0.2.1") && text.contains("2001:db8::1"), "addresses can be copied: {text}");
        let ours = format!("<https://soc.example/api/v1/incidents/{}", incident.id);
        assert!(blocks.iter().any(|block| block["text"]["text"].as_str().unwrap().contains(&ours)), "{text}");
        assert!(blocks.iter().all(|block| block["text"]["text"].as_str().unwrap().chars().count() <= 3000), "{text}");
    }

    #[test]
    fn a_name_out_of_a_log_mentions_nobody() {
        assert_eq!(escaped("<!channel> @here\n"), "&lt;!channel&gt; @\u{200B}here ");
    }
}
