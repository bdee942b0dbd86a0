//! Guessing is found once, whatever the host logs of it: lines of unknown accounts only, old PAM lines, sources by name.

use crate::program::Sandbox;

/// A line for each second number: `{n}` is its number.
fn log(count: u32, step_s: u32, lines: &[&str]) -> String {
    let line = |at: u32, line: &&str| {
        let second = at * step_s;
        let (hour, minute, second) = (10 + second / 3600, second / 60 % 60, second % 60);
        format!("Nov 23 {hour:02}:{minute:02}:{second:02} gate {}\n", line.replace("{n}", &(1000 + at).to_string()))
    };
    (0..count).flat_map(|at| lines.iter().map(move |text| line(at, text))).collect()
}

/// Titles and reasons of what is found.
fn found(text: &str) -> Vec<(String, String)> {
    let sandbox = Sandbox::new();
    let path = sandbox.write("auth.log", text);
    let run = sandbox.run(&["replay", "--store", "none", &path]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
    run.lines().iter().map(|finding| (text(&finding["rule.title"]), text(&finding["reason"]))).collect()
}

/// Exactly one finding, which names the source.
fn is_found_once(text: &str, source: &str) -> String {
    let found = found(text);
    let [(title, reason)] = found.as_slice() else { panic!("not one finding: {found:?}") };
    assert!(reason.contains(&format!("source.address={source}")), "{reason}");
    title.clone()
}

const UNKNOWN: &str = "sshd[{n}]: Invalid user deploy from 198.51.100.23 port 5{n}";
const FAILED: &str = "sshd[{n}]: Failed password for invalid user deploy from 198.51.100.23 port 5{n} ssh2";

#[test]
fn guesses_at_one_unknown_account_are_found_where_hosts_take_keys_only() {
    let burst = is_found_once(&log(30, 1, &[UNKNOWN]), "198.51.100.23");
    assert_eq!(burst, "Burst of SSH logins with an account that does not exist");
    let title = "SSH guesses at an account that does not exist";
    assert_eq!(is_found_once(&log(30, 4, &[UNKNOWN]), "198.51.100.23"), title);
    let broken_off = "sshd[{n}]: Connection closed by invalid user deploy 198.51.100.23 port 5{n} [preauth]";
    assert_eq!(is_found_once(&log(30, 4, &[UNKNOWN, broken_off]), "198.51.100.23"), title);
    let slow = is_found_once(&log(30, 60, &[UNKNOWN]), "198.51.100.23");
    assert_eq!(slow, "SSH guesses over hours at an account that does not exist");
}

#[test]
fn an_attempt_that_is_logged_twice_is_found_once() {
    assert_eq!(is_found_once(&log(30, 2, &[UNKNOWN, FAILED]), "198.51.100.23"), "SSH brute force from one address");
    let slow = is_found_once(&log(30, 1200, &[UNKNOWN, FAILED]), "198.51.100.23");
    assert_eq!(slow, "SSH brute force over hours");
}

#[test]
fn old_pam_lines_and_sources_by_name_are_counted() {
    let pam =
        "sshd(pam_unix)[{n}]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=HOST user=root";
    for source in ["198.51.100.23", "host.example"] {
        let title = is_found_once(&log(80, 2, &[&pam.replace("HOST", source)]), source);
        assert_eq!(title, "Logins guessed, as PAM sees them");
    }
    let by_name = "sshd[{n}]: Failed password for root from host.example port 5{n} ssh2";
    assert_eq!(is_found_once(&log(30, 2, &[by_name]), "host.example"), "SSH brute force from one address");
}

#[test]
fn one_request_is_never_several_kinds_of_attacks() {
    let request = |query: &str, second: u32| {
        format!(
            "203.0.113.40 - - [23/Nov/2026:10:00:{second:02} +0000] \"GET /?{query} HTTP/1.1\" 200 512 \"-\" \"M\"\n"
        )
    };
    let several =
        |text: &str| found(text).iter().any(|(title, _)| title == "Several kinds of attacks from one address");
    let all = "id=1%27%20union%20select%201,2--&q=%3Cscript%3Ealert(1)%3C/script%3E&f=../../../../etc/passwd";
    assert!(!several(&request(all, 1)));
    assert!(!several(&[request(all, 1), request(all, 2)].concat()), "the same request again is no other");
    assert!(several(&[request(all, 1), request("f=../../../../etc/shadow", 2)].concat()));
}

#[test]
fn a_finding_says_that_its_source_is_guessed() {
    const SAID: &str = "; the source is guessed, and may be what a client wrote";
    let reasons =
        |lines: &[&str]| -> Vec<String> { found(&log(12, 1, lines)).into_iter().map(|(_, reason)| reason).collect() };
    // A program that nobody described; the same words of one that is known.
    let unknown = reasons(&["inhouse[{n}]: login failed for ann from 198.51.100.23"]);
    assert!(!unknown.is_empty() && unknown.iter().all(|reason| reason.ends_with(SAID)), "{unknown:?}");
    let known = reasons(&["sshd[{n}]: Failed password for ann from 198.51.100.23 port 5{n} ssh2"]);
    assert!(!known.is_empty() && !known.iter().any(|reason| reason.contains(SAID)), "{known:?}");

    let sandbox = Sandbox::new();
    let request =
        "- - [04/Mar/2026:10:00:01 +0000] \"GET /a?f=../../../../etc/passwd HTTP/1.1\" 200 812 \"-\" \"curl/8.5\"";
    let path = sandbox.write("access.log", format!("198.51.100.9, 203.0.113.7 {request}\n203.0.113.8 {request}\n"));
    let run = sandbox.run(&["replay", "--store", "none", &path]);
    let says = |finding: &serde_json::Value| {
        let source = finding["entities"]["source.ip"][0].as_str().unwrap().to_owned();
        (source, finding["reason"].as_str().unwrap().contains(SAID))
    };
    let mut said: Vec<_> = run.lines().iter().map(says).collect();
    said.sort();
    assert_eq!(said, [("198.51.100.9".to_owned(), true), ("203.0.113.8".to_owned(), false)]);
}
