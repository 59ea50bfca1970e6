//! The command line: global flags and one match.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::commands;
use crate::context::{Context, Environment};
use crate::error::Result;
use crate::exit_code;
use crate::ui::Ui;

/// Nightly autonomous agents that maintain a codebase while its owners sleep.
///
/// A changeling is a template (what to do), a repository, a schedule and an agent. Its runs leave
/// pull requests to review in the morning.
#[derive(Debug, Parser)]
#[command(name = "changeling", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
struct Global {
    /// Say nothing but results, warnings and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Tell what happens inside; twice for more (also: CHANGELINGS_LOG=debug)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(commands::add::Args),
    Edit(commands::edit::Args),
    Enable(commands::enable::Args),
    Disable(commands::disable::Args),
    Remove(commands::remove::Args),
    List(commands::list::Args),
    Show(commands::show::Args),
    Plan(commands::plan::Args),
    Rehearse(commands::rehearse::Args),
    Template(commands::template::Args),
    Permission(commands::permission::Args),
    Config(commands::config::Args),
    Doctor(commands::doctor::Args),
    Completions(commands::completions::Args),
    #[command(hide = true)]
    CompileComponent(commands::compile_component::Args),
}

/// Runs the program and says how it went.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is the user's mistake.
            let code = if error.use_stderr() { exit_code::USAGE } else { exit_code::DONE };
            let _ = error.print();
            return code.into();
        }
    };
    match cli.global.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let env = Environment::read();
    let ui = Ui::from_terminal(cli.global.quiet, &env);
    start_log(cli.global.verbose, &env);
    match Context::new(env, ui.clone()).and_then(|context| dispatch(&cli.command, &context)) {
        Ok(()) => exit_code::DONE.into(),
        Err(error) => {
            ui.error(&error);
            error.kind.exit_code().into()
        }
    }
}

fn dispatch(command: &Command, context: &Context) -> Result<()> {
    match command {
        Command::Add(args) => commands::add::run(args, context),
        Command::Edit(args) => commands::edit::run(args, context),
        Command::Enable(args) => commands::enable::run(args, context),
        Command::Disable(args) => commands::disable::run(args, context),
        Command::Remove(args) => commands::remove::run(args, context),
        Command::List(args) => commands::list::run(args, context),
        Command::Show(args) => commands::show::run(args, context),
        Command::Plan(args) => commands::plan::run(args, context),
        Command::Rehearse(args) => commands::rehearse::run(args, context),
        Command::Template(args) => commands::template::run(args, context),
        Command::Permission(args) => commands::permission::run(args, context),
        Command::Config(args) => commands::config::run(args, context),
        Command::Doctor(args) => commands::doctor::run(args, context),
        Command::Completions(args) => commands::completions::run(args, context),
        Command::CompileComponent(args) => commands::compile_component::run(args, context),
    }
}

/// The clap command, for completions and the generated reference.
pub fn command() -> clap::Command {
    Cli::command()
}

fn start_log(verbose: u8, env: &Environment) {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;

    let level = match (env.get("CHANGELINGS_LOG"), verbose) {
        (Some(level), _) => level.parse().unwrap_or(LevelFilter::INFO),
        (None, 0) => return,
        (None, 1) => LevelFilter::INFO,
        (None, 2) => LevelFilter::DEBUG,
        (None, _) => LevelFilter::TRACE,
    };
    tracing_subscriber::registry()
        .with(Targets::new().with_target("changelings", level))
        .with(
            tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .without_time()
                .with_target(false),
        )
        .init();
}
