//! What a group found: every failure, not the first; and a line of summary.

use std::fmt::Display;
use std::io::Write;

/// The comparisons of one group.
pub(crate) struct Report {
    group: &'static str,
    comparisons: usize,
    failures: Vec<String>,
    notes: Vec<String>,
}

impl Report {
    pub(crate) fn new(group: &'static str) -> Self {
        Report { group, comparisons: 0, failures: Vec::new(), notes: Vec::new() }
    }

    /// Counts a comparison; `message` is kept if it failed.
    pub(crate) fn check<M: Display>(&mut self, ok: bool, message: impl FnOnce() -> M) {
        self.comparisons += 1;
        if !ok {
            self.failures.push(message().to_string());
        }
    }

    /// A failure that is no comparison, such as a missing function.
    pub(crate) fn fail(&mut self, message: impl Display) {
        self.failures.push(message.to_string());
    }

    /// Something to know that is no failure.
    pub(crate) fn note(&mut self, message: impl Display) {
        self.notes.push(message.to_string());
    }

    /// Prints the summary and panics with all failures.
    pub(crate) fn finish(self, cases: usize) {
        let Report { group, comparisons, failures, notes } = self;
        let mut line =
            format!("oracle {group}: {cases} cases, {comparisons} comparisons, {} failed\n", failures.len());
        notes.iter().for_each(|note| line += &format!("  {note}\n"));
        // Past the harness, which shows only what failing tests print.
        std::io::stderr().write_all(line.as_bytes()).expect("standard error can be written");
        assert!(failures.is_empty(), "{} failures in {group}:\n{}", failures.len(), failures.join("\n"));
    }
}
