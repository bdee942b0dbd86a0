//! Attacks that no single line shows: guessing, spraying, enumeration, floods, each in several shapes and hidden among people who
//! mistype and visitors who browse. For each it is measured whether it is found, with exactly its addresses, and how many
//! events after the one that reaches the threshold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use correlate::{CorrelatorOptions, LiveCorrelator};
use event::{Block, Level, Timestamp};
use matcher::{MatchScratch, Matcher};
use parse::{Options, Parser};
use rules::RuleSet;

use crate::quality::sample::Random;

/// Where the clock begins: 24 November 2026.
const BEGIN_S: i64 = 1_795_478_400;

/// An attack in its surroundings.
struct Scene {
    name: &'static str,
    /// Second and line, of the attack itself.
    attack: Vec<(i64, String)>,
    around: Vec<(i64, String)>,
    sources: BTreeSet<String>,
    /// Events of the attack that it takes.
    threshold: usize,
    /// Findings of less are not looked at.
    least: Level,
    /// Events after the threshold that it may take: more than one where the number is an estimate.
    tolerance: usize,
}

/// What became of a scene.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) found: bool,
    /// Addresses of the attack that no finding names, and addresses that are not of the attack.
    pub(crate) missing: usize,
    pub(crate) extra: usize,
    /// Events of the attack after the threshold until the first finding, and how many there may be.
    pub(crate) delay: usize,
    pub(crate) tolerance: usize,
}

fn syslog(second: i64, text: &str) -> (i64, String) {
    (second, format!("{} gate {text}", Timestamp::from_unix_seconds(BEGIN_S + second)))
}

fn access(second: i64, ip: &str, request: &str, status: u16, agent: &str) -> (i64, String) {
    let (day, rest) = (24 + second / 86_400, second % 86_400);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    (second, format!("{ip} - - [{day}/Nov/2026:{clock} +0000] \"{request} HTTP/1.1\" {status} 512 \"-\" \"{agent}\""))
}

fn failed(second: i64, user: &str, ip: &str, random: &mut Random) -> (i64, String) {
    let (port, shape) = (1024 + random.below(60_000), random.below(4));
    let text = match shape {
        0 => format!("sshd[77]: Failed password for {user} from {ip} port {port} ssh2"),
        1 => format!("sshd-session[78]: Failed password for {user} from {ip} port {port} ssh2"),
        2 => format!("sshd[79]: Failed keyboard-interactive/pam for {user} from {ip} port {port} ssh2"),
        _ => format!("sshd[80]: Failed password for invalid user {user} from {ip} port {port} ssh2"),
    };
    syslog(second, &text)
}

fn people(random: &mut Random, seconds: i64) -> Vec<(i64, String)> {
    let mut lines = Vec::new();
    let mut second = 0;
    while second < seconds {
        second += 60 + random.below(600) as i64;
        let who = random.below(12);
        let (user, ip) = (format!("person{who}"), format!("10.0.1.{}", 10 + who));
        let typos = random.below(6) as i64 - 3;
        (0..typos).for_each(|typo| lines.push(failed(second + typo * 7, &user, &ip, random)));
        let port = 1024 + random.below(60_000);
        let text = format!("sshd[81]: Accepted password for {user} from {ip} port {port} ssh2");
        lines.push(syslog(second + 30, &text));
    }
    lines
}

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

fn visitors(random: &mut Random, seconds: i64) -> Vec<(i64, String)> {
    let mut lines = Vec::new();
    for second in (0..seconds).step_by(3) {
        let ip = format!("10.2.{}.{}", random.below(8), 1 + random.below(200));
        let status = [200, 200, 200, 304, 200, 404][random.below(6)];
        lines.push(access(second, &ip, &format!("GET /shop/item-{}", random.below(400)), status, AGENT));
    }
    lines
}

fn source(number: usize) -> String {
    format!("203.0.113.{}", 1 + number % 250)
}

/// `count` failed logins, one every `gap` seconds, of the user and address that each number gives.
fn guessing(
    random: &mut Random,
    name: &'static str,
    (count, gap, threshold): (usize, i64, usize),
    who: impl Fn(usize) -> (String, String),
) -> Scene {
    let mut attack = Vec::new();
    let mut sources = BTreeSet::new();
    for at in 0..count {
        let (user, ip) = who(at);
        attack.push(failed(3600 + at as i64 * gap, &user, &ip, random));
        sources.insert(ip);
    }
    let around = people(random, 7200 + count as i64 * gap);
    Scene { name, attack, around, sources, threshold, least: Level::Medium, tolerance: 1 }
}

fn requests(
    random: &mut Random,
    name: &'static str,
    (count, per_second, threshold): (usize, usize, usize),
    request: impl Fn(usize) -> (String, u16),
) -> Scene {
    let ip = source(random.below(200));
    let attack = (0..count).map(|at| {
        let (request, status) = request(at);
        access(600 + (at / per_second) as i64, &ip, &request, status, AGENT)
    });
    let around = visitors(random, 1200 + (count / per_second) as i64);
    let (attack, sources) = (attack.collect(), BTreeSet::from([ip.clone()]));
    Scene { name, attack, around, sources, threshold, least: Level::Medium, tolerance: 1 }
}

/// Messages of a host among people who log in.
fn messages(
    random: &mut Random,
    name: &'static str,
    (count, gap, threshold): (usize, i64, usize),
    text: impl Fn(usize, &str) -> String,
) -> Scene {
    let ip = source(random.below(200));
    let attack = (0..count).map(|at| syslog(3600 + at as i64 * gap, &text(at, &ip))).collect();
    let around = people(random, 7200 + count as i64 * gap);
    Scene { name, attack, around, sources: BTreeSet::from([ip]), threshold, least: Level::Medium, tolerance: 1 }
}

fn scenes(random: &mut Random) -> Vec<Scene> {
    let user = |at: usize| format!("name{at}");
    let mut scenes = vec![
        guessing(random, "ssh-brute-force", (40, 3, 6), |_| ("root".into(), source(7))),
        guessing(random, "ssh-brute-force", (9, 1, 6), |at| (["root", "admin", "git"][at % 3].into(), source(9))),
        guessing(random, "ssh-brute-force", (200, 50, 6), |_| ("deploy".into(), source(11))),
        guessing(random, "ssh-brute-force-slow", (40, 120, 12), |_| ("root".into(), source(8))),
        guessing(random, "ssh-brute-force-slow", (24, 1500, 12), |_| ("backup".into(), source(18))),
        guessing(random, "ssh-spraying", (30, 20, 6), |at| (user(at), source(12))),
        guessing(random, "ssh-spraying", (12, 90, 6), |at| (user(at), source(13))),
        guessing(random, "ssh-spraying-slow", (20, 1200, 12), |at| (user(at), source(14))),
        guessing(random, "ssh-distributed", (50, 6, 8), |at| ("root".into(), source(at))),
        guessing(random, "ssh-distributed", (120, 30, 8), |at| ("deploy".into(), source(at % 40))),
        guessing(random, "ssh-distributed-slow", (50, 420, 20), |at| ("backup".into(), source(at))),
    ];
    let packet = |at: usize, ip: &str| {
        let port = 20 + at * 13;
        format!(
            "kernel: [UFW BLOCK] IN=eth0 OUT= MAC=aa SRC={ip} DST=192.0.2.10 LEN=44 TTL=240 ID=1 PROTO=TCP SPT=40000 DPT={port} SYN"
        )
    };
    scenes.push(messages(random, "port-scan", (60, 1, 15), packet));
    scenes.push(messages(random, "port-scan-slow", (60, 50, 40), packet));
    scenes.extend(bursts(random));
    let mailbox = |at: usize, ip: &str| {
        format!(
            "postfix/smtpd[77]: warning: unknown[{ip}]: SASL LOGIN authentication failed: authentication failure, n{at}"
        )
    };
    scenes.push(messages(random, "mail-guessing", (30, 5, 10), mailbox));
    let ftp = |at: usize, ip: &str| {
        format!(
            "vsftpd[77]: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=u{at} rhost={ip}"
        )
    };
    scenes.push(messages(random, "pam-guessing", (30, 5, 10), ftp));
    let login = |_: usize| ("POST /login".to_owned(), 401);
    scenes.push(requests(random, "web-login-brute-force", (60, 1, 10), login));
    scenes.push(requests(random, "web-enumeration", (120, 4, 60), |at| (format!("GET /backup-{at}.zip"), 404)));
    let record = |at: usize| (format!("GET /api/users/{}", 1000 + at), 200);
    let flood = |at: usize| ("GET /search?q=a".to_owned(), [503, 200, 429, 503][at % 4]);
    scenes.push(requests(random, "web-overload", (900, 30, 134), flood));
    scenes.push(requests(random, "web-record-enumeration", (300, 5, 100), record));
    // Both are counted from one event in sixteen.
    let answered = |at: usize| (format!("GET /search?q={}", at % 7), 200);
    let flood = requests(random, "web-flood", (3000, 300, 1000), answered);
    scenes.push(Scene { tolerance: 600, ..flood });
    let page = |at: usize| (format!("GET /catalogue/product-{at}"), 200);
    let copying = requests(random, "web-scraping", (4000, 10, 1600), page);
    scenes.push(Scene { least: Level::Low, tolerance: 800, ..copying });
    scenes
}

/// What no slow count reaches in time, or no line says is a failure.
fn bursts(random: &mut Random) -> Vec<Scene> {
    let unknown = |at: usize, ip: &str| format!("sshd[{}]: Invalid user deploy from {ip} port {}", 900 + at, 4000 + at);
    let broken_off = |at: usize, ip: &str| {
        let port = 4000 + at;
        format!("sshd[{}]: Disconnected from authenticating user root {ip} port {port} [preauth]", 900 + at)
    };
    let logged = |at: usize, ip: &str| {
        let port = 2000 + at;
        format!(
            "kernel: [9.1] IN=eth0 OUT= MAC=aa SRC={ip} DST=192.0.2.10 LEN=44 TTL=240 ID=1 PROTO=TCP SPT=4444 DPT={port} SYN"
        )
    };
    let services = |at: usize, ip: &str| match at % 3 {
        0 => format!(
            "postfix/smtpd[77]: warning: unknown[{ip}]: SASL LOGIN authentication failed: authentication failure"
        ),
        1 => format!("vsftpd[78]: [ann] FAIL LOGIN: Client \"{ip}\""),
        _ => format!("webmin[79]: Invalid login as root from {ip}"),
    };
    let trap = |at: usize, ip: &str| format!("endlessh[77]: ACCEPT host={ip} port={} fd=5 n=1/4096", 4000 + at);
    let ran = |at: usize, programs: &[&str]| {
        let (call, pid, exe) = (BEGIN_S + 3600, 900 + at, programs[at % programs.len()]);
        let name = exe.rsplit('/').next().unwrap_or_default();
        format!(
            "audisp-syslog: type=SYSCALL msg=audit({call}.{at:03}:{pid}): arch=c000003e syscall=59 success=yes exit=0 items=2 \
             ppid=700 pid={pid} auid=1000 uid=1000 gid=1000 euid=1000 tty=pts2 ses=3 comm=\"{name}\" exe=\"{exe}\" key=(null)"
        )
    };
    let local = |scene: Scene| Scene { sources: BTreeSet::new(), ..scene };
    let decoded = messages(random, "audit-decoded-into-shell", (2, 0, 2), |at, _| ran(at, &["/bin/base64", "/bin/sh"]));
    let fetched = messages(random, "audit-downloaded-and-run", (2, 0, 2), |at, _| ran(at, &["/bin/curl", "/tmp/a"]));
    let deleted = messages(random, "audit-mass-deletion", (9, 0, 6), |at, _| ran(at, &["/bin/rm"]));
    let query = requests(random, "web-page-queries", (62, 62, 31), |at| (format!("GET /list?f={at}"), 200));
    let posted = |_: usize| ("POST /ghost/api/admin/session".to_owned(), 404);
    vec![
        messages(random, "ssh-unknown-account", (30, 1, 6), unknown),
        messages(random, "ssh-unknown-account", (30, 20, 10), unknown),
        messages(random, "ssh-broken-off", (8, 1, 6), broken_off),
        messages(random, "login-burst", (6, 1, 6), services),
        messages(random, "port-scan", (30, 1, 15), logged),
        messages(random, "honeypot-visits", (12, 200, 6), trap),
        local(decoded),
        local(fetched),
        Scene { least: Level::Low, ..local(deleted) },
        Scene { least: Level::Low, ..query },
        requests(random, "web-login-burst", (8, 1, 6), posted),
    ]
}

/// Runs every scene, several times with other surroundings.
pub(crate) fn measure(set: &Arc<RuleSet>, seed: u64, rounds: usize) -> Vec<Outcome> {
    let mut random = Random::new(seed);
    (0..rounds).flat_map(|_| scenes(&mut random)).map(|scene| play(set, scene)).collect()
}

fn play(set: &Arc<RuleSet>, scene: Scene) -> Outcome {
    let Scene { name, attack, around, sources, threshold, least, tolerance } = scene;
    let mut lines: Vec<(i64, String, bool)> = attack.into_iter().map(|(second, line)| (second, line, true)).collect();
    lines.extend(around.into_iter().map(|(second, line)| (second, line, false)));
    lines.sort_by_key(|(second, ..)| *second);
    let matcher = Matcher::new(Arc::clone(set), None);
    let mut scratch = MatchScratch::default();
    let options = CorrelatorOptions { lateness_us: 0, ..CorrelatorOptions::default() };
    let mut correlator = LiveCorrelator::new(Arc::clone(set), options);
    let mut parser = Parser::new(Options::default());
    let (mut events, mut first) = (0, None);
    let mut named: BTreeMap<event::FindingId, Vec<String>> = BTreeMap::new();
    for (at, (second, line, is_attack)) in lines.iter().enumerate() {
        events += usize::from(*is_attack);
        let received = Timestamp::from_unix_seconds(BEGIN_S + second);
        // Each line is an event of its own.
        let block = Block::detached(&format!("line {at}"), format!("{line}\n").into_bytes(), received);
        let batch = parser.parse(block);
        let hits = matcher.hits(&batch, &mut scratch);
        if hits.is_empty() {
            continue;
        }
        correlator.observe(hits, received);
        for change in correlator.changes() {
            let finding = change.finding;
            let is_correlation = set.correlations.iter().any(|bound| bound.rule.head.id == finding.rule.id);
            if is_correlation && finding.rule.level >= least {
                first.get_or_insert(events);
                named.insert(finding.id, finding.entities.source_ip);
            }
        }
    }
    let named: BTreeSet<String> = named.into_values().flatten().collect();
    Outcome {
        name,
        found: first.is_some(),
        missing: sources.difference(&named).count(),
        extra: named.difference(&sources).count(),
        delay: first.map_or(0, |first| first.saturating_sub(threshold)),
        tolerance,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attack_is_found_with_exactly_its_addresses_within_one_event_of_the_threshold() {
        let set = Arc::new(crate::quality::own_rules(&crate::root(), 1).unwrap());
        for outcome in measure(&set, 5, 2) {
            let Outcome { found, missing, extra, delay, tolerance, .. } = outcome;
            assert!(found && missing == 0 && extra == 0 && delay <= tolerance, "{outcome:?}");
        }
    }
}
