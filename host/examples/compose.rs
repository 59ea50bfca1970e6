//! Composes a template on a repository and prints what came of it, or how long it took:
//!
//! ```text
//! cargo run --release --example compose -- TEMPLATE REPO [--checkout] [--times N] [NAME=VALUE ...]
//! ```
//! With `--checkout` files are read from the work tree of REPO, else from the commit's objects.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use changelings::brief::Composition;
use changelings::context::{Environment, Home};
use changelings::error::{Error, Result};
use changelings::git::{Git, Snapshot};
use changelings::template::{ComposeRequest, Template, catalog, compile};

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if args.get(1).is_some_and(|arg| arg == compile::COMMAND) {
        // Templates are compiled by a child that is this very program.
        return changelings::cli::main(args);
    }
    let args: Vec<String> = args
        .iter()
        .skip(1)
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    match run(&args) {
        Ok(report) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stdout(), "{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "error: {error}\n help: {:?}", error.hint);
            error.kind.exit_code().into()
        }
    }
}

fn run(args: &[String]) -> Result<String> {
    let [template, repo, options @ ..] = args else {
        return Err(Error::usage("TEMPLATE and REPO are needed"));
    };
    let times = options.iter().position(|option| option == "--times");
    let times = times
        .and_then(|at| options.get(at + 1)?.parse().ok())
        .unwrap_or(1_usize);
    let params: BTreeMap<String, String> = options
        .iter()
        .filter_map(|option| option.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.replace("\\n", "\n")))
        .collect();
    let env = Environment::read();
    let home = env
        .get_os("CHANGELINGS_HOME")
        .unwrap_or("/tmp/changelings-example".as_ref());
    let git = Git::new(&env);
    let folder = std::path::absolute(repo)?;
    let snapshot = Snapshot {
        git_dir: git.discover(&folder)?.0,
        commit: commit(&git, &folder)?,
        checkout: options
            .iter()
            .any(|option| option == "--checkout")
            .then_some(folder),
    };
    let source = catalog::find(template, Path::new("."))?;
    let start = Instant::now();
    let template = Template::load(&source, &Home::at(PathBuf::from(home)).components_dir())?;
    let loaded = start.elapsed();
    let request = ComposeRequest {
        changeling: &template.manifest.name,
        repo: "https://example.org/shop",
        base_branch: "main",
        date: "2026-03-02",
        params: &params,
        permissions: &template.manifest.permissions,
        extras: &BTreeMap::new(),
        snapshot: &snapshot,
        git: &git,
        github: None,
    };
    let mut durations = Vec::with_capacity(times);
    let mut composed = template.compose(&request)?;
    for _ in 1..times {
        let start = Instant::now();
        composed = template.compose(&request)?;
        durations.push(start.elapsed());
    }
    let answer = match &composed.composition {
        Composition::Skip { reason } => format!("skip: {reason}"),
        Composition::Run(brief) => format!("{}\n{brief:#?}", brief.prompt),
    };
    durations.sort_unstable();
    let median = durations
        .get(durations.len() / 2)
        .copied()
        .unwrap_or(Duration::ZERO);
    Ok(format!(
        "{answer}\n{:#?}\n{:?}\nloaded in {loaded:?}; guest {:?}, host {:?}; median of {times}: {median:?}; memory {}",
        composed.asked,
        composed.skipped,
        composed.guest_time,
        composed.host_time,
        memory(),
    ))
}

fn commit(git: &Git, folder: &Path) -> Result<String> {
    let call = git.bare().arg("-C").arg(folder).args(["rev-parse", "HEAD"]);
    Ok(changelings::git::checked("rev-parse", &call)?.text())
}

/// Peak and present memory, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status
        .lines()
        .filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS"));
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}
