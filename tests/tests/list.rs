//! `list`: what is there, at a glance.

use changelings_tests::{TestEnv, project_root};

const SOME: &str = r#"
[defaults]
timezone = "Europe/Zurich"

[changelings.nightly-fixmes]
template = "fixme-fairy"
repo = "git@github.com:myorg/myrepo.git"
schedule = "0 3 * * MON-FRI"

[changelings.docs]
template = "doc-reporter"
repos = ["myorg/website", "myorg/handbook", "myorg/blog"]
schedule = "12 4 * * *"
enabled = false

[changelings.security-of-the-payment-service]
template = "security-reporter"
repo = "https://gitlab.example.com/platform/services/payment-service"
schedule = "@weekly"
timezone = "America/New_York"

[changelings.custodian]
template = "./templates/house-keeping.wasm"
repo = "/home/ada/src/a-local-clone"

[changelings.leap]
template = "test-troll"
repo = "/srv/日本語のリポジトリ"
schedule = "0 0 29 2 *"
"#;

/// The evening before a Tuesday, in Zurich.
const EVENING: &str = "2026-03-02T18:00:00+01:00";

fn some() -> TestEnv {
    let env = TestEnv::new();
    env.write_config(SOME);
    env
}

fn listed(env: &TestEnv, columns: u16) -> String {
    let invocation = env
        .command(["list"])
        .env("CHANGELINGS_NOW", EVENING)
        .env("TZ", "Europe/Zurich");
    invocation
        .terminal(columns)
        .finish()
        .success()
        .nothing_wrapped()
        .to_string()
}

#[test]
fn in_a_terminal() {
    let env = some();
    insta::assert_snapshot!("list_80", listed(&env, 80));
    insta::assert_snapshot!("list_120", listed(&env, 120));
}

#[test]
fn no_row_is_wider_than_any_terminal() {
    let env = some();
    for columns in (40..=160).step_by(7) {
        listed(&env, columns);
    }
}

/// What one types next.
#[test]
fn a_name_is_never_cut() {
    let env = TestEnv::new();
    let names = [
        "payments-service-backend-fixme-fairy-1",
        "payments-service-frontend-test-troll-2",
        "payments-pipelines-code-custodian-long",
    ];
    let entries: String = names
        .iter()
        .map(|name| {
            format!(
                "[changelings.{name}]\ntemplate = \"fixme-fairy\"\nrepo = \"myorg/payments-service\"\n\
                 schedule = \"0 3 * * *\"\n"
            )
        })
        .collect();
    env.write_config(&entries);
    insta::assert_snapshot!("list_of_long_names_80", listed(&env, 80));
    for columns in [40, 60, 80, 100, 140] {
        for command in ["list", "status"] {
            let shown = env.width(columns).changeling([command]).success();
            for name in &names {
                assert!(shown.screen.contains(name), "{columns}: {shown}");
            }
        }
    }
}

#[test]
fn nothing_is_shortened_for_a_program() {
    let env = some();
    let output = env.changeling(["list"]).success();
    for text in [
        "security-of-the-payment-service",
        "https://gitlab.example.com/platform/services/payment-service",
        "leap days at 00:00",
    ] {
        assert!(output.stdout.contains(text), "{text}: {output}");
    }
    assert!(
        !output.stdout.contains('…') && !output.stdout.contains('\x1b'),
        "{output}"
    );
    assert_eq!(output.stderr, "");
}

#[test]
fn colour_only_where_it_belongs() {
    let env = some();
    assert!(env.width(80).changeling(["list"]).coloured());
    assert!(
        !env.width(80)
            .changeling(["list", "--color", "never"])
            .coloured()
    );
    let shown = env
        .command(["list"])
        .env("NO_COLOR", "1")
        .terminal(80)
        .finish();
    assert!(!shown.coloured());
    assert!(
        env.changeling(["list", "--color", "always"])
            .stdout
            .contains('\x1b')
    );
    let output = env.command(["list"]).env("CLICOLOR_FORCE", "1").run();
    assert!(output.stdout.contains('\x1b'), "{output}");
}

#[test]
fn as_json() {
    let env = some();
    let output = env
        .command(["list", "--json"])
        .env("CHANGELINGS_NOW", EVENING)
        .run()
        .success();
    assert_eq!(output.stderr, "");
    insta::assert_json_snapshot!(output.json());
}

#[test]
fn without_changelings() {
    let env = TestEnv::untouched();
    let output = env.changeling(["list"]).success();
    assert_eq!(output.stdout, "");
    insta::assert_snapshot!(output);
    assert_eq!(
        env.changeling(["list", "--json"]).json(),
        serde_json::json!({"changelings": []})
    );
    assert_eq!(env.changeling(["list", "--quiet"]).stderr, "");
    assert!(
        !env.changelings_home().exists(),
        "a reading command writes nothing"
    );
}

#[test]
fn a_broken_configuration_is_said() {
    let env = TestEnv::new();
    env.write_config(
        "[changelings.x]\ntemplate = \"fixme-fairy\"\nrepo = \"a/b\"\nschedule = \"0 0 31 2 *\"\n",
    );
    insta::assert_snapshot!(env.changeling(["list"]).exits(2));
}

#[test]
fn the_readme_shows_what_is_printed() {
    let env = TestEnv::new();
    let clone = env.repo("parcels");
    clone.git(["remote", "add", "origin", "git@github.com:acme/parcels.git"]);
    let command = |args: &[&str]| {
        env.command(args)
            .dir(clone.path())
            .env_remove("CHANGELINGS_HOME")
            .env("CHANGELINGS_NOW", EVENING)
            .env("TZ", "Europe/Zurich")
            .env("COLUMNS", "80")
    };
    let add = command(&["add", "--template", "fixme-fairy"])
        .run()
        .success();
    let list = command(&["list"]).run().success();
    let readme = std::fs::read_to_string(project_root().join("README.md")).expect("it is there");
    for (line, printed) in [
        ("add --template fixme-fairy", add.stderr),
        ("list", list.stdout),
    ] {
        let shown = format!("$ changeling {line}\n{printed}");
        assert!(readme.contains(&shown), "README.md does not have:\n{shown}");
    }
}
