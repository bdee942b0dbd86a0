//! Text that is made while a file is read: how it is handed out as far as the reader has room, and how it is made of each piece that
//! was read. Makes none itself.

use std::io::{self, Read};

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// What Windows writes in front of texts in UTF-8.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Copies what follows `at`, and steps behind it: how many bytes.
pub(super) fn hand_over(text: &[u8], at: &mut usize, into: &mut [u8]) -> usize {
    let length = into.len().min(text.len() - *at);
    into[..length].copy_from_slice(&text[*at..*at + length]);
    *at += length;
    length
}

/// Makes text of the bytes of a file.
pub(super) trait TextMaker {
    /// The next bytes.
    fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>);

    /// The file has ended.
    fn end(&mut self, out: &mut Vec<u8>);
}

/// What is made of another reader's bytes.
pub(super) struct MadeText<R, M> {
    inner: R,
    maker: M,
    bytes: Box<[u8]>,
    out: Vec<u8>,
    at: usize,
    /// Bytes of [`BOM`] that the file begins with; all of them from its first other byte on.
    mark: usize,
}

impl<R: Read, M: TextMaker + Default> MadeText<R, M> {
    pub(super) fn new(inner: R) -> Self {
        MadeText { inner, maker: M::default(), bytes: vec![0; READ_BYTES].into(), out: Vec::new(), at: 0, mark: 0 }
    }
}

impl<R: Read, M: TextMaker> Read for MadeText<R, M> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.out.len() {
            self.out.clear();
            self.at = 0;
            let read = self.inner.read(&mut self.bytes)?;
            if read > 0 {
                let marks =
                    self.bytes[..read].iter().zip(&BOM[self.mark..]).take_while(|(byte, mark)| byte == mark).count();
                self.mark = if marks < read { BOM.len() } else { self.mark + marks };
                self.maker.take(&self.bytes[marks..read], &mut self.out);
                continue;
            }
            self.maker.end(&mut self.out);
            if self.out.is_empty() {
                return Ok(0);
            }
        }
        Ok(hand_over(&self.out, &mut self.at, into))
    }
}
