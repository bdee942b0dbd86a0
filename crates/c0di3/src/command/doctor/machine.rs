//! What the machine must give: ports, folders, room on disks, files that settings name, limits of the process. Folders are looked
//! at, never made.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Value;

use super::found::{Complaint, fault, note};
use super::settings::{ports, texts};
use crate::certificates;
use crate::clock;
use crate::config::Config;

/// Days before a certificate's end from which it is told.
const CERTIFICATE_DAYS: i64 = 21;
/// Files that are open beside connections and followed files.
const FILES_BESIDE: u64 = 256;
const SECOND: Duration = Duration::from_secs(1);

pub(super) fn look(config: &Config, written: &Value) -> Vec<Complaint> {
    let mut found = Vec::new();
    found.extend(taken(config));
    found.extend(folders(config));
    found.extend(disks(config));
    found.extend(named_files(written));
    found.extend(ends(config));
    found.extend(secrets(config));
    found.extend(open_files(config));
    found
}

/// Ports that somebody else has. Our own running service is well.
fn taken(config: &Config) -> Vec<Complaint> {
    let mut found = Vec::new();
    let analyzer_runs = is_ours(config.analyzer.http.listen);
    // One of an agent's ports may speak TLS, and does not answer what is asked here.
    let agent_runs = is_ours(config.agent.listen) || is_ours(config.agent.health_listen);
    for (key, address) in ports(config) {
        let runs = match key.split('.').next() {
            Some("syslog" | "shippers") => analyzer_runs,
            Some("api") => agent_runs,
            _ => is_ours(address),
        };
        if let Some(error) = TcpListener::bind(address).err().filter(|_| address.port() != 0 && !runs) {
            found.push(fault(
                key,
                format!("cannot listen on {address}: {error}"),
                "stop who does (ss -ltnp), or choose another port",
            ));
        }
    }
    let udp = [("syslog.udp", config.analyzer.syslog.udp), ("shippers.gelf_udp", config.analyzer.shippers.gelf_udp)];
    for (key, address) in udp {
        if let Some(address) = address
            && let Some(error) = UdpSocket::bind(address).err().filter(|_| !analyzer_runs)
        {
            let remedy = "stop who does (ss -lunp), or choose another port";
            found.push(fault(key, format!("cannot listen on {address}: {error}"), remedy));
        }
    }
    found
}

/// Whether a service of ours answers there.
fn is_ours(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&address, SECOND) else { return false };
    let mut answer = String::new();
    let asked = stream.set_read_timeout(Some(SECOND)).and_then(|()| {
        write!(stream, "GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        (&mut stream).take(4096).read_to_string(&mut answer)
    });
    asked.is_ok() && answer.contains("health+json")
}

/// The nearest folder on the way up that is there.
fn nearest(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/")).to_owned()
}

/// Folders that are written to, each with its setting.
fn written_to(config: &Config) -> Vec<(&'static str, PathBuf)> {
    let mut folders = vec![("spool.folder", config.analyzer.spool.folder.clone())];
    folders.extend(config.log.folder.clone().map(|folder| ("log.folder", folder)));
    if let Some(path) = config.store.url.strip_prefix("sqlite:") {
        folders.push(("store.url", Path::new(path).parent().unwrap_or(Path::new("")).to_owned()));
    }
    folders
}

fn folders(config: &Config) -> Vec<Complaint> {
    let mut found = Vec::new();
    for (key, folder) in written_to(config) {
        let there = nearest(&folder);
        let writable = rustix::fs::access(&there, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK);
        let problem = match (there.is_dir(), writable) {
            (false, _) => format!("{} is no folder", there.display()),
            (true, Err(error)) => format!("{} cannot be written to: {error}", there.display()),
            (true, Ok(())) => continue,
        };
        found.push(fault(key, problem, "name a folder of the service's own, and give it to its user (chown)"));
    }
    if let Some(path) = config.store.url.strip_prefix("sqlite:") {
        let mut begin = [0; 15];
        let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut begin));
        if read.is_ok() && begin != *b"SQLite format 3" {
            found.push(fault("store.url", format!("{path} is no SQLite database"), "name another file"));
        }
    }
    found
}

fn disks(config: &Config) -> Vec<Complaint> {
    let mut found = Vec::new();
    for (key, folder) in written_to(config) {
        let Ok(stat) = rustix::fs::statvfs(nearest(&folder)) else { continue };
        let (free, block) = (stat.f_bavail * stat.f_frsize, stat.f_frsize as f64);
        let used = stat.f_blocks.saturating_sub(stat.f_bfree) as f64 * block;
        let share = 100.0 * used / (used + free as f64).max(1.0);
        if share > config.disk.fail {
            let what = format!("its disk is {share:.0} % full, more than health.disk_fail_percent");
            found.push(fault(key, what, "clean up or expand"));
        } else if share > config.disk.warn {
            found.push(note(key, format!("its disk is {share:.0} % full"), "clean up or expand"));
        }
        let spool = &config.analyzer.spool;
        if key == "spool.folder" && free < spool.reserve_bytes {
            let what = format!("{free} bytes are free, {} are kept: nothing is accepted", spool.reserve_bytes);
            found.push(fault("spool.reserve_bytes", what, "make room, or keep less"));
        } else if key == "spool.folder" && free < spool.bytes_max.saturating_add(spool.reserve_bytes) {
            let what = format!("the disk has {free} bytes left: it is full before the spool is");
            found.push(note("spool.bytes_max", what, "make it smaller, or the disk larger"));
        }
    }
    found
}

/// Files and folders that must be there because a setting names them.
fn named_files(written: &Value) -> Vec<Complaint> {
    let lists = [
        ("rules", "paths"),
        ("rules", "placeholders"),
        ("rules", "taxonomy"),
        ("rules", "exceptions"),
        ("rules", "indicators"),
        ("input", "shapes"),
        ("tail", "paths"),
    ];
    let mut named = Vec::new();
    for (section, key) in lists {
        named.extend(texts(written, section, key).into_iter().map(|path| (format!("{section}.{key}"), path)));
    }
    for key in ["country", "network"] {
        let path = written.get("enrich").and_then(|enrich| enrich.get(key)).and_then(Value::as_str).unwrap_or_default();
        named.extend(Some((format!("enrich.{key}"), path.to_owned())).filter(|_| !path.is_empty()));
    }
    let mut found = Vec::new();
    for (key, path) in named {
        // Of a pattern, the folder before its first sign is looked at.
        let plain = path.split(['*', '?', '[']).next().unwrap_or_default();
        let looked = if plain == path { plain } else { plain.rsplit_once('/').map_or(".", |(folder, _)| folder) };
        let looked = if looked.is_empty() { "/" } else { looked };
        match std::fs::metadata(looked) {
            Err(error) => found.push(fault(&key, format!("{path}: {error}"), "name what is there, or put it there")),
            Ok(about) if about.is_file() && std::fs::File::open(looked).is_err() => {
                found.push(fault(&key, format!("{path} cannot be read"), "let the service's user or group read it"));
            }
            Ok(_) => {}
        }
    }
    found
}

fn ends(config: &Config) -> Vec<Complaint> {
    let mut found = Vec::new();
    if let Some(Err(error)) = config.access.tls.files.clone().map(ingest::tls::Tls::open) {
        let remedy = "name the chain and its key in PEM, readable for the service: it will not start";
        found.push(fault("tls.certificate", error.to_string(), remedy));
    }
    for path in &config.agent.certificates {
        let key = "health.certificates";
        match certificates::ends_at(path) {
            Err(error) => found.push(fault(key, format!("{error:#}"), "name a file with certificates in PEM")),
            Ok(ends) => match (ends - clock::now().0 / 1_000_000).div_euclid(86_400) {
                ..0 => found.push(fault(key, format!("{} has ended", path.display()), "renew it now")),
                days @ 0..=CERTIFICATE_DAYS => {
                    found.push(note(key, format!("{} ends in {days} days", path.display()), "renew it"));
                }
                _ => {}
            },
        }
    }
    found
}

/// The configuration file, where it holds secrets that others may read.
fn secrets(config: &Config) -> Option<Complaint> {
    let path = config.path.as_ref()?;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    let text = std::fs::read_to_string(path).ok()?;
    let holds = text.contains("whsec_") || text.contains("api_key = \"s") || has_password(&text);
    let what = format!("{} holds secrets, and others may read it", path.display());
    let remedy =
        format!("chmod 600 {}, or put secrets into files that C0DI3_<SECTION>_<KEY>_FILE names", path.display());
    (holds && mode & 0o004 != 0).then(|| fault("configuration", what, remedy))
}

fn has_password(text: &str) -> bool {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once("://")).any(|(_, rest)| {
        rest.split_once('@').is_some_and(|(account, _)| account.contains(':') && !account.contains('/'))
    })
}

fn open_files(config: &Config) -> Option<Complaint> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current?;
    let tail = config.analyzer.tail.as_ref().map_or(0, |tail| tail.files_max);
    let shippers = &config.analyzer.shippers;
    let ports = [shippers.forward, shippers.lumberjack, shippers.gelf_tcp].into_iter().flatten().count();
    let connections = config.analyzer.syslog.connections.all + ports * shippers.connections.all;
    let needed = (connections + tail) as u64 + FILES_BESIDE;
    let what = format!("{limit} files may be open, the connections_max of open ports and tail.files_max need {needed}");
    (limit < needed)
        .then(|| fault("limits", what, format!("raise it: LimitNOFILE={needed} or more in the unit, ulimit -n")))
}
