//! Names of months and weekdays in English, letters of either case. Knows no times.

/// English month name of three letters, in any case.
pub(crate) fn month(text: &[u8]) -> Option<u8> {
    let lower = [text[0] | 0x20, text[1] | 0x20, text[2] | 0x20];
    let month = match &lower {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    };
    Some(month)
}

/// Whether a line starts with a month name and a blank.
pub(crate) fn starts_with_month(text: &[u8]) -> bool {
    text.len() > 4 && text[3] == b' ' && month(&text[..3]).is_some()
}

/// The weekday whose name begins with these letters.
pub(crate) fn weekday(head: [u8; 3]) -> Option<&'static [u8]> {
    match &head.map(|byte| byte | 0x20) {
        b"mon" => Some(b"monday"),
        b"tue" => Some(b"tuesday"),
        b"wed" => Some(b"wednesday"),
        b"thu" => Some(b"thursday"),
        b"fri" => Some(b"friday"),
        b"sat" => Some(b"saturday"),
        b"sun" => Some(b"sunday"),
        _ => None,
    }
}

/// Whether a word is the name of a weekday, perhaps cut.
pub(crate) fn is_weekday(word: &[u8]) -> bool {
    let name = word.first_chunk().and_then(|head| weekday(*head));
    name.is_some_and(|name| name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)))
}
