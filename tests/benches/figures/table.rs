//! What was measured, as a table and as `docs/performance.md`.

use std::fmt::Write;
use std::time::Duration;

/// Rows of figures and whether each was met.
pub(crate) struct Table {
    rows: String,
    missed: usize,
    turns: usize,
}

impl Table {
    pub(crate) fn new(turns: usize) -> Self {
        let rows =
            "| figure | measured | against | at most | met |\n|---|---|---|---|---|\n".to_owned();
        println!("{}", rows.trim_end());
        Self {
            rows,
            missed: 0,
            turns,
        }
    }

    pub(crate) fn row(
        &mut self,
        what: &str,
        measured: &str,
        against: &str,
        limit: &str,
        met: bool,
    ) {
        self.missed += usize::from(!met);
        self.add(
            what,
            measured,
            against,
            limit,
            if met { "yes" } else { "**no**" },
        );
    }

    /// A row without a limit.
    pub(crate) fn information(&mut self, what: &str, measured: &str, against: &str) {
        self.add(what, measured, against, "", "");
    }

    pub(crate) fn against_git(
        &mut self,
        what: &str,
        time: Duration,
        git: Duration,
        limit: Duration,
        said: &str,
    ) {
        let ratio = time.as_secs_f64() / git.as_secs_f64();
        let measured = format!("{} = {ratio:.1} ×", milliseconds(time));
        let against = format!("`git --version` {}", milliseconds(git));
        self.row(what, &measured, &against, said, time <= limit);
    }

    fn add(&mut self, what: &str, measured: &str, against: &str, limit: &str, met: &str) {
        let row = format!("| {what} | {measured} | {against} | {limit} | {met} |");
        // At once: the whole takes minutes.
        println!("{row}");
        let _ = writeln!(self.rows, "{row}");
    }

    /// How many figures were missed.
    pub(crate) fn missed(&self) -> usize {
        self.missed
    }

    pub(crate) fn document(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        format!(
            "# Performance\n\n\
             Written by `./dev bench`, which measures a release build and fails when a figure is missed. Each\n\
             figure is measured against another program in the same run, turn by turn; medians of {}.\n\
             The last time on {} {}, {cores} cores.\n\n{}",
            self.turns,
            std::env::consts::OS,
            std::env::consts::ARCH,
            self.rows,
        )
    }
}

pub(crate) fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1000.0;
    let digits = if milliseconds < 10.0 { 2 } else { 0 };
    format!("{milliseconds:.digits$} ms")
}

pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
