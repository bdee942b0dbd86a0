//! Lines that are like those before them are read by what was found out then: each must be read as if it stood alone. No checks of
//! values.

use event::Position;
use parse::Shapes;

use crate::check;

/// Lines of one text, at most.
const LINES_MAX: usize = 40;

/// The example of a shape again and again with changes: first which shape, then for each line where, how much is taken out, and
/// what is put there instead. Every second line is the example itself.
pub fn parse_alike(bytes: &[u8]) {
    let Some((which, rest)) = bytes.split_first() else { return };
    let count = Shapes::standard().about().count();
    let Some(shape) = Shapes::standard().about().nth(usize::from(*which) % count) else { return };
    let example = shape.example.as_bytes();
    let format = if example.first() == Some(&b'{') { "json" } else { "pairs" };
    let mut lines = vec![example.to_vec()];
    for change in rest.split(|byte| matches!(byte, b'\n' | b'\r' | 0xFF)).take(LINES_MAX) {
        let [high, low, out, text @ ..] = change else { continue };
        let at = (usize::from(*high) << 8 | usize::from(*low)) % (example.len() + 1);
        let end = (at + usize::from(out % 32)).min(example.len());
        lines.push([&example[..at], text, &example[end..]].concat());
        lines.push(example.to_vec());
    }
    let options = check::told(format);
    let together = check::lines(&options, &lines.join(&b'\n'));
    if together.iter().any(|event| event["event.dataset"] == "continuation") {
        return;
    }
    let mut start = Position::default();
    for (line, together) in lines.iter().zip(together) {
        let alone = check::lines_from(&options, line, start);
        assert_eq!(alone.first(), Some(&together), "line {} of {}", start.line, shape.name);
        start = Position { offset: start.offset + line.len() as u64 + 1, line: start.line + 1 };
    }
}
