//! Components compiled by this program, in a folder of its own: compiled once, mapped into memory
//! afterwards.
//!
//! A file is named by the component's sha256 and by everything that decides whether this program can
//! run it (wasmtime's version and configuration, the processor's abilities).

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use wasmtime::Engine;
use wasmtime::component::Component;

use super::catalog::Source;
use super::compile;
use super::error::Problem;
use crate::names::Digest;

/// Files of other versions of this program are removed after this long without use.
const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// The component, from the store when it is there, else compiled into it.
pub(super) fn load(engine: &Engine, source: &Source, folder: &Path) -> Result<Component, Problem> {
    let failed = |error| Problem::Store {
        folder: folder.display().to_string(),
        error,
    };
    make_private(folder).map_err(failed)?;
    let fingerprint = fingerprint(engine);
    let file = file_of(folder, &source.digest, fingerprint);
    if let Some(component) = open(engine, &file) {
        return Ok(component);
    }
    tracing::info!("compiling {} ({})", source.name_hint, source.digest);
    let fresh = compile::compile(&source.bytes, folder)?;
    fs::rename(&fresh, &file).map_err(failed)?;
    prune(folder, fingerprint);
    open(engine, &file).ok_or_else(|| {
        failed(io::Error::other(
            "what was just compiled there cannot be loaded",
        ))
    })
}

/// Whether the component was compiled before.
pub(super) fn has(engine: &Engine, source: &Source, folder: &Path) -> bool {
    file_of(folder, &source.digest, fingerprint(engine)).is_file()
}

fn fingerprint(engine: &Engine) -> u64 {
    // The same in every process of this program, which is all that is needed.
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

fn file_of(folder: &Path, digest: &Digest, fingerprint: u64) -> PathBuf {
    folder.join(format!("{digest}-{fingerprint:016x}.cwasm"))
}

/// Maps a compiled component. `None` when it is not there, or is not what it should be: then it is
/// compiled again.
fn open(engine: &Engine, file: &Path) -> Option<Component> {
    let metadata = fs::symlink_metadata(file).ok()?;
    if !metadata.is_file() || !is_private(&metadata) {
        return None;
    }
    // SAFETY: `deserialize_file` needs a file that `Engine::precompile_component` made and that does
    // not change while it is mapped. This one is a plain file of this user, writable for nobody
    // else, in a folder of this user that nobody else can enter or write to (`make_private`). Only
    // `load` puts files of this name there: it compiles components itself (`compile`) and moves the
    // result into place whole, so no file is written to once it has its name; nothing compiled is
    // ever taken from outside. Wasmtime itself refuses other versions and configurations of itself.
    // Whoever can write there all the same runs as this user and has no need of this way in.
    #[expect(
        unsafe_code,
        reason = "the only way to use what was compiled; proof above"
    )]
    let component = unsafe { Component::deserialize_file(engine, file) };
    component
        .inspect_err(|error| tracing::debug!("{} is compiled again: {error:#}", file.display()))
        .ok()
}

/// Makes the folder, or makes sure that it is this user's alone.
fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let metadata = fs::symlink_metadata(folder)?;
    if !metadata.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotADirectory,
            "it is no folder",
        ));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another user",
        ));
    }
    if metadata.mode() & 0o077 != 0 {
        // Others could have put something there; what they put does not count.
        for entry in fs::read_dir(folder)? {
            fs::remove_file(entry?.path())?;
        }
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn is_private(metadata: &fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
}

/// Removes what other versions of this program left long ago, and what a killed one left half done.
fn prune(folder: &Path, fingerprint: u64) {
    let ours = format!("-{fingerprint:016x}.cwasm");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let old = entry.metadata().is_ok_and(|metadata| {
            let used = metadata
                .accessed()
                .into_iter()
                .chain(metadata.modified())
                .max();
            used.and_then(|used| SystemTime::now().duration_since(used).ok())
                .is_some_and(|age| age > KEPT_FOR)
        });
        if old && !entry.file_name().to_string_lossy().ends_with(&ours) {
            // Somebody else may have been quicker.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_ours_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/components");
        make_private(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);

        fs::write(folder.join("planted.cwasm"), "x").unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        make_private(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);

        let link = home.path().join("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        assert!(make_private(&link).is_err());
    }

    #[test]
    fn what_is_damaged_is_not_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let engine = super::super::engine::engine().unwrap();
        let file = folder.path().join("x.cwasm");
        assert!(open(&engine, &file).is_none());
        for bytes in [&b""[..], b"not an object file", &[0x7f; 5_000]] {
            fs::write(&file, bytes).unwrap();
            assert!(open(&engine, &file).is_none());
        }
    }
}
