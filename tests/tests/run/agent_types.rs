//! Agents of other types than claude's, and mngr's own way to run one.

use std::time::Duration;

use changelings_tests::anthropic::{Anthropic, KEY, Turn};
use changelings_tests::tools;
use changelings_tests::traces::files_with;
use serde_json::{Value, json};

use super::{COMMIT, Ran, Shop};

#[test]
fn a_command() {
    let mut shop = Shop::new();
    if !shop.link_mngr(tools::mngr()) {
        return;
    }
    let agent = shop.agent(&format!(
        "cat > $root/prompt; printf '%s|' \"$@\" > $root/args; {COMMIT}"
    ));
    shop.with(&format!(
        "agent_type = \"command\"\nextra_mngr_args = \"--label team=core -- {} 'two words' '$(id)'\"",
        agent.display()
    ));
    let ran = shop.ran(shop.prepare("nightly")).is("pull-request", 0);
    let read = |name: &str| {
        std::fs::read_to_string(shop.env.root().join(name)).expect("the agent wrote it")
    };
    assert_eq!(read("args"), "two words|$(id)|");
    assert!(read("prompt").contains("## Delivery"));
    let argv = ran.event("agent-started").expect("an agent was started")["argv"].to_string();
    assert!(argv.contains("team=core"), "{argv}");
    shop.nothing_lives();
}

#[test]
fn codex() {
    let mut shop = Shop::new();
    if !shop.link_mngr(tools::mngr()) {
        return;
    }
    let root = shop.env.root().display().to_string();
    let script = format!(
        "#!/bin/sh\nprintf '%s|' \"$@\" > {root}/args; cat > {root}/prompt\n{COMMIT}\n\
         echo '{{\"type\":\"item.completed\",\"item\":{{\"id\":\"i1\",\"type\":\"agent_message\",\"text\":\"Mended.\"}}}}'\n"
    );
    shop.env.program("codex", &script);
    shop.with("agent_type = \"codex\"\nunattended = true");
    shop.ran(shop.prepare("nightly")).is("pull-request", 0);
    let args = std::fs::read_to_string(shop.env.root().join("args")).expect("codex was started");
    assert!(args.starts_with("exec|"), "{args}");
    shop.nothing_lives();
}

/// A claude in a terminal, as mngr runs it, of a person who has used it before and gave it these
/// permissions. `None` after a loud word.
fn native(permissions: Value, turns: Vec<Turn>) -> Option<(Shop, Ran)> {
    let mut shop = Shop::new();
    let claude = tools::claude()?;
    if !shop.link_mngr(tools::mngr()) {
        return None;
    }
    shop.env.link_program("claude", claude);
    let known = json!({
        "hasCompletedOnboarding": true,
        "theme": "dark",
        "customApiKeyResponses": { "approved": [&KEY[KEY.len() - 20..]], "rejected": [] },
    });
    shop.env.write("home/.claude.json", known.to_string());
    let mut settings = json!({ "permissions": permissions });
    settings["permissions"]["defaultMode"] = "default".into();
    // It would ask whether to use it, before anything else.
    settings["permissions"]["disableAutoMode"] = "disable".into();
    shop.env
        .write("home/.claude/settings.json", settings.to_string());
    let api = Anthropic::with(turns);
    shop.with(&format!(
        "agent_type = \"claude\"\nenv_vars = {{ ANTHROPIC_BASE_URL = \"{}\" }}\n\
         [mngr]\nlaunch = \"native\"",
        api.url()
    ));
    let run = shop.prepare("nightly").env("ANTHROPIC_API_KEY", KEY);
    let ran = shop.ran(run.patience(Duration::from_mins(4)));
    let found = files_with(shop.env.root(), &[KEY.to_owned()]);
    assert!(found.is_empty(), "{found:?}");
    shop.nothing_lives();
    Some((shop, ran))
}

#[test]
fn a_native_claude_that_asks() {
    let turns = vec![Turn::bash("touch it"), Turn::say("Done.")];
    let Some((shop, ran)) = native(json!({ "ask": ["Bash"] }), turns) else {
        return;
    };
    ran.is("needs-attention", 3).says("allow");
    assert!(shop.branches().is_empty());
}

#[test]
fn a_native_claude_that_may() {
    let turns = vec![Turn::bash(COMMIT), Turn::say("Mended.")];
    let Some((shop, ran)) = native(json!({ "allow": ["Bash"] }), turns) else {
        return;
    };
    ran.is("pull-request", 0);
    assert_eq!(shop.branches().len(), 1);
}
