//! Message bodies: what the programs of a Unix host say. One file per program family, one table of names.
//!
//! A body that is not understood keeps its `message`; nothing is refused here.

mod accounts;
pub(crate) mod audit;
mod cron;
mod cut;
mod database;
mod dns;
mod dovecot;
mod dropbear;
mod fail2ban;
mod ftp;
mod mail;
mod netfilter;
mod outcome;
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
    Body { programs: &["sshd", "sshd-session", "sshd-auth"], dataset: dataset::SSHD, put: sshd::put },
    Body { programs: &["dropbear"], dataset: dataset::SSHD, put: dropbear::put },
    Body { programs: &["sudo", "sudo-rs"], dataset: dataset::SUDO, put: sudo::put },
    Body { programs: &["su", "su-l"], dataset: dataset::SU, put: su::put },
    Body { programs: &["cron", "crond", "anacron", "crontab", "atd"], dataset: dataset::CRON, put: cron::put },
    Body { programs: accounts::PROGRAMS, dataset: dataset::ACCOUNTS, put: accounts::put },
    Body { programs: &["kernel", "ulogd"], dataset: dataset::KERNEL, put: nothing },
    Body { programs: &["login", "gdm-password", "unix_chkpwd", "polkitd"], dataset: dataset::PAM, put: nothing },
    Body { programs: &["vsftpd"], dataset: dataset::VSFTPD, put: ftp::put_vsftpd },
    Body { programs: &["proftpd"], dataset: dataset::FTP, put: ftp::put_proftpd },
    Body { programs: &["pure-ftpd"], dataset: dataset::FTP, put: ftp::put_pureftpd },
    // Postfix writes as `postfix/smtpd`, of which the last part is the program.
    Body { programs: &["smtpd", "postscreen"], dataset: dataset::MAIL, put: mail::put_postfix },
    Body { programs: &["dovecot"], dataset: dataset::MAIL, put: dovecot::put },
    Body { programs: &["exim", "exim4"], dataset: dataset::MAIL, put: mail::put_exim },
    Body { programs: &["saslauthd"], dataset: dataset::MAIL, put: mail::put_saslauthd },
    Body {
        programs: &["mysqld", "mariadbd", "mysql", "mariadb"],
        dataset: dataset::DATABASE,
        put: database::put_mysql,
    },
    Body { programs: &["postgres", "postgresql"], dataset: dataset::DATABASE, put: database::put_postgres },
    Body { programs: &["named"], dataset: dataset::DNS, put: dns::put_named },
    Body { programs: &["unbound"], dataset: dataset::DNS, put: dns::put_unbound },
    Body { programs: &["dnsmasq"], dataset: dataset::DNS, put: dns::put_dnsmasq },
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

#[cfg(test)]
mod forgery_tests;

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
