//! Which Python a console script runs under, read from the script itself.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::process::find_on_path;

/// A console script is a few lines; its first two say everything.
const HEAD: u64 = 8 * 1024;

/// The interpreter of a console script as pip, uv and pipx write them: in the first line, or, where
/// that would be too long for the kernel, in a line of shell that replaces itself. Links in its path
/// are not followed: a virtual environment is known by where its `python` lies.
pub(super) fn interpreter(script: &Path, path: Option<&OsStr>) -> Option<PathBuf> {
    let mut head = Vec::new();
    File::open(script)
        .ok()?
        .take(HEAD)
        .read_to_end(&mut head)
        .ok()?;
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?.strip_prefix(b"#!")?.trim_ascii();
    let mut words = first.splitn(2, u8::is_ascii_whitespace);
    let program = words.next()?;
    let rest = words.next().unwrap_or_default().trim_ascii();
    let name = program.rsplit(|byte| *byte == b'/').next()?;
    if name == b"env" {
        let name = rest.rsplit(u8::is_ascii_whitespace).next()?;
        return name
            .starts_with(b"python")
            .then(|| find_on_path(std::str::from_utf8(name).ok()?, path?))
            .flatten();
    }
    if name == b"sh" {
        return trampoline(lines.next()?, script);
    }
    name.starts_with(b"python")
        .then(|| PathBuf::from(OsStr::from_bytes(program)))
}

/// `'''exec' "/a long path/python" "$0" "$@"`, and uv's relocatable
/// `'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python' "$0" "$@"`.
fn trampoline(line: &[u8], script: &Path) -> Option<PathBuf> {
    let line = std::str::from_utf8(line).ok()?;
    let call = line.strip_prefix("'''exec' ")?;
    let call = call.strip_suffix("\"$0\" \"$@\"")?.trim_end();
    if let Some(beside) = call.strip_prefix("\"$(dirname -- \"$(realpath -- \"$0\")\")\"/") {
        return Some(script.parent()?.join(word(beside)?));
    }
    Some(PathBuf::from(word(call)?))
}

/// One word of a shell, without what quotes it.
fn word(text: &str) -> Option<String> {
    let mut words = shell_words::split(text).ok()?;
    (words.len() == 1).then(|| words.remove(0))
}

/// What a shim of pyenv stands for. Its own choice is followed: the environment, else the global
/// versions; else any version that has the program, for a run has no folder whose choice would count.
pub(super) fn behind_shim(shim: &Path, version: Option<&str>) -> Option<PathBuf> {
    let (folder, program) = (shim.parent()?, shim.file_name()?);
    let root = (folder.file_name()? == "shims").then(|| folder.parent())??;
    let versions = root.join("versions");
    let global = std::fs::read_to_string(root.join("version")).unwrap_or_default();
    let chosen = version.map_or_else(
        || global.split_whitespace().collect::<Vec<_>>(),
        |version| version.split(':').collect(),
    );
    let of = |version: &OsStr| versions.join(version).join("bin").join(program);
    let chosen = chosen.iter().map(|version| of(OsStr::new(version)));
    let mut all: Vec<_> = std::fs::read_dir(&versions)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| of(&entry.file_name()))
        .collect();
    all.sort();
    chosen
        .chain(all.into_iter().rev())
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<PathBuf> {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("mngr");
        std::fs::write(&script, text).unwrap();
        let found = interpreter(&script, Some(OsStr::new("/nowhere")))?;
        Some(match found.strip_prefix(folder.path()) {
            Ok(rest) => Path::new("BESIDE").join(rest),
            Err(_) => found,
        })
    }

    #[test]
    fn first_lines() {
        let cases = [
            (
                "#!/opt/venv/bin/python3\n# -*- coding: utf-8 -*-\n",
                Some("/opt/venv/bin/python3"),
            ),
            (
                "#! /opt/venv/bin/python3.12 -I\nimport sys\n",
                Some("/opt/venv/bin/python3.12"),
            ),
            (
                "#!/bin/sh\n'''exec' \"/home/ada/a long place/bin/python\" \"$0\" \"$@\"\n' '''\n",
                Some("/home/ada/a long place/bin/python"),
            ),
            (
                "#!/bin/sh\n'''exec' /home/ada/long/bin/python \"$0\" \"$@\"\n' '''\n",
                Some("/home/ada/long/bin/python"),
            ),
            (
                "#!/bin/sh\n'''exec' '/home/ada/long place/bin/python3' \"$0\" \"$@\"\n' '''\n",
                Some("/home/ada/long place/bin/python3"),
            ),
            (
                "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python3' \"$0\" \"$@\"\n' '''\n",
                Some("BESIDE/python3"),
            ),
            ("#!/usr/bin/env bash\nset -e\nexec pyenv exec mngr\n", None),
            ("#!/usr/bin/env python3\n", None),
            ("#!/bin/sh\nexec python -m imbue.mngr \"$@\"\n", None),
            ("#!/bin/sh", None),
            ("\x7fELF", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), expected.map(PathBuf::from), "{text}");
        }
    }

    #[test]
    fn a_python_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("python3");
        let script = folder.path().join("mngr");
        for file in [&python, &script] {
            std::fs::write(file, "#!/usr/bin/env -S python3\n").unwrap();
        }
        std::fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        let path = folder.path().as_os_str();
        assert_eq!(interpreter(&script, Some(path)), Some(python));
    }

    #[test]
    fn shims() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for version in ["3.11.7", "3.12.1", "3.13.0"] {
            let bin = root.join("versions").join(version).join("bin");
            std::fs::create_dir_all(&bin).unwrap();
            if version != "3.13.0" {
                std::fs::write(bin.join("mngr"), "#!").unwrap();
            }
        }
        let shim = root.join("shims/mngr");
        let behind = |version| {
            behind_shim(&shim, version)
                .map(|file| file.strip_prefix(root).unwrap().display().to_string())
        };
        let of = |version: &str| Some(format!("versions/{version}/bin/mngr"));
        assert_eq!(behind(None), of("3.12.1"));
        assert_eq!(behind(Some("3.11.7")), of("3.11.7"));
        std::fs::write(root.join("version"), "3.13.0\n3.11.7\n").unwrap();
        assert_eq!(behind(None), of("3.11.7"));
        assert_eq!(behind(Some("3.13.0:3.12.1")), of("3.12.1"));
        assert_eq!(behind_shim(&root.join("bin/mngr"), None), None);
    }
}
