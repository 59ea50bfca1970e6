//! `docs/cli.md`: the reference of the command line, made from clap so that it cannot rot.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// The whole document.
pub fn markdown() -> String {
    let mut command = super::command();
    command.build();
    let mut text = String::from(
        "# The command line\n\n\
         <!-- Made by `UPDATE_DOCS=1 cargo test -p changelings reference`; a test compares. -->\n\n\
         Standard output is data, standard error is messages. Every reading command has `--json`, every\n\
         changing one `--dry-run`. Questions are asked only on a terminal; `--yes` answers them.\n",
    );
    text.push_str("\n## Options of every command\n\n");
    for arg in command.get_arguments().filter(|arg| arg.is_global_set()) {
        argument(&mut text, arg);
    }
    for subcommand in visible(&command) {
        section(&mut text, subcommand, "changeling");
    }
    text.push_str(
        "\n## Exit codes\n\n\
         | code | meaning |\n|---|---|\n\
         | 0 | done |\n\
         | 1 | failed |\n\
         | 2 | the command line or the configuration is wrong |\n\
         | 3 | a person is needed: a missing secret or grant, a question without a terminal, an outcome `needs-attention` |\n\
         | 4 | the run's outcome is a failure |\n\
         | 124 | timed out |\n\
         | 130 | interrupted |\n",
    );
    text
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

fn section(text: &mut String, command: &Command, parent: &str) {
    let name = format!("{parent} {}", command.get_name());
    let _ = write!(text, "\n## {name}\n\n");
    if let Some(about) = command.get_long_about().or(command.get_about()) {
        let _ = writeln!(text, "{}\n", about.to_string().trim_end());
    }
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let _ = writeln!(text, "```text\n{usage}\n```");
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && !arg.is_hide_set())
        .filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version"))
        .collect();
    if !own.is_empty() {
        text.push('\n');
        for arg in own {
            argument(text, arg);
        }
    }
    if let Some(after) = command.get_after_long_help().or(command.get_after_help()) {
        let after = anstream::adapter::strip_str(&after.to_string()).to_string();
        let _ = writeln!(text, "\n```text\n{}\n```", after.trim_end());
    }
    for subcommand in visible(command) {
        section(text, subcommand, &name);
    }
}

/// `--flag <VALUE>`: what it does.
fn argument(text: &mut String, arg: &Arg) {
    let short = arg
        .get_short()
        .map(|short| format!("`-{short}`, "))
        .unwrap_or_default();
    let _ = write!(
        text,
        "* {short}`{}`",
        anstream::adapter::strip_str(&arg.to_string())
    );
    if let Some(help) = arg.get_long_help().or(arg.get_help()) {
        let help = help.to_string().replace("\n\n", "\n\n  ");
        let _ = write!(text, ": {}", help.trim_end());
    }
    if arg.get_action().takes_values() && !arg.is_hide_possible_values_set() {
        let values = arg.get_possible_values();
        let values: Vec<_> = values
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        if !values.is_empty() {
            let _ = write!(text, " ({})", values.join(", "));
        }
    }
    let defaults: Vec<_> = arg
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    if arg.get_action().takes_values() && !defaults.is_empty() && !arg.is_hide_default_value_set() {
        let _ = write!(text, " [default: `{}`]", defaults.join(" "));
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    #[test]
    fn reference_is_up_to_date() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
        let expected = super::markdown();
        #[expect(clippy::disallowed_methods, reason = "a switch of this test")]
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&file, &expected).unwrap();
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            found == expected,
            "docs/cli.md is not what clap says: UPDATE_DOCS=1 cargo test -p changelings reference"
        );
    }
}
