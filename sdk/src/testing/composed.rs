//! What `compose` answered, for asserts and golden files.

use std::fmt;

use crate::{Brief, Composition, Failure};

/// An answer and what led to it. `Display` is what golden files hold.
#[derive(Debug, Clone)]
pub struct Composed {
    pub result: Result<Composition, Failure>,
    /// `level: message` each.
    pub log: Vec<String>,
    /// Names of the imports called, in order: `repo.search`, ...
    pub calls: Vec<String>,
}

impl Composed {
    /// # Panics
    /// There is no brief.
    #[track_caller]
    pub fn brief(&self) -> &Brief {
        match &self.result {
            Ok(Composition::Run(brief)) => brief,
            other => panic!("expected a brief, got {other:?}"),
        }
    }

    /// The brief, when there is one.
    pub fn brief_if_any(&self) -> Option<&Brief> {
        match &self.result {
            Ok(Composition::Run(brief)) => Some(brief),
            _ => None,
        }
    }

    /// # Panics
    /// There is no brief.
    #[track_caller]
    pub fn prompt(&self) -> &str {
        &self.brief().prompt
    }

    /// # Panics
    /// It was not skipped.
    #[track_caller]
    pub fn skip_reason(&self) -> &str {
        match &self.result {
            Ok(Composition::Skip(reason)) => reason,
            other => panic!("expected a skip, got {other:?}"),
        }
    }

    /// # Panics
    /// It did not fail.
    #[track_caller]
    pub fn failure(&self) -> &Failure {
        match &self.result {
            Err(failure) => failure,
            other => panic!("expected a failure, got {other:?}"),
        }
    }
}

/// What differs between two answers: lines only the first has with `-` before them, lines only the
/// second has with `+`, each in their order. For tests that change one fact and show that nothing
/// else of the answer changes.
pub fn changes(before: &Composed, after: &Composed) -> Vec<String> {
    let (before, after) = (before.to_string(), after.to_string());
    let mut gone: Vec<&str> = before.lines().collect();
    let mut new: Vec<&str> = Vec::new();
    for line in after.lines() {
        match gone.iter().position(|other| *other == line) {
            Some(index) => drop(gone.remove(index)),
            None => new.push(line),
        }
    }
    let gone = gone.iter().map(|line| format!("-{line}"));
    gone.chain(new.iter().map(|line| format!("+{line}")))
        .collect()
}

impl fmt::Display for Composed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Err(Failure {
                code,
                message,
                hint,
            }) => {
                writeln!(f, "failure: {code}\nmessage: {message}")?;
                if let Some(hint) = hint {
                    writeln!(f, "hint: {hint}")?;
                }
                Ok(())
            }
            Ok(Composition::Skip(reason)) => writeln!(f, "skip: {reason}"),
            Ok(Composition::Run(brief)) => {
                writeln!(f, "slug: {}", brief.slug)?;
                writeln!(f, "delivery: {}", brief.delivery.as_str())?;
                writeln!(f, "permissions: {}", brief.permissions.join(", "))?;
                for (name, values) in [("mngr-args", &brief.mngr_args), ("labels", &brief.labels)] {
                    if !values.is_empty() {
                        writeln!(f, "{name}: {}", values.join(" "))?;
                    }
                }
                if let Some(title) = &brief.pr_title {
                    writeln!(f, "title: {title}")?;
                }
                for (key, value) in &brief.extras {
                    writeln!(f, "extra {key}: {value}")?;
                }
                if let Some(body) = &brief.pr_body {
                    writeln!(f, "--- body\n{}", body.trim_end())?;
                }
                writeln!(f, "--- prompt\n{}", brief.prompt.trim_end())
            }
        }
    }
}
