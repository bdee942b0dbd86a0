//! Nobody's text is believed: whatever a client writes into a field that is its own, source and accounts of the event are those
//! that the program knows, or none.

use event::catalog::field;
use event::{Block, EventBatch, Timestamp};
use proptest::prelude::*;

const TRUE_SOURCE: &str = "192.0.2.32";
const FORGED_SOURCE: &str = "203.0.113.151";

/// A message and what is true of it. `«S»` is the source, `«N»` a name that a client writes (the same one in all places), `«X»`
/// other text of a client (another in each place), `«C»` begins what the program cuts to a hundred bytes.
struct LineShape {
    program: &'static str,
    message: &'static str,
    /// `«N»`, a name that the system knows, or nothing.
    user: &'static str,
    effective: &'static str,
}

const fn shape(program: &'static str, message: &'static str, user: &'static str, effective: &'static str) -> LineShape {
    LineShape { program, message, user, effective }
}

#[rustfmt::skip]
const SHAPES: &[LineShape] = &[
    shape("sshd[1]", "Failed password for invalid user «N» from «S» port 4 ssh2", "«N»", ""),
    shape("sshd[1]", "Failed password for ann from «S» port 4 ssh2", "ann", ""),
    shape("sshd[1]", "Failed keyboard-interactive/pam for invalid user «N» from «S» port 4 ssh2", "«N»", ""),
    shape("sshd[1]", "Failed «X» for invalid user «N» from «S» port 4 ssh2", "«N»", ""),
    shape("sshd[1]", "Failed «X» for ann from «S» port 4 ssh2 [preauth]", "ann", ""),
    shape("sshd[1]", "Failed publickey for ann from «S» port 4 ssh2: ED25519 SHA256:abc", "ann", ""),
    shape("sshd[1]", "Failed publickey for ann from «S» port 4 ssh2: RSA-CERT SHA256:abc ID «X» (serial 0) CA RSA SHA256:d", "ann", ""),
    shape("sshd[1]", "Failed hostbased for ann from «S» port 4 ssh2: ED25519 SHA256:abc, client user \"«X»\", client host \"«X»\"", "ann", ""),
    shape("sshd[1]", "Accepted publickey for ann from «S» port 4 ssh2: ED25519-CERT SHA256:abc ID «X» (serial 7) CA RSA SHA256:d", "ann", ""),
    shape("sshd[1]", "Accepted publickey for ann from «S» port 4 ssh2: RSA-CERT ID «X» (serial 7) CA RSA SHA256:d", "ann", ""),
    shape("sshd[1]", "Accepted password for ann from «S» port 4 ssh1", "ann", ""),
    shape("sshd[1]", "Accepted hostbased for ann from «S» port 4 ssh2: RSA SHA256:abc, client user \"«X»\", client host \"«X»\"", "ann", ""),
    shape("sshd[1]", "Postponed keyboard-interactive for invalid user «N» from «S» port 4 ssh2 [preauth]", "«N»", ""),
    shape("sshd[1]", "Invalid user «N» from «S» port 4", "«N»", ""),
    shape("sshd[1]", "Invalid user «N» from «S»", "«N»", ""),
    shape("sshd[1]", "input_userauth_request: invalid user «N» [preauth]", "«N»", ""),
    shape("sshd[1]", "error: maximum authentication attempts exceeded for invalid user «N» from «S» port 4 ssh2 [preauth]", "«N»", ""),
    shape("sshd[1]", "error: PAM: Authentication failure for illegal user «N» from «S»", "«N»", ""),
    shape("sshd[1]", "error: PAM: Authentication failure for «N» from «S» via 10.9.9.9", "«N»", ""),
    shape("sshd[1]", "error: PAM: User not known to the underlying authentication module for illegal user «N» from «S» ", "«N»", ""),
    shape("sshd[1]", "Failed publickey for invalid user «N» from «S» port 4 ssh2: RSA SHA256:a$b", "«N»", ""),
    shape("sshd[1]", "Connection closed by invalid user «N» «S» port 4 [preauth]", "«N»", ""),
    shape("sshd[1]", "Disconnected from invalid user «N» «S» port 4 [preauth]", "«N»", ""),
    shape("sshd[1]", "Disconnecting invalid user «N» «S» port 4: Too many authentication failures [preauth]", "«N»", ""),
    shape("sshd[1]", "Disconnecting invalid user «N» «S» port 4: «C»Change of username or service not allowed: («N»,ssh-connection) -> («X»,«X»)", "«N»", ""),
    shape("sshd[1]", "Disconnecting authenticating user ann «S» port 4: Change of username or service not allowed: (ann,ssh-connection) -> («X»,«X»)", "ann", ""),
    shape("sshd[1]", "Disconnecting authenticating user ann «S» port 4: Change of username or service not allowed: (ann,ssh-connection) -> («X»,ssh-connection) [preauth]", "ann", ""),
    shape("sshd[1]", "Received disconnect from «S» port 4:11: «X» [preauth]", "", ""),
    shape("sshd[1]", "error: Received disconnect from «S»: 3: «X»", "", ""),
    shape("sshd[1]", "Unable to negotiate with «S» port 4: no matching host key type found. Their offer: «X» [preauth]", "", ""),
    shape("sshd[1]", "Bad protocol version identification '«X»' from «S» port 4", "", ""),
    shape("sshd[1]", "error: kex_exchange_identification: client sent invalid protocol identifier \"«X»\"", "", ""),
    shape("sshd[1]", "probed from «S» port 4 with «X». Don't panic.", "", ""),
    shape("sshd[1]", "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=«S»  user=«N»", "«N»", ""),
    shape("sshd[1]", "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=«S»  user=«N»", "«N»", ""),
    shape("sshd[1]", "pam_sss(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=«S» user=«N»", "«N»", ""),
    shape("sshd[1]", "pam_sss(sshd:auth): received for user «N»: 7 (Authentication failure)", "«N»", ""),
    shape("sshd[1]", "pam_faillock(sshd:auth): Consecutive login failures for user «N» account temporarily locked", "«N»", ""),
    shape("sshd(pam_unix)[1]", "authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser=«X» rhost=«S» user=ann", "ann", ""),
    shape("vsftpd", "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=«X» rhost=«S»", "", ""),
    shape("vsftpd", "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=«X» rhost=«S»  user=ann", "ann", ""),
    shape("vsftpd", "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=«N» rhost=«S»  user=«N»", "«N»", ""),
    shape("vsftpd(pam_unix)[1]", "check pass; user unknown", "", ""),
    shape("sudo", "   ann : TTY=pts/0 ; PWD=«X» ; USER=root ; COMMAND=/bin/ls «X»", "ann", "root"),
    shape("sudo", "   ann : TTY=pts/0 ; PWD=«X» ; USER=root ; ENV=A=«X» ; COMMAND=/bin/ls", "ann", "root"),
    shape("sudo", "   ann : unknown user «X» ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls", "ann", "root"),
    shape("sudo", "   ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/«X» ; USER=root ; COMMAND=«X»", "ann", "root"),
    shape("sudo", "   ann : (command continued) «X»", "ann", ""),
    shape("su[1]", "FAILED su for «N» by ann", "ann", "«N»"),
    shape("su[1]", "Successful su for root by ann", "ann", "root"),
    shape("su[1]", "- /dev/pts/1 ann:«N»", "ann", "«N»"),
    shape("su", "FAILED SU (to «N») ann on pts/1", "ann", "«N»"),
    shape("su", "BAD SU ann to «N» on /dev/ttyp0", "ann", "«N»"),
    shape("dovecot", "imap-login: Login: user=<«N»>, method=PLAIN, rip=«S», lip=10.0.0.1, mpid=7, TLS, session=<abc>", "«N»", ""),
    shape("dovecot", "imap-login: Disconnected (auth failed, 3 attempts in 9 secs): user=<«N»>, method=PLAIN, rip=«S», lip=10.0.0.1, session=<abc>", "«N»", ""),
    shape("dovecot", "pop3-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<«N»>, rip=«S», lip=10.0.0.1", "«N»", ""),
    shape("dovecot", "imap-login: Login aborted: Logged out (auth failed, 1 attempts in 2 secs) (auth_failed): user=<«N»>, method=PLAIN, rip=«S», lip=10.0.0.1", "«N»", ""),
    shape("dovecot", "imap-login: Info: ID sent: name=«X», version=«X»", "", ""),
    shape("dovecot", "auth: sql(«N»,«S»,<abc>): Password mismatch (given password: «X»)", "«N»", ""),
    shape("dovecot", "auth-worker(5): pam(«N»,«S»): pam_authenticate() failed: Authentication failure", "«N»", ""),
    shape("dovecot", "auth: passwd-file(«N»,«S»,<abc>): unknown user (given password: «X»)", "«N»", ""),
    shape("postfix/smtpd[1]", "warning: unknown[«S»]: SASL «X» authentication failed: x, sasl_username=«N»", "«N»", ""),
    shape("exim[1]", "login authenticator failed for (x) [«S»]:4: 535 Incorrect authentication data (set_id=«N»)", "«N»", ""),
    shape("exim[1]", "H=(x [9.9.9.9]) [«S»] F=<«X»> rejected RCPT <«X»>: relay not permitted", "", ""),
    shape("saslauthd[1]", "do_auth : auth failure: [user=«N»] [service=smtp] [realm=] [mech=pam] [reason=PAM auth error]", "«N»", ""),
    shape("vsftpd[1]", "[«N»] FAIL LOGIN: Client \"«S»\"", "«N»", ""),
    shape("vsftpd[1]", "[ftp] OK LOGIN: Client \"«S»\", anon password \"«X»\"", "ftp", ""),
    shape("mysqld[1]", "Access denied for user '«N»'@'«S»' (using password: YES)", "«N»", ""),
    shape("mysqld[1]", "Access denied for user '«N»'@'«S»' to database '«X»'", "«N»", ""),
    shape("sshd[1]", "error: PAM: authentication error for «N» from «S» via 10.9.9.9", "«N»", ""),
    shape("sshd[1]", "error: PAM: Have exhausted maximum number of retries for service for illegal user «N» from «S»", "«N»", ""),
    shape("sshd[1]", "Disconnecting: Too many authentication failures for invalid user «N» from «S» port 4 ssh2 [preauth]", "«N»", ""),
    shape("sshd[1]", "Accepted password for ann from «S» port 4 ssh2", "ann", ""),
    shape("sshd[1]", "refused connect from «X» («S»)", "", ""),
    shape("sshd[1]", "subsystem request for «X» by user ann", "ann", ""),
    shape("sshd[1]", "Starting session: subsystem '«X»' for ann from «S» port 4 id 0", "ann", ""),
    shape("vsftpd[1]", "authentication failure; logname= uid=0 euid=0 tty=ftp ruser=«N» rhost=«S»  user=«N»", "«N»", ""),
    shape("sshd[1]", "(pam_unix) authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser=«X» rhost=«S» user=ann", "ann", ""),
    shape("sshd[1]", "pam_access(sshd:account): access denied for user `«N»' from `«S»'", "«N»", ""),
    shape("sshd[1]", "pam_succeed_if(sshd:auth): requirement \"uid >= 1000\" not met by user \"«N»\"", "«N»", ""),
    shape("sudo", "pam_unix(sudo:session): session opened for user root(uid=0) by ann(uid=1000)", "ann", "root"),
    shape("sshd[1]", "pam_unix(sshd:session): session opened for user ann(uid=1000) by bob(uid=0)", "ann", "ann"),
    shape("pam_pwdb[1]", "authentication failure; (uid=0) -> «N» for ssh service", "«N»", ""),
    shape("su", "'su «N»' failed for ann on /dev/pts/8", "ann", "«N»"),
    shape("su", "ann to «N» on /dev/ttyp0", "ann", "«N»"),
    shape("dropbear[1]", "Bad password attempt for '«N»' from «S»:4", "«N»", ""),
];

/// What programs write of sources and accounts, with `F` for the address.
const FORGERIES: &[&str] = &[
    " from F port 7",
    " from F",
    " from F port 7 ssh2",
    " from F port 7 ssh2: RSA SHA256:abc",
    " from F port 7 ssh2: RSA-CERT SHA256:abc ID x (serial 1) CA RSA SHA256:d",
    " from F port 7 ssh2: RSA SHA256:abc, client user \"forged\", client host \"h\"",
    " for forged from F port 7 ssh2",
    " for invalid user forged from F port 7 ssh2",
    "password for forged from F port 7 ssh2",
    "\", client user \"forged from F port 7 ssh2\", client host \"h",
    " F port 7",
    " F port 7: Too many authentication failures",
    " F port 7: Change of username or service not allowed: (,) -> (,)",
    " F port 7 [preauth]",
    " [preauth]",
    " POSSIBLE BREAK-IN ATTEMPT! from F port 7",
    "' from F port 7",
    "' from F:7",
    " not allowed because not listed in AllowUsers",
    " rhost=F",
    " rhost=F  user=forged",
    " rhost=F user=forged ",
    "  user=forged",
    " user=forged rhost=F ",
    " ruser=forged rhost=F",
    ": 7 (Authentication failure)",
    " account temporarily locked",
    " ; USER=forged",
    " ; USER=forged ; COMMAND=/bin/sh",
    " ; TTY=pts/9 ; PWD=/ ; USER=forged ; COMMAND=/bin/sh",
    "forged : TTY=pts/9 ; PWD=/ ; USER=forged ; COMMAND=/bin/sh",
    " by forged",
    ") forged on pts/9",
    ") forged",
    ":forged",
    " to forged on pts/9",
    " on pts/9",
    ">, method=PLAIN, rip=F, lip=10.0.0.1, session=<x>",
    ">, method=PLAIN",
    ">, rip=F, lip=10.0.0.1",
    ": user=<forged>, method=PLAIN, rip=F, lip=10.0.0.1",
    ", rip=F",
    "(auth failed, 1 attempts in 2 secs): user=<forged>, rip=F",
    ",F",
    ",F): unknown user",
    ",F,<abc>): Password mismatch",
    "]: SASL LOGIN authentication failed: x, sasl_username=forged",
    "x[F]: SASL LOGIN authentication failed",
    " [F]:7: 535 Incorrect authentication data (set_id=forged)",
    "> [F] F=<x> rejected RCPT <y>",
    "] [service=x]",
    "] FAIL LOGIN: Client \"F",
    "] OK LOGIN: Client \"F\", anon password \"x",
    "'@'F' (using password: YES)",
    "'@'F",
];

/// Text of a client: a word, forgeries and words by turns.
fn forged_text() -> impl Strategy<Value = String> {
    let forgery = proptest::sample::select(FORGERIES);
    ("[a-z]{0,5}", prop::collection::vec((forgery, "[a-z]{0,3}"), 0..3)).prop_map(|(word, forgeries)| {
        let told: String = forgeries.iter().map(|(forgery, word)| [forgery, word.as_str()].concat()).collect();
        word + &told.replace('F', FORGED_SOURCE)
    })
}

/// The message with a client's texts in it.
fn written(shape: &LineShape, name: &str, others: &[String]) -> String {
    let mut message = shape.message.replace("«S»", TRUE_SOURCE).replace("«N»", name);
    for at in 0.. {
        let Some(_) = message.find("«X»") else { break };
        message = message.replacen("«X»", &others[at % others.len()], 1);
    }
    if let Some((kept, cut)) = message.clone().split_once("«C»") {
        message = kept.to_owned() + &cut.chars().take(100).collect::<String>();
    }
    message
}

fn parsed(program: &str, message: &str) -> EventBatch {
    let line = format!("Nov 23 10:00:00 h {program}: {message}\n");
    let block = Block::detached("test", line.into_bytes(), Timestamp::parse_rfc3339(b"2026-11-23T12:00:00Z").unwrap());
    crate::Parser::new(crate::Options::default()).parse(block)
}

fn text(batch: &EventBatch, id: event::FieldId) -> Option<&str> {
    batch.text(id).and_then(|column| column.str(0))
}

#[test]
fn every_shape_tells_what_is_true_where_nobody_lies() {
    for shape in SHAPES {
        let message = written(shape, "bob", &["word".to_owned()]);
        let batch = parsed(shape.program, &message);
        let is_told = shape.message.contains("«S");
        assert_eq!(text(&batch, field::SOURCE_ADDRESS), is_told.then_some(TRUE_SOURCE), "{message}");
        for (id, truth) in [(field::USER_NAME, shape.user), (field::USER_EFFECTIVE_NAME, shape.effective)] {
            let truth = truth.replace("«N»", "bob");
            assert_eq!(text(&batch, id).unwrap_or(""), truth, "{message}");
        }
    }
}

#[test]
fn an_address_in_an_attackers_words_is_never_the_source() {
    for (program, message, source, user) in [
        (
            "vsftpd",
            "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=bob rhost=203.0.113.151 rhost=192.0.2.32",
            Some("192.0.2.32"),
            None,
        ),
        (
            "vsftpd",
            "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=x user=root rhost=192.0.2.32",
            Some("192.0.2.32"),
            None,
        ),
        (
            "sshd[9]",
            "Failed hostbased for alice from 192.0.2.31 port 40000 ssh2: ED25519 SHA256:abc, client user \"bob from 203.0.113.9 port 7 x\", client host \"h9\"",
            Some("192.0.2.31"),
            Some("alice"),
        ),
        (
            "sshd[9]",
            "input_userauth_request: invalid user bob from 203.0.113.9 port 7 [preauth]",
            None,
            Some("bob from 203.0.113.9 port 7"),
        ),
        (
            "sshd[9]",
            "Invalid user from 203.0.113.9 port 7 x from 192.0.2.31 port 4",
            Some("192.0.2.31"),
            Some("from 203.0.113.9 port 7 x"),
        ),
    ] {
        let batch = parsed(program, message);
        assert_eq!((text(&batch, field::SOURCE_IP), text(&batch, field::USER_NAME)), (source, user), "{message}");
    }
}

/// sshd hands no more than five hundred bytes to syslog: a method that long pushes the truth out and leaves its own end.
#[test]
fn the_end_of_a_message_that_was_cut_off_is_not_believed() {
    let tail = " for root from 203.0.113.151 port 7 ssh2";
    let message = format!("Failed {}{tail}", "x".repeat(500 - 7 - tail.len()));
    let batch = parsed("sshd[9]", &message);
    assert_eq!((text(&batch, field::SOURCE_IP), text(&batch, field::USER_NAME)), (None, None));
    let batch = parsed("sshd[9]", &message.replacen('x', "", 1));
    assert_eq!(text(&batch, field::SOURCE_IP), Some(FORGED_SOURCE), "a byte less is the whole message");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn a_well_formed_forgery_never_changes_source_or_account(
        at in any::<prop::sample::Index>(),
        name in forged_text(),
        others in prop::collection::vec(forged_text(), 1..3),
    ) {
        let shape = &SHAPES[at.index(SHAPES.len())];
        let message = written(shape, &name, &others);
        let batch = parsed(shape.program, &message);
        for id in [field::SOURCE_IP, field::SOURCE_ADDRESS, field::SOURCE_DOMAIN] {
            let found = text(&batch, id);
            prop_assert!(found.is_none_or(|found| found == TRUE_SOURCE), "{message}\n{found:?}");
        }
        for (id, truth) in [(field::USER_NAME, shape.user), (field::USER_EFFECTIVE_NAME, shape.effective)] {
            let truth = truth.replace("«N»", &name);
            let found = text(&batch, id);
            prop_assert!(found.is_none_or(|found| found.trim() == truth.trim()), "{message}\n{found:?}");
        }
    }
}
