//! The few styles there are. Colour supports what the words say; nothing is said by colour alone.

use anstyle::{AnsiColor, Style};

pub const ERROR: Style = AnsiColor::Red.on_default().bold();
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub const HELP: Style = AnsiColor::Cyan.on_default().bold();
pub const QUESTION: Style = Style::new().bold();
pub const HEADING: Style = Style::new().bold();
/// Names of changelings, commands to type: what the eye looks for.
pub const NAME: Style = AnsiColor::Cyan.on_default();
pub const GOOD: Style = AnsiColor::Green.on_default();
pub const BAD: Style = AnsiColor::Red.on_default();
pub const CAREFUL: Style = AnsiColor::Yellow.on_default();
/// What matters less than what stands beside it.
pub const FAINT: Style = Style::new().dimmed();

/// The text in that style.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The styles of `--help`.
pub const CLAP: clap::builder::Styles = clap::builder::Styles::styled()
    .header(HEADING)
    .usage(HEADING)
    .literal(NAME)
    .placeholder(Style::new())
    .error(ERROR)
    .valid(GOOD)
    .invalid(CAREFUL);
