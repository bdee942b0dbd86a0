//! Beginnings that mutations do not find: of envelopes, of a host's own logs, of entries of the journal. No checks.

/// Beginnings of envelopes and of records over several lines.
pub(crate) const ENVELOPES: [&str; 12] = [
    "2026-11-12T11:15:58.792703123Z stdout F ",
    "2026-11-12T11:15:58.792703123Z stdout P ",
    "2026-11-12T11:15:58.792703123Z ",
    "web-1  | ",
    "[pod/a/b] ",
    "99 <38>",
    "<38>Nov 28 10:00:00 relay <38>1 ",
    "\u{1b}[32m",
    "__CURSOR=s\n__REALTIME_TIMESTAMP=1772618401000000\nMESSAGE",
    "2026-11-28 10:00:00\tAuth.Info\t192.0.2.9\tOriginal Address=192.0.2.10 ",
    "{\"log\":\"203.0.113.7 - - [04/Mar/2026:10:00:01 +0000] \\\"GET /",
    "{\"__REALTIME_TIMESTAMP\":\"1772618401000000\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"MESSAGE\":",
];

/// Beginnings of lines of `/var/log`.
pub(crate) const HOST: [&str; 24] = [
    "2026-03-04 10:00:01 install ",
    "update-alternatives 2026-03-04 10:00:01: ",
    "Start-Date: 2026-03-04  10:00:01\n",
    "Start-Date: 2026-03-04  10:00:01\nCommandline: apt install nginx\nInstall: ",
    "Log started: 2026-03-04  10:00:01\n",
    "2026-03-04 10:00:01,120 INFO Packages that ",
    "2026-03-04T10:00:01+0000 SUBDEBUG Installed: ",
    "Mar 04 10:00:01 Installed: ",
    "[2026-03-04T10:00:01+0000] [ALPM] installed ",
    "(1/3) Installing ",
    "2026-03-04 10:00:01|install|",
    "[   12.345678] ",
    "[  OK  ] Started ",
    "[    12.345] (II) ",
    "2026-03-04 10:00:01,120 - util.py[DEBUG]: ",
    "wtmp [7] [99] [] [ann] [",
    "btmp [6] [97] [",
    "lastlog [1] [",
    "faillog [1] [",
    "tallylog [1] [",
    "<Event xmlns='x'><System>",
    "<Event xmlns='x'>\n<System><Channel>Security</Channel><EventID>4625</EventID></System>\n<EventData><Data Name=",
    "<Event xmlns='x'><EventData><Data Name='IpAddress'>",
    "2026-03-04 10:00:01 [root:useradd] ",
];

/// Names of fields of the journal.
const JOURNAL_FIELDS: [&str; 8] = [
    "MESSAGE",
    "SYSLOG_IDENTIFIER",
    "_HOSTNAME",
    "__REALTIME_TIMESTAMP",
    "_SOURCE_REALTIME_TIMESTAMP",
    "_PID",
    "PRIORITY",
    "_SYSTEMD_UNIT",
];

/// An entry of the journal's export format: the first byte of each part tells the field, the others are its value.
pub(crate) fn journal(bytes: &[u8]) -> Vec<u8> {
    let mut entry = b"__CURSOR=s=1\n".to_vec();
    for part in bytes.split(|byte| *byte == 0xFF) {
        let Some((which, value)) = part.split_first() else { continue };
        entry.extend_from_slice(JOURNAL_FIELDS[usize::from(*which) % JOURNAL_FIELDS.len()].as_bytes());
        if *which >= 128 || value.contains(&b'\n') {
            entry.push(b'\n');
            entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
        } else {
            entry.push(b'=');
        }
        entry.extend_from_slice(value);
        entry.push(b'\n');
    }
    entry.push(b'\n');
    entry
}
