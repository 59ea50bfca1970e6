use serde::Serialize;

use crate::config::{Config, ConfigError, Problem, schema};
use crate::context::Context;
use crate::error::{Error, Result};

/// Look at the configuration file
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say where the configuration file is
    Path {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Report every mistake in the configuration file; exit 2 when there is one
    Check {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the configuration file, for editors
    ///
    /// `changeling config schema > schema.json`, and `#:schema schema.json` as the first line of the
    /// file, make editors complete and check it.
    Schema,
}

/// What scripts get. Fields are added, never renamed.
#[derive(Debug, Serialize)]
struct Place {
    path: std::path::PathBuf,
    exists: bool,
}

#[derive(Debug, Serialize)]
struct Checked<'a> {
    path: &'a std::path::Path,
    exists: bool,
    ok: bool,
    changelings: usize,
    problems: &'a [Problem],
    warnings: &'a [Problem],
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    match args.command {
        Command::Path { json } => {
            let path = context.home.config_file();
            if json {
                let exists = path.exists();
                context.ui.json(&Place { path, exists });
            } else {
                context.ui.out(path.display());
            }
            Ok(())
        }
        Command::Check { json } => check(json, context),
        Command::Schema => {
            context.ui.json(&schema::schema());
            Ok(())
        }
    }
}

fn check(json: bool, context: &Context) -> Result<()> {
    let path = &context.home.config_file();
    let exists = path.exists();
    let loaded = Config::load(&context.home);
    let (problems, warnings): (&[Problem], &[Problem]) = match &loaded {
        Ok(config) => (&[], &config.warnings),
        Err(ConfigError::Invalid { problems, .. }) => (problems, &[]),
        Err(_) => (&[], &[]),
    };
    if json && (loaded.is_ok() || !problems.is_empty()) {
        context.ui.json(&Checked {
            path,
            exists,
            ok: problems.is_empty(),
            changelings: loaded.as_ref().map_or(0, |config| config.changelings.len()),
            problems,
            warnings,
        });
    }
    for warning in warnings {
        context.ui.warn(warning);
    }
    let config = loaded.map_err(|error| match error {
        // The usual hint is to run this command.
        ConfigError::Invalid { .. } => {
            Error::from(error).with_hint("`changeling edit` opens the file")
        }
        error => error.into(),
    })?;
    if !json {
        let count = match config.changelings.len() {
            1 => "1 changeling".to_owned(),
            count => format!("{count} changelings"),
        };
        let file = context.shown(path);
        context.ui.out(if exists {
            format!("{file}: no mistakes, {count}")
        } else {
            format!("{file} does not exist: nothing is configured yet")
        });
    }
    Ok(())
}
