//! Headings of W3C logs, and of Zeek's: which columns the lines below have, and who writes them. Reads no lines.

use event::catalog::field;
use event::{DatasetId, dataset};

use crate::layout::VALUES_MAX;
use crate::values::{Dialect, Escapes, Own, Value};
use crate::w3c_columns::named;

/// What the headings of a block say, and what lines are taken apart in.
#[derive(Debug, Default)]
pub(crate) struct W3c {
    pub(crate) columns: Vec<Value>,
    pub(crate) own: Own,
    pub(crate) kind: W3cKind,
    pub(crate) guessed: Vec<Value>,
    /// Zeek's names of columns, with a tab in front of each; empty where no line told them.
    pub(crate) zeek: Vec<u8>,
}

/// Who writes the log, as far as its columns tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum W3cKind {
    #[default]
    Iis,
    CloudFront,
    Proxy,
    Firewall,
}

impl W3cKind {
    pub(crate) fn dialect(self) -> Dialect {
        let escapes = if self == W3cKind::CloudFront { Escapes::Percent } else { Escapes::Plus };
        Dialect { escapes, is_local: self == W3cKind::Firewall, is_proxy: self == W3cKind::Proxy }
    }

    pub(crate) fn dataset(self) -> DatasetId {
        match self {
            W3cKind::Iis => dataset::IIS,
            W3cKind::CloudFront => dataset::CLOUDFRONT,
            W3cKind::Proxy => dataset::PROXY,
            W3cKind::Firewall => dataset::WINDOWS_FIREWALL,
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

const ZEEK: &[u8] = b"#fields";

/// Whether a line names columns as Zeek does.
pub(crate) fn is_of_zeek(text: &[u8]) -> bool {
    text.strip_prefix(ZEEK).is_some_and(|rest| rest.first() == Some(&b'\t'))
}

pub(crate) fn is_directive(text: &[u8]) -> bool {
    text.first() == Some(&b'#') && DIRECTIVES.iter().any(|directive| text.starts_with(directive))
}

impl W3c {
    pub(crate) fn begin_block(&mut self, heading: Option<&[u8]>) {
        self.columns.clear();
        self.own.clear();
        self.kind = W3cKind::Iis;
        self.zeek.clear();
        if let Some(heading) = heading {
            self.take_heading(heading);
            self.take_zeek(heading);
        }
    }

    /// `#fields` and, behind tabs, the names.
    pub(crate) fn take_zeek(&mut self, text: &[u8]) {
        if is_of_zeek(text) {
            self.zeek.clear();
            self.zeek.extend_from_slice(&text[ZEEK.len()..]);
        }
    }

    /// `#Fields: date time …`; names are separated by blanks, tabs or commas.
    pub(crate) fn take_heading(&mut self, text: &[u8]) {
        let Some(names) = text.strip_prefix(b"#Fields:") else { return };
        self.columns.clear();
        self.own.clear();
        let is = |name: &str| names.split(|byte| byte.is_ascii_whitespace()).any(|one| one == name.as_bytes());
        self.kind = if is("x-edge-location") {
            W3cKind::CloudFront
        } else if is("src-ip") && is("dst-ip") {
            W3cKind::Firewall
        } else if is("s-action") || is("sc-filter-result") || is("x-exception-id") || is("r-host") {
            W3cKind::Proxy
        } else {
            W3cKind::Iis
        };
        let separators = |byte: &u8| byte.is_ascii_whitespace();
        for name in names.split(separators).filter(|name| !name.is_empty()).take(VALUES_MAX) {
            let column = match (self.kind, named(name)) {
                (W3cKind::CloudFront, Some(Value::Duration(_))) => Value::Duration(1_000_000_000),
                // The name of the distribution, beside which the host that was asked for has a column.
                (W3cKind::CloudFront, Some(Value::Host)) if name.eq_ignore_ascii_case(b"cs(host)") => Value::Skip,
                // A proxy's own address and port are not what was connected to.
                (W3cKind::Proxy, Some(Value::Ip(_) | Value::Number(field::DESTINATION_PORT)))
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
