//! Cross-site scripting by structure: a value is read as a browser would read it, as text between tags, as what an
//! attribute's quote lets out, as an address. A tag alone proves nothing; what counts is that it runs something. The
//! text is in lower case, its encodings undone.

use memchr::{memchr_iter, memmem};

use crate::Part;
use crate::grammar::{Grammar, Reading};

/// Texts of which each injection has one.
const NEEDS: [&str; 13] =
    ["<", " on", "\"on", "'on", "`on", "\ton", "\non", "\ron", "=on", "script:", "script :", "data:", "mocha:"];

/// The language of pages.
#[derive(Debug)]
pub(crate) struct MarkupGrammar;

impl Grammar for MarkupGrammar {
    fn needs(&self) -> Vec<String> {
        NEEDS.map(str::to_owned).to_vec()
    }

    fn read(&self, text: &str, _part: Part) -> Option<Reading> {
        injection(text).map(|what| Reading::new(5, what))
    }
}

/// Elements that load or run something by being there.
const ACTIVE: [&str; 16] = [
    "script",
    "iframe",
    "object",
    "embed",
    "applet",
    "frame",
    "frameset",
    "base",
    "meta",
    "link",
    "style",
    "xml",
    "xss",
    "import",
    "portal",
    "fencedframe",
];
/// Attributes that name an address.
const ADDRESSES: [&str; 14] = [
    "href",
    "src",
    "action",
    "formaction",
    "data",
    "xlink:href",
    "srcdoc",
    "code",
    "codebase",
    "background",
    "lowsrc",
    "dynsrc",
    "poster",
    "to",
];
/// Events that elements and browsers know, without their `on`; a star at the end stands for any letters.
const EVENTS: [&str; 60] = [
    "abort",
    "activate",
    "afterprint",
    "afterscriptexecute",
    "animation*",
    "auxclick",
    "before*",
    "begin",
    "blur",
    "bounce",
    "canplay*",
    "change",
    "click",
    "close",
    "contextmenu",
    "copy",
    "cut",
    "cuechange",
    "dbl*",
    "drag*",
    "drop",
    "durationchange",
    "end",
    "ended",
    "error",
    "finish",
    "focus*",
    "formdata",
    "fullscreenchange",
    "gotpointer*",
    "hashchange",
    "input",
    "invalid",
    "key*",
    "load*",
    "lost*",
    "message*",
    "mouse*",
    "mozfullscreenchange",
    "open*",
    "page*",
    "paste",
    "pause",
    "play*",
    "pointer*",
    "popstate",
    "progress",
    "propertychange",
    "readystatechange",
    "repeat",
    "reset",
    "resize",
    "scroll*",
    "search",
    "select*",
    "show",
    "start",
    "submit",
    "toggle",
    "touch*",
];
const MORE_EVENTS: [&str; 9] = [
    "transition*",
    "unload",
    "unhandledrejection",
    "volumechange",
    "waiting",
    "webkit*",
    "wheel",
    "zoom",
    "securitypolicyviolation",
];
/// Schemes that run what stands behind them.
const SCRIPTS: [&str; 4] = ["javascript", "vbscript", "livescript", "mocha"];
const DOCUMENTS: [&str; 5] = ["text/html", "image/svg", "application/xhtml", "text/xml", "application/xml"];

/// What a browser would run, if anything.
pub(crate) fn injection(text: &str) -> Option<&'static str> {
    for start in memchr_iter(b'<', text.as_bytes()) {
        if let Some(found) = tag(text, start) {
            return Some(found);
        }
    }
    handler(text).or_else(|| script_address(text))
}

/// Whether a tag at this place runs something.
fn tag(text: &str, start: usize) -> Option<&'static str> {
    let after = text.get(start + 1..)?.trim_start_matches(['/', '\0', '\t', '\n', '\r', ' ', '%']);
    let name_end = after.find(|end: char| !(end.is_ascii_alphanumeric() || matches!(end, '-' | ':' | '_')));
    let (name, attributes) = after.split_at(name_end.unwrap_or(after.len()));
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return None;
    }
    let closing = text.get(start + 1..)?.starts_with('/');
    let plain = name.rsplit(':').next().unwrap_or(name);
    let end = attributes.find('>').unwrap_or(attributes.len());
    let own = &attributes[..end];
    if ACTIVE.contains(&plain) && !closing {
        let runs = match plain {
            "script" | "style" | "xml" => {
                own.contains("src") || own.contains("href") || {
                    let body = attributes.get(end + 1..).unwrap_or("");
                    body.contains(['(', '`', '=', ';']) || body.contains("</")
                }
            }
            "meta" | "base" | "link" => own.contains("http") || own.contains("href") || own.contains("url"),
            _ => own.contains('='),
        };
        if runs {
            return Some("an element that loads or runs something");
        }
    }
    let mut rest = own;
    while let Some(at) = rest.find('=') {
        let before = rest[..at].trim_end();
        let word_at = before.rfind(|end: char| !(end.is_ascii_alphanumeric() || matches!(end, ':' | '-' | '_')));
        let attribute = &before[word_at.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))..];
        let value = rest[at + 1..].trim_start().trim_start_matches(['"', '\'', '`']);
        if is_event(attribute) {
            return Some("an element with an event handler");
        }
        if ADDRESSES.contains(&attribute) && is_script_address(value) {
            return Some("an element with a script address");
        }
        if attribute == "srcdoc" || attribute == "style" && (value.contains("expression") || value.contains("url(")) {
            return Some("an element with a document or style of its own");
        }
        if matches!(attribute, "attributename" | "values" | "from")
            && (value.contains("href") || is_script_address(value))
        {
            return Some("an element that changes an address");
        }
        rest = &rest[at + 1..];
    }
    None
}

fn is_event(attribute: &str) -> bool {
    let Some(event) = attribute.strip_prefix("on").filter(|event| event.len() >= 3) else { return false };
    EVENTS.iter().chain(&MORE_EVENTS).any(|known| match known.strip_suffix('*') {
        Some(start) => event.starts_with(start),
        None => event == *known,
    })
}

/// `x" onfocus=…`: an event handler in the attribute list that a value breaks into.
fn handler(text: &str) -> Option<&'static str> {
    for at in memmem::find_iter(text.as_bytes(), b"on") {
        let before = text.get(..at)?;
        let separated =
            before.is_empty() || before.ends_with([' ', '"', '\'', '/', '\t', '\n', '\r', '\u{c}', '`', '\0']);
        let word = text.get(at..)?;
        let end = word.find(|end: char| !end.is_ascii_alphabetic()).unwrap_or(word.len());
        let value = word[end..].trim_start();
        let Some(value) = value.strip_prefix('=').filter(|_| separated && is_event(&word[..end])) else { continue };
        let breaks_out = before.contains(['"', '\'', '`']);
        let value = value.trim_start().trim_start_matches(['"', '\'', '`']);
        let runs = value.contains(['(', '`', '=']) || is_script_address(value) || value.starts_with("location");
        if breaks_out && !value.is_empty() || runs {
            return Some("an event handler put into an attribute list");
        }
    }
    None
}

/// The whole value is an address that runs something.
fn script_address(text: &str) -> Option<&'static str> {
    let text = text.trim_start_matches(|first: char| first.is_whitespace() || first.is_control());
    is_script_address(text).then_some("an address that runs a script")
}

fn is_script_address(value: &str) -> bool {
    let value: &str = value.trim_start_matches(|first: char| first.is_whitespace() || first.is_control());
    if let Some(rest) = value.strip_prefix("data:") {
        let rest = rest.trim_start();
        return DOCUMENTS.iter().any(|kind| rest.starts_with(kind)) && rest.contains([',', ';']);
    }
    SCRIPTS.iter().any(|scheme| {
        let after = value.strip_prefix(scheme).map(str::trim_start).and_then(|rest| rest.strip_prefix(':'));
        after.is_some_and(|rest| {
            let rest = rest.trim_start();
            let word = rest.trim_start_matches(|next: char| {
                next.is_ascii_alphanumeric() || matches!(next, '.' | '_' | '$' | '[' | ']' | '\'' | '"' | '+' | '!')
            });
            rest.starts_with("//")
                || rest.starts_with("/*")
                || rest.starts_with('(')
                || word.starts_with(['(', '`', '='])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_run_is_found() {
        for text in [
            "<script>alert(1)</script>",
            "<script src=//203.0.113.9/x.js>",
            "<script/x>alert(1)</script>",
            "\"><img src=x onerror=alert(1)>",
            "<svg/onload=alert`1`>",
            "<svg><animate onbegin=alert(1) attributename=x>",
            "<a href=javascript:alert(1)>x",
            "<a href=\"data:text/html,<b>\">x",
            "<iframe src=javascript:alert(1)>",
            "<iframe srcdoc=\"x\">",
            "<body onload = 'x()'>",
            "<details open ontoggle=alert(1)>",
            "\" onmouseover=\"alert(1)",
            "' autofocus onfocus=alert(1) x='",
            "x onerror=alert(1)",
            "javascript:alert(document.cookie)",
            " javascript://%0aalert(1)",
            "<object data=javascript:alert(1)>",
            "<meta http-equiv=refresh content=0;url=javascript:x>",
            "<x onclick=alert(1)>",
            "<math><mi//xlink:href=\"data:x,<script>alert(4)</script>\">",
            "<form><button formaction=javascript:alert(1)>",
            "<style>@import'//203.0.113.9/x';</style>",
            "<set attributename=href to=javascript:alert(1)>",
        ] {
            assert!(injection(text).is_some(), "{text}");
        }
    }

    #[test]
    fn tags_and_words_alone_are_not() {
        for text in [
            "a < b and b > c",
            "<b>bold</b>",
            "<3 you",
            "how to use the <script> tag",
            "the <iframe> element",
            "javascript: the good parts (2008)",
            "learn javascript: basics",
            "on error = stop",
            "once = twice",
            "<a href=\"https://www.example.org/\">link</a>",
            "<p class=\"x\">text</p>",
            "list<string> x = new list<string>()",
            "if (a<b) return",
            "onboarding=true",
            "data:image/png;base64,ivborw0kggo=",
            "price <= 10",
            "i <love> this",
            "<img src=\"/logo.png\" alt=\"logo\">",
        ] {
            assert_eq!(injection(text), None, "{text}");
        }
    }
}
