//! One night with real parts: deployed with the real client, fired, run by the real container entrypoint
//! with the real mngr and the real claude; only Modal's control plane, GitHub and the model are the
//! test's own.

use changelings_tests::anthropic::{Anthropic, KEY, Turn};
use changelings_tests::tools;
use changelings_tests::traces::{Watch, files_with};
use serde_json::Value;

use super::{Cloud, TOKEN};

#[test]
fn from_deploy_to_a_pull_request_and_what_is_told_of_it() {
    let Some(cloud) = Cloud::new() else { return };
    let Some(claude) = tools::claude() else {
        return;
    };
    let api = Anthropic::with(Turn::rounds_the_total());
    let setup = cloud
        .setup()
        .expect("it was there")
        .program("claude", claude);
    cloud.modal.containers_have(&setup);
    cloud.env.write_config(&format!(
        "{}\n[changelings.fairy]\ntemplate = \"fixme-fairy\"\nrepo = \"{}\"\nschedule = \"0 3 * * *\"\n\
         timezone = \"Europe/Zurich\"\ntimeout = \"5m\"\nenv_vars = {{ ANTHROPIC_BASE_URL = \"{}\" }}\n\
         secrets = [\"GITHUB_TOKEN\", \"ANTHROPIC_API_KEY\"]\n",
        cloud.config,
        cloud.github.repository("acme/shop"),
        api.url()
    ));
    let command = |line: &str| cloud.command(line.split(' ')).env("ANTHROPIC_API_KEY", KEY);
    let watch = Watch::of(cloud.env.root());
    let deployed = command("deploy fairy").run().success();
    assert!(
        deployed.stderr.contains("fairy") || deployed.stdout.contains("fairy"),
        "{deployed}"
    );

    let ended = cloud.fires("fairy");
    let seen = watch.seen();
    let call = ended["call"].as_str().expect("an id");
    assert_eq!(
        ended["status"],
        "success",
        "{}",
        cloud.modal.printed(Some(call))
    );
    let [pull] = &cloud.pulls()[..] else {
        panic!("one pull request: {:?}", cloud.pulls())
    };
    assert!(
        pull["title"]
            .as_str()
            .is_some_and(|title| title.contains("Fixme Fairy")),
        "{pull}"
    );
    assert!(
        pull["body"]
            .as_str()
            .is_some_and(|body| body.contains("Rounded it.")),
        "{pull}"
    );
    cloud.nothing_was_left_behind();

    let told = command("status --json").run().success();
    let url = pull["html_url"].as_str().expect("a URL");
    assert!(
        told.stdout.contains(url) && told.stdout.contains("pull-request"),
        "{told}"
    );
    let runs = command("runs --json").run().success().json();
    let [run] = &runs["runs"].as_array().expect("a list")[..] else {
        panic!("one run: {runs:#}")
    };
    assert!(run.to_string().contains(url), "{run:#}");
    let spent = cost(run);
    assert!(spent > 0.0, "{run:#}");
    let told = told.json();
    assert_eq!(told["changelings"][0]["cost_usd"], spent, "{told:#}");
    assert_eq!(told["month"]["cost_usd"], spent, "{told:#}");
    let shown = command("status").run().success();
    let in_cents = format!("{spent:.2}");
    assert_ne!(in_cents, "0.00");
    let line = shown.stdout.lines().find(|line| line.starts_with("fairy "));
    assert!(
        line.is_some_and(|line| line.contains(&in_cents)),
        "{in_cents}: {shown}"
    );
    let sum = format!("{in_cents} of 100 USD spent this month");
    assert!(shown.stdout.contains(&sum), "{shown}");

    // The keys are in the secret, and nowhere else.
    let keys = [KEY.to_owned(), TOKEN.to_owned()];
    for line in seen {
        assert!(
            !keys.iter().any(|key| line.contains(key)),
            "on a command line: {line}"
        );
    }
    let found = cloud.modal.search(&keys, &["SecretGetOrCreate"]);
    assert!(found.is_empty(), "{found:#?}");
    let found = files_with(cloud.env.root(), &keys);
    assert!(found.is_empty(), "{found:#?}");
}

/// The first number under a key that speaks of cost.
fn cost(run: &Value) -> f64 {
    let fields = run.as_object().into_iter().flatten();
    fields
        .filter(|(name, _)| name.contains("cost"))
        .filter_map(|(_, value)| value.as_f64())
        .fold(0.0, f64::max)
}
