//! The first page of `--help`: commands in groups, where to start, what scripts may rely on.

use std::fmt::Write as _;

use clap::Command;

use crate::ui::style::{HEADING, NAME};
use crate::ui::text::{Cut, shorten};

/// Every visible command is in exactly one group (a test sees to it).
const GROUPS: [(&str, &[&str]); 5] = [
    (
        "Changelings",
        &["add", "list", "show", "edit", "enable", "disable", "remove"],
    ),
    (
        "Runs",
        &["plan", "rehearse", "run", "status", "runs", "logs"],
    ),
    ("On Modal, while you sleep", &["deploy", "undeploy"]),
    ("Templates and trust", &["template", "permission"]),
    ("This program", &["config", "doctor", "completions", "help"]),
];

const START: [(&str, &str); 3] = [
    (
        "changeling rehearse --template fixme-fairy --repo .",
        "watch a whole run; nothing is published",
    ),
    (
        "changeling add --template fixme-fairy",
        "in a clone: keep it, with a schedule of its own",
    ),
    ("changeling plan NAME", "what a run would do, and why"),
];

const LONG: &str = "\
Environment:
  CHANGELINGS_HOME  where everything is kept (default: ~/.changelings)
  CHANGELINGS_LOG   what happens inside, on standard error: info, debug, trace
  NO_COLOR          no colour, as with --color never

Exit codes:
  0  done                      4    the run's outcome is a failure
  1  failed                    124  timed out
  2  usage or configuration    130  interrupted
  3  a person is needed: a missing grant or secret, a question nobody answers";

/// Gives the root command its first page.
pub(super) fn with_first_page(command: Command) -> Command {
    let mut commands = String::new();
    for (group, names) in GROUPS {
        let _ = write!(commands, "\n{HEADING}{group}:{HEADING:#}\n");
        for name in names {
            let about = command
                .find_subcommand(name)
                .and_then(Command::get_about)
                .map_or_else(
                    || "Print help for a command".to_owned(),
                    ToString::to_string,
                );
            let about = shorten(&about, 80 - 15, Cut::End);
            let _ = writeln!(commands, "  {NAME}{name:<12}{NAME:#} {about}");
        }
    }
    let mut start = format!("{HEADING}Start here:{HEADING:#}");
    for (line, why) in START {
        let _ = write!(start, "\n  {NAME}{line}{NAME:#}\n      {why}");
    }
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{commands}\n{HEADING}Options:{HEADING:#}\n{{options}}{{after-help}}"
    );
    command
        .help_template(template)
        .after_long_help(format!("{start}\n\n{LONG}"))
        .after_help(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let command = crate::cli::command();
        let mut visible: Vec<&str> = command
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
            .map(Command::get_name)
            .chain(["help"])
            .collect();
        let mut grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        visible.sort_unstable();
        grouped.sort_unstable();
        assert_eq!(visible, grouped);
    }

    /// 80 columns, as most terminals are.
    #[test]
    fn no_line_of_any_help_is_too_wide() {
        fn check(command: &Command, path: &str) {
            for help in [
                command.clone().term_width(80).render_help(),
                command.clone().term_width(80).render_long_help(),
            ] {
                for line in help.to_string().lines() {
                    assert!(crate::ui::text::width(line) <= 80, "{path}: {line}");
                }
            }
            for command in command.get_subcommands() {
                check(command, &format!("{path} {}", command.get_name()));
            }
        }
        let mut command = crate::cli::command();
        command.build();
        check(&command, "changeling");
    }
}
