//! nginx's `log_format` strings: `$remote_addr - $remote_user [$time_local] "$request" $status`.
//!
//! A variable that has no field here becomes `nginx.NAME`.

use event::catalog::field;

use super::named_fields::finish;
use super::{BadLayout, Layout, LayoutPart, names};
use crate::values::{Own, TimeForm, Value};

/// Compiles a string; every problem is told.
pub(crate) fn compile(text: &str) -> Result<Layout, Vec<BadLayout>> {
    let (mut own, mut parts, mut problems) = (Own::default(), Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let column = text[..at].chars().count() + 1;
        let Some(after) = rest.strip_prefix('$') else {
            let end = rest.find('$').unwrap_or(rest.len());
            parts.push((column, LayoutPart::Text(rest.as_bytes()[..end].to_vec())));
            at += end;
            continue;
        };
        let braced = after.strip_prefix('{');
        let name_at = braced.unwrap_or(after);
        let length = name_at.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let name = &name_at[..length];
        if name.is_empty() {
            problems
                .push(BadLayout::new(column, "`$` without the name of a variable: nginx has no other meaning for it"));
        } else if braced.is_some() && !name_at[length..].starts_with('}') {
            problems.push(BadLayout::new(column, format!("`${{{name}` is not closed: write `${{{name}}}`")));
        } else {
            parts.push((column, LayoutPart::Value(variable(name, &mut own))));
        }
        at += 1 + length + if braced.is_some() { 1 + usize::from(name_at[length..].starts_with('}')) } else { 0 };
    }
    finish(parts, problems, own)
}

fn variable(name: &str, own: &mut Own) -> Value {
    match name {
        "remote_addr" => Value::Peer,
        "proxy_add_x_forwarded_for" => Value::Forwarded,
        "remote_port" => Value::Number(field::SOURCE_PORT),
        "remote_user" => Value::Escaped(field::USER_NAME),
        "time_local" | "time_iso8601" => Value::Stamp(TimeForm::Any),
        "msec" => Value::Stamp(TimeForm::Since(1)),
        "request" => Value::Request,
        "request_method" => Value::Text(field::HTTP_REQUEST_METHOD),
        "request_uri" | "uri" | "document_uri" => Value::Stem,
        "args" | "query_string" => Value::Query,
        "server_protocol" => Value::Version,
        "scheme" => Value::Text(field::URL_SCHEME),
        "host" => Value::Host,
        "server_addr" => Value::Ip(field::DESTINATION_IP),
        "server_port" => Value::Number(field::DESTINATION_PORT),
        "status" => Value::Number(field::HTTP_RESPONSE_STATUS_CODE),
        "body_bytes_sent" => Value::Number(field::HTTP_RESPONSE_BODY_BYTES),
        "bytes_sent" => Value::Number(field::HTTP_RESPONSE_BYTES),
        "request_length" => Value::Number(field::HTTP_REQUEST_BYTES),
        "request_time" => Value::Duration(1_000_000_000),
        "hostname" => Value::Text(field::HOST_HOSTNAME),
        "pid" => Value::Number(field::PROCESS_PID),
        "is_args" => Value::Skip,
        _ => match name.strip_prefix("http_").and_then(names::header) {
            Some(value) => value,
            None => own.add(format!("nginx.{name}")),
        },
    }
}
