//! The disk of the spool fills up under load until it takes not one byte more: senders are told to come later, nothing that was
//! acknowledged is lost or doubled, and all goes on when there is room again.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use servers::wait_until;

use crate::node::{Node, SOON, get, part_status, send};
use crate::oracle::{Ledger, rules};
use crate::program::{PROGRAM, Sandbox};

/// Longest until somebody is told to come later: an answer waits 20 s for the disk.
const REFUSED_MAX: Duration = Duration::from_secs(150);

/// A script that runs the program with a file system of 8 MiB under its spool, which ends with the process.
fn on_a_small_disk(sandbox: &Sandbox) -> PathBuf {
    let script = format!(
        "#!/bin/sh\nmkdir -p spool\nexec unshare --map-root-user --mount sh -c \
         'mount -t tmpfs -o size=8m none spool && exec \"$0\" \"$@\"' {PROGRAM} \"$@\"\n"
    );
    let path = PathBuf::from(sandbox.write("small-disk", script));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Takes all room that there is now.
fn fill(file: &mut File) {
    for size in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

/// A counter without labels.
fn counted(node: &Node, name: &str) -> u64 {
    let (_, metrics) = get(node.ingest, "/metrics").unwrap();
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn a_disk_without_a_byte_left_costs_nothing_that_was_acknowledged() {
    let sandbox = Sandbox::new();
    let mut settings = rules(&sandbox);
    // No room is kept back: what is met is the disk's own refusal.
    settings.push(("spool.reserve_bytes", "0".to_owned()));
    settings.push(("spool.segment_bytes", "65536".to_owned()));
    settings.push(("spool.folder", "spool".to_owned()));
    settings.push(("store.url", "sqlite:a.db".to_owned()));
    let mut node = Node::new();
    node.program = Some(on_a_small_disk(&sandbox));
    node.start(&sandbox, "serve", &settings);
    let (ledger, stop) = (Arc::new(Ledger::default()), Arc::new(AtomicBool::new(false)));
    let sender = ledger.send_until(node.ingest, &stop);
    wait_until(SOON, "events are taken", || ledger.acknowledged() > 200);
    // The folder as the process sees it.
    let spool = Path::new("/proc").join(node.id("serve").to_string()).join("root");
    let filler = spool.join(sandbox.root().strip_prefix("/").unwrap()).join("spool/filler");
    let (is_full, path) = (Arc::new(AtomicBool::new(true)), filler.clone());
    let theirs = Arc::clone(&is_full);
    let filling = std::thread::spawn(move || {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        while theirs.load(Ordering::Relaxed) {
            // What is committed leaves the spool: that room is taken, too.
            fill(&mut file);
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let (mut number, mut refused) = (0, 0);
    wait_until(REFUSED_MAX, "somebody is told to come later", || {
        number += 1;
        let name = format!("of-a-full-disk-{number}");
        match send(node.ingest, "POST", "/ingest", &[("X-Batch-Id", &name)], b"one line\n") {
            Some((503, head, _)) => {
                assert!(head.contains("retry-after"), "{head}");
                refused += 1;
            }
            Some((200, ..)) | None => {}
            Some((status, _, body)) => panic!("a disk that is full was answered {status}: {body}"),
        }
        refused == 3
    });
    assert!(counted(&node, "spool_write_errors_total") > 0, "the disk has refused nothing");
    is_full.store(false, Ordering::Relaxed);
    filling.join().unwrap();
    std::fs::remove_file(&filler).unwrap();
    let before = ledger.acknowledged();
    wait_until(SOON, "events are taken again", || ledger.acknowledged() > before + 200);
    stop.store(true, Ordering::Relaxed);
    sender.join().unwrap();
    ledger.wait_until_counted(&node);
    println!("{refused} of {number} refused; {} acknowledged, {} stored", ledger.acknowledged(), ledger.judge(&node));
    let health = get(node.ingest, "/health").map(|(_, body)| serde_json::from_str(&body).unwrap()).unwrap();
    assert_eq!(part_status(&health, "spool"), "pass", "{health}");
    assert_eq!(node.stop("serve"), Some(0));
}
