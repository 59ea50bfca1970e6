//! What can be wrong with a template: one clear error that names the template, its digest and the
//! phase it failed in, and quotes the last lines it wrote to its standard error.

use std::fmt;
use std::io;
use std::time::Duration;

use super::inspect::MismatchedWorld;
use crate::error::{Error, Kind};
use crate::names::{Digest, printable};

/// Where in a template's life something went wrong. Displays as a verb for an error message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Read,
    Compile,
    Link,
    Describe,
    Compose,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "cannot be read",
            Self::Compile => "cannot be compiled",
            Self::Link => "cannot be linked",
            Self::Describe => "failed in describe",
            Self::Compose => "failed in compose",
        })
    }
}

/// A template that cannot be used, or that said no.
#[derive(Debug)]
pub struct TemplateError {
    /// Name or path, as the user knows it.
    pub template: String,
    /// `None` when it could not be read at all.
    pub digest: Option<Digest>,
    pub phase: Phase,
    pub problem: Box<Problem>,
    /// The last lines the guest wrote to its standard error, made printable, oldest first.
    pub stderr: Vec<String>,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("there is no built-in template of this name")]
    Unknown { nearest: Option<&'static str> },
    #[error("cannot open the file: {0}")]
    Unreadable(#[source] io::Error),
    #[error("it is no plain file")]
    NotAFile,
    #[error("it is larger than {} MiB", .limit >> 20)]
    TooLarge { limit: u64 },
    #[error("it is not WebAssembly")]
    NotWasm,
    #[error("it is a core WebAssembly module, not a component")]
    CoreModule,
    #[error("it is damaged or cut off: {0}")]
    Malformed(String),
    #[error(transparent)]
    World(#[from] MismatchedWorld),
    #[error("compiling it took longer than {} s", .0.as_secs())]
    CompileTime(Duration),
    #[error("the compiler gave up: {0}")]
    Compiler(String),
    #[error("cannot keep the compiled form in {folder}: {error}")]
    Store {
        folder: String,
        #[source]
        error: io::Error,
    },
    #[error("it does not fit this program: {0}")]
    Link(String),
    #[error("the WebAssembly engine does not start on this machine: {0}")]
    Engine(String),
    #[error("it ran for more than {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("it asked for more than {} MiB of memory", .0 >> 20)]
    Memory(usize),
    #[error("it moved more than {} MiB to the host at once", .0 >> 20)]
    TooMuchData(usize),
    #[error("it called the host more than {0} times")]
    TooManyCalls(u32),
    #[error("it ended with exit code {0}")]
    Exited(i32),
    #[error("it panicked")]
    Panicked,
    #[error("it trapped: {0}")]
    Trapped(String),
    #[error("its answer is wrong in {field}: {complaint}")]
    Answer { field: String, complaint: String },
    /// The template's own "no".
    #[error("{message} ({code})")]
    Refused {
        code: String,
        message: String,
        hint: Option<String>,
    },
}

/// Lines of a guest's standard error an error message quotes.
const QUOTED_LINES: usize = 5;

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template `{}`", printable(&self.template))?;
        if let Some(digest) = &self.digest {
            write!(f, " (sha256:{})", digest.short())?;
        }
        write!(f, " {}: {}", self.phase, self.problem)?;
        if !self.stderr.is_empty() {
            let skipped = self.stderr.len().saturating_sub(QUOTED_LINES);
            write!(
                f,
                "; its last words: {}",
                self.stderr[skipped..].join(" | ")
            )?;
        }
        Ok(())
    }
}

// The problem's message is part of `Display`, so it must not come again as a cause.
impl std::error::Error for TemplateError {}

impl From<TemplateError> for Error {
    fn from(error: TemplateError) -> Self {
        let kind = match &*error.problem {
            Problem::Unknown { .. }
            | Problem::Unreadable(_)
            | Problem::NotAFile
            | Problem::TooLarge { .. }
            | Problem::NotWasm
            | Problem::CoreModule
            | Problem::Malformed(_)
            | Problem::World(_) => Kind::Usage,
            Problem::Refused { code, .. } if code == "invalid-argument" => Kind::Usage,
            _ => Kind::Failed,
        };
        let hint = hint(&error.problem);
        let error = Self::from_source(kind, error);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

fn hint(problem: &Problem) -> Option<String> {
    Some(match problem {
        Problem::Unknown {
            nearest: Some(name),
        } => {
            format!("did you mean `{name}`? a file of your own is given by path: ./{name}.wasm")
        }
        Problem::Unknown { nearest: None } => {
            "`changeling template list` shows the built-in ones; a file of your own is given by \
             path: ./my-template.wasm"
                .to_owned()
        }
        Problem::NotWasm => "a template is a .wasm component that exports \
                             `changelings:template/template-api`"
            .to_owned(),
        Problem::CoreModule => "build it as a component: for Rust, `cargo build --release \
                                --target wasm32-wasip2`"
            .to_owned(),
        Problem::Malformed(_) => "build or download it again".to_owned(),
        Problem::World(world) => world.hint(),
        Problem::Refused { hint, .. } => return hint.clone(),
        Problem::TimedOut(_)
        | Problem::Memory(_)
        | Problem::TooMuchData(_)
        | Problem::TooManyCalls(_)
        | Problem::Exited(_)
        | Problem::Panicked
        | Problem::Trapped(_)
        | Problem::Answer { .. } => {
            "this is a defect of the template; `changeling -vv ...` shows what it logged".to_owned()
        }
        _ => return None,
    })
}
