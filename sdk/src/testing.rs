//! Testing a template natively, without WASM: on a folder, with given issues, against a committed
//! "golden" text.
//!
//! ```no_run
//! # use changelings_sdk::{testing::{Fixture, Tree}, Template};
//! # fn test<Spellchecker: Template>() {
//! let fixture = Tree::load("fixtures/rust").commit();
//! let composed = fixture.compose::<Spellchecker>(&[("scope", "docs")]);
//! changelings_sdk::golden!("rust", composed); // tests/golden/rust.txt; UPDATE_GOLDEN=1 rewrites
//! # }
//! ```

mod composed;
mod fixture;
mod golden;
mod tree;

pub use composed::{Composed, changes};
pub use fixture::Fixture;
pub use golden::golden;
pub use tree::Tree;

/// Compares what was composed with `tests/golden/NAME.txt` of the crate under test.
#[macro_export]
macro_rules! golden {
    ($name:expr, $composed:expr) => {
        $crate::testing::golden(
            ::std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/golden")
                .join(format!("{}.txt", $name)),
            &$composed.to_string(),
        )
    };
}
