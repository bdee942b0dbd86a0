//! The table of formats. A format is one file with a function that reads one line; adding one adds one line here.

use std::str::FromStr;

use event::{BatchBuilder, DatasetId};

use crate::context::{Context, Refusal};
use crate::{access, audit, json, own_file, rfc3164, rfc5424};

type Read = fn(&[u8], &mut Context, &mut BatchBuilder) -> Result<DatasetId, Refusal>;

/// One log format.
#[derive(Debug)]
pub struct Format {
    /// What `--format` calls the group that the format belongs to.
    pub group: &'static str,
    /// Unique among formats.
    pub name: &'static str,
    /// Cheap: may say yes to a line that `read` then refuses.
    pub looks_like: fn(&[u8]) -> bool,
    /// Whether the line begins as only this format does, so that it is broken where `read` refuses it. A date alone begins
    /// many other texts.
    pub(crate) begins_like: fn(&[u8]) -> bool,
    pub(crate) read: Read,
    /// A line of the format, as it is found in the field.
    pub example: &'static str,
    /// Where the format is described: an address without its scheme, or a standard.
    pub documentation: &'static str,
}

/// Reads a line that another one carries.
pub(crate) fn read_carried(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    let mut likely = FORMATS.iter().filter(|format| (format.looks_like)(text));
    likely.find_map(|format| (format.read)(text, context, rows).ok())
}

/// Reads a line that another one carries where it begins as no other text does.
pub(crate) fn read_carried_surely(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    let mut sure = FORMATS.iter().filter(|format| (format.begins_like)(text));
    sure.find_map(|format| (format.read)(text, context, rows).ok())
}

/// Every format, in the order in which `auto` tries them. JSON and access lines cannot be taken for each other.
pub static FORMATS: &[Format] = &[
    Format {
        group: "json",
        name: "json",
        looks_like: json::looks_like,
        begins_like: json::begins_like,
        read: json::read,
        example: r#"{"@timestamp":"2026-03-04T10:00:01Z","user.name":"ann","event.action":"login"}"#,
        documentation: "RFC 8259",
    },
    Format {
        group: "syslog",
        name: "rfc5424",
        looks_like: rfc5424::looks_like,
        begins_like: rfc5424::looks_like,
        read: rfc5424::read,
        example: "<38>1 2026-03-04T10:00:01Z bastion sshd 99 - - Failed password for ann from 203.0.113.7 port 4000 ssh2",
        documentation: "RFC 5424",
    },
    Format {
        group: "access",
        name: "access",
        looks_like: access::looks_like,
        begins_like: access::looks_like,
        read: access::read,
        example: r#"203.0.113.7 - ann [04/Mar/2026:10:00:01 +0000] "GET /item?id=7 HTTP/1.1" 200 812 "-" "curl/8.5""#,
        documentation: "httpd.apache.org/docs/2.4/logs.html",
    },
    Format {
        group: "audit",
        name: "audit",
        looks_like: audit::looks_like,
        begins_like: audit::begins_like,
        read: audit::read,
        example: r#"type=USER_LOGIN msg=audit(1772618401.120:42): pid=99 uid=0 auid=1000 ses=3 msg='op=login acct="ann" addr=203.0.113.7 res=failed'"#,
        documentation: "github.com/linux-audit/audit-documentation",
    },
    Format {
        group: "syslog",
        name: "rfc3164",
        looks_like: rfc3164::looks_like,
        begins_like: rfc3164::begins_like,
        read: rfc3164::read,
        example: "Mar  4 10:00:01 bastion sshd[99]: Failed password for ann from 203.0.113.7 port 4000 ssh2",
        documentation: "RFC 3164",
    },
    Format {
        group: "own",
        name: own_file::NAME,
        looks_like: own_file::looks_like,
        begins_like: own_file::begins_like,
        read: own_file::read,
        example: "2026-03-04 10:00:01 login authenticator failed for (winpc) [203.0.113.7]:51422: 535 Incorrect authentication data (set_id=ann)",
        documentation: "www.exim.org/exim-html-current/doc/html/spec_html/ch-log_files.html",
    },
];

/// The formats that lines may have: all of them (`auto`) or one group.
#[derive(Clone, Debug)]
pub struct FormatChoice {
    candidates: Vec<&'static Format>,
}

impl FormatChoice {
    /// Whether one format was asked for by its name: what it cannot read then is broken.
    pub(crate) fn is_told(&self) -> bool {
        self.candidates.len() < FORMATS.len()
    }

    pub(crate) fn candidates(&self) -> &[&'static Format] {
        &self.candidates
    }

    /// Every word that `--format` takes.
    pub fn words() -> Vec<&'static str> {
        let mut words = vec!["auto"];
        for format in FORMATS {
            for word in [format.group, format.name] {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
        }
        words
    }
}

impl Default for FormatChoice {
    fn default() -> Self {
        FormatChoice { candidates: FORMATS.iter().collect() }
    }
}

/// A word that is neither `auto`, a format nor a group of formats.
#[derive(Debug, thiserror::Error)]
#[error("unknown format `{0}`: use one of {list}", list = FormatChoice::words().join(", "))]
pub struct UnknownFormat(String);

impl FromStr for FormatChoice {
    type Err = UnknownFormat;
    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        if word == "auto" {
            return Ok(FormatChoice::default());
        }
        let candidates: Vec<_> = FORMATS.iter().filter(|format| format.group == word || format.name == word).collect();
        if candidates.is_empty() {
            return Err(UnknownFormat(word.to_owned()));
        }
        Ok(FormatChoice { candidates })
    }
}
