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
    let mut published: Vec<_> = apps.iter().map(|app| app["publish"].clone()).collect();
    published.sort_by_key(|publish| publish["name"].to_string());
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
            let mut named: Vec<_> = std::mem::take(fields).into_iter().collect();
            for (name, value) in &mut named {
                if let Some(word) = kind_of(name) {
                    word.clone_into(name);
                }
                match name.as_str() {
                    "sha256_hex" | "changelings-home" | "changelings-job" => {
                        *value = "[DIGEST]".into();
                    }
                    _ => normalise(value),
                }
            }
            // Those of a set come in any order.
            named.sort_by(|(one, _), (other, _)| one.cmp(other));
            *fields = named.into_iter().collect();
        }
        Value::Array(values) => values.iter_mut().for_each(normalise),
        Value::String(text) => {
            if let Some(word) = kind_of(text) {
                word.clone_into(text);
            }
        }
        _ => {}
    }
}

/// The word for an id of Modal's: what is sent side by side is not numbered alike each time.
fn kind_of(text: &str) -> Option<&'static str> {
    let (kind, rest) = text.split_once('-')?;
    let is_id = rest.len() == 22 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let words = [
        ("ap", "[APP]"),
        ("de", "[DEFINITION]"),
        ("fu", "[FUNCTION]"),
        ("im", "[IMAGE]"),
        ("mo", "[MOUNT]"),
        ("st", "[SECRET]"),
        ("vo", "[VOLUME]"),
    ];
    let word = words.iter().find(|(prefix, _)| *prefix == kind && is_id);
    word.map(|(_, word)| *word)
}
