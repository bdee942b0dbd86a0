//! Rule files are read side by side: none of them knows another. The outcome is in the order of the files, whoever has read
//! them; reading them one after another is the slow twin.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::rule_text::RuleText;
use crate::sigma::diagnostic::Diagnostic;
use crate::sigma::document::{self, Document};
use crate::taxonomy::Terms;

/// Bytes of text below which one thread is enough.
const TEXT_BYTES_MIN: usize = 256 << 10;
/// Most threads.
const THREADS_MAX: usize = 4;

/// The sound documents of a file, and what is wrong with it.
pub(super) type Read = (Vec<Document>, Vec<Diagnostic>);

/// Reads every file.
pub(super) fn read_all(files: &[RuleText<'_>], terms: &Terms) -> Vec<Read> {
    let bytes: usize = files.iter().map(|file| file.text.len()).sum();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = if bytes < TEXT_BYTES_MIN { 1 } else { cores.min(THREADS_MAX) };
    read_by(files, terms, threads)
}

fn read_by(files: &[RuleText<'_>], terms: &Terms, threads: usize) -> Vec<Read> {
    if threads <= 1 {
        return files.iter().map(|file| document::read(*file, terms)).collect();
    }
    let next = AtomicUsize::new(0);
    let reader = || {
        let mut read = Vec::new();
        while let Some((at, file)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, files.get(at)?)))
        {
            read.push((at, document::read(*file, terms)));
        }
        read
    };
    let mut all = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(reader)).collect();
        let mut all = reader();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    });
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, read)| read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_in_order_by_however_many() {
        let rule = |at: usize| match at % 5 {
            0 => "title: [".to_owned(),
            _ => {
                format!("title: t{at}\nid: t{at}\nlogsource: {{product: linux}}\ndetection: {{s: [x], condition: s}}\n")
            }
        };
        let texts: Vec<(String, String)> = (0..40).map(|at| (format!("{at}.yml"), rule(at))).collect();
        let files: Vec<RuleText<'_>> =
            texts.iter().map(|(path, text)| RuleText::from((path.as_str(), text.as_str()))).collect();
        let told = |threads: usize| {
            let read = read_by(&files, &Terms::default(), threads);
            read.iter()
                .map(|(documents, problems)| {
                    (documents.iter().map(|document| document.head().id.clone()).collect::<Vec<_>>(), problems.clone())
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(told(3), told(1));
        assert_eq!(told(1).len(), 40);
    }
}
