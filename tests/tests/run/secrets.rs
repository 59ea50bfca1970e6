//! A secret arrives at the agent byte for byte, and is nowhere else.

use changelings_tests::outside_template;
use changelings_tests::traces::{Watch, files_with};

use super::{COMMIT, Ran, Shop, TOKEN};

/// Everything a shell, a quoting rule or a line-wise format could stumble over.
pub(super) const NASTY: &str =
    "it's \"q\" $(touch pwned) `id` \\n \\ $HOME ${PATH} %s %25\nsecond line\ttab;&|<>*?~!#é";

/// Forms in which somebody could still read it.
fn forms(shop: &Shop, secret: &str) -> Vec<String> {
    let mut forms: Vec<_> = secret.lines().map(ToOwned::to_owned).collect();
    forms.push(secret.to_owned());
    let encode = shop.env.external("sh", ["-c", "base64 | tr -d '\\n='"]);
    forms.push(encode.stdin(secret).run().success().stdout);
    forms
}

#[track_caller]
pub(super) fn is_nowhere(shop: &Shop, ran: &Ran, watch: Watch) {
    let mut texts = forms(shop, NASTY);
    texts.extend(forms(shop, TOKEN));
    for line in watch.seen() {
        assert!(
            !texts.iter().any(|text| line.contains(text)),
            "on a command line: {line}"
        );
    }
    let output = &ran.output;
    assert!(
        !texts
            .iter()
            .any(|text| output.stdout.contains(text) || output.stderr.contains(text)),
        "{output}"
    );
    // The agent of the test itself writes it down there.
    std::fs::remove_file(shop.env.root().join("arrived")).expect("it arrived");
    let found = files_with(shop.env.root(), &texts);
    assert!(found.is_empty(), "{found:#?}");
    let found = files_with(&ran.folder, &texts);
    assert!(found.is_empty(), "{found:#?}");
    for request in shop.github.asked() {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        assert!(!texts.iter().any(|text| body.contains(text)), "{body}");
    }
}

/// What an agent does with it: keeps it for the test, and says it in every way it can.
pub(super) fn tell_everybody() -> String {
    format!(
        "printf %s \"$DEPLOY_KEY\" > $root/arrived
         printf '%s\\n' \"$DEPLOY_KEY\"; printf '%s\\n' \"$DEPLOY_KEY\" >&2
         printf %s \"$DEPLOY_KEY\" | base64 | tr -d '\\n'; echo
         printf 'Used the key %s\\n' \"$DEPLOY_KEY\" > $CHANGELING_SUMMARY
         {COMMIT}"
    )
}

#[track_caller]
pub(super) fn arrived(shop: &Shop) {
    let bytes = std::fs::read(shop.env.root().join("arrived")).expect("the agent wrote it down");
    assert_eq!(String::from_utf8_lossy(&bytes), NASTY);
    assert!(!shop.env.root().join("pwned").exists());
}

#[test]
fn by_a_command() {
    let mut shop = Shop::new();
    shop.with("secrets = [\"GITHUB_TOKEN\", \"DEPLOY_KEY\"]\npermissions = [\"publish\", \"repo:read\", \"env:DEPLOY_KEY\"]");
    let watch = Watch::of(shop.env.root());
    let run = shop
        .prepare_with(&tell_everybody())
        .env("DEPLOY_KEY", NASTY);
    let ran = shop.ran(run).is("pull-request", 0);
    arrived(&shop);
    is_nowhere(&shop, &ran, watch);
    let log = ran.file("log");
    assert!(
        log.contains("[redacted DEPLOY_KEY]"),
        "the log tells that something was there: {log}"
    );
}

/// Without the permission an agent gets neither the secret nor the token that can publish.
#[test]
fn what_was_not_granted_does_not_arrive() {
    let mut shop = Shop::new();
    shop.with("secrets = [\"GITHUB_TOKEN\", \"DEPLOY_KEY\"]");
    let run = shop
        .prepare_with("env > $root/seen")
        .env("DEPLOY_KEY", NASTY)
        .env("AWS_SECRET_ACCESS_KEY", "of-the-cloud");
    shop.ran(run).is("no-changes", 0);
    let seen = std::fs::read_to_string(shop.env.root().join("seen")).unwrap();
    for absent in [
        "DEPLOY_KEY",
        "GITHUB_TOKEN",
        TOKEN,
        "of-the-cloud",
        "SSH_AUTH_SOCK",
    ] {
        assert!(!seen.contains(absent), "{absent}: {seen}");
    }
}

/// Neither what the configuration says nor what the template says is written down with it, though that
/// is before any agent is there.
#[test]
fn what_is_planned_is_kept_without_it() {
    const SECRET: &str = "sk-ant-0123456789abcdef";
    let mut shop = Shop::new();
    shop.with(&format!(
        "secrets = [\"GITHUB_TOKEN\", \"DEPLOY_KEY\"]\nmessage_append = \"Deploy with {SECRET}.\""
    ));
    let run = shop
        .prepare_with("cat > $root/prompt")
        .env("DEPLOY_KEY", SECRET);
    let ran = shop.ran(run).is("no-changes", 0);
    for file in ["prompt.md", "plan.json"] {
        let text = ran.file(file);
        assert!(
            text.contains("Deploy with [redacted DEPLOY_KEY]."),
            "{text}"
        );
    }
    // The template tells that it is "looking everywhere".
    let template = shop.env.root().join("x.wasm");
    std::fs::copy(outside_template(), &template).expect("a copy");
    let path = template.to_string_lossy().into_owned();
    shop.command(["permission", "grant", &path, "agent", "repo:read", "--yes"])
        .run()
        .success();
    shop.add_of(
        &path,
        "counter",
        "secrets = [\"GITHUB_TOKEN\", \"DEPLOY_KEY\"]",
    );
    let run = shop.prepare("counter").arg("--agent-command");
    let run = run.arg(shop.agent("true")).env("DEPLOY_KEY", "everywhere");
    let told = shop.ran(run).is("no-changes", 0);
    let note = told.event("note").expect("a note")["message"].to_string();
    assert!(note.contains("looking [redacted DEPLOY_KEY]"), "{note}");
    let found = files_with(&ran.folder, &[SECRET.to_owned()]);
    assert!(found.is_empty(), "{found:#?}");
}
