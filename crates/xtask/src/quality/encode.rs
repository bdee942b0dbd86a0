//! The ways in which the same payload is written. Each keeps what the payload means to the interpreter behind the server.

use crate::quality::sample::Random;

/// A way of writing, and the classes that it makes sense for (all where empty).
pub(crate) struct Encoding {
    pub(crate) name: &'static str,
    pub(crate) classes: &'static [&'static str],
    pub(crate) write: fn(&str, &mut Random) -> String,
}

impl Encoding {
    pub(crate) fn suits(&self, class: &str) -> bool {
        self.is_of_the_transport() || self.classes.contains(&class)
    }

    /// Whether every class can be written so.
    pub(crate) fn is_of_the_transport(&self) -> bool {
        self.classes.is_empty()
    }
}

const MARKUP: &[&str] = &["cross-site-scripting"];
const SQL: &[&str] = &["sql-injection"];
const SHELL: &[&str] = &["command-injection"];
const PATHS: &[&str] = &["path-traversal"];

pub(crate) static ENCODINGS: &[Encoding] = &[
    Encoding { name: "plain", classes: &[], write: |text, _| needed(text) },
    Encoding {
        name: "plus for space",
        classes: &[],
        write: |text, _| needed(&text.replace('+', "%2b")).replace("%20", "+"),
    },
    Encoding {
        name: "percent, marks",
        classes: &[],
        write: |text, _| percent(text, |byte| !byte.is_ascii_alphanumeric()),
    },
    Encoding { name: "percent, all", classes: &[], write: |text, _| percent(text, |_| true) },
    Encoding {
        name: "percent, some",
        classes: &[],
        write: |text, random| {
            let mut random = random.clone();
            let text = text.to_owned();
            let mut out = String::new();
            for byte in text.bytes() {
                let must = is_needed(byte) || random.below(3) == 0;
                if must { out += &format!("%{byte:02x}") } else { out.push(char::from(byte)) }
            }
            out
        },
    },
    Encoding {
        name: "percent twice",
        classes: &[],
        write: |text, _| percent(&percent(text, |byte| !byte.is_ascii_alphanumeric()), |byte| byte == b'%'),
    },
    Encoding {
        name: "percent thrice",
        classes: &[],
        write: |text, _| {
            let twice = percent(&percent(text, |byte| !byte.is_ascii_alphanumeric()), |byte| byte == b'%');
            percent(&twice, |byte| byte == b'%')
        },
    },
    Encoding {
        name: "%u",
        classes: &["sql-injection", "cross-site-scripting", "path-traversal", "command-injection"],
        write: |text, _| {
            text.bytes()
                .map(|byte| {
                    if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%u00{byte:02x}") }
                })
                .collect()
        },
    },
    Encoding {
        name: "mixed case",
        classes: &["sql-injection", "cross-site-scripting", "log4shell", "xxe", "directory-injection"],
        write: |text, random| {
            let mixed: String = text
                .chars()
                .map(|each| if random.below(2) == 0 { each.to_ascii_uppercase() } else { each.to_ascii_lowercase() })
                .collect();
            needed(&mixed)
        },
    },
    Encoding {
        name: "full width",
        classes: &["sql-injection", "cross-site-scripting"],
        write: |text, _| {
            let wide: String = text
                .chars()
                .map(|each| match each {
                    '\'' | '"' | '<' | '>' | '(' | ')' | '=' => {
                        char::from_u32(each as u32 - 0x21 + 0xFF01).unwrap_or(each)
                    }
                    other => other,
                })
                .collect();
            percent(&wide, |byte| !byte.is_ascii_alphanumeric())
        },
    },
    Encoding {
        name: "HTML entities",
        classes: MARKUP,
        write: |text, _| {
            let coded: String = text
                .chars()
                .map(|each| {
                    if matches!(each, '<' | '>' | '"' | '\'' | '(' | ')') {
                        format!("&#x{:x};", each as u32)
                    } else {
                        each.to_string()
                    }
                })
                .collect();
            percent(&coded, |byte| !byte.is_ascii_alphanumeric())
        },
    },
    Encoding {
        name: "HTML entities, decimal",
        classes: MARKUP,
        write: |text, _| {
            let coded: String = text
                .chars()
                .map(
                    |each| {
                        if each.is_ascii_alphanumeric() { each.to_string() } else { format!("&#{:04};", each as u32) }
                    },
                )
                .collect();
            percent(&coded, |byte| !byte.is_ascii_alphanumeric())
        },
    },
    Encoding {
        name: "script escapes",
        classes: MARKUP,
        write: |text, _| {
            let coded: String = text
                .chars()
                .map(|each| {
                    if matches!(each, '<' | '>' | '"' | '\'') {
                        format!("\\x{:02x}", each as u32)
                    } else {
                        each.to_string()
                    }
                })
                .collect();
            percent(&coded, |byte| !byte.is_ascii_alphanumeric())
        },
    },
    Encoding {
        name: "Base64",
        classes: &["cross-site-scripting", "command-injection"],
        write: |text, _| base64(text.as_bytes()),
    },
    Encoding { name: "SQL comments", classes: SQL, write: |text, _| needed(&text.replace(' ', "/**/")) },
    Encoding {
        name: "SQL comments, filled",
        classes: SQL,
        write: |text, random| needed(&text.replace(' ', &format!("/*{}*/", random.below(999)))),
    },
    Encoding {
        name: "other white space",
        classes: SQL,
        write: |text, random| {
            let blank = ["%09", "%0a", "%0b", "%0c", "%0d", "%a0"][random.below(6)];
            needed(&text.replace(' ', "\u{1}")).replace("%01", blank)
        },
    },
    Encoding {
        name: "shell quotes",
        classes: SHELL,
        write: |text, _| {
            let split = ["cat", "id", "whoami", "uname", "ping", "wget", "curl", "nslookup", "ifconfig"];
            let mut out = text.to_owned();
            for word in split {
                if let Some(at) = out.find(word) {
                    out.insert_str(at + 1, "''");
                    break;
                }
            }
            needed(&out)
        },
    },
    Encoding {
        name: "shell backslashes",
        classes: SHELL,
        write: |text, _| {
            let mut out = text.to_owned();
            for word in ["cat", "whoami", "uname", "ping", "wget", "curl", "nslookup", "ifconfig"] {
                if let Some(at) = out.find(word) {
                    out.insert(at + 1, '\\');
                    break;
                }
            }
            needed(&out)
        },
    },
    Encoding { name: "$IFS for space", classes: SHELL, write: |text, _| needed(&text.replace(' ', "${IFS}")) },
    Encoding {
        name: "overlong UTF-8",
        classes: PATHS,
        write: |text, _| needed(text).replace("../", "%c0%ae%c0%ae%c0%af").replace('/', "%c0%af"),
    },
    Encoding { name: "backslashes", classes: PATHS, write: |text, _| percent(&text.replace('/', "\\"), is_needed) },
    Encoding { name: "dot segments", classes: PATHS, write: |text, _| needed(&text.replace("../", ".././")) },
    Encoding { name: "doubled slashes", classes: PATHS, write: |text, _| needed(&text.replace('/', "//")) },
];

/// What no request line can hold as it is.
fn is_needed(byte: u8) -> bool {
    byte <= b' ' || byte >= 0x7F || matches!(byte, b'"' | b'\\' | b'#' | b'%' | b'&')
}

/// Percent-encodes what must be.
fn needed(text: &str) -> String {
    // What is encoded in the payload already stays.
    let mut out = String::new();
    for (at, byte) in text.bytes().enumerate() {
        let escape = byte == b'%' && text.as_bytes().get(at + 1).is_some_and(u8::is_ascii_hexdigit);
        if is_needed(byte) && !escape { out += &format!("%{byte:02x}") } else { out.push(char::from(byte)) }
    }
    out
}

fn percent(text: &str, which: impl Fn(u8) -> bool) -> String {
    text.bytes()
        .map(|byte| if which(byte) || byte >= 0x7F { format!("%{byte:02x}") } else { char::from(byte).to_string() })
        .collect()
}

/// Base64 for a request.
fn base64(bytes: &[u8]) -> String {
    base64_text(bytes).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

pub(crate) fn base64_text(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0_u32, |word, (at, byte)| word | u32::from(*byte) << (16 - 8 * at));
        for at in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * at) & 63) as usize];
            out.push(if at > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    out
}
