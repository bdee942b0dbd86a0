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
