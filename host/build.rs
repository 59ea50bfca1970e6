//! Builds the guests of `templates/` for wasm32-wasip2 and embeds them: `$OUT_DIR/built_in.rs` holds
//! `BUILT_IN`, pairs of a template's name and its component, sorted by name.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script talks to cargo through the environment"
)]
#![expect(clippy::print_stderr, reason = "as above: a failed build's output")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

const TARGET: &str = "wasm32-wasip2";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Problem::Told(message)) => {
            println!("cargo::error={message}");
            ExitCode::SUCCESS
        }
        Err(Problem::Guests(output)) => {
            eprintln!("the guests in templates/ do not build:\n{output}");
            ExitCode::FAILURE
        }
    }
}

enum Problem {
    /// One line says it all.
    Told(String),
    /// What the compiler wrote.
    Guests(String),
}

impl Problem {
    fn told(what: &str, error: &dyn std::fmt::Display) -> Self {
        Self::Told(format!("{what}: {error}"))
    }
}

fn run() -> Result<(), Problem> {
    if variable("CARGO_CFG_TARGET_ENV")? == "musl" {
        // A static program relocates itself at its start: packed, the list is 1.4 MB shorter. A
        // linker that does not know the option warns and goes on without it.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    let host = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let root = host
        .parent()
        .ok_or_else(|| Problem::Told("host/ has no parent folder".into()))?;
    let templates = root.join("templates");
    let names = template_names(&templates)?;
    watch(root, &templates, &names);
    check_target()?;
    let target_dir = target_dir(&out);
    build(&templates, &target_dir, &names)?;
    embed(&target_dir, &names, &out)
}

/// Next to all outputs of this profile, so that check, clippy and build share the guests' artifacts.
fn target_dir(out: &Path) -> PathBuf {
    let profile = out
        .ancestors()
        .find(|folder| folder.file_name().is_some_and(|name| name == "build"))
        .and_then(Path::parent);
    profile.unwrap_or(out).join("guests")
}

fn variable(name: &str) -> Result<String, Problem> {
    std::env::var(name).map_err(|error| Problem::told(name, &error))
}

/// Folders whose crate makes a component.
fn template_names(templates: &Path) -> Result<Vec<String>, Problem> {
    let unreadable = |error| Problem::told("cannot read templates/", &error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(templates).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let manifest = std::fs::read_to_string(entry.path().join("Cargo.toml")).unwrap_or_default();
        if manifest.contains("\"cdylib\"") {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Exactly what the components are made of: not `templates/target`, fixtures or golden files.
fn watch(root: &Path, templates: &Path, names: &[String]) {
    let watched = ["Cargo.toml", "wit", "sdk/Cargo.toml", "sdk/src", "sdk/wit"]
        .iter()
        .map(|path| root.join(path))
        .chain(
            ["Cargo.toml", "Cargo.lock"]
                .iter()
                .map(|path| templates.join(path)),
        );
    let crates = names.iter().map(String::as_str).chain(["knowledge"]);
    let sources =
        crates.flat_map(|name| ["Cargo.toml", "src"].map(|path| templates.join(name).join(path)));
    for path in watched.chain(sources) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

fn check_target() -> Result<(), Problem> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| Problem::told("cannot run rustc", &error))?;
    let folder = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    Err(Problem::Told(format!(
        "the target {TARGET} is not installed, which the templates are built for; run: rustup target add {TARGET}"
    )))
}

fn build(templates: &Path, target_dir: &Path, names: &[String]) -> Result<(), Problem> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_about_the_host) {
            command.env_remove(name);
        }
    }
    command
        .current_dir(templates)
        .args([
            "build",
            "--release",
            "--locked",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(target_dir)
        .stdin(Stdio::null());
    for name in names {
        command.args(["-p", name]);
    }
    let output = command
        .output()
        .map_err(|error| Problem::told("cannot run cargo for templates/", &error))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(Problem::Guests(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }
}

/// Variables that say how to build the host and would spoil the guests: flags, wrappers, profiles.
/// Where cargo finds and fetches crates (offline or not), its job server and linkers stay.
fn is_about_the_host(name: &str) -> bool {
    let kept = [
        "CARGO_HOME",
        "CARGO_NET_",
        "CARGO_HTTP_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
        "CARGO_MAKEFLAGS",
    ];
    let flags = [
        "RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTDOCFLAGS",
        "CLIPPY_ARGS",
    ];
    flags.contains(&name)
        || (name.starts_with("CARGO_")
            && !kept.iter().any(|kept| name.starts_with(kept))
            && !name.ends_with("_LINKER"))
}

/// Copies the components into `out` and writes `built_in.rs` beside them.
fn embed(target_dir: &Path, names: &[String], out: &Path) -> Result<(), Problem> {
    let cannot_write = |error| Problem::told("cannot embed the guests", &error);
    let mut source =
        String::from("/// Name and component of each built-in template, sorted by name.\n");
    source.push_str("const BUILT_IN: &[(&str, &[u8])] = &[\n");
    for name in names {
        let file = format!("{}.wasm", name.replace('-', "_"));
        let built = target_dir.join(TARGET).join("release").join(&file);
        std::fs::copy(built, out.join(&file)).map_err(cannot_write)?;
        let _ = writeln!(
            source,
            "    ({name:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{file}\"))),"
        );
    }
    source.push_str("];\n");
    std::fs::write(out.join("built_in.rs"), source).map_err(cannot_write)
}
