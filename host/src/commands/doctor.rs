use std::path::PathBuf;

use serde::Serialize;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::process::find_on_path;
use crate::ui::style::{self, paint};
use crate::ui::text;

mod agents;
mod checks;
mod history;
mod modal;

/// Check what runs need, and say what mends it
///
/// Nothing is changed, except that templates are compiled and kept, and that what runs that died left
/// behind is cleaned up; and nothing is sent, except that Modal is asked whether it knows the token, where
/// its client is installed. Exit code 1 when something is broken; warnings and what is needed only for some
/// commands leave it 0.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    Ok,
    /// Missing, and needed for some commands only.
    Note,
    /// It works, and should be mended.
    Warning,
    /// Commands fail because of it.
    Failure,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
struct Check {
    /// Stable, for scripts: `git`, `configuration`, ...
    name: &'static str,
    level: Level,
    message: String,
    /// What to do; a command to type when there is one.
    mend: Option<String>,
}

/// What scripts get. Fields are added, never renamed.
#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    /// The worst of all checks.
    level: Level,
    checks: Vec<Check>,
}

impl Check {
    fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self {
            name,
            level: Level::Ok,
            message: message.into(),
            mend: None,
        }
    }

    fn new(
        level: Level,
        name: &'static str,
        message: impl Into<String>,
        mend: impl Into<Option<String>>,
    ) -> Self {
        Self {
            name,
            level,
            message: message.into(),
            mend: mend.into(),
        }
    }

    /// An error of another module, its hint as what mends it.
    fn failure(name: &'static str, error: impl Into<Error>) -> Self {
        let error = error.into();
        Self::new(Level::Failure, name, error.to_string(), error.hint)
    }
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION"),
        level: Level::Ok,
        checks: Vec::new(),
    };
    for look in checks::ALL {
        let checks = look(context);
        if !args.json {
            for check in &checks {
                context.ui.out(line(check, context.ui.columns));
            }
        }
        report.checks.extend(checks);
    }
    report.level = report
        .checks
        .iter()
        .map(|check| check.level)
        .max()
        .unwrap_or(Level::Ok);
    let count = |level| {
        report
            .checks
            .iter()
            .filter(|check| check.level == level)
            .count()
    };
    let (failures, warnings) = (count(Level::Failure), count(Level::Warning));
    let found = found(failures, warnings, count(Level::Note));
    if args.json {
        context.ui.json(&report);
    }
    if failures > 0 {
        let error = Error::failed(format!("not usable as it is: {found}"));
        return Err(error.with_hint("what mends each is behind the arrows"));
    }
    if !args.json {
        context.ui.out(match warnings {
            0 if found.is_empty() => "\nEverything is in order.".to_owned(),
            0 => format!("\nEverything is in order ({found})."),
            _ => format!("\nUsable, with {found}."),
        });
    }
    Ok(())
}

/// "1 failure, 2 warnings".
fn found(failures: usize, warnings: usize, notes: usize) -> String {
    let some = |count: usize, noun: &str| match count {
        0 => None,
        1 => Some(format!("1 {noun}")),
        _ => Some(format!("{count} {noun}s")),
    };
    let found = [
        some(failures, "failure"),
        some(warnings, "warning"),
        some(notes, "note"),
    ];
    found.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `ok    git  2.47.3 (/usr/bin/git)` and, below, what mends it.
fn line(check: &Check, columns: Option<usize>) -> String {
    let (word, style) = match check.level {
        Level::Ok => ("ok", style::GOOD),
        Level::Note => ("note", style::FAINT),
        Level::Warning => ("warn", style::CAREFUL),
        Level::Failure => ("fail", style::BAD),
    };
    let columns = columns.unwrap_or(usize::MAX);
    let label = format!(
        "{}  {:<13}  ",
        paint(style, format_args!("{word:<4}")),
        check.name
    );
    let mut line = text::wrap(&label, &check.message, columns);
    if let Some(mend) = &check.mend {
        let arrow = format!("{:21}{} ", "", paint(style::HELP, "→"));
        line.push('\n');
        line.push_str(&text::wrap(&arrow, mend, columns));
    }
    line
}

fn on_path(program: &str, context: &Context) -> Option<PathBuf> {
    find_on_path(program, context.env.get_os("PATH")?)
}
