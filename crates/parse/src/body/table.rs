//! The table of programs whose messages are read: names, kind of log, reader, an example, and where it is described. Program
//! names are compared without regard to case; each belongs to one row. No code. (flat table)

use event::dataset;

use super::{Body, Reads, body};
use super::{accounts, cron, database, dns, dovecot, dropbear, fail2ban, ftp, mail, snoopy, sshd, su, sudo, web};

/// What is read of the programs of a host.
#[rustfmt::skip]
pub(super) static BODIES: &[Body] = &[
    body(&["sshd", "sshd-session", "sshd-auth"], dataset::SSHD, Reads::By(sshd::put))
        .example("Failed password for invalid user ann from 203.0.113.7 port 4000 ssh2", "man.openbsd.org/sshd"),
    body(&["dropbear"], dataset::SSHD, Reads::By(dropbear::put))
        .example("Bad password attempt for 'root' from 203.0.113.7:4000", "matt.ucc.asn.au/dropbear/dropbear.html"),
    body(&["sudo", "sudo-rs"], dataset::SUDO, Reads::By(sudo::put))
        .example("ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/id", "www.sudo.ws/docs/man/sudoers.man"),
    body(&["su", "su-l"], dataset::SU, Reads::By(su::put))
        .example("(to root) ann on pts/0", "man7.org/linux/man-pages/man1/su.1.html"),
    body(&["cron", "crond", "anacron", "crontab", "atd"], dataset::CRON, Reads::By(cron::put))
        .example("(root) CMD (/usr/local/bin/backup)", "man7.org/linux/man-pages/man8/cron.8.html"),
    body(accounts::PROGRAMS, dataset::ACCOUNTS, Reads::By(accounts::put))
        .example("new user: name=ann, UID=1001, GID=1001, home=/home/ann, shell=/bin/bash", "man7.org/linux/man-pages/man8/useradd.8.html"),
    body(&["kernel", "ulogd"], dataset::KERNEL, Reads::Kernel)
        .example("[123.4] DROP IN=eth0 OUT= SRC=203.0.113.7 DST=198.51.100.4 PROTO=TCP SPT=4000 DPT=22 SYN", "man7.org/linux/man-pages/man8/iptables-extensions.8.html"),
    body(&["login", "gdm-password", "unix_chkpwd", "polkitd"], dataset::PAM, Reads::Nothing)
        .example("pam_unix(login:session): session opened for user ann(uid=1001) by LOGIN(uid=0)", "man7.org/linux/man-pages/man8/pam_unix.8.html"),
    body(&["vsftpd"], dataset::VSFTPD, Reads::By(ftp::put_vsftpd))
        .example(r#"[ann] FAIL LOGIN: Client "203.0.113.7""#, "security.appspot.com/vsftpd.html"),
    body(&["proftpd"], dataset::FTP, Reads::By(ftp::put_proftpd))
        .example("ftp.example (203.0.113.7[203.0.113.7]) - USER ann (Login failed): Incorrect password", "www.proftpd.org/docs/howto/Logging.html"),
    body(&["pure-ftpd"], dataset::FTP, Reads::Table(&ftp::PURE_FTPD))
        .example("(?@203.0.113.7) [WARNING] Authentication failed for user [ann]", "www.pureftpd.org/project/pure-ftpd/doc"),
    body(&["smtpd", "postscreen"], dataset::MAIL, Reads::By(mail::put_postfix))
        .example("warning: unknown[203.0.113.7]: SASL LOGIN authentication failed: authentication failure", "www.postfix.org/postconf.5.html"),
    body(&["dovecot"], dataset::MAIL, Reads::By(dovecot::put))
        .example("imap-login: Aborted login (auth failed, 1 attempts in 2 secs): user=<ann>, method=PLAIN, rip=203.0.113.7, lip=198.51.100.4", "doc.dovecot.org/main/core/admin/logging.html"),
    body(&["exim", "exim4"], dataset::MAIL, Reads::By(mail::put_exim))
        .example("login authenticator failed for (host) [203.0.113.7]: 535 Incorrect authentication data (set_id=ann)", "www.exim.org/exim-html-current/doc/html/spec_html/ch-log_files.html"),
    body(&["saslauthd"], dataset::MAIL, Reads::By(mail::put_saslauthd))
        .example("do_auth         : auth failure: [user=ann] [service=smtp] [realm=] [mech=pam] [reason=PAM auth error]", "www.cyrusimap.org/sasl"),
    body(&["mysqld", "mariadbd", "mysql", "mariadb"], dataset::DATABASE, Reads::By(database::put_mysql))
        .example("[Warning] Access denied for user 'ann'@'203.0.113.7' (using password: YES)", "dev.mysql.com/doc/refman/8.4/en/error-log.html"),
    body(&["postgres", "postgresql"], dataset::DATABASE, Reads::By(database::put_postgres))
        .example(r#"FATAL:  password authentication failed for user "ann""#, "www.postgresql.org/docs/current/runtime-config-logging.html"),
    body(&["named"], dataset::DNS, Reads::By(dns::put_named))
        .example("client 203.0.113.7#4000 (www.example): query: www.example IN A + (198.51.100.4)", "bind9.readthedocs.io"),
    body(&["unbound"], dataset::DNS, Reads::By(dns::put_unbound))
        .example("[99:0] info: 203.0.113.7 www.example. A IN", "unbound.docs.nlnetlabs.nl"),
    body(&["dnsmasq"], dataset::DNS, Reads::By(dns::put_dnsmasq))
        .example("query[A] www.example from 203.0.113.7", "thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html"),
    body(&["fail2ban", "fail2ban.actions", "fail2ban-server"], dataset::FAIL2BAN, Reads::By(fail2ban::put))
        .example("NOTICE  [sshd] Ban 203.0.113.7", "github.com/fail2ban/fail2ban"),
    body(&["clamd", "freshclam", "clamav"], dataset::CLAMAV, Reads::Nothing)
        .example("/srv/upload/a.exe: Win.Test.EICAR_HDB-1 FOUND", "docs.clamav.net"),
    body(&["audit", "auditd", "audispd", "audisp-syslog"], dataset::AUDITD, Reads::Audit)
        .example(r#"type=USER_LOGIN msg=audit(1772618401.120:42): pid=99 uid=0 auid=1000 ses=3 msg='op=login acct="ann" addr=203.0.113.7 res=failed'"#, "github.com/linux-audit/audit-documentation"),
    body(&["guacd"], dataset::GUACAMOLE, Reads::Nothing)
        .example(r#"Creating new client for protocol "ssh""#, "guacamole.apache.org/doc/gug"),
    body(&["nginx", "apache", "apache2", "httpd", "caddy", "apache_error", "apache_access", "lighttpd", "haproxy"], dataset::SYSLOG, Reads::Line(web::put))
        .example(r#"203.0.113.7 - - [04/Mar/2026:10:00:01 +0000] "GET / HTTP/1.1" 200 812"#, "nginx.org/en/docs/syslog.html"),
    body(&["snoopy"], dataset::SYSLOG, Reads::By(snoopy))
        .example("[uid:0 sid:1 tty:(none) cwd:/ filename:/usr/bin/id]: id -u", "github.com/a2o/snoopy"),
];
