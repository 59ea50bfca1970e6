//! The command line: global flags and one match.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::context::{Context, Environment};
use crate::error::Result;
use crate::exit_code;
use crate::ui::{Ui, style};

mod help;
pub mod reference;

/// Nightly autonomous agents that maintain a codebase while its owners sleep.
///
/// A changeling is a template (what to do), a repository, a schedule and an agent. Its runs leave
/// pull requests to review in the morning.
#[derive(Debug, Parser)]
#[command(name = "changeling", version, max_term_width = 100, styles = style::CLAP)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Say nothing but results, warnings and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Tell what happens inside; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// When to use colour: auto, always, never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    color: Color,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    fn set(self) {
        match self {
            Self::Auto => {}
            Self::Always => anstream::ColorChoice::Always.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}

/// `--color WHEN` before anything is parsed: help and mistakes have colours too.
fn early_color(args: &[OsString]) -> Option<Color> {
    let mut args = args.iter().filter_map(|arg| arg.to_str());
    let when = args.find_map(|arg| match arg.strip_prefix("--color") {
        Some("") => Some(None),
        Some(rest) => rest.strip_prefix('=').map(Some),
        None => None,
    })?;
    Color::from_str(when.or_else(|| args.next())?, false).ok()
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
    Run(commands::run::Args),
    Deploy(commands::deploy::Args),
    Undeploy(commands::undeploy::Args),
    Status(commands::status::Args),
    Runs(commands::runs::Args),
    Logs(commands::logs::Args),
    Template(commands::template::Args),
    Permission(commands::permission::Args),
    Config(commands::config::Args),
    Doctor(commands::doctor::Args),
    Completions(commands::completions::Args),
    #[command(hide = true)]
    Exec(commands::exec::Args),
    #[command(hide = true)]
    CompileComponent(commands::compile_component::Args),
    #[command(hide = true)]
    StandIn(commands::stand_in::Args),
}

/// Runs the program and says how it went.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(color) = early_color(&args) {
        color.set();
    }
    let parsed = command().try_get_matches_from(args);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is the user's mistake.
            let code = if error.use_stderr() {
                exit_code::USAGE
            } else {
                exit_code::DONE
            };
            let _ = error.print();
            return code.into();
        }
    };
    cli.global.color.set();
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
        Command::Run(args) => commands::run::run(args, context),
        Command::Deploy(args) => commands::deploy::run(args, context),
        Command::Undeploy(args) => commands::undeploy::run(args, context),
        Command::Status(args) => commands::status::run(args, context),
        Command::Runs(args) => commands::runs::run(args, context),
        Command::Logs(args) => commands::logs::run(args, context),
        Command::Template(args) => commands::template::run(args, context),
        Command::Permission(args) => commands::permission::run(args, context),
        Command::Config(args) => commands::config::run(args, context),
        Command::Doctor(args) => commands::doctor::run(args, context),
        Command::Completions(args) => commands::completions::run(args, context),
        Command::Exec(args) => commands::exec::run(args, context),
        Command::CompileComponent(args) => commands::compile_component::run(args, context),
        Command::StandIn(args) => commands::stand_in::run(args, context),
    }
}

/// The clap command, for completions and the generated reference.
pub fn command() -> clap::Command {
    help::with_first_page(Cli::command())
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
