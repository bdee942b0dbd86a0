//! Message bodies: what the programs of a Unix host say. One file per program family, one table of names.
//!
//! A body that is not understood keeps its `message`; nothing is refused here.

mod accounts;
pub(crate) mod audit;
mod cron;
mod database;
mod dns;
mod fail2ban;
mod ftp;
mod mail;
mod netfilter;
mod pam;
mod sshd;
mod su;
mod sudo;

use audit::Subject;
use event::{BatchBuilder, DatasetId, dataset};

type Put = fn(&mut BatchBuilder, &[u8]) -> bool;

/// A program family: the names it writes under, what its lines are, and how they are read.
#[derive(Debug)]
struct Body {
    programs: &'static [&'static str],
    dataset: DatasetId,
    put: Put,
}

fn nothing(_: &mut BatchBuilder, _: &[u8]) -> bool {
    false
}

/// Commands that the snoopy library saw: `[uid:0 … filename:/usr/bin/id]: id -u`.
fn snoopy(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memchr::memmem::find(message, b"]: ").filter(|_| message.starts_with(b"[")) else { return false };
    rows.text(event::catalog::field::PROCESS_COMMAND_LINE, &message[at + 3..]);
    true
}

/// What the kernel says of packets, and records that no audit daemon took.
fn kernel(rows: &mut BatchBuilder, message: &[u8]) -> DatasetId {
    if netfilter::put(rows, message) {
        return dataset::FIREWALL;
    }
    let rest = netfilter::after_uptime(message);
    match rest.starts_with(b"audit: type=").then(|| audit::put(rows, rest)).flatten() {
        Some(Subject::Run) => dataset::KERNEL_RUN,
        Some(Subject::Other) => dataset::KERNEL_AUDIT,
        None => dataset::KERNEL,
    }
}

fn audit_record(rows: &mut BatchBuilder, message: &[u8]) -> DatasetId {
    match audit::put(rows, message) {
        Some(Subject::Run) => dataset::AUDITD_RUN,
        _ => dataset::AUDITD,
    }
}

/// Program names are compared without regard to case.
static BODIES: &[Body] = &[
    Body { programs: &["sshd", "sshd-session", "sshd-auth", "dropbear"], dataset: dataset::SSHD, put: sshd::put },
    Body { programs: &["sudo", "sudo-rs"], dataset: dataset::SUDO, put: sudo::put },
    Body { programs: &["su", "su-l"], dataset: dataset::SU, put: su::put },
    Body { programs: &["cron", "crond", "anacron", "crontab", "atd"], dataset: dataset::CRON, put: cron::put },
    Body { programs: accounts::PROGRAMS, dataset: dataset::ACCOUNTS, put: accounts::put },
    Body { programs: &["kernel", "ulogd"], dataset: dataset::KERNEL, put: nothing },
    Body { programs: &["login", "gdm-password", "unix_chkpwd", "polkitd"], dataset: dataset::PAM, put: nothing },
    Body { programs: &["vsftpd"], dataset: dataset::VSFTPD, put: ftp::put },
    Body { programs: &["proftpd", "pure-ftpd"], dataset: dataset::FTP, put: ftp::put },
    Body { programs: mail::PROGRAMS, dataset: dataset::MAIL, put: mail::put },
    Body {
        programs: &["mysqld", "mariadbd", "mysql", "mariadb", "postgres", "postgresql"],
        dataset: dataset::DATABASE,
        put: database::put,
    },
    Body { programs: &["named", "unbound", "dnsmasq"], dataset: dataset::DNS, put: dns::put },
    Body {
        programs: &["fail2ban", "fail2ban.actions", "fail2ban-server"],
        dataset: dataset::FAIL2BAN,
        put: fail2ban::put,
    },
    Body { programs: &["clamd", "freshclam", "clamav"], dataset: dataset::CLAMAV, put: nothing },
    Body { programs: &["audit", "auditd", "audispd", "audisp-syslog"], dataset: dataset::AUDITD, put: nothing },
    Body { programs: &["guacd"], dataset: dataset::GUACAMOLE, put: nothing },
    Body { programs: &["snoopy"], dataset: dataset::SYSLOG, put: snoopy },
];

/// Puts what the program says in `message`, through `module` where the tag names one; names the dataset of the line.
#[inline]
pub(crate) fn put(rows: &mut BatchBuilder, program: &[u8], module: &[u8], message: &[u8]) -> DatasetId {
    let body =
        BODIES.iter().find(|body| body.programs.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(program)));
    // PAM modules write in the name of the program that called them.
    if message.starts_with(b"pam_") && pam::put(rows, message) {
        return body.map_or(dataset::PAM, |body| body.dataset);
    }
    // As old ones did it in the program's tag.
    if module.starts_with(b"pam_") {
        pam::put_of_tag(rows, program, module, message);
        return body.map_or(dataset::PAM, |body| body.dataset);
    }
    let Some(body) = body else { return dataset::SYSLOG };
    match body.dataset {
        // What the line says decides.
        dataset::KERNEL => kernel(rows, message),
        dataset::AUDITD => audit_record(rows, message),
        known => {
            (body.put)(rows, message);
            known
        }
    }
}

/// The words of an event that concerns an account.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    action: &'static str,
    outcome: &'static str,
}

const fn outcome(action: &'static str, outcome: &'static str) -> Outcome {
    Outcome { action, outcome }
}

impl Outcome {
    #[inline]
    fn put(self, rows: &mut BatchBuilder) {
        rows.literal(event::catalog::field::EVENT_CATEGORY, "authentication");
        rows.literal(event::catalog::field::EVENT_ACTION, self.action);
        if !self.outcome.is_empty() {
            rows.literal(event::catalog::field::EVENT_OUTCOME, self.outcome);
        }
    }
}

/// The address in the last brackets of a text.
fn in_last_brackets(text: &[u8]) -> Option<&[u8]> {
    let close = memchr::memrchr(b']', text)?;
    let open = memchr::memrchr(b'[', &text[..close])?;
    Some(&text[open + 1..close])
}

/// Value of `key=` up to the next blank, where the key starts a word.
fn value_of<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut from = 0;
    loop {
        let at = from + memchr::memmem::find(text.get(from..)?, key)?;
        if at == 0 || matches!(text[at - 1], b' ' | b';' | b',') {
            let value = &text[at + key.len()..];
            let end = value.iter().position(|byte| matches!(byte, b' ' | b';' | b',')).unwrap_or(value.len());
            return Some(&value[..end]);
        }
        from = at + key.len();
    }
}

/// Text after `prefix` up to `end`.
fn between<'a>(text: &'a [u8], prefix: &[u8], end: &[u8]) -> Option<&'a [u8]> {
    let start = memchr::memmem::find(text, prefix)? + prefix.len();
    let length = memchr::memmem::find(&text[start..], end)?;
    Some(&text[start..start + length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_program_belongs_to_two_families() {
        let mut names: Vec<_> = BODIES.iter().flat_map(|body| body.programs).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
