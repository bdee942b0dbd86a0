//! What systemd-journal-upload sends: entries in the journal's export format (systemd.io/JOURNAL_EXPORT_FORMATS), as long as there
//! are any. Each becomes one line of JSON, as `journalctl -o json` writes it, which the shape `journald` reads. Holds one entry.

use std::io::{self, BufRead};

use super::bulk;
use super::sink::{Lines, Payload, PayloadError};

/// Bytes of one entry: values beyond it are cut, and told in the entry.
pub const JOURNAL_ENTRY_BYTES_MAX: usize = 256 << 10;
/// Longest name of a field, in bytes, as the journal has it.
const NAME_BYTES_MAX: usize = 64;

/// Bodies of `/upload`.
#[derive(Debug, Default)]
pub struct Journal;

impl Payload for Journal {
    fn read(&mut self, body: &mut dyn BufRead, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
        let mut line = Vec::new();
        let mut entry = JournalFields::default();
        while bulk::next_line(body, &mut line)? {
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            if text.is_empty() {
                entry.put(lines)?;
                continue;
            }
            let name = text
                .iter()
                .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b'_')
                .count();
            let is_name = (1..=NAME_BYTES_MAX).contains(&name);
            match text.get(name) {
                Some(b'=') if is_name => entry.add(&text[..name], &text[name + 1..]),
                None if is_name && line.ends_with(b"\n") => {
                    let name = text.to_vec();
                    let value = counted(body)?;
                    entry.add(&name, &value);
                }
                _ => return Err(PayloadError::Format("no entry of the journal's export format".to_owned())),
            }
        }
        entry.put(lines)?;
        if lines.report.events == 0 { Err(PayloadError::Empty) } else { Ok(()) }
    }
}

/// A value behind its length, 64 bits, little endian; as much of it as an entry may have, all of it read.
fn counted(body: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut length = [0; 8];
    body.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let held = length.min(JOURNAL_ENTRY_BYTES_MAX as u64) as usize;
    let mut value = vec![0; held];
    body.read_exact(&mut value)?;
    let mut left = length - held as u64 + 1;
    while left > 0 {
        let there = body.fill_buf()?.len() as u64;
        if there == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let used = there.min(left);
        body.consume(used as usize);
        left -= used;
    }
    Ok(value)
}

/// An entry while it comes.
#[derive(Debug, Default)]
struct JournalFields {
    json: Vec<u8>,
    cut: bool,
}

impl JournalFields {
    fn add(&mut self, name: &[u8], value: &[u8]) {
        let room = JOURNAL_ENTRY_BYTES_MAX.saturating_sub(self.json.len());
        if room < name.len() + 8 {
            self.cut = true;
            return;
        }
        let value = if value.len() > room {
            self.cut = true;
            &value[..room]
        } else {
            value
        };
        self.json.push(if self.json.is_empty() { b'{' } else { b',' });
        put_json(&String::from_utf8_lossy(name), &mut self.json);
        self.json.push(b':');
        put_json(&String::from_utf8_lossy(value), &mut self.json);
    }

    fn put(&mut self, lines: &mut Lines<'_>) -> io::Result<()> {
        if self.json.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.cut) {
            self.json.extend_from_slice(b",\"C0DI3_CUT\":\"yes\"");
            lines.is_cut();
        }
        self.json.push(b'}');
        lines.json(&self.json)?;
        self.json.clear();
        Ok(())
    }
}

fn put_json(text: &str, out: &mut Vec<u8>) {
    let start = out.len();
    // Texts only: nothing of it can fail.
    if serde_json::to_writer(&mut *out, text).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> Result<String, PayloadError> {
        let mut out = Vec::new();
        let mut take = |piece: &[u8]| {
            out.extend_from_slice(piece);
            Ok(())
        };
        let mut lines = Lines::new("test", &mut take);
        Journal.read(&mut io::BufReader::with_capacity(7, body), &mut lines)?;
        lines.finish()?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn binary(name: &str, value: &[u8]) -> Vec<u8> {
        [name.as_bytes(), b"\n", &(value.len() as u64).to_le_bytes(), value, b"\n"].concat()
    }

    #[test]
    fn entries_become_lines_whatever_their_values_hold() {
        let body = [
            &b"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=5\nMESSAGE=one=two\n\n\n"[..],
            &binary("MESSAGE", b"a\n\nMESSAGE=forged\n\xff"),
            b"_HOSTNAME=gate\n",
        ]
        .concat();
        assert_eq!(
            read(&body).unwrap(),
            "{\"__CURSOR\":\"s=1;i=2\",\"__REALTIME_TIMESTAMP\":\"5\",\"MESSAGE\":\"one=two\"}\n\
             {\"MESSAGE\":\"a\\n\\nMESSAGE=forged\\n\u{fffd}\",\"_HOSTNAME\":\"gate\"}\n"
        );
        for broken in [&b"no field\n"[..], b"{\"a\":1}\n", b"MESSAGE\n\x05\0\0\0\0\0\0\0ab"] {
            assert!(!matches!(read(broken), Ok(_) | Err(PayloadError::Empty)), "{broken:?}");
        }
        assert!(matches!(read(b"\n"), Err(PayloadError::Empty)));
    }

    #[test]
    fn a_long_value_is_cut_and_what_follows_is_read() {
        let body = [binary("COREDUMP", &vec![b'z'; 3 << 20]), b"MESSAGE=x\n\nMESSAGE=y\n".to_vec()].concat();
        let lines = read(&body).unwrap();
        let lines: Vec<&str> = lines.lines().collect();
        assert!(lines[0].ends_with("\"C0DI3_CUT\":\"yes\"}") && lines[0].len() < 2 * JOURNAL_ENTRY_BYTES_MAX);
        assert_eq!(lines[1], "{\"MESSAGE\":\"y\"}");
    }
}
