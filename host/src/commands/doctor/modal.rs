//! Modal: its client, the token, the environment, and how many crons the workspace has.

use serde_json::{Value, json};

use super::{Check, Level};
use crate::config::Config;
use crate::context::Context;
use crate::error::Error;
use crate::modal::client::{Cause, Client, NEWEST};
use crate::modal::{Deployments, INSTALL, ModalError};
use crate::names::printable;
use crate::python::Version;

const NAME: &str = "modal";

pub(super) fn modal(context: &Context) -> Vec<Check> {
    let Ok(config) = Config::load(&context.home) else {
        // Said elsewhere.
        return Vec::new();
    };
    // Without a deployment it is only missing.
    let deployed = Deployments::of(&context.home).names().unwrap_or_default();
    let level = if deployed.is_empty() {
        Level::Note
    } else {
        Level::Failure
    };
    let client = match Client::find(&config, context) {
        Ok(client) => client,
        Err(ModalError::NotInstalled) => {
            let message = "not on PATH; only what is deployed needs it";
            return vec![Check::new(level, NAME, message, INSTALL.to_owned())];
        }
        Err(error) => return vec![failure(level, error.into())],
    };
    let shown = format!("{} ({})", client.version, context.shown(&client.program));
    let mut checks = vec![series(client.version, shown)];
    match ask(&client, &config, context) {
        Ok(said) => {
            checks.extend(said.checks(config.modal.max_crons));
        }
        Err(ModalError::Trouble(trouble)) if trouble.cause == Cause::TokenMissing => {
            checks.push(failure(level, trouble.into()));
        }
        Err(error) => checks.push(failure(Level::Failure, error.into())),
    }
    checks
}

/// One that is newer than any it was tried with may not do what is asked.
fn series(version: Version, shown: String) -> Check {
    if (version.major, version.minor) <= (NEWEST.major, NEWEST.minor) {
        return Check::ok(NAME, shown);
    }
    let message = format!("{shown} is newer than any this program was tried with");
    Check::new(Level::Warning, NAME, message, INSTALL.to_owned())
}

fn failure(level: Level, error: Error) -> Check {
    Check::new(level, NAME, error.to_string(), error.hint)
}

/// What Modal says of the token.
#[derive(Debug, Default)]
struct Said {
    workspace: Option<String>,
    environments: Vec<String>,
    /// Chosen by the configuration, a variable or the profile; `None`: by nobody.
    environment: Option<String>,
    crons: u64,
    /// Where crons could not be counted, and why.
    unknown: Vec<String>,
    /// Apps that have some, with how many.
    apps: Vec<(String, u64)>,
}

fn ask(client: &Client, config: &Config, context: &Context) -> Result<Said, ModalError> {
    let _progress = context.ui.quick_progress("asking Modal");
    let mut said = Said::default();
    let request = json!({"op": "check", "environment": config.modal.environment});
    client.call(&request, &mut |answer| match answer.event.as_str() {
        "workspace" => said.workspace = answer.text("name").map(printable),
        "environments" => {
            let names = answer.fields.get("names").and_then(Value::as_array);
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            said.environments = names.map(printable).collect();
            said.environment = answer.text("chosen").map(printable);
        }
        "crons" => {
            let count = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or_default();
            said.crons = count(answer.fields.get("count"));
            let unknown = answer.fields.get("unknown").and_then(Value::as_array);
            let unknown = unknown.into_iter().flatten().filter_map(Value::as_str);
            said.unknown = unknown.map(printable).collect();
            let apps = answer.fields.get("apps").and_then(Value::as_array);
            said.apps = apps
                .into_iter()
                .flatten()
                .filter_map(|app| Some((printable(app["app"].as_str()?), count(app.get("crons")))))
                .collect();
        }
        _ => {}
    })?;
    Ok(said)
}

impl Said {
    fn checks(&self, max_crons: u32) -> Vec<Check> {
        let workspace = self
            .workspace
            .as_deref()
            .unwrap_or("of a name it does not say");
        let mut checks = vec![Check::ok(
            NAME,
            format!("the token works, in the workspace {workspace}"),
        )];
        if let Some(name) = &self.environment {
            checks.push(if self.environments.contains(name) {
                Check::ok(NAME, format!("the environment {name} is there"))
            } else {
                let there = self.environments.join(", ");
                let message = format!("there is no environment `{name}`; there is: {there}");
                let mend = format!(
                    "modal environment create {name}, or another one: `[modal] environment`, MODAL_ENVIRONMENT, or \
                     that of the profile"
                );
                Check::new(Level::Failure, NAME, message, mend)
            });
        }
        if let Some(first) = self.unknown.first() {
            let message = format!("not all crons of the workspace can be counted ({first})");
            let mend = "whether there is room for another shows when one is deployed";
            checks.push(Check::new(Level::Note, NAME, message, mend.to_owned()));
            return checks;
        }
        let crons = match self.crons {
            1 => "1 cron is deployed in the workspace".to_owned(),
            count => format!("{count} crons are deployed in the workspace"),
        };
        let message = format!("{crons}, of {max_crons} it may have");
        checks.push(if self.crons < u64::from(max_crons) {
            Check::ok(NAME, message)
        } else {
            let others = self.apps.iter().map(|(app, _)| app.as_str());
            let others: Vec<_> = others.filter(|app| !app.starts_with("changeling-")).collect();
            let others = match others.as_slice() {
                [] => String::new(),
                others => format!(" (other apps with crons: {})", others.join(", ")),
            };
            let mend = "several repositories in one changeling (`repos`) need one cron; when your plan allows \
                        more: [modal] max_crons = N";
            Check::new(Level::Note, NAME, message + &others, mend.to_owned())
        });
        checks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(said: &Said) -> String {
        let checks = said.checks(5);
        let lines: Vec<_> = checks
            .iter()
            .map(|check| super::super::line(check, Some(80)))
            .collect();
        anstream::adapter::strip_str(&lines.join("\n")).to_string()
    }

    #[test]
    fn a_client_newer_than_any_it_was_tried_with() {
        let level = |version| series(version, String::new()).level;
        assert_eq!(level(Version::new(1, 6, 9)), Level::Ok);
        assert_eq!(level(Version::new(1, 7, 0)), Level::Warning);
        assert_eq!(level(Version::new(2, 0, 0)), Level::Warning);
    }

    #[test]
    fn what_modal_says_of_the_workspace() {
        let mut said = Said {
            workspace: Some("acme".to_owned()),
            environments: vec!["main".to_owned(), "dev".to_owned()],
            environment: Some("dev".to_owned()),
            crons: 1,
            unknown: Vec::new(),
            apps: vec![("changeling-a".to_owned(), 1)],
        };
        let good = lines(&said);
        said.crons = 6;
        said.apps.push(("reports".to_owned(), 5));
        said.environment = Some("night".to_owned());
        let full = lines(&said);
        said.unknown = vec!["dev: not allowed".to_owned()];
        said.environment = None;
        let unknown = lines(&said);
        insta::assert_snapshot!(format!("{good}\n\n{full}\n\n{unknown}"));
    }
}
