//! RelpFrames of RELP (rainer gerhards, relp.html, version 0): `TXNR SP COMMAND SP DATALEN [SP DATA] LF`, cut out of a stream. A
//! message over the limit is cut while it comes, so that no frame takes more memory than the limit.

/// Longest number of a transaction, and longest length, in digits.
const DIGITS_MAX: usize = 9;
/// Longest command.
const COMMAND_LETTERS_MAX: usize = 32;

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RelpFrame {
    pub(super) transaction: u32,
    pub(super) command: String,
    pub(super) data: Vec<u8>,
    /// Length of the data as announced, where it was cut.
    pub(super) cut: bool,
}

/// What is no frame; nothing behind it can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BrokenFrame(pub(super) &'static str);

/// Cuts a stream into frames.
#[derive(Debug)]
pub(super) struct RelpFrames {
    data_bytes_max: usize,
    state: RelpState,
}

#[derive(Debug)]
enum RelpState {
    /// Transaction, command and length so far.
    Head(Vec<u8>),
    /// So many bytes are missing.
    Data(RelpFrame, usize),
    /// The line feed is missing.
    End(RelpFrame),
}

impl RelpFrames {
    pub(super) fn new(data_bytes_max: usize) -> Self {
        RelpFrames { data_bytes_max, state: RelpState::Head(Vec::new()) }
    }

    /// Whether a frame has begun.
    pub(super) fn is_within(&self) -> bool {
        !matches!(&self.state, RelpState::Head(head) if head.is_empty())
    }

    /// Appends every frame that is complete.
    pub(super) fn push(&mut self, mut input: &[u8], frames: &mut Vec<RelpFrame>) -> Result<(), BrokenFrame> {
        while !input.is_empty() {
            let state = std::mem::replace(&mut self.state, RelpState::Head(Vec::new()));
            self.state = match state {
                RelpState::Head(head) => self.head(head, &mut input)?,
                RelpState::Data(frame, missing) => self.data(frame, missing, &mut input),
                RelpState::End(frame) => {
                    if input[0] != b'\n' {
                        return Err(BrokenFrame("a frame is longer than it says"));
                    }
                    input = &input[1..];
                    frames.push(frame);
                    RelpState::Head(Vec::new())
                }
            };
        }
        Ok(())
    }

    fn data(&self, mut frame: RelpFrame, missing: usize, input: &mut &[u8]) -> RelpState {
        let (come, rest) = input.split_at(missing.min(input.len()));
        let room = self.data_bytes_max.saturating_sub(frame.data.len());
        frame.data.extend_from_slice(&come[..come.len().min(room)]);
        frame.cut |= come.len() > room;
        *input = rest;
        match missing - come.len() {
            0 => RelpState::End(frame),
            missing => RelpState::Data(frame, missing),
        }
    }

    /// Takes bytes up to the one behind the length: it says whether data follow.
    fn head(&self, mut head: Vec<u8>, input: &mut &[u8]) -> Result<RelpState, BrokenFrame> {
        while let Some((&byte, rest)) = input.split_first() {
            let spaces = head.iter().filter(|byte| **byte == b' ').count();
            let is_end = spaces == 2 && matches!(byte, b' ' | b'\n');
            if !is_end {
                head.push(byte);
                if head.len() > 2 * DIGITS_MAX + COMMAND_LETTERS_MAX + 2 || byte == b'\n' {
                    return Err(BrokenFrame("what begins is no frame"));
                }
                *input = rest;
                continue;
            }
            let (frame, length) = begun(&head).ok_or(BrokenFrame("what begins is no frame"))?;
            return match (byte, length) {
                // The line feed is the frame's end: it is left for that.
                (b'\n', 0) => Ok(RelpState::End(frame)),
                (b'\n', _) => Err(BrokenFrame("a frame ends before its data")),
                (_, 0) => {
                    *input = rest;
                    Ok(RelpState::End(frame))
                }
                (_, length) => {
                    *input = rest;
                    Ok(RelpState::Data(frame, length))
                }
            };
        }
        Ok(RelpState::Head(head))
    }
}

/// A frame without its data, and how long they are.
fn begun(head: &[u8]) -> Option<(RelpFrame, usize)> {
    let mut words = std::str::from_utf8(head).ok()?.split(' ');
    let (transaction, command, length) = (words.next()?, words.next()?, words.next()?);
    let number = |digits: &str| {
        let is_number = (1..=DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u32>().ok().filter(|_| is_number)
    };
    let is_command =
        (1..=COMMAND_LETTERS_MAX).contains(&command.len()) && command.bytes().all(|byte| byte.is_ascii_alphabetic());
    let frame =
        RelpFrame { transaction: number(transaction)?, command: command.to_owned(), data: Vec::new(), cut: false };
    is_command.then_some((frame, number(length)? as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &[u8] =
        b"1 open 17 commands=syslog\nx\n2 syslog 6 <38>x\n\n3 syslog 20 <38>0123456789012345\n4 close 0\n";

    fn frames(chunk: usize) -> Vec<(u32, String, String, bool)> {
        let (mut reader, mut found) = (RelpFrames::new(16), Vec::new());
        SESSION.chunks(chunk).for_each(|chunk| reader.push(chunk, &mut found).unwrap());
        assert!(!reader.is_within());
        let shown =
            |frame: RelpFrame| (frame.transaction, frame.command, String::from_utf8(frame.data).unwrap(), frame.cut);
        found.into_iter().map(shown).collect()
    }

    #[test]
    fn frames_are_the_same_however_they_come_and_long_ones_are_cut() {
        let whole = frames(SESSION.len());
        let expected = [
            (1, "open", "commands=syslog\n", true),
            (2, "syslog", "<38>x\n", false),
            (3, "syslog", "<38>012345678901", true),
            (4, "close", "", false),
        ];
        let expected: Vec<_> =
            expected.map(|(number, command, data, cut)| (number, command.to_owned(), data.to_owned(), cut)).into();
        assert_eq!(whole, expected);
        (1..SESSION.len()).for_each(|chunk| assert_eq!(frames(chunk), whole, "{chunk}"));
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for bytes in [
            &b"<38>Nov 23 10:00:00 gate sshd: x\n"[..],
            b"1 open\n",
            b"1 sys1og 3 abc\n",
            b"1 syslog 3\n",
            b"1 syslog 3 abcd\n",
            b"1 syslog -3 abc\n",
            b"1234567890 syslog 3 abc\n",
            b"1 syslog 1234567890 abc\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
            b"0123456789012345678901234567890123456789012345678901234567890",
        ] {
            let (mut reader, mut found) = (RelpFrames::new(16), Vec::new());
            assert!(reader.push(bytes, &mut found).is_err(), "{}", bytes.escape_ascii());
            assert!(found.is_empty());
        }
    }
}
