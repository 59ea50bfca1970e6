//! Fixme Fairy: does what the FIXMEs ask for.

use changelings_sdk::prompt::{self, Rules};
use changelings_sdk::{Brief, Composition, Context, Failure, Manifest, Template, repo};

/// The template.
#[derive(Debug)]
pub struct FixmeFairy;

impl Template for FixmeFairy {
    fn manifest() -> Manifest {
        Manifest::new(
            "fixme-fairy",
            env!("CARGO_PKG_VERSION"),
            "Does what the FIXMEs ask for",
        )
        .permissions(["repo:read", "publish"])
        .default_message(prompt::message(
            "Do what these markers ask for.\n\n{findings}",
            Rules::Changes,
        ))
    }

    fn compose(_: &Context) -> Result<Composition, Failure> {
        let markers = repo::search("FIXME", &[], 10)?;
        if markers.items.is_empty() {
            return Ok(Composition::skip("no FIXME markers"));
        }
        let places = markers
            .into_iter()
            .map(|found| prompt::place(&found.path, found.line));
        let message = Self::manifest().default_message;
        let prompt = prompt::fill(
            &message,
            &prompt::section("Markers", &prompt::bullets(places)),
        );
        Ok(Brief::new("fixmes", prompt).permissions(["publish"]).into())
    }
}

changelings_sdk::export!(FixmeFairy);
