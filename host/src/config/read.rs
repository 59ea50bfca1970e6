//! From the text of the file to a `Config`, or to everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::changeling::{Changeling, Shared};
use super::key::{At, Layer, Section, unknown};
use super::keys::{ChangelingKeys, MngrKeys, ModalKeys, NotifyKeys, SecretKeys};
use super::problem::Reader;
use super::tables::is_variable_name;
use super::value::table;
use super::words::{Launch, NotifyOn};
use super::{Config, ConfigError, Defaults, Mngr, ModalClient, Notify, SecretSource};
use crate::names::{Name, printable};

const SECTIONS: [&str; 6] = [
    "changelings",
    "defaults",
    "mngr",
    "modal",
    "notify",
    "secrets",
];

/// Reads the whole text; every problem found is in the error.
pub(super) fn read(file: &Path, text: &str, base: &Path) -> Result<Config, ConfigError> {
    let mut reader = Reader::new(file, text, base);
    let (root, faults) = DeTable::parse_recoverable(text);
    for fault in faults {
        syntax_problem(&fault, text, &mut reader);
    }
    // What a broken line looks like is no base for more complaints.
    if reader.count() > 0 {
        return Err(ConfigError::Invalid {
            file: file.to_owned(),
            problems: reader.finish(),
        });
    }
    let root = root.get_ref();
    for (key, _) in root {
        if !SECTIONS.contains(&key.get_ref().as_ref()) {
            let name = key.get_ref().as_ref();
            reader.within(name, |reader| {
                unknown(name, key.span(), SECTIONS.into_iter(), reader);
            });
        }
    }
    let defaults: ChangelingKeys = section(root, "defaults", &mut reader);
    let mngr: MngrKeys = section(root, "mngr", &mut reader);
    let modal: ModalKeys = section(root, "modal", &mut reader);
    let notify: NotifyKeys = section(root, "notify", &mut reader);
    let secrets = read_secrets(root, &mut reader);
    let monthly_budget_usd = defaults
        .monthly_budget_usd
        .as_ref()
        .map_or(100.0, |at| at.value.0);
    let client = ModalClient {
        environment: modal.environment.as_ref().map(|at| at.value.0.clone()),
        binary: modal.binary.as_ref().map(|at| at.value.clone()),
        max_crons: modal.max_crons.as_ref().map_or(5, |at| at.value.0),
    };
    let keys = match root.get("defaults").map(Spanned::get_ref) {
        Some(DeValue::Table(table)) => table.keys().map(|key| key.get_ref().to_string()).collect(),
        _ => BTreeSet::new(),
    };
    let shared = Shared {
        defaults,
        modal,
        keys,
    };
    let changelings = read_changelings(root, &shared, &mut reader);
    let mut warnings = Reader::new(file, text, base);
    warn_of_secrets(root, &mut warnings);
    let problems = reader.finish();
    if !problems.is_empty() {
        return Err(ConfigError::Invalid {
            file: file.to_owned(),
            problems,
        });
    }
    Ok(Config {
        file: file.to_owned(),
        changelings,
        defaults: Defaults { monthly_budget_usd },
        mngr: Mngr {
            launch: value(mngr.launch).unwrap_or(Launch::Auto),
            binary: value(mngr.binary),
        },
        modal: client,
        notify: Notify {
            command: value(notify.command)
                .map(|words| words.0)
                .unwrap_or_default(),
            webhook: value(notify.webhook).map(|line| line.0),
            mail: value(notify.mail)
                .map(|lines| lines.into_iter().map(|line| line.0).collect())
                .unwrap_or_default(),
            on: value(notify.on).unwrap_or_else(|| {
                vec![
                    NotifyOn::Failed,
                    NotifyOn::TimedOut,
                    NotifyOn::NeedsAttention,
                ]
            }),
        },
        secrets,
        warnings: warnings.finish(),
        shared,
    })
}

fn value<T>(at: Option<At<T>>) -> Option<T> {
    at.map(|at| at.value)
}

fn syntax_problem(fault: &toml::de::Error, text: &str, reader: &mut Reader<'_>) {
    let span = fault.span().unwrap_or(0..0);
    let message = fault.message().lines().collect::<Vec<_>>().join(", ");
    let shown = text.get(span.clone()).unwrap_or_default().trim();
    let help = if message.contains("duplicate key") {
        let name = printable(shown);
        Some(format!(
            "`{name}` stands here a second time: remove or rename one of them"
        ))
    } else if span.start >= text.trim_end().len() {
        Some("the file ends too early: is it only half written?".to_owned())
    } else {
        None
    };
    reader.problem(span, printable(&message), help);
}

/// A section that may be absent.
fn section<S: Section>(root: &DeTable<'_>, name: &str, reader: &mut Reader<'_>) -> S {
    let Some(found) = root.get(name) else {
        return S::default();
    };
    reader.within(name, |reader| {
        table(found.get_ref(), found.span(), reader)
            .map(|table| S::read(table, Layer::Defaults, reader))
            .unwrap_or_default()
    })
}

fn read_changelings(
    root: &DeTable<'_>,
    shared: &Shared,
    reader: &mut Reader<'_>,
) -> BTreeMap<Name, Changeling> {
    let mut changelings = BTreeMap::new();
    let Some(found) = root.get("changelings") else {
        return changelings;
    };
    reader.within("changelings", |reader| {
        let Some(entries) = table(found.get_ref(), found.span(), reader) else {
            return;
        };
        for (key, entry) in entries {
            let read = reader.within(key.get_ref(), |reader| {
                let name = read_name(key.get_ref(), key.span(), reader);
                let entry = table(entry.get_ref(), entry.span(), reader)?;
                let keys = ChangelingKeys::read(entry, Layer::Changeling, reader);
                Changeling::resolve(name?, &keys, key.span(), entry, shared, reader)
            });
            if let Some(changeling) = read {
                changelings.insert(changeling.name.clone(), changeling);
            }
        }
    });
    changelings
}

fn read_name(text: &str, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Name> {
    text.parse()
        .map_err(|error: crate::names::NameError| {
            let help = Name::slugify(text).map(|name| format!("write [changelings.{name}]"));
            reader.problem(span, error.to_string(), help);
        })
        .ok()
}

/// `[secrets]`. No message here repeats what stands in it.
fn read_secrets(root: &DeTable<'_>, reader: &mut Reader<'_>) -> BTreeMap<String, SecretSource> {
    const HELP: &str = "write { command = [\"program\", \"argument\"] } or { file = \"path\" }";
    let mut secrets = BTreeMap::new();
    let Some(found) = root.get("secrets") else {
        return secrets;
    };
    reader.within("secrets", |reader| {
        let Some(entries) = table(found.get_ref(), found.span(), reader) else {
            return;
        };
        for (key, entry) in entries {
            reader.within(key.get_ref(), |reader| {
                if !is_variable_name(key.get_ref()) {
                    let help = "letters, digits and underscores".to_owned();
                    reader.problem(key.span(), "cannot be the name of a variable", Some(help));
                }
                let DeValue::Table(source) = entry.get_ref() else {
                    let message = "a secret's value must not stand in this file";
                    reader.problem(entry.span(), message, Some(HELP.to_owned()));
                    return;
                };
                let before = reader.count();
                let keys = SecretKeys::read(source, Layer::Defaults, reader);
                let source = match (keys.command, keys.file) {
                    (Some(command), None) if !command.value.0.is_empty() => {
                        SecretSource::Command(command.value.0)
                    }
                    (None, Some(file)) => SecretSource::File(file.value),
                    _ => {
                        if reader.count() == before {
                            let message = "needs a command or a file, and not both";
                            reader.problem(entry.span(), message, Some(HELP.to_owned()));
                        }
                        return;
                    }
                };
                secrets.insert(key.get_ref().clone().into_owned(), source);
            });
        }
    });
    secrets
}

/// Warns of secrets that stand in `env_vars`.
fn warn_of_secrets(root: &DeTable<'_>, reader: &mut Reader<'_>) {
    let mut check = |path: &[&str], entry: &DeValue<'_>| {
        let DeValue::Table(entry) = entry else { return };
        let Some(DeValue::Table(variables)) = entry.get("env_vars").map(Spanned::get_ref) else {
            return;
        };
        for (name, value) in variables {
            let suspicious = ["TOKEN", "SECRET", "PASSWORD", "API_KEY", "PRIVATE_KEY"];
            if !suspicious
                .iter()
                .any(|word| name.get_ref().to_uppercase().contains(word))
            {
                continue;
            }
            let key = [path, &["env_vars", name.get_ref()]].concat().join(".");
            reader.within(&key, |reader| {
                let help = "name it in `secrets`, and say in `[secrets]` where it is found";
                reader.problem(
                    value.span(),
                    "looks like a secret in plain text",
                    Some(help.into()),
                );
            });
        }
    };
    if let Some(defaults) = root.get("defaults") {
        check(&["defaults"], defaults.get_ref());
    }
    if let Some(DeValue::Table(entries)) = root.get("changelings").map(Spanned::get_ref) {
        for (name, entry) in entries {
            check(&["changelings", name.get_ref()], entry.get_ref());
        }
    }
}
