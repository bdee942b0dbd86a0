//! The fast path for JSON: mostly all that stands around the values of a line is the same, byte by byte, as in a line before it.
//! Then only the values are read, and what was found out about the keys holds. Assumes nothing that it does not compare: all of a
//! line is looked at before anything is put, and a line that differs is left to [`super::reader`], which reads every line and is
//! what tests compare with.

use event::{BatchBuilder, ValueTag};

use super::frame::{FRAMES_MAX, Frame, Framed, Frames, LINE_BYTES_MAX, MADE_MAX, ReadValue, VALUES_MAX};
use super::reader::{Reader, Text};
use crate::needle::Head;

impl Reader<'_, '_> {
    /// Reads the whole line where a frame fits it; false, and nothing put, where none does.
    pub(super) fn framed_line(&mut self, rows: &mut BatchBuilder) -> bool {
        self.scratch.frames.leaves.clear();
        self.scratch.frames.tried = [usize::MAX; 2];
        if self.scratch.frames.known.is_empty() || !self.scratch.frames.is_tried() {
            return false;
        }
        let mut frames = std::mem::take(&mut self.scratch.frames);
        let last = frames.last;
        let likely = frames.known.get(last).map_or(0, |frame| frame.next);
        frames.tried = [likely, last];
        let found = [likely, last].into_iter().enumerate().find_map(|(at, number)| {
            let is_new = at == 0 || number != likely;
            let Frames { known, read, unescaped, .. } = &mut frames;
            known.get(number).filter(|frame| is_new && self.fits(frame, read, unescaped)).map(|_| number)
        });
        match found {
            Some(number) => {
                frames.follow(number);
                frames.missed = 0;
                self.put_framed(&mut frames, number, rows);
            }
            None => {
                frames.missed += 1;
                (self.at, self.foreign, self.mended) = (0, false, false);
            }
        }
        self.scratch.frames = frames;
        found.is_some()
    }

    /// Whether the line is the frame with other values; these are then read.
    fn fits(&mut self, frame: &Frame, read: &mut Vec<ReadValue>, unescaped: &mut Vec<String>) -> bool {
        read.clear();
        unescaped.clear();
        (self.at, self.foreign, self.mended) = (0, false, false);
        for value in &frame.values {
            let Some(rest) = self.text.get(self.at..).filter(|rest| value.before.begins(rest)) else { return false };
            let start = self.at + value.before.text().len();
            self.at = start;
            if let Some((text, tag)) = self.usual_leaf() {
                let from = if tag == ValueTag::String { start + 1 } else { start };
                read.push(ReadValue::Plain(from, from + text.len(), tag));
                continue;
            }
            // An object with members is no value, and blanks belong to the frame.
            let is_value = match &rest[value.before.text().len()..] {
                [b'{', b'}', ..] => true,
                [b'{', ..] | [] => false,
                [first, ..] => *first > b' ',
            };
            if !is_value {
                return false;
            }
            match self.leaf(value.depth) {
                Ok((Text::Plain(_), tag)) => {
                    let quote = usize::from(tag == ValueTag::String);
                    read.push(ReadValue::Plain(start + quote, self.at - quote, tag));
                }
                Ok((Text::Unescaped(text), tag)) => {
                    read.push(ReadValue::Unescaped(unescaped.len(), tag));
                    unescaped.push(text);
                }
                Err(_) => return false,
            }
        }
        self.text.get(self.at..) == Some(&*frame.end)
    }

    /// Puts the values that were read.
    fn put_framed(&mut self, frames: &mut Frames, number: usize, rows: &mut BatchBuilder) {
        let Some(frame) = frames.known.get(number) else { return };
        self.at = self.text.len();
        for (value, read) in frame.values.iter().zip(&frames.read) {
            match *read {
                ReadValue::Plain(from, to, tag) => {
                    let text = self.text.get(from..to).unwrap_or_default();
                    self.put_plain(value.place, text, tag, rows);
                }
                ReadValue::Unescaped(at, tag) => {
                    let text = frames.unescaped.get_mut(at).map(std::mem::take).unwrap_or_default();
                    self.put_at(value.place, &Text::Unescaped(text), tag, rows);
                }
            }
        }
        self.places.take_all(&frame.row, frame.signs);
    }

    /// Makes a frame of the line that was read the long way to its end.
    pub(super) fn keep_frame(&mut self) {
        let frames = &mut self.scratch.frames;
        let (count, row) = (frames.leaves.len(), self.places.row_now());
        let is_whole = count > 0 && count <= VALUES_MAX && row.len() == count && self.text.len() <= LINE_BYTES_MAX;
        if !is_whole {
            return;
        }
        // Another frame than those that were tried may be that of the line: it is expected here the next time.
        let alike = frames.known.iter().position(|frame| *frame.row == *row);
        if let Some(number) = alike.filter(|number| !frames.tried.contains(number)) {
            return frames.follow(number);
        }
        if frames.made >= MADE_MAX {
            return;
        }
        let mut end = 0;
        let values = frames.leaves.iter().map(|leaf| {
            let before = Head::new(self.text.get(end..leaf.from).unwrap_or_default());
            end = leaf.to;
            Framed { before, depth: leaf.depth, place: leaf.place }
        });
        let values = values.collect();
        let end = self.text.get(end..).unwrap_or_default().into();
        let free = if frames.known.len() < FRAMES_MAX { frames.known.len() } else { frames.made % FRAMES_MAX };
        let number = alike.unwrap_or(free);
        let frame = Frame { values, end, row: row.to_vec(), signs: self.places.signs_now(), next: number };
        match frames.known.get_mut(number) {
            Some(known) => *known = frame,
            None => frames.known.push(frame),
        }
        frames.made += 1;
        frames.follow(number);
    }
}
