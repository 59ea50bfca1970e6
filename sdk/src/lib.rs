//! Write a template for changelings: implement [`Template`], call [`export!`], build for
//! `wasm32-wasip2`.
//!
//! ```
//! use changelings_sdk::{Brief, Composition, Context, Failure, Manifest, Template, repo};
//!
//! struct Spellchecker;
//!
//! impl Template for Spellchecker {
//!     fn manifest() -> Manifest {
//!         Manifest::new("spellchecker", "0.1.0", "Corrects spelling in the documentation")
//!             .permissions(["repo:read", "publish"])
//!             .default_message("Correct the spelling in these files:\n{findings}")
//!     }
//!
//!     fn compose(_context: &Context) -> Result<Composition, Failure> {
//!         let docs = repo::files(&["**/*.md"], 50)?;
//!         if docs.items.is_empty() {
//!             return Ok(Composition::skip("no Markdown files"));
//!         }
//!         let findings: String = docs.items.iter().map(|file| format!("- {}\n", file.path)).collect();
//!         let prompt = Self::manifest().default_message.replace("{findings}", &findings);
//!         Ok(Brief::new("spelling", prompt).permissions(["publish"]).into())
//!     }
//! }
//!
//! changelings_sdk::export!(Spellchecker);
//! # fn main() {}
//! ```
//!
//! What a template sees is in [`repo`] and [`github`]; what helps it write a prompt in [`prompt`].
//! On any target but WASM the same functions work on a folder (`testing`), so that templates are
//! tested natively.

mod brief;
mod context;
mod date;
mod failure;
mod manifest;

pub mod github;
pub mod log;
pub mod prompt;
pub mod repo;

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod wasm;

#[cfg(not(target_family = "wasm"))]
use native as backend;
#[cfg(target_family = "wasm")]
use wasm as backend;

pub use brief::{Brief, Composition, Delivery};
pub use context::Context;
pub use date::Date;
pub use failure::Failure;
pub use manifest::{Manifest, Param};

/// A template: what it is, and what one run of it should do.
pub trait Template {
    /// What this template is. Nothing of [`repo`] or [`github`] can be used here.
    fn manifest() -> Manifest;

    /// Looks at the repository and says what one run should do, or why there is nothing to do.
    fn compose(context: &Context) -> Result<Composition, Failure>;
}

/// Makes the crate's component export this template. Call it once, at the top level of a crate of
/// type `cdylib`; on other targets than WASM it only checks that the type is a template.
#[macro_export]
macro_rules! export {
    ($template:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::wasm::Exported<$template>;
            $crate::wasm::bindings::export_component!(Exported with_types_in $crate::wasm::bindings);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Manifest = <$template as $crate::Template>::manifest;
    };
}
