//! Files an agent writes into the run's folder, read back with suspicion.

use std::io::Read;
use std::path::Path;

use super::user::writes_to;
use crate::context::open_plain;
use crate::redact::Redactor;

pub(super) const SUMMARY: &str = "agent-summary.md";
pub(super) const REPORT: &str = "agent-report.md";
/// Longest such file that is read.
const MAX_WRITTEN: u64 = 1024 * 1024;

/// What an agent wrote about its work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    pub summary: Option<String>,
    pub report: Option<String>,
}

impl Written {
    /// What lies in the run's folder: plain files only, cut at 1 MiB, without secrets. Empty files
    /// count as absent.
    pub fn read(run_dir: &Path, redactor: &Redactor) -> Self {
        let read = |name| {
            let own = read_back(&writes_to(run_dir).join(name), redactor);
            own.or_else(|| read_back(&run_dir.join(name), redactor))
        };
        Self {
            summary: read(SUMMARY),
            report: read(REPORT),
        }
    }
}

fn read_back(path: &Path, redactor: &Redactor) -> Option<String> {
    let mut bytes = Vec::new();
    let file = open_plain(path).ok()?;
    file.take(MAX_WRITTEN).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = redactor.text(&text);
    (!text.trim().is_empty()).then(|| text.into_owned())
}
