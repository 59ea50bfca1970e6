//! Many changelings at once.

use super::{COMMIT, Cloud};

#[test]
fn fifty_are_deployed_and_looked_at_by_one_client_each_time() {
    let Some(mut cloud) = Cloud::without_containers() else {
        return;
    };
    // More than a plan that costs nothing allows.
    cloud.config += "max_crons = 50\n";
    for number in 0..50 {
        cloud.add(&format!("fairy-{number:02}"), COMMIT, "");
    }
    let clients = || {
        let calls = cloud.modal.asked();
        calls.iter().filter(|call| *call == "ClientHello").count()
    };
    let output = cloud.does("deploy --all");
    // One looks what is there, one deploys.
    assert_eq!(clients(), 2);
    let apps = cloud.modal.apps();
    assert_eq!(apps.len(), 50);
    for app in &apps {
        assert_eq!(
            (&app["state"], &app["versions"]),
            (&"deployed".into(), &1.into()),
            "{app:#}"
        );
        let name = app["name"]
            .as_str()
            .and_then(|name| name.strip_prefix("changeling-"));
        let name = name.unwrap_or_else(|| panic!("{app:#}"));
        assert!(
            output.stdout.contains(name) || output.stderr.contains(name),
            "{name}:\n{output}"
        );
    }

    let status = cloud.does("status --json").json();
    assert_eq!(clients(), 2);
    assert_eq!(
        status["changelings"].as_array().map(Vec::len),
        Some(50),
        "{status:#}"
    );

    // Without Python: it would not be found.
    let offline = |line: &str| {
        let call = cloud.env.command(line.split(' '));
        call.env("PATH", cloud.env.work()).run().success()
    };
    offline("list");
    offline("show fairy-00");
    offline("status --offline");
    assert_eq!(clients(), 3);
}
