//! The harness of the end-to-end tests: the real `changeling` program in a world of its own.
//!
//! ```no_run
//! let env = changelings_tests::TestEnv::new();
//! let repo = env.repo("shop");
//! repo.write("app.py", "# FIXME: rounds the wrong way\n");
//! repo.commit(changelings_tests::ADA, "2024-03-01", "Add the shop");
//! let output = env.changeling(["template", "list"]).success();
//! assert!(output.stdout.contains("fixme-fairy"));
//! ```
//!
//! For whole runs there are real tools ([`tools`]), and services of the test's own on this machine: a
//! GitHub with repositories to clone and push to ([`github::GitHub`]), a model for the real claude
//! ([`anthropic::Anthropic`]), and Modal, whose containers really run ([`modal::Modal`]). What a run may not leave behind is looked for in [`traces`].
//!
//! Every test gets folders, a clock and an environment of its own; nothing of the person who runs
//! the tests reaches the program, and nothing the program does reaches that person.

pub mod anthropic;
pub mod counted;
mod env;
mod foreign;
pub mod github;
pub mod guests;
pub mod hostile;
pub mod http;
pub mod modal;
pub mod needs;
mod outside;
mod program;
mod repo;
mod run;
mod terminal;
pub mod tools;
pub mod traces;

pub use env::{NOW, TestEnv};
pub use foreign::{javascript_component, python_component};
pub use outside::outside_template;
pub use program::{changeling, project_root};
pub use repo::{ADA, Author, GRACE, LINUS, Repo};
pub use run::{Invocation, Output};
pub use terminal::{Shown, Terminal};
