//! The fixture repositories are what their scripts say.

use changelings_sdk::testing::Tree;
use changelings_sdk::{Composition, Context, Failure, Manifest, Template, repo};

/// Answers with the number of commits.
struct Counter;

impl Template for Counter {
    fn manifest() -> Manifest {
        Manifest::new("counter", "0.1.0", "Counts").permissions(["repo:read"])
    }

    fn compose(_: &Context) -> Result<Composition, Failure> {
        Ok(Composition::skip(
            repo::commits(None, 0, 1_000)?.items.len().to_string(),
        ))
    }
}

#[test]
fn something_arrives_with_each_commit() {
    for name in ["rust", "python", "typescript", "go", "monorepo", "quiet"] {
        let folder = format!("../fixtures/{name}");
        let script = std::fs::read_to_string(format!("{folder}/history.txt")).unwrap();
        let written = script.lines().filter(|line| !line.starts_with('#')).count();
        let composed = Tree::load(folder).commit().compose::<Counter>(&[]);
        assert_eq!(composed.skip_reason(), written.to_string(), "{name}");
    }
}
