//! Deployments: many at once against one after the other, and looking at many.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use changelings_tests::counted::CountedClient;
use changelings_tests::modal::Modal;
use changelings_tests::{Invocation, TestEnv};

use crate::measure::{each, run};
use crate::table::{Table, milliseconds};

/// Changelings.
const MANY: usize = 50;

/// Turns of what takes seconds.
const FEW: usize = 3;

pub(crate) fn figures(table: &mut Table) {
    let env = TestEnv::new();
    let Some(modal) = Modal::start(&env) else {
        return;
    };
    let client = CountedClient::new(&env).expect("the client is there");
    modal.set("cron_limit", 1_000.into());
    env.write_config(&configuration(&env, &client));
    let command = |line: &str| {
        let call = env.command(line.split(' '));
        modal.call(
            call.env("GITHUB_TOKEN", "ghp_of_the_bench")
                .patience(Duration::from_mins(10)),
        )
    };
    // From here on images, files and apps are there.
    run(command("deploy --all"));
    let ours = each(FEW, || run(command("deploy --all")));
    let begin = Instant::now();
    for number in 0..MANY {
        run(deployed_plainly(&env, &modal, number));
    }
    let theirs = begin.elapsed();
    let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
    table.row(
        &format!("`changeling deploy --all`, {MANY} changelings, warm images"),
        &format!("{:.1} s = 1/{ratio:.0}", ours.as_secs_f64()),
        &format!("{MANY} × `modal deploy` {:.1} s", theirs.as_secs_f64()),
        "1/10",
        ratio >= 10.0,
    );

    let before = client.calls();
    run(command("status"));
    let processes = client.calls() - before;
    let what = format!("`changeling status`, {MANY} deployed, processes of the client");
    table.row(&what, &processes.to_string(), "", "1", processes == 1);
    let time = each(FEW, || run(command("status")));
    table.information("the same, time", &milliseconds(time), "");

    let before = client.calls();
    let time = each(FEW, || run(command("list")));
    let processes = client.calls() - before;
    let what = format!("`changeling list`, {MANY} deployed, processes of the client");
    table.row(&what, &processes.to_string(), "", "0", processes == 0);
    table.information("the same, time", &milliseconds(time), "");
}

/// The app that was written for one, by the plain client.
fn deployed_plainly(env: &TestEnv, modal: &Modal, number: usize) -> Invocation {
    let name = format!("night-{number}");
    let folder = env.changelings_home().join("deployments").join(&name);
    let app = format!("changeling-{name}");
    let call = modal.client(env, ["deploy", "app.py", "--name", &app]);
    call.expect("the client is there").dir(folder)
}

fn configuration(env: &TestEnv, client: &CountedClient) -> String {
    let mut text = format!(
        "[defaults]\nidentity = {{ name = \"Night Shift\", email = \"night@example.org\" }}\n\
         secrets = [\"GITHUB_TOKEN\"]\n\n[modal]\nmax_crons = 1000\nrunner = \"{}\"\nbinary = \"{}\"\n",
        changelings_tests::modal::small_runner(env).display(),
        client.program().display()
    );
    for number in 0..MANY {
        let _ = write!(
            text,
            "\n[changelings.night-{number}]\ntemplate = \"fixme-fairy\"\nrepo = \"https://github.com/acme/shop-{number}\"\n\
             schedule = \"{} 3 * * *\"\ntimezone = \"UTC\"\nagent_type = \"command\"\nextra_mngr_args = \"-- agent\"\n",
            number % 60
        );
    }
    text
}
