use changelings_sdk::testing::Tree;
use changelings_sdk::{Composition, Context, Manifest, Template};

use super::*;

/// Answers with the section "This repository", for the place `web/src/a.ts`.
struct Surveyor;

impl Template for Surveyor {
    fn manifest() -> Manifest {
        Manifest::new("surveyor", "0.1.0", "Surveys").permissions(["repo:read"])
    }

    fn compose(_: &Context) -> Result<Composition, Failure> {
        let places = ["web/src/a.ts"];
        Ok(Composition::skip(Survey::near(&places)?.section(&places)))
    }
}

fn section(tree: &Tree) -> String {
    tree.commit()
        .compose::<Surveyor>(&[])
        .skip_reason()
        .to_owned()
}

#[test]
fn notes_and_checks_near_the_place() {
    let tree = Tree::empty()
        .write("AGENTS.md", "x")
        .write("web/CONTRIBUTING.md", "x")
        .write("api/AGENTS.md", "x")
        .write("vendor/AGENTS.md", "x")
        .write(".github/workflows/ci.yml", "jobs:\n  t:\n    steps:\n      - run: make test\n      - run: cd api && go test ./...\n")
        .write("Makefile", "test:\n\tx\nlint:\n\ty\n")
        .write("web/package.json", "{\"scripts\": {\"test\": \"vitest\"}}")
        .write("api/go.mod", "module x");
    assert_eq!(
        section(&tree),
        "## This repository\n\n\
         Notes to read first: `AGENTS.md`, `web/CONTRIBUTING.md`.\n\n\
         Check commands for these places, from CI and build files:\n\n\
         - test: `make test` (`.github/workflows/ci.yml:4`)\n\
         - test: `npm run test` in `web` (`web/package.json:1`)\n\
         - lint: `make lint` (`Makefile:3`)\n\n"
    );
}

#[test]
fn nothing_named() {
    let tree = Tree::empty()
        .write("web/package.json", "{}")
        .write("a.txt", "x");
    assert_eq!(
        section(&tree),
        "## This repository\n\n\
         It tracks no notes for agents or contributors.\n\n\
         Check commands for these places, from CI and build files:\n\n\
         - test: `npm test` in `web` (nothing names one; by convention for `web/package.json:1`)\n\n"
    );
}
