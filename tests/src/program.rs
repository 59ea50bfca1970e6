//! Finding the program under test, and refusing one that is older than its source.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

/// The folder of the whole project.
pub fn project_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests crate is a folder of the workspace")
}

/// The `changeling` program built next to this test (`target/<profile>/changeling`).
///
/// # Panics
/// It is missing, or older than a file it is made of: the test would tell about another program.
pub fn changeling() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let test = std::env::current_exe().expect("a running test has a path");
        // target/<profile>/deps/<test> or, for doc and example binaries, target/<profile>/<x>/<test>
        let profile = test
            .parent()
            .and_then(Path::parent)
            .expect("tests live in target/<profile>/deps");
        let program = profile.join("changeling");
        assert!(
            program.is_file(),
            "{} is missing: run ./dev test, or cargo build -p changelings",
            program.display(),
        );
        if let Some(newer) = newer_source(&program) {
            panic!(
                "{} is older than {}: run ./dev test, or cargo build -p changelings",
                program.display(),
                newer.display(),
            );
        }
        program
    })
}

/// A file the program was made from that changed since, by cargo's own list next to the program.
fn newer_source(program: &Path) -> Option<PathBuf> {
    let built = modified(program)?;
    let list = std::fs::read_to_string(program.with_extension("d")).ok()?;
    let (_, sources) = list.split_once(": ")?;
    split_unescaped(sources)
        .into_iter()
        .map(PathBuf::from)
        .find(|source| source.is_file() && modified(source).is_some_and(|at| at > built))
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// Splits make's list of paths, in which a space inside a path is `\ `.
fn split_unescaped(list: &str) -> Vec<String> {
    let mut paths = vec![String::new()];
    let mut chars = list.trim().chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => paths.last_mut().expect("never empty").extend(chars.next()),
            ' ' | '\n' => paths.push(String::new()),
            c => paths.last_mut().expect("never empty").push(c),
        }
    }
    paths.retain(|path| !path.is_empty());
    paths
}

#[cfg(test)]
mod tests {
    use super::split_unescaped;

    #[test]
    fn paths_with_spaces_stay_whole() {
        assert_eq!(
            split_unescaped("/a/b.rs /with\\ space/c.rs\n"),
            ["/a/b.rs", "/with space/c.rs"]
        );
        assert!(split_unescaped("").is_empty());
    }
}
