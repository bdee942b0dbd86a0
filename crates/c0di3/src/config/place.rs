//! Where in the file a setting stands that is wrong: found again by its key in the text. Reads no values.

/// The problem with file and line in front; with the file alone where the text does not hold the key.
pub(super) fn placed(name: &str, text: &str, problem: &str) -> String {
    match line_of(text, problem) {
        Some(line) => format!("{name}:{line}: {problem}"),
        None => format!("{name}: {problem}"),
    }
}

/// The line of the key that a problem begins with: `section.key: reason`, or ``input.formats: format `name`: key…``.
fn line_of(text: &str, problem: &str) -> Option<usize> {
    let (path, reason) = problem.split_once(": ")?;
    let (section, key) = path.rsplit_once('.')?;
    let format = reason.strip_prefix("format `").and_then(|rest| rest.split_once("`: "));
    match format {
        Some((name, rest)) => {
            let key: String =
                rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
            let block = blocks(text).filter(|block| block.header == format!("[[{path}]]"));
            let named = |block: &Block<'_>| block.line_with("name", Some(name)).is_some();
            let block = block.into_iter().find(named)?;
            block.line_with(&key, None).or_else(|| block.line_with("name", None))
        }
        None => {
            let mut of_section = blocks(text).filter(|block| block.header.trim_matches(['[', ']']) == section);
            of_section.find_map(|block| block.line_with(key, None)).or_else(|| whole(text).line_with(path, None))
        }
    }
}

/// The lines behind one header of the file.
struct Block<'a> {
    header: &'a str,
    lines: Vec<(usize, &'a str)>,
}

impl Block<'_> {
    /// The line on which the key has a value, or this one.
    fn line_with(&self, key: &str, value: Option<&str>) -> Option<usize> {
        let has = |(_, line): &&(usize, &str)| {
            let written = line.trim_start().strip_prefix(key).and_then(|rest| rest.trim_start().strip_prefix('='));
            written.is_some_and(|written| value.is_none_or(|value| written.trim().trim_matches(['"', '\'']) == value))
        };
        self.lines.iter().find(has).map(|(number, _)| *number)
    }
}

fn whole(text: &str) -> Block<'_> {
    Block { header: "", lines: text.lines().enumerate().map(|(at, line)| (at + 1, line)).collect() }
}

fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    let mut all = vec![Block { header: "", lines: Vec::new() }];
    for (number, line) in whole(text).lines {
        let bare = line.split('#').next().unwrap_or_default().trim();
        if bare.starts_with('[') && bare.ends_with(']') {
            all.push(Block { header: bare, lines: Vec::new() });
        } else if let Some(block) = all.last_mut() {
            block.lines.push((number, line));
        }
    }
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# ours\n[api]\nlisten = \"x\"\n\n[[input.formats]]\nname = \"one\"\npattern = \"{a}\"\n\
                        [[input.formats]] # more\nname = 'two'\ndelimiter = \",\"\ncolumns = [\n\"source.ipp\"]\n";

    #[test]
    fn a_problem_is_told_with_its_line() {
        for (problem, line) in [
            ("api.listen: `x` is not an address", Some(3)),
            ("input.formats: format `one`: pattern, column 1: x", Some(7)),
            ("input.formats: format `two`: columns, column 1: x", Some(11)),
            ("input.formats: format `two`: dataset: x", Some(9)),
            ("input.formats: format `three`: name: x", None),
            ("log.level: x", None),
            ("no key", None),
        ] {
            assert_eq!(line_of(TEXT, problem), line, "{problem}");
        }
        assert_eq!(placed("c.toml", TEXT, "api.listen: x"), "c.toml:3: api.listen: x");
        assert_eq!(placed("c.toml", TEXT, "log.level: x"), "c.toml: log.level: x");
    }
}
