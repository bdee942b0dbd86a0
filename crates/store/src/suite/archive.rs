//! The catalogue of the archive.

use event::ArchiveFile;

use super::*;

/// A file whose events lie between two seconds.
fn file(path: &str, seconds: (i64, i64), sequences: (u64, u64)) -> ArchiveFile {
    let time = |second: i64| Timestamp(second * event::time::SECOND_US);
    ArchiveFile {
        path: path.to_owned(),
        dataset: if path.starts_with("ssh") { "system.sshd" } else { "http.access" }.to_owned(),
        hour: Timestamp(0),
        events: sequences.1 - sequences.0 + 1,
        bytes: 100,
        raw_bytes: 1000,
        times: (time(seconds.0), time(seconds.1)),
        sequences,
        columns: vec!["@timestamp".to_owned(), "source.ip".to_owned()],
    }
}

async fn paths(store: &dyn Store, query: &FileQuery) -> Vec<String> {
    store.archive_files(query).await.unwrap().into_iter().map(|file| file.path).collect()
}

pub(super) async fn files_of_events_are_named_by_commits_and_taken_away_in_one_step(url: &str) {
    let store = store(url).await;
    let name = store.archive_name().await.unwrap();
    assert_eq!((name.len(), store.archive_name().await.unwrap()), (32, name));
    let first = store.reserve_sequences(10).await.unwrap();
    assert_eq!(store.reserve_sequences(1).await.unwrap(), first + 10);

    let files = vec![file("a", (10, 20), (0, 9)), file("ssh", (15, 30), (10, 19)), file("b", (40, 50), (20, 29))];
    let commit = Commit { files: files.clone(), now: Timestamp(1), ..Commit::default() };
    store.commit(&commit).await.unwrap();
    // The answer to a commit may be lost: it is tried again.
    store.commit(&commit).await.unwrap();
    let all = FileQuery::default();
    assert_eq!(store.archive_files(&all).await.unwrap(), files);
    let size = ArchiveSize { files: 3, events: 30, bytes: 300, raw_bytes: 3000 };
    assert_eq!(store.archive_size().await.unwrap(), size);

    let time = |second: i64| Some(Timestamp(second * event::time::SECOND_US));
    let between = FileQuery { since: time(21), until: time(40), ..FileQuery::default() };
    assert_eq!(paths(&*store, &between).await, ["ssh"]);
    let of_sshd = FileQuery { dataset: Some("system.sshd".to_owned()), ..FileQuery::default() };
    assert_eq!(paths(&*store, &of_sshd).await, ["ssh"]);

    let (old, one) = (["a".to_owned(), "b".to_owned()], [file("joined", (10, 50), (0, 29))]);
    assert!(store.replace_archive_files(&old, &one, Timestamp(100)).await.unwrap());
    assert_eq!(paths(&*store, &all).await, ["joined", "ssh"]);
    // One of them is gone: nothing changes.
    let again = ["ssh".to_owned(), "a".to_owned()];
    assert!(!store.replace_archive_files(&again, &[file("c", (1, 1), (40, 40))], Timestamp(200)).await.unwrap());
    assert_eq!(paths(&*store, &all).await, ["joined", "ssh"]);
    assert_eq!(store.archive_files_gone(Timestamp(100)).await.unwrap(), [""; 0]);
    assert_eq!(store.archive_files_gone(Timestamp(101)).await.unwrap(), old);
    store.forget_archive_files(&["a".to_owned(), "ssh".to_owned()]).await.unwrap();
    assert_eq!(store.archive_files_gone(Timestamp(101)).await.unwrap(), ["b"]);
    assert_eq!(paths(&*store, &all).await, ["joined", "ssh"], "a file that is in use is not forgotten");
}
