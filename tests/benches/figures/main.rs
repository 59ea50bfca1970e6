//! Measures what `docs/performance.md` promises, and writes it anew: `./dev bench`.
//!
//! Every figure is a ratio of two things measured in the same run, turn by turn, so that a busy or a
//! slow machine changes both. Exits 1 when a figure is missed.

mod history;
mod measure;
mod modal;
mod runs;
mod table;
mod trees;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use changelings::context::Environment;
use changelings::git::{Git, Snapshot};
use changelings::names::Name;
use changelings::permission::Permission;
use changelings::template::{ComposeRequest, Composed, Template, catalog, compile};
use changelings_tests::{TestEnv, changeling, needs, outside_template, project_root};

use measure::{alternate, each, memory, peak_memory_of, run, tell_cpu, tell_peak};
use table::{Table, megabytes, milliseconds};

/// Turns of each measurement; the median counts.
const TURNS: usize = 25;

/// Measures, and adds rows.
type Figures = fn(&mut Table);

/// By the names `./dev bench NAME...` takes; with a name only those are measured, and nothing is written.
const FIGURES: &[(&str, Figures)] = &[
    ("list", list),
    ("history", history::figures),
    ("plan", plan),
    ("search", search),
    ("compose", compose),
    ("runs", runs::figures),
    ("modal", modal::figures),
    ("size", size),
];

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    match args.get(1).and_then(|arg| arg.to_str()) {
        // Templates are compiled in a child of the running program, which is this one.
        Some(compile::COMMAND) => return changelings::cli::main(args),
        Some("--peak") => return tell_peak(&args[2..]),
        Some("--cpu") => return tell_cpu(&args[2..]),
        _ => {}
    }
    // What cargo adds begins with dashes.
    let wanted: Vec<_> = args[1..]
        .iter()
        .filter_map(|arg| arg.to_str())
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let mut table = Table::new(TURNS);
    for (name, figures) in FIGURES {
        if wanted.is_empty() || wanted.contains(name) {
            figures(&mut table);
        }
    }
    if wanted.is_empty() {
        let file = project_root().join("docs/performance.md");
        std::fs::write(&file, table.document()).expect("writing docs/performance.md");
        println!("written to {}", file.display());
    }
    match table.missed() {
        0 => ExitCode::SUCCESS,
        missed => {
            println!("{missed} figures were missed");
            ExitCode::FAILURE
        }
    }
}

fn list(table: &mut Table) {
    let env = TestEnv::new();
    env.write_config(&trees::configuration(100));
    assert_eq!(
        env.changeling(["list", "--json"]).success().json()["changelings"]
            .as_array()
            .map(Vec::len),
        Some(100)
    );
    let (list, git) = alternate(
        TURNS,
        || run(env.command(["list"])),
        || run(env.external("git", ["--version"])),
    );
    let limit = (3 * git).max(Duration::from_millis(10));
    table.against_git(
        "`changeling list`, 100 changelings",
        list,
        git,
        limit,
        "3 × `git --version` or 10 ms",
    );
}

fn plan(table: &mut Table) {
    let env = TestEnv::new();
    let repo = trees::repository(&env, "thousand", 1_000);
    let path = repo.path().to_string_lossy().into_owned();
    let plan = || env.command(["plan", "--template", "fixme-fairy", "--repo", &path]);
    // The first one compiles the component.
    let first = plan().run().success();
    assert!(first.stdout.contains(trees::MARKED_FILE), "{first}");
    let (time, git) = alternate(
        TURNS,
        || run(plan()),
        || run(env.external("git", ["--version"])),
    );
    let limit = (20 * git).max(Duration::from_millis(60));
    let what = "`changeling plan` of fixme-fairy, 1,000 files";
    table.against_git(what, time, git, limit, "20 × `git --version` or 60 ms");
    let peak = peak_memory_of(&plan());
    table.row(
        "the same, peak memory",
        &megabytes(peak),
        "",
        "64 MiB",
        peak <= 64 << 20,
    );
}

fn search(table: &mut Table) {
    let env = TestEnv::new();
    let repo = trees::repository(&env, "fifty-thousand", 50_000);
    let template = load(&env);
    let rg = needs::find("rg").expect("./dev bench brings rg");
    let rg = || env.external(&rg, ["-n", "FIXME", "./"]).dir(repo.path());
    let found_by_rg = rg().run().success().stdout.lines().count();

    let snapshot = |checkout: bool| Snapshot {
        git_dir: repo.path().join(".git"),
        commit: repo.git(["rev-parse", "HEAD"]),
        checkout: checkout.then(|| repo.path().to_owned()),
    };
    for (what, snapshot, judged) in [
        (
            "`repo.search` for FIXME, 50,000 files",
            snapshot(true),
            true,
        ),
        (
            "the same, from git's objects (no checkout)",
            snapshot(false),
            false,
        ),
    ] {
        let search = || compose_with(&template, &snapshot, &[]);
        assert_eq!(count_places(&search()), found_by_rg, "what rg finds");
        let (ours, theirs) = alternate(TURNS, || drop(search()), || run(rg()));
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        let measured = format!("{} = {ratio:.2} ×", milliseconds(ours));
        let against = format!("`rg -n FIXME ./` {}", milliseconds(theirs));
        if judged {
            table.row(what, &measured, &against, "1.3 ×", ratio <= 1.3);
        } else {
            table.information(what, &measured, &against);
        }
    }
}

fn compose(table: &mut Table) {
    let env = TestEnv::new();
    let repo = trees::repository(&env, "small", 3);
    let snapshot = Snapshot {
        git_dir: repo.path().join(".git"),
        commit: repo.git(["rev-parse", "HEAD"]),
        checkout: Some(repo.path().to_owned()),
    };
    let template = load(&env);
    let nothing = || drop(compose_with(&template, &snapshot, &[("idle", "yes")]));
    nothing();
    let time = each(1_000, nothing);
    let what = "instantiate and compose, a trivial template";
    table.row(
        what,
        &milliseconds(time),
        "",
        "1 ms",
        time <= Duration::from_millis(1),
    );

    let before = memory();
    each(1_000, nothing);
    let growth = memory().saturating_sub(before);
    let what = "the same 1,000 times, growth in memory";
    table.row(what, &megabytes(growth), "", "1 MiB", growth <= 1 << 20);
}

fn size(table: &mut Table) {
    let bytes = changeling().metadata().expect("the program is there").len();
    let measured = format!("{:.1} MB", bytes as f64 / 1e6);
    table.row(
        "the program itself",
        &measured,
        "",
        "25 MB",
        bytes <= 25_000_000,
    );
}

fn load(env: &TestEnv) -> Template {
    let component = outside_template().to_string_lossy();
    let source = catalog::find(&component, Path::new("/")).expect("the component is there");
    let store = env.changelings_home().join("components");
    Template::load(&source, &store).unwrap_or_else(|error| panic!("{error}"))
}

fn compose_with(template: &Template, snapshot: &Snapshot, params: &[(&str, &str)]) -> Composed {
    let variables = Environment::from_pairs([("PATH", "/usr/bin:/bin")]);
    let git = Git::new(&variables);
    let name: Name = "measured".parse().expect("a name");
    let params = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let request = ComposeRequest {
        changeling: &name,
        repo: "https://example.org/shop",
        base_branch: "main",
        date: "2026-03-02",
        params: &params,
        permissions: &[Permission::RepoRead],
        extras: &BTreeMap::new(),
        snapshot,
        git: &git,
        github: None,
    };
    template
        .compose(&request)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn count_places(composed: &Composed) -> usize {
    match &composed.composition {
        changelings::brief::Composition::Run(brief) => brief.prompt.matches(".py:").count(),
        changelings::brief::Composition::Skip { reason } => panic!("skipped: {reason}"),
    }
}
