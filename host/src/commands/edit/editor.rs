//! The configuration in the user's editor: what comes back is checked before it counts, and nothing
//! that was written there is ever lost.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::config::edit::replace_config;
use crate::config::{Config, read_text};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::process::{Command, find_on_path};

/// What a first configuration starts from.
const FIRST: &str = "\
# Changelings of this user. `changeling config check` checks this file;
# docs/configuration.md explains every key.
#
# [changelings.nightly-fixmes]
# template = \"fixme-fairy\"
# repo = \"owner/name\"
# schedule = \"0 3 * * *\"
# timezone = \"Europe/Zurich\"
";

/// Opens the whole file; a name must exist, so that nobody edits the wrong thing.
pub(super) fn run(name: Option<&str>, context: &Context) -> Result<()> {
    let ui = &context.ui;
    if !ui.can_ask {
        return Err(
            Error::usage("nothing to change: no flag was given").with_hint(
                "`changeling edit NAME --schedule '0 4 * * *'`; an editor needs a terminal",
            ),
        );
    }
    let file = context.home.config_file();
    let before = read_text(&file)?.unwrap_or_default();
    if let (Some(name), Ok(config)) = (name, Config::parse(&file, &before, context.home.root())) {
        config.named(name)?;
    }
    let draft = Draft::new(&file, if before.is_empty() { FIRST } else { &before })?;
    let edited = edit(&draft, &before, context);
    if let Err(error) = edited {
        return Err(match draft.keep(&file)? {
            Some(aside) => {
                error.with_hint(format!("what you wrote is in {}", context.shown(&aside)))
            }
            None => error,
        });
    }
    Ok(())
}

/// Until the text is good, or given up.
fn edit(draft: &Draft, before: &str, context: &Context) -> Result<()> {
    let ui = &context.ui;
    let file = context.home.config_file();
    loop {
        open(&draft.path, context)?;
        let after = read_text(&draft.path)?.unwrap_or_default();
        if after == draft.start {
            ui.note("nothing was changed");
            return Ok(());
        }
        match Config::parse(&file, &after, context.home.root()) {
            Ok(config) => {
                if !replace_config(&context.home, before, &after)? {
                    return Err(Error::failed(
                        "the configuration was changed by another program meanwhile and is kept",
                    ));
                }
                for warning in &config.warnings {
                    ui.warn(warning);
                }
                ui.note("the configuration was changed");
                return Ok(());
            }
            Err(error) => {
                ui.error(&Error::usage(error.to_string()));
                if !ui.confirm("Open it again?", false)? {
                    return Err(Error::usage("the configuration is as it was"));
                }
            }
        }
    }
}

fn open(draft: &Path, context: &Context) -> Result<()> {
    let words = editor(context)?;
    let (program, args) = words
        .split_first()
        .ok_or_else(|| Error::usage("the editor is empty"))?;
    let mut command = Command::new(program)
        .args(args)
        .arg(draft)
        .cwd(&context.cwd);
    for (name, value) in context.env.iter() {
        command = command.env(name, value);
    }
    let status = command.hand_over().map_err(|error| {
        Error::from_source(crate::error::Kind::Failed, error)
            .with_hint("set VISUAL or EDITOR to the editor to use")
    })?;
    if status.success() {
        return Ok(());
    }
    Err(Error::failed(format!(
        "the editor failed ({status}); the configuration is as it was"
    )))
}

/// Program and arguments of the editor.
fn editor(context: &Context) -> Result<Vec<String>> {
    for variable in ["VISUAL", "EDITOR"] {
        if let Some(text) = context.env.get(variable) {
            return shell_words::split(text)
                .map_err(|_| Error::usage(format!("{variable}: a quote is not closed")));
        }
    }
    let path = context.env.get_os("PATH").unwrap_or_default();
    ["nano", "vim", "vi"]
        .iter()
        .find(|name| find_on_path(name, path).is_some())
        .map(|name| vec![(*name).to_owned()])
        .ok_or_else(|| {
            Error::needs_person("no editor was found").with_hint("set EDITOR to the one to use")
        })
}

/// What the editor works on: a file beside the configuration, private as that is; gone at the end.
struct Draft {
    path: PathBuf,
    start: String,
}

impl Draft {
    fn new(file: &Path, text: &str) -> Result<Self> {
        if let Some(folder) = file.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let path = file.with_file_name(format!("config.draft-{}.toml", std::process::id()));
        // Of a process that had our number and was killed.
        let _ = fs::remove_file(&path);
        create(&path)?.write_all(text.as_bytes())?;
        Ok(Self {
            path,
            start: text.to_owned(),
        })
    }

    /// Copies what was written to where it stays, under a name that is free; `None`: nothing was.
    fn keep(&self, file: &Path) -> Result<Option<PathBuf>> {
        let written = fs::read(&self.path)?;
        if written == self.start.as_bytes() {
            return Ok(None);
        }
        let names = std::iter::once("config.rejected.toml".to_owned())
            .chain((2..1000).map(|number| format!("config.rejected-{number}.toml")));
        for name in names {
            let aside = file.with_file_name(name);
            match create(&aside) {
                Ok(mut open) => {
                    open.write_all(&written)?;
                    return Ok(Some(aside));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::failed(
            "there are too many files named config.rejected-N.toml",
        ))
    }
}

fn create(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
