//! The rules common to all prompts. They point at the section "This repository", which names what
//! they need: the repository's notes and the check commands of its CI.

/// What kind of work the rules are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// The agent commits changes.
    Changes,
    /// The agent writes a report and changes nothing.
    Report,
}

/// The message for a manifest: the template's own instructions, with `{findings}` in them, and the
/// common rules after them.
pub fn message(instructions: &str, rules: Rules) -> String {
    let rules = match rules {
        Rules::Changes => include_str!("rules/changes.md"),
        Rules::Report => include_str!("rules/report.md"),
    };
    format!("{}\n\n{}\n", instructions.trim(), rules.trim())
}
