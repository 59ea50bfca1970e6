//! What the control plane is told, whole.

use changelings_tests::TestEnv;
use serde_json::{Value, json};

use super::{COMMIT, Cloud};

#[test]
fn every_field_of_functions_and_images() {
    let Some(mut cloud) = Cloud::without_containers() else {
        return;
    };
    cloud.add(
        "nightly",
        COMMIT,
        "[changelings.nightly.modal]\ncpu = 2\nmemory = 4096\nregion = \"eu-west\"\nephemeral_disk = 600000\n\
         apt = [\"postgresql\"]\npip = [\"pytest==8.4\"]\ncommands = [\"make tools\"]",
    );
    cloud.add(
        "custodian",
        COMMIT,
        "repos = [\"acme/parcels\", \"acme/depot\", \"acme/labels\"]\nmax_parallel = 2",
    );
    cloud.does("deploy --all");
    for name in ["nightly", "custodian"] {
        let definitions = cloud.modal.definitions(&format!("changeling-{name}"));
        insta::assert_snapshot!(format!("received_of_{name}"), text(definitions, &cloud.env));
    }
    let apps = cloud.modal.apps();
    let published: Vec<_> = apps.iter().map(|app| app["publish"].clone()).collect();
    insta::assert_snapshot!("received_at_publishing", text(json!(published), &cloud.env));
}

/// Without what differs from run to run.
fn text(mut value: Value, env: &TestEnv) -> String {
    normalise(&mut value);
    let text = serde_json::to_string_pretty(&value).expect("JSON");
    text.replace(&env.root().display().to_string(), "[ROOT]")
}

fn normalise(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "sha256_hex" => *value = "[DIGEST]".into(),
                    "size" => *value = "[SIZE]".into(),
                    "changelings-home" | "changelings-job" => *value = "[DIGEST]".into(),
                    _ => normalise(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(normalise),
        Value::String(text) if text.starts_with("im-") => *text = "[IMAGE]".into(),
        _ => {}
    }
}
