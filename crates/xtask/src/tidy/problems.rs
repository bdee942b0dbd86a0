//! What the checks found, a line each: place, what is wrong, what to do. Knows no check.

#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    pub(super) fn add(&mut self, file: &str, line: usize, what: &str, remedy: &str) {
        self.0.push(format!("{file}:{line}: {what}: {remedy}"));
    }

    pub(super) fn into_lines(self) -> Vec<String> {
        self.0
    }

    #[cfg(test)]
    pub(super) fn lines(&self) -> &[String] {
        &self.0
    }
}

/// For tests: what a check of single files says about one text.
#[cfg(test)]
pub(super) fn found(check: fn(&super::sources::Source, &mut Problems), path: &str, text: &str) -> String {
    let mut problems = Problems::default();
    check(&super::sources::Source::read(path, text.to_owned()).unwrap(), &mut problems);
    problems.lines().join("; ")
}
