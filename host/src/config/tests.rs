use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::key::Section;
use super::keys::ChangelingKeys;
use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(
        Path::new("/home/me/.changelings/config.toml"),
        text,
        Path::new("/base"),
    )
}

/// What a person reads.
fn problems(text: &str) -> String {
    match parse(text) {
        Ok(_) => "no problem".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// An entry that is fine, followed by `more`.
fn with(more: &str) -> String {
    format!("[changelings.a]\ntemplate = \"fixme-fairy\"\nrepo = \"me/it\"\n{more}")
}

fn one(more: &str) -> Changeling {
    let config = parse(&with(more)).unwrap_or_else(|error| panic!("{error}"));
    config.changelings.into_values().next().unwrap()
}

const FULL: &str = r#"
[defaults]
monthly_budget_usd = 50
timeout = "30m"
env_vars = { SHARED = "1", RUST_LOG = "warn" }
max_turns = 40

[mngr]
launch = "native"
binary = "~/bin/mngr"

[modal]
environment = "dev"
memory = "4GiB"
cpu = 2

[notify]
command = "notify-send done"
on = ["pull-request", "failed"]

[secrets]
GITHUB_TOKEN = { command = ["gh", "auth", "token"] }
SSH_KEY = { file = "~/.ssh/changelings" }

[changelings.nightly-fixmes]
template = "fixme-fairy"
repos = ["me/one", "git@github.com:me/two.git"]
schedule = "0 3 * * *"
timezone = "Europe/Zurich"
branch = "main"
agent_type = "claude"
message_append = "Be kind."
permissions = ["publish", "env:RUST_LOG", "mngr-arg:--label"]
extra_mngr_args = "--label 'team=core and more'"
env_vars = { RUST_LOG = "info" }
secrets = ["GITHUB_TOKEN"]
params = { scope = "src/api", limit = 3, deep = true }
enabled = false
timeout = "1h 30m"
work_branch = "bots/fixmes"
pr_title = "Fixes: {commits}"
max_budget_usd = 2.5
pause_after = 0
on_open_pr = "skip"
overlap = "wait"
catch_up = false
keep_runs = 7
keep_days = 30
max_parallel = 2
ssh_key = "SSH_KEY"
deliver = "issue"
allow_paths = [".github/workflows/*.yml"]
unattended = true
identity = { name = "Fairy", email = "fairy@example.org" }
[changelings.nightly-fixmes.modal]
cpu = 0.5
ephemeral_disk = 600000
apt = ["jq"]
commands = ["true"]
timeout = "2h"
"#;

const MISTAKES: &str = r#"
verison = 1
[defaults]
template = "fixme-fairy"
timeout = 3600
[mngr]
lunch = "auto"
launch = "wraper"
[notify]
on = ["failed", "fialed"]
[secrets]
GITHUB_TOKEN = "ghp_do-not-repeat-me"
OTHER = { command = ["x"], file = "y" }
[changelings."My Repo"]
template = "fixme-fairy"
repo = "me/it"
[changelings.nightly]
shedule = "0 3 * * *"
repo = "https://me:hunter2@github.com/me/it"
schedule = "0 0 31 2 *"
timezone = "Europe/Zurch"
branch = "-x"
permissions = ["publsh", "env:A-B", 7]
extra_mngr_args = "--label 'open"
secrets = ["GITHUB_TOKEN=ghp_do-not-repeat-me", "sk-ant-do-not-repeat-me"]
params = { nested = { a = 1 } }
enabled = "yes"
timeout = "25h"
pr_title = "two\nlines"
max_budget_usd = -1
max_turns = 0
pause_after = "3"
on_open_pr = "updat"
deliver = "email"
allow_paths = "x"
identity = { name = "Fairy" }
monthly_budget_usd = 3
[changelings.nightly.modal]
memory = "lots"
environment = "dev"
[changelings.third]
repo = "me/it"
repos = ["me/it"]
[changelings.fourth]
template = "fixme-fairy"
repos = ["me/it", "https://github.com/me/it.git"]
"#;

#[test]
fn every_key_is_read() {
    let config = parse(FULL).unwrap_or_else(|error| panic!("{error}"));
    insta::assert_debug_snapshot!((
        &config.defaults,
        &config.mngr,
        &config.modal,
        &config.notify,
        &config.secrets
    ));
    let changeling = config.named("nightly-fixmes").unwrap();
    insta::assert_json_snapshot!(changeling);
    let origin = |key| changeling.origin(key);
    assert_eq!(
        origin("max_turns"),
        Origin {
            layer: Layer::Defaults,
            line: Some(6)
        }
    );
    assert_eq!(
        origin("timeout"),
        Origin {
            layer: Layer::Changeling,
            line: Some(39)
        }
    );
    assert_eq!(origin("modal.memory").layer, Layer::Defaults);
    assert_eq!(origin("modal.cpu").layer, Layer::Changeling);
    assert_eq!(
        origin("modal.runner"),
        Origin {
            layer: Layer::BuiltIn,
            line: None
        }
    );
}

/// The defaults in the reference are the defaults in force.
#[test]
fn declared_defaults_are_true() {
    let bare = serde_json::to_value(one("")).unwrap();
    let fields = bare.as_object().unwrap();
    for key in ChangelingKeys::KEYS {
        if let Some(declared) = key.default_value() {
            if key.name == "monthly_budget_usd" {
                assert!(
                    (parse("").unwrap().defaults.monthly_budget_usd - 100.0).abs() < f64::EPSILON
                );
            } else if let (Some(declared), Some(real)) =
                (declared.as_f64(), fields[key.name].as_f64())
            {
                assert!((declared - real).abs() < f64::EPSILON, "{}", key.name);
            } else {
                assert_eq!(fields[key.name], declared, "{}", key.name);
            }
        } else if !["template", "repo", "repos", "timezone", "modal"].contains(&key.name) {
            assert!(
                fields[key.name].is_null(),
                "{} has an undeclared default",
                key.name
            );
        }
    }
    let config = parse("").unwrap();
    assert_eq!(config.mngr.launch, Launch::Auto);
    assert_eq!(config.notify.on.len(), 3);
}

#[test]
fn no_text_is_an_empty_configuration() {
    for text in ["", "\n", "# nothing\n", "\u{feff}", "[changelings]\n"] {
        assert!(
            parse(text).is_ok_and(|config| config.changelings.is_empty()),
            "{text:?}"
        );
    }
}

/// One file with every kind of mistake: all of them are reported, each where it stands.
#[test]
fn all_mistakes_are_reported() {
    insta::assert_snapshot!(problems(MISTAKES));
}

#[test]
fn syntax_mistakes_are_reported() {
    let mut shown = String::new();
    for text in [
        "[changelings.a]\ntemplate = \"x\"\n[changelings.a]\ntemplate = \"y\"\n",
        "[changelings.a]\ntemplate = \"x\"\ntemplate = \"y\"\n",
        "[changelings.a]\ntemplate = \"fixme-fa",
        "[changelings.a",
        "[changelings.a]\ntemplate =\nrepo = me/it\n",
        "changelings = 3\ndefaults = []\n",
        "[changelings]\na = 1\n",
    ] {
        let _ = writeln!(shown, "{}\n", problems(text));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn secrets_are_never_repeated() {
    for text in [
        "[secrets]\nA = \"hunter2\"\n".to_owned(),
        "[secrets]\nA = { command = \"hunter2 'x\" }\n".to_owned(),
        "[secrets]\nA = { value = \"hunter2\" }\n".to_owned(),
        with("secrets = [\"A=hunter2\", \"sk-hunter2\", \"ghp_hunter2\"]\n"),
        "[changelings.a]\ntemplate = \"x\"\nrepo = \"https://u:hunter2@h.org/a\"\n".to_owned(),
    ] {
        let error = parse(&text).expect_err(&text);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn secrets_in_env_vars_are_warned_of() {
    let config = parse(&with(
        "env_vars = { MY_TOKEN = \"hunter2\", PLAIN = \"x\" }\n",
    ))
    .unwrap();
    let [warning] = &config.warnings[..] else {
        panic!("{:?}", config.warnings)
    };
    assert_eq!(warning.key, "changelings.a.env_vars.MY_TOKEN");
    assert!(!warning.to_string().contains("hunter2"));
}

#[test]
fn args_are_shell_words_or_an_array() {
    let words = ["--label", "a b"];
    assert_eq!(
        one("extra_mngr_args = \"--label 'a b'\"\n").extra_mngr_args,
        words
    );
    assert_eq!(
        one("extra_mngr_args = [\"--label\", \"a b\"]\n").extra_mngr_args,
        words
    );
}

#[test]
fn timeouts_round_trip_and_have_bounds() {
    for (text, seconds) in [
        ("1h", 3600),
        ("90m", 5400),
        ("1s", 1),
        ("24h", 86400),
        ("1h 5s", 3605),
    ] {
        let timeout: Timeout = text.parse().unwrap();
        assert_eq!(timeout.seconds(), seconds);
        assert_eq!(timeout.to_string().parse(), Ok(timeout));
    }
    for bad in [
        "",
        "1",
        "0s",
        "25h",
        "999ms",
        "-1h",
        "1 fortnight",
        "99999999999999999999h",
    ] {
        assert!(bad.parse::<Timeout>().is_err(), "{bad}");
    }
}

#[test]
fn names_that_do_not_exist_are_suggested() {
    let config = parse(&with("")).unwrap();
    let hint = |name: &str| {
        let error = crate::error::Error::from(config.named(name).expect_err(name));
        format!("{error} ({})", error.hint.clone().unwrap_or_default())
    };
    let long = "x".repeat(200);
    let names = ["b", "aa", "My Repo", "../../etc", "a/b", "", "日本", &long];
    insta::assert_snapshot!(names.map(hint).join("\n"));
}

#[test]
fn branch_names() {
    for good in ["main", "release/2.0", "a-b_c", "ä"] {
        assert!(is_branch_name(good), "{good}");
    }
    for bad in [
        "", "-x", "a..b", "a b", "a/", "/a", "a//b", ".a", "a/.b", "a.lock", "a~", "@", "HEAD",
        "a\n",
    ] {
        assert!(!is_branch_name(bad), "{bad}");
    }
}

/// A repository's file must never gain power: only these keys may ever be set there.
#[test]
fn a_repository_may_set_little() {
    let keys: Vec<_> = ChangelingKeys::KEYS
        .iter()
        .filter(|key| key.layers.repository)
        .map(|key| key.name)
        .collect();
    assert_eq!(keys, ["message", "message_append", "params"]);
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC*") {
        let _ = parse(&text);
    }

    /// Nearly right files: known keys with values of every type.
    #[test]
    fn reading_known_keys_never_panics(
        key in proptest::sample::select(ChangelingKeys::KEYS.iter().map(|key| key.name).collect::<Vec<_>>()),
        value in prop_oneof![
            "[0-9]{1,20}", "-?[0-9]+\\.[0-9]+", Just("nan".to_owned()), Just("true".to_owned()),
            "\"[^\"\\\\\\p{C}]*\"", "\\[\"[a-z]*\", 3\\]", "\\{ [a-z]{1,5} = \"[a-z:/]*\" \\}",
            Just("0xffff_ffff_ffff".to_owned()), Just("2026-01-01".to_owned()),
        ],
    ) {
        let _ = parse(&with(&format!("{key} = {value}\n")));
    }

    #[test]
    fn what_is_no_name_is_refused_with_a_name(text in "\\PC{0,60}") {
        if let Err(ConfigError::Name { suggestion: Some(name), .. }) = parse_name(&text) {
            prop_assert!(name.as_str().parse::<Name>().is_ok());
        }
    }
}

#[test]
fn who_is_told_is_checked() {
    let notify = |line: &str| parse(&format!("[notify]\n{line}\n"));
    for good in [
        "webhook = \"https://hooks.example.org/T/B/x\"",
        "webhook = \"http://localhost:8080/\"",
        "webhook = \"SLACK_WEBHOOK\"",
        "mail = [\"ada@example.org\"]",
    ] {
        assert!(notify(good).is_ok(), "{good}");
    }
    for bad in [
        "webhook = \"http://example.org/hunter2\"",
        "webhook = \"hooks.example.org/hunter2\"",
        "mail = [\"ada\"]",
        "mail = [\"-oops@example.org\"]",
        "mail = [\"a@b.c, d@e.f\"]",
        "mail = [\"a@b.c\\nBcc: d@e.f\"]",
    ] {
        let error = notify(bad).expect_err(bad).to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
