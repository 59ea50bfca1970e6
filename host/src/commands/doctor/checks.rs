//! What `doctor` looks at, in the order it says so.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::history::history;
use super::{Check, Level, agents, modal, on_path};
use crate::config::Config;
use crate::context::Context;
use crate::error::Result;
use crate::git::Git;
use crate::names::printable;
use crate::permission::Grants;
use crate::schedule::Zone;
use crate::template::{Template, catalog};

/// A look at one thing; it can find several.
type Look = fn(&Context) -> Vec<Check>;

pub(super) const ALL: [Look; 12] = [
    home,
    configuration,
    history,
    grants,
    time_zone,
    git,
    templates,
    components,
    runs,
    agents::programs,
    agents::mngr,
    modal::modal,
];

/// Oldest git that understands every option this program uses.
const OLDEST_GIT: (u32, u32) = (2, 36);

fn home(context: &Context) -> Vec<Check> {
    let name = "home";
    let root = context.home.root();
    let shown = context.shown(root);
    let check = match std::fs::metadata(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => Check::ok(
            name,
            format!("{shown} (not there yet: made when it is needed)"),
        ),
        Err(error) => Check::new(
            Level::Failure,
            name,
            format!("cannot look at {shown}: {error}"),
            None,
        ),
        Ok(metadata) if !metadata.is_dir() => Check::new(
            Level::Failure,
            name,
            format!("{shown} is not a folder"),
            "move it away, or set CHANGELINGS_HOME to another folder".to_owned(),
        ),
        Ok(metadata) => folder(name, root, &metadata, context),
    };
    vec![check]
}

/// Ours, writable, and closed to others.
fn folder(name: &'static str, path: &Path, metadata: &Metadata, context: &Context) -> Check {
    let (shown, typed) = (context.shown(path), context.typed(path));
    let us = rustix::process::geteuid().as_raw();
    if metadata.uid() != us {
        return Check::new(
            Level::Failure,
            name,
            format!("{shown} belongs to another user (uid {})", metadata.uid()),
            format!("sudo chown -R \"$(id -u)\" {typed}"),
        );
    }
    if rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_err() {
        return Check::new(
            Level::Failure,
            name,
            format!("{shown} cannot be written to"),
            format!("chmod u+rwx {typed}"),
        );
    }
    match open_to_others(metadata) {
        Some(mode) => Check::new(
            Level::Warning,
            name,
            format!("{shown} is open to other users (mode {mode:o})"),
            format!("chmod 700 {typed}"),
        ),
        None => Check::ok(name, shown),
    }
}

/// The mode, when it lets anybody else in.
fn open_to_others(metadata: &Metadata) -> Option<u32> {
    let mode = metadata.mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

fn configuration(context: &Context) -> Vec<Check> {
    let name = "configuration";
    let file = context.home.config_file();
    let shown = context.shown(&file);
    let config = match Config::load(&context.home) {
        Ok(config) => config,
        Err(error) => return vec![Check::failure(name, error)],
    };
    if !file.exists() {
        let message = "no changelings yet";
        let mend = "changeling add --template fixme-fairy, in a clone".to_owned();
        return vec![Check::new(Level::Note, name, message, mend)];
    }
    let count = config.changelings.len();
    let noun = if count == 1 {
        "changeling"
    } else {
        "changelings"
    };
    let mut checks = vec![Check::ok(name, format!("{count} {noun} in {shown}"))];
    checks.extend(config.warnings.iter().map(|warning| {
        let place = format!(
            "line {}: `{}` {}",
            warning.line, warning.key, warning.message
        );
        Check::new(Level::Warning, name, place, warning.help.clone())
    }));
    if let Some(mode) = std::fs::metadata(&file)
        .ok()
        .as_ref()
        .and_then(open_to_others)
    {
        checks.push(Check::new(
            Level::Warning,
            name,
            format!("other users can read it (mode {mode:o})"),
            format!("chmod 600 {}", context.typed(&file)),
        ));
    }
    checks
}

fn grants(context: &Context) -> Vec<Check> {
    match Grants::load(&context.home.grants_file()) {
        Ok(grants) => match grants.iter().count() {
            0 => Vec::new(),
            1 => vec![Check::ok("grants", "1 template of somebody else's")],
            count => vec![Check::ok(
                "grants",
                format!("{count} templates of somebody else's"),
            )],
        },
        Err(error) => vec![Check::failure("grants", error)],
    }
}

fn time_zone(_context: &Context) -> Vec<Check> {
    let name = "time zone";
    vec![match Zone::system() {
        Ok(zone) => Check::ok(name, format!("{zone} (new schedules are in it)")),
        Err(error) => Check::new(
            Level::Warning,
            name,
            format!("{error}; UTC is used"),
            "changeling add --timezone Europe/Zurich, or set TZ".to_owned(),
        ),
    }]
}

fn git(context: &Context) -> Vec<Check> {
    let name = "git";
    let (major, minor) = OLDEST_GIT;
    let install = format!("install git {major}.{minor} or newer");
    let Some(path) = on_path("git", context) else {
        return vec![Check::new(Level::Failure, name, "not on PATH", install)];
    };
    let shown = context.shown(&path);
    let finished = match Git::new(&context.env).bare().arg("--version").run() {
        Ok(finished) if finished.success() => finished,
        Ok(finished) => {
            let message = format!("{shown} --version ends with exit code {}", finished.code());
            return vec![Check::new(Level::Failure, name, message, install)];
        }
        Err(error) => return vec![Check::new(Level::Failure, name, error.to_string(), install)],
    };
    let text = finished.text();
    let version = text.trim().trim_start_matches("git version ");
    vec![match parse_version(version) {
        Some(found) if found >= OLDEST_GIT => Check::ok(name, format!("{version} ({shown})")),
        Some(_) => {
            let message = format!("{version} ({shown}) is too old");
            Check::new(Level::Failure, name, message, install)
        }
        None => {
            let message = format!("{shown} does not say its version: {version}");
            Check::new(Level::Warning, name, printable(&message), None)
        }
    }]
}

/// `2.39.5 (Apple Git-154)` is (2, 39).
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The built-in ones, and those the configuration names.
fn templates(context: &Context) -> Vec<Check> {
    let name = "templates";
    let progress = context.ui.quick_progress("loading templates");
    let load = |reference: &str, base: &Path| -> Result<Template> {
        progress.say(format_args!("loading {reference}"));
        let source = catalog::find(reference, base)?;
        Ok(Template::load(&source, &context.home.components_dir())?)
    };
    let built_in = catalog::built_in_names();
    let mut checks = Vec::new();
    let mut sound = 0;
    for reference in &built_in {
        match load(reference, Path::new("/")) {
            Ok(_) => sound += 1,
            Err(error) => checks.push(Check::failure(name, error)),
        }
    }
    checks.insert(0, Check::ok(name, format!("{sound} built in")));
    let Ok(config) = Config::load(&context.home) else {
        return checks;
    };
    let mut others: Vec<&str> = config
        .changelings
        .values()
        .map(|changeling| changeling.template.as_str())
        .filter(|reference| !built_in.contains(reference))
        .collect();
    others.sort_unstable();
    others.dedup();
    for reference in others {
        checks.push(match load(reference, config.base()) {
            Ok(template) => {
                let Template {
                    manifest, digest, ..
                } = template;
                let digest = digest.short();
                let version = printable(&manifest.version);
                Check::ok(
                    name,
                    format!("{} {version} (sha256:{digest})", manifest.name),
                )
            }
            Err(error) => Check::failure(name, error),
        });
    }
    checks
}

fn components(context: &Context) -> Vec<Check> {
    let name = "components";
    let dir = context.home.components_dir();
    let shown = context.shown(&dir);
    let Ok(metadata) = std::fs::metadata(&dir) else {
        return vec![Check::ok(name, "none compiled yet")];
    };
    let check = folder(name, &dir, &metadata, context);
    if check.level != Level::Ok {
        return vec![check];
    }
    let (mut count, mut bytes) = (0, 0);
    for file in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
        if file.path().extension() == Some(OsStr::new("cwasm")) {
            count += 1;
            bytes += file.metadata().map_or(0, |metadata| metadata.len());
        }
    }
    vec![Check::ok(
        name,
        format!(
            "{count} compiled, {} MB in {shown}",
            bytes.div_ceil(1_000_000)
        ),
    )]
}

/// Records and workspaces: what agents wrote, and nobody else's business.
fn runs(context: &Context) -> Vec<Check> {
    let dir = context.home.runs_dir();
    let Ok(metadata) = std::fs::metadata(&dir) else {
        return Vec::new();
    };
    vec![folder("runs", &dir, &metadata, context)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (text, version) in [
            ("2.47.3", Some((2, 47))),
            ("2.39.5 (Apple Git-154)", Some((2, 39))),
            ("2.30.0.windows.1", Some((2, 30))),
            ("3.0-rc1", Some((3, 0))),
            ("unknown", None),
            ("", None),
        ] {
            assert_eq!(parse_version(text), version, "{text}");
        }
        assert!(parse_version("2.4.11") < Some(OLDEST_GIT));
    }
}
