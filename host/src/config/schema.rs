//! The JSON Schema of the configuration file, for editors, and the reference in `docs/`.

use std::fmt::Write as _;

use schemars::{Schema, json_schema};
use serde_json::{Map, Value as Json, json};

use super::key::{Key, Layer, Layers, Section};
use super::keys::{ChangelingKeys, MngrKeys, ModalKeys, NotifyKeys, SecretKeys};
use super::tables::VARIABLE;

/// The schema of a table with these keys.
pub(crate) fn section_schema(keys: &[Key], layer: Layer) -> Schema {
    let properties: Map<_, _> = keys
        .iter()
        .filter(|key| key.allowed_in(layer))
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    json_schema!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn property(key: &Key) -> Json {
    let mut schema = (key.schema)();
    schema.insert("description".into(), key.text().into());
    if let Some(default) = key.default_value() {
        schema.insert("default".into(), default);
    }
    schema.into()
}

/// Names of the keys of an entry.
pub fn changeling_keys() -> impl Iterator<Item = &'static str> {
    let keys = ChangelingKeys::KEYS.iter();
    keys.filter(|key| key.allowed_in(Layer::Changeling))
        .map(|key| key.name)
}

/// The whole file's schema (JSON Schema 2020-12).
pub fn schema() -> Json {
    let mut changeling = section_schema(ChangelingKeys::KEYS, Layer::Changeling);
    changeling.insert("required".into(), json!(["template"]));
    changeling.insert(
        "oneOf".into(),
        json!([{ "required": ["repo"] }, { "required": ["repos"] }]),
    );
    let secret = section_schema(SecretKeys::KEYS, Layer::Defaults);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "changelings: config.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "changelings": {
                "description": "The changelings, by name.",
                "type": "object",
                "propertyNames": { "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 40 },
                "additionalProperties": changeling,
            },
            "defaults": described("What all changelings share.", section_schema(ChangelingKeys::KEYS, Layer::Defaults)),
            "mngr": described("How mngr is called.", section_schema(MngrKeys::KEYS, Layer::Defaults)),
            "modal": described("What all deployments share.", section_schema(ModalKeys::KEYS, Layer::Defaults)),
            "notify": described("Who is told about runs.", section_schema(NotifyKeys::KEYS, Layer::Defaults)),
            "secrets": {
                "description": "Where the value of a secret is found when the environment has none.",
                "type": "object",
                "propertyNames": { "pattern": VARIABLE },
                "additionalProperties": secret,
            },
        },
    })
}

fn described(description: &str, mut schema: Schema) -> Json {
    schema.insert("description".into(), description.into());
    schema.into()
}

/// The tables of `docs/configuration.md`, in Markdown.
pub fn reference() -> String {
    let mut page = String::new();
    let sections: [(&str, &str, &[Key]); 5] = [
        (
            "`[changelings.NAME]` and `[defaults]`",
            "One entry a changeling. What all of them share stands in `[defaults]`.",
            ChangelingKeys::KEYS,
        ),
        (
            "`[changelings.NAME.modal]` and `[modal]`",
            "What a deployment needs. `[modal]` is shared, the entry's own table wins key by key.",
            ModalKeys::KEYS,
        ),
        ("`[mngr]`", "How mngr is called.", MngrKeys::KEYS),
        (
            "`[notify]`",
            "Who is told about runs. Telling never changes an outcome.",
            NotifyKeys::KEYS,
        ),
        (
            "`[secrets]`",
            "`NAME = { ... }`: where the value of a secret is found when the environment has none. \
             One of the keys below.",
            SecretKeys::KEYS,
        ),
    ];
    for (title, about, keys) in sections {
        let _ = write!(page, "### {title}\n\n{about}\n\n");
        let layered = keys.iter().any(|key| key.layers.changeling);
        page += if layered {
            "| key | type | default | set in | meaning |\n|---|---|---|---|---|\n"
        } else {
            "| key | type | default | meaning |\n|---|---|---|---|\n"
        };
        for key in keys {
            let default = key
                .default
                .map_or_else(|| "–".to_owned(), |text| format!("`{text}`"));
            let _ = write!(page, "| `{}` | {} | {default} | ", key.name, (key.kind)());
            if layered {
                let _ = write!(page, "{} | ", layer_words(key.layers));
            }
            let _ = writeln!(page, "{} |", key.text());
        }
        page.push('\n');
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn layer_words(layers: Layers) -> String {
    let words = [
        (layers.changeling, "changeling"),
        (layers.defaults, "shared"),
        (layers.repository, "repository"),
    ];
    words
        .iter()
        .filter(|(set, _)| *set)
        .map(|(_, word)| *word)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::config::Config;

    fn page() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md")
    }

    #[test]
    fn reference_is_up_to_date() {
        const BEGIN: &str = "<!-- begin -->\n";
        const END: &str = "<!-- end -->\n";
        let found = std::fs::read_to_string(page()).unwrap();
        let (head, rest) = found.split_once(BEGIN).expect("a begin mark");
        let (_, tail) = rest.split_once(END).expect("an end mark");
        let expected = format!("{head}{BEGIN}\n{}\n{END}{tail}", reference());
        #[expect(clippy::disallowed_methods, reason = "a switch of this test")]
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(page(), &expected).unwrap();
            return;
        }
        assert!(
            found == expected,
            "docs/configuration.md is not what the keys say: \
             UPDATE_DOCS=1 cargo test -p changelings reference"
        );
    }

    /// What people copy from the page works.
    #[test]
    fn examples_are_without_mistakes() {
        let text = std::fs::read_to_string(page()).unwrap();
        let examples: Vec<_> = text
            .split("```toml\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect();
        assert!(!examples.is_empty());
        for example in examples {
            let read = Config::parse(Path::new("config.toml"), example, Path::new("/"));
            assert!(
                read.is_ok_and(|config| config.warnings.is_empty()),
                "{example}"
            );
        }
    }

    /// Every key is in the schema, with its words.
    #[test]
    fn the_schema_knows_every_key() {
        let schema = schema();
        let at = |path: &str| schema.pointer(path).unwrap_or_else(|| panic!("no {path}"));
        let sections = [
            (
                "/properties/changelings/additionalProperties",
                ChangelingKeys::KEYS,
                Layer::Changeling,
            ),
            (
                "/properties/defaults",
                ChangelingKeys::KEYS,
                Layer::Defaults,
            ),
            ("/properties/modal", ModalKeys::KEYS, Layer::Defaults),
            ("/properties/mngr", MngrKeys::KEYS, Layer::Defaults),
            ("/properties/notify", NotifyKeys::KEYS, Layer::Defaults),
            (
                "/properties/secrets/additionalProperties",
                SecretKeys::KEYS,
                Layer::Defaults,
            ),
        ];
        for (path, keys, layer) in sections {
            for key in keys {
                let found = schema.pointer(&format!("{path}/properties/{}", key.name));
                assert_eq!(
                    found.is_some(),
                    key.allowed_in(layer),
                    "{path} {}",
                    key.name
                );
            }
            assert_eq!(at(&format!("{path}/additionalProperties")), false);
        }
        assert_eq!(
            at("/properties/defaults/properties/monthly_budget_usd/default"),
            100
        );
    }
}
