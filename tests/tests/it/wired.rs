//! Senders of protocols that have ports of their own, as plain as can be: they know what was acknowledged, and send again what has a name.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::oracle::Ledger;

/// Pause of a sender between two batches, and its longest wait for an answer.
const PAUSE: Duration = Duration::from_millis(15);
const ANSWER_MAX: Duration = Duration::from_secs(20);

fn text(text: &str, out: &mut Vec<u8>) {
    out.push(0xDA);
    out.extend((text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Objects of texts alone, one on each line, as a message of Forward with a chunk.
pub(crate) fn forward(lines: &str, chunk: &str) -> Vec<u8> {
    let mut entries = Vec::new();
    for line in lines.lines() {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        entries.extend([0x92, 0x05, 0x80 | object.len() as u8]);
        for (key, value) in &object {
            text(key, &mut entries);
            text(value.as_str().unwrap(), &mut entries);
        }
    }
    let mut out = vec![0x93, 0xA0, 0xC6];
    out.extend((entries.len() as u32).to_be_bytes());
    out.extend(entries);
    out.push(0x81);
    text("chunk", &mut out);
    text(chunk, &mut out);
    out
}

/// Lines as a window of Lumberjack.
pub(crate) fn lumberjack(lines: &str) -> Vec<u8> {
    let mut out = b"2W".to_vec();
    out.extend((lines.lines().count() as u32).to_be_bytes());
    for (at, line) in lines.lines().enumerate() {
        out.extend(b"2J");
        out.extend((at as u32 + 1).to_be_bytes());
        out.extend((line.len() as u32).to_be_bytes());
        out.extend_from_slice(line.as_bytes());
    }
    out
}

/// Sends a message; whether what comes back ends so.
pub(crate) fn is_acknowledged(port: u16, message: &[u8], end: &[u8]) -> bool {
    let sent = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.write_all(message)?;
        let (mut answer, mut part) = (Vec::new(), [0; 256]);
        while !answer.ends_with(end) {
            match stream.read(&mut part)? {
                0 => return Ok(false),
                read => answer.extend_from_slice(&part[..read]),
            }
        }
        Ok(true)
    });
    sent.unwrap_or(false)
}

/// The message of a batch with lines and a name, and what its answer ends with.
type MessageOf = fn(lines: &str, name: &str) -> (Vec<u8>, Vec<u8>);

/// A protocol with a port of its own: the message of a batch, and what its answer ends with.
#[derive(Clone, Copy)]
pub(crate) struct Wired {
    name: &'static str,
    message: MessageOf,
    /// What has no answer is sent again: its name tells whether it was taken.
    is_named: bool,
}

/// Forward, with a chunk for each batch.
pub(crate) const FORWARD: Wired =
    Wired { name: "forward", message: |lines, name| (forward(lines, name), name.into()), is_named: true };
/// Lumberjack. A window without an answer is never sent again: nobody knows what became of it.
pub(crate) const LUMBERJACK: Wired = Wired {
    name: "lumberjack",
    message: |lines, _| {
        let end = (lines.lines().count() as u32).to_be_bytes();
        (lumberjack(lines), [b"2A", &end[..]].concat())
    },
    is_named: false,
};

/// RELP: a session for each batch. What has no answer is not sent again: sessions have no names, so it could be there twice.
pub(crate) const RELP: Wired = Wired {
    name: "relp",
    message: |lines, _| {
        let frame = |number: usize, command: &str, data: &str| format!("{number} {command} {} {data}\n", data.len());
        let mut message = frame(1, "open", "relp_version=0\nrelp_software=test\ncommands=syslog\n");
        for (at, line) in lines.lines().enumerate() {
            message += &frame(at + 2, "syslog", line);
        }
        (message.into_bytes(), format!("\n{} rsp 6 200 OK\n", lines.lines().count() + 1).into_bytes())
    },
    is_named: false,
};

/// Writes to a file that is followed until told to stop: what is in the file counts as acknowledged.
pub(crate) fn write_until(
    ledger: &Arc<Ledger>,
    path: std::path::PathBuf,
    stop: &Arc<AtomicBool>,
) -> std::thread::JoinHandle<()> {
    let (ledger, stop) = (Arc::clone(ledger), Arc::clone(stop));
    std::thread::spawn(move || {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        while !stop.load(Ordering::Relaxed) {
            let (numbers, lines) = ledger.batch();
            file.write_all(lines.as_bytes()).unwrap();
            ledger.acknowledge("file", numbers);
            std::thread::sleep(PAUSE * 4);
        }
    })
}

/// Sends until told to stop; then what was begun is sent until it is acknowledged, where it can be.
pub(crate) fn send_wired_until(
    ledger: &Arc<Ledger>,
    wired: Wired,
    port: u16,
    stop: &Arc<AtomicBool>,
) -> std::thread::JoinHandle<()> {
    let (ledger, stop) = (Arc::clone(ledger), Arc::clone(stop));
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let (numbers, lines) = ledger.batch();
            let (message, end) = (wired.message)(&lines, &format!("batch-{}", numbers[0]));
            loop {
                if is_acknowledged(port, &message, &end) {
                    ledger.acknowledge(wired.name, numbers);
                    break;
                }
                if !wired.is_named {
                    break;
                }
                std::thread::sleep(PAUSE);
            }
            std::thread::sleep(PAUSE);
        }
    })
}
