//! The pull request (or issue) of a run: title, body, and how GitHub would show it.

use crate::names::Name;

/// The hidden, machine-readable line that says whose pull request this is.
pub fn marker(changeling: &Name) -> String {
    format!("<!-- changeling: {changeling} -->")
}
