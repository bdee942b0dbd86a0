//! W3C extended logs: IIS, CloudFront, HTTP.sys, Windows Firewall, proxies. A `#Fields:` line names the columns of the lines below.
//!
//! The last such line counts. It comes with the block where it stands in front of it (`Block::heading`), so that blocks of one
//! source may be parsed by different threads; without any, lines of IIS and CloudFront are known by their shape.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr_iter;

use crate::context::{Context, Refusal};
use crate::layout::{VALUES_MAX, split_delimited};
use crate::values::{self, Dialect, Escapes, Own, Value};
use crate::w3c_columns::{CLOUDFRONT, named, of_iis};

/// What the headings of a block say, and what lines are taken apart in.
#[derive(Debug, Default)]
pub(crate) struct W3c {
    columns: Vec<Value>,
    own: Own,
    kind: Kind,
    guessed: Vec<Value>,
}

/// Who writes the log, as far as its columns tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Iis,
    CloudFront,
    Proxy,
    Firewall,
}

impl Kind {
    fn dialect(self) -> Dialect {
        let escapes = if self == Kind::CloudFront { Escapes::Percent } else { Escapes::Plus };
        Dialect { escapes, is_local: self == Kind::Firewall, is_proxy: self == Kind::Proxy }
    }

    fn dataset(self) -> DatasetId {
        match self {
            Kind::Iis => dataset::IIS,
            Kind::CloudFront => dataset::CLOUDFRONT,
            Kind::Proxy => dataset::PROXY,
            Kind::Firewall => dataset::WINDOWS_FIREWALL,
        }
    }
}

const DIRECTIVES: &[&[u8]] = &[
    b"#Fields:",
    b"#Version:",
    b"#Software:",
    b"#Date:",
    b"#Start-Date:",
    b"#End-Date:",
    b"#Remark:",
    b"#Time Format:",
];

fn is_directive(text: &[u8]) -> bool {
    text.first() == Some(&b'#') && DIRECTIVES.iter().any(|directive| text.starts_with(directive))
}

/// `2026-03-04 10:00:01` or with a tab between them, and a blank or tab behind.
fn is_dated(text: &[u8]) -> bool {
    text.len() > 20
        && text[4] == b'-'
        && text[7] == b'-'
        && matches!(text[10], b' ' | b'\t')
        && text[13] == b':'
        && text[16] == b':'
        && text[19] == text[10]
}

/// A date alone begins many other texts.
pub(crate) fn begins_like(text: &[u8]) -> bool {
    is_directive(text)
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    if is_directive(text) {
        return true;
    }
    // Nearly every line has a column without a value.
    is_dated(text)
        && memchr_iter(text[10], text).take(9).count() == 9
        && memchr::memmem::find(text, &[text[10], b'-', text[10]]).is_some()
}

impl W3c {
    pub(crate) fn begin_block(&mut self, heading: Option<&[u8]>) {
        self.columns.clear();
        self.own.clear();
        self.kind = Kind::Iis;
        if let Some(heading) = heading {
            self.take_heading(heading);
        }
    }

    /// `#Fields: date time …`; names are separated by blanks, tabs or commas.
    fn take_heading(&mut self, text: &[u8]) {
        let Some(names) = text.strip_prefix(b"#Fields:") else { return };
        self.columns.clear();
        self.own.clear();
        let is = |name: &str| names.split(|byte| byte.is_ascii_whitespace()).any(|one| one == name.as_bytes());
        self.kind = if is("x-edge-location") {
            Kind::CloudFront
        } else if is("src-ip") && is("dst-ip") {
            Kind::Firewall
        } else if is("s-action") || is("sc-filter-result") || is("x-exception-id") || is("r-host") {
            Kind::Proxy
        } else {
            Kind::Iis
        };
        let separators = |byte: &u8| byte.is_ascii_whitespace();
        for name in names.split(separators).filter(|name| !name.is_empty()).take(VALUES_MAX) {
            let column = match (self.kind, named(name)) {
                (Kind::CloudFront, Some(Value::Duration(_))) => Value::Duration(1_000_000_000),
                // The name of the distribution, beside which the host that was asked for has a column.
                (Kind::CloudFront, Some(Value::Host)) if name.eq_ignore_ascii_case(b"cs(host)") => Value::Skip,
                // A proxy's own address and port are not what was connected to.
                (Kind::Proxy, Some(Value::Ip(_) | Value::Number(field::DESTINATION_PORT)))
                    if name.starts_with(b"s-") =>
                {
                    Value::Skip
                }
                (_, Some(column)) => column,
                (_, None) => self.own.add(format!("w3c.{}", String::from_utf8_lossy(name))),
            };
            self.columns.push(column);
        }
    }
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not a W3C log: neither a directive nor columns as the heading names them");
    if is_directive(text) {
        context.w3c.take_heading(text.trim_ascii_end());
        rows.text(field::MESSAGE, text);
        return Ok(context.w3c.kind.dataset());
    }
    let separator = if is_dated(text) { text[10] } else { b' ' };
    let mut words: [&[u8]; VALUES_MAX] = [b""; VALUES_MAX];
    let count = split_delimited(text, separator, &mut words).ok_or(OTHER)?;
    let words = &words[..count];
    let mut w3c = std::mem::take(&mut context.w3c);
    let is_declared = !w3c.columns.is_empty() && w3c.columns.len() == count;
    let (columns, kind) = if is_declared {
        (w3c.columns.as_slice(), w3c.kind)
    } else if is_dated(text) && separator == b'\t' && (19..=CLOUDFRONT.len()).contains(&count) {
        (&CLOUDFRONT[..count], Kind::CloudFront)
    } else if is_dated(text) && of_iis(words, &mut w3c.guessed) {
        (w3c.guessed.as_slice(), Kind::Iis)
    } else {
        context.w3c = w3c;
        return Err(OTHER);
    };
    let is_read = values::put(columns, words, kind.dialect(), &mut w3c.own, context, rows);
    context.w3c = w3c;
    if !is_read {
        return Err(OTHER);
    }
    rows.literal(field::EVENT_CATEGORY, if kind == Kind::Firewall { "network" } else { "web" });
    Ok(kind.dataset())
}
