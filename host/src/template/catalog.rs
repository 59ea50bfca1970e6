//! Where templates come from: the built-in ones and files given by path.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::{Phase, Problem, TemplateError};
use crate::names::Digest;

// `BUILT_IN`: name and component of each, sorted by name. Written by `build.rs`.
include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// Largest component that is read, in bytes.
pub const MAX_COMPONENT: u64 = 64 << 20;

/// A template's component, not looked into yet.
#[derive(Debug, Clone)]
pub struct Source {
    /// What to call it as long as its manifest was not read: a name, or the path as it was given.
    pub name_hint: String,
    pub built_in: bool,
    pub bytes: Cow<'static, [u8]>,
    pub digest: Digest,
}

/// Names of the built-in templates, sorted.
pub fn built_in_names() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(name, _)| *name).collect()
}

/// Finds a template by the name of a built-in one, or by the path of a component, relative to `base`.
/// What has a slash or ends in `.wasm` is a path.
///
/// # Errors
/// There is none of that name, or the file cannot be read or is too large.
pub fn find(reference: &str, base: &Path) -> Result<Source, TemplateError> {
    if let Some((name, bytes)) = BUILT_IN.iter().find(|(name, _)| *name == reference) {
        return Ok(Source {
            name_hint: (*name).to_owned(),
            built_in: true,
            bytes: Cow::Borrowed(bytes),
            digest: Digest::of(bytes),
        });
    }
    let is_path = reference.contains('/')
        || Path::new(reference)
            .extension()
            .is_some_and(|extension| extension == "wasm");
    let bytes = if is_path {
        read(&base.join(reference))
    } else {
        Err(Problem::Unknown {
            nearest: nearest(reference),
        })
    };
    let bytes = bytes.map_err(|problem| TemplateError {
        template: reference.to_owned(),
        digest: None,
        phase: Phase::Read,
        problem: Box::new(problem),
        stderr: Vec::new(),
    })?;
    Ok(Source {
        name_hint: reference.to_owned(),
        built_in: false,
        digest: Digest::of(&bytes),
        bytes: Cow::Owned(bytes),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let metadata = std::fs::metadata(path).map_err(Problem::Unreadable)?;
    if !metadata.is_file() {
        return Err(Problem::NotAFile);
    }
    let too_large = Problem::TooLarge {
        limit: MAX_COMPONENT,
    };
    if metadata.len() > MAX_COMPONENT {
        return Err(too_large);
    }
    let file = File::open(path).map_err(Problem::Unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_COMPONENT + 1)
        .read_to_end(&mut bytes)
        .map_err(Problem::Unreadable)?;
    if bytes.len() as u64 > MAX_COMPONENT {
        // It grew.
        return Err(too_large);
    }
    Ok(bytes)
}

fn nearest(reference: &str) -> Option<&'static str> {
    BUILT_IN
        .iter()
        .map(|(name, _)| (strsim::damerau_levenshtein(reference, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= name.len() / 3)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(reference: &str, base: &Path) -> Problem {
        *find(reference, base).unwrap_err().problem
    }

    #[test]
    fn paths_and_names() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.wasm"), b"abc").unwrap();
        for reference in ["x.wasm", "./x.wasm"] {
            let source = find(reference, folder.path()).unwrap();
            assert!(!source.built_in);
            assert_eq!(source.digest, Digest::of(b"abc"));
        }
        assert!(matches!(
            problem("x", folder.path()),
            Problem::Unknown { .. }
        ));
        assert!(matches!(
            problem("./y.wasm", folder.path()),
            Problem::Unreadable(_)
        ));
        assert!(matches!(problem("./", folder.path()), Problem::NotAFile));
    }

    #[test]
    fn a_file_without_end_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge.wasm");
        File::create(&path)
            .unwrap()
            .set_len(MAX_COMPONENT + 1)
            .unwrap();
        assert!(matches!(
            problem("./huge.wasm", folder.path()),
            Problem::TooLarge { .. }
        ));
        assert!(matches!(
            problem("/dev/zero", folder.path()),
            Problem::NotAFile
        ));
    }
}
