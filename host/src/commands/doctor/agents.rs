//! What only runs with a real agent need.

use std::path::{Path, PathBuf};

use super::{Check, Level, on_path};
use crate::agent::Headless;
use crate::config::Config;
use crate::context::Context;
use crate::mngr::{self, Installed, MngrError, NEWEST, install_line};
use crate::names::printable;

const MISSING: &str = "not on PATH; only runs with a real agent need it";

/// claude, which agents are unless said otherwise, and codex where it is asked for.
pub(super) fn programs(context: &Context) -> Vec<Check> {
    let config = Config::load(&context.home).ok();
    let uses_codex = config.as_ref().is_some_and(|config| {
        let mut changelings = config.changelings.values();
        changelings.any(|changeling| changeling.agent_type.as_deref() == Some("codex"))
    });
    let mut checks = vec![match on_path("claude", context) {
        Some(path) => claude(&path, config.as_ref(), context),
        None => Check::new(Level::Note, "claude", MISSING, install_line("claude")),
    }];
    if uses_codex {
        checks.push(match on_path("codex", context) {
            Some(path) => Check::ok("codex", context.shown(&path)),
            None => Check::new(Level::Note, "codex", MISSING, install_line("codex")),
        });
    }
    checks
}

fn claude(path: &Path, config: Option<&Config>, context: &Context) -> Check {
    let shown = context.shown(path);
    let named = Headless::Claude.keys().iter().find(|name| {
        context.env.get_os(name).is_some()
            || config.is_some_and(|config| config.secrets.contains_key(**name))
    });
    if let Some(name) = named {
        return Check::ok("claude", format!("{shown}, with {name}"));
    }
    let folder = context.env.get_os("CLAUDE_CONFIG_DIR").map(PathBuf::from);
    let home = || Some(Path::new(context.env.get_os("HOME")?).join(".claude"));
    let login = folder.or_else(home);
    let login = login.map(|folder| folder.join(".credentials.json"));
    if login.is_some_and(|file| file.exists()) {
        return Check::ok("claude", format!("{shown}, with your own login"));
    }
    if cfg!(target_os = "macos") {
        // It keeps the login in the keychain, which would ask.
        return Check::ok(
            "claude",
            format!("{shown} (whether it is logged in was not looked at)"),
        );
    }
    let message = format!("{shown} has neither a key nor a login; only runs with it need one");
    let mend = "claude, then /login; or set ANTHROPIC_API_KEY, or CLAUDE_CODE_OAUTH_TOKEN from \
                `claude setup-token`, and name it in `secrets`";
    Check::new(Level::Note, "claude", message, mend.to_owned())
}

/// mngr and the tmux it needs.
pub(super) fn mngr(context: &Context) -> Vec<Check> {
    let Ok(config) = Config::load(&context.home) else {
        // Said elsewhere.
        return Vec::new();
    };
    let name = "mngr";
    let mut checks = match Installed::find(&config, context) {
        Ok(found) => installed(&found, context),
        Err(MngrError::NotInstalled) => {
            vec![Check::new(
                Level::Note,
                name,
                MISSING,
                mngr::INSTALL.to_owned(),
            )]
        }
        Err(error) => vec![Check::failure(name, error)],
    };
    checks.push(match on_path("tmux", context) {
        Some(path) => Check::ok("tmux", context.shown(&path)),
        None => Check::new(Level::Note, "tmux", MISSING, install_line("tmux")),
    });
    checks
}

fn installed(found: &Installed, context: &Context) -> Vec<Check> {
    let name = "mngr";
    let shown = context.shown(&found.program);
    let Some(version) = found.version else {
        let message = format!("{shown} (of which only the options are known)");
        return vec![Check::ok(name, message)];
    };
    let mut plugins = Vec::new();
    if found.has_claude {
        plugins.push("claude");
    }
    if found.has_wait {
        plugins.push("wait");
    }
    let with = match plugins.as_slice() {
        [] => String::new(),
        [plugin] => format!(", with the plugin {plugin}"),
        plugins => format!(", with the plugins {}", plugins.join(" and ")),
    };
    let is_newer = (version.major, version.minor) > (NEWEST.major, NEWEST.minor);
    let mut checks = vec![if is_newer {
        let message =
            format!("{version} ({shown}{with}) is newer than any this program was tried with");
        Check::new(Level::Warning, name, message, mngr::UPGRADE.to_owned())
    } else {
        Check::ok(name, printable(&format!("{version} ({shown}{with})")))
    }];
    if !found.has_wait {
        let message = "has no plugin `wait`; only agents of its own types need it".to_owned();
        checks.push(Check::new(
            Level::Note,
            name,
            message,
            mngr::UPGRADE.to_owned(),
        ));
    }
    checks
}
