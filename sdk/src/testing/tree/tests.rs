use super::*;
use crate::repo::{self, Place};
use crate::{Composition, Context, Failure, Manifest, Template};

/// Writes what it sees of history.
struct Historian;

impl Template for Historian {
    fn manifest() -> Manifest {
        Manifest::new("historian", "0.1.0", "Reads history").permissions(["repo:read"])
    }

    fn compose(_: &Context) -> Result<Composition, Failure> {
        let places: Vec<Place> = (1..=9)
            .map(|line| Place {
                path: "src/a.rs".into(),
                line,
            })
            .collect();
        let mut seen: Vec<String> = repo::origins(&places)?
            .into_iter()
            .map(|origin| {
                format!(
                    "{}:{} {} {}",
                    origin.path, origin.line, origin.date, origin.author
                )
            })
            .collect();
        seen.extend(
            repo::changed_files(365)?
                .into_iter()
                .map(|file| format!("{} {} {}", file.path, file.commits, file.last_changed)),
        );
        seen.extend(
            repo::commits(Some("src/a.rs"), 0, 10)?
                .into_iter()
                .map(|commit| format!("{} {} {}", &commit.id[..7], commit.date, commit.subject)),
        );
        Ok(Composition::skip(seen.join("\n")))
    }
}

fn sample() -> Tree {
    Tree::empty()
        .write("src/a.rs", "one\ntwo\nthree\n")
        .write("README.md", "hi\n")
        .write("empty", "")
        .then("2024-01-02 | Ada Lovelace | Start | src/** README.md src/a.rs~three")
        .then("2025-05-05 | Bob Byrne | Nothing of it is left | src/a.rs~seven")
        .then("2026-10-02 | Bob Byrne | Second line | src/a.rs:2")
}

#[test]
fn history_is_what_the_script_says() {
    let fixture = sample().commit();
    let composed = fixture.compose::<Historian>(&[]);
    assert_eq!(
        composed.skip_reason(),
        "src/a.rs:1 2024-01-02 Ada Lovelace\n\
         src/a.rs:2 2026-10-02 Bob Byrne\n\
         src/a.rs:3 2024-01-02 Ada Lovelace\n\
         empty 1 2026-10-02\n\
         src/a.rs 1 2026-10-02\n\
         9e22483 2026-10-02 Second line\n\
         60ef3f5 2024-01-02 Start"
    );
}

#[test]
fn without_the_permission_everything_is_denied() {
    let fixture = sample().commit().granted([]);
    let composed = fixture.compose::<Historian>(&[]);
    assert_eq!(composed.failure().code, Failure::DENIED);
    assert_eq!(repo::files(&[], 1).unwrap_err().code, Failure::DENIED);
}
