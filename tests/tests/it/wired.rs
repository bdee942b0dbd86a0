//! Senders of protocols that have ports of their own, as plain as can be: they know what was acknowledged.

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

/// Sends over Forward until told to stop. A chunk without an answer is not sent again here: one that was on disk when the service was
/// killed, and whose name was not, would be there twice.
pub(crate) fn send_forward_until(
    ledger: &Arc<Ledger>,
    port: u16,
    stop: &Arc<AtomicBool>,
) -> std::thread::JoinHandle<()> {
    let (ledger, stop) = (Arc::clone(ledger), Arc::clone(stop));
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let (numbers, lines) = ledger.batch();
            let chunk = format!("chunk-{}", numbers[0]);
            if is_acknowledged(port, &forward(&lines, &chunk), chunk.as_bytes()) {
                ledger.acknowledge(numbers);
            }
            std::thread::sleep(PAUSE);
        }
    })
}

/// Sends over Lumberjack until told to stop. A window without an answer is never sent again: nobody knows what became of it.
pub(crate) fn send_lumberjack_until(
    ledger: &Arc<Ledger>,
    port: u16,
    stop: &Arc<AtomicBool>,
) -> std::thread::JoinHandle<()> {
    let (ledger, stop) = (Arc::clone(ledger), Arc::clone(stop));
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let (numbers, lines) = ledger.batch();
            let end = (numbers.len() as u32).to_be_bytes();
            if is_acknowledged(port, &lumberjack(&lines), &[b"2A", &end[..]].concat()) {
                ledger.acknowledge(numbers);
            }
            std::thread::sleep(PAUSE);
        }
    })
}
