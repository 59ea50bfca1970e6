//! Which packages a Python has, read from the names of their folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Version;

/// Names are written as pip compares them: lowercase, with hyphens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Packages {
    versions: BTreeMap<String, Version>,
    /// Python finds them only while it knows this folder as the user's own (`pip install --user`).
    pub(crate) user_base: Option<PathBuf>,
}

impl Packages {
    pub(crate) fn version(&self, name: &str) -> Option<Version> {
        self.versions.get(name).copied()
    }

    /// What `interpreter` can import; else what lies beside `script`, which is where `pip install
    /// --user` and Homebrew put it. The first place that has one of `wanted` counts.
    pub(super) fn of(interpreter: &Path, script: &Path, wanted: &[&str]) -> Option<Self> {
        let python = std::fs::canonicalize(interpreter).ok();
        let minor = python.as_deref().and_then(Path::file_name);
        let minor = minor.and_then(|name| name.to_str()).unwrap_or_default();
        let above = |file: &Path| Some(file.parent()?.parent()?.to_owned());
        let own = above(interpreter);
        let is_system = own.as_deref() == Some(Path::new("/usr"));
        let local = is_system.then(|| PathBuf::from("/usr/local"));
        let beside = above(script);
        let bases = [&own, &local, &beside].into_iter().flatten();
        for base in bases {
            let versions = installed(base, minor);
            if wanted.iter().any(|name| versions.contains_key(*name)) {
                let is_users = is_system && Some(base) == beside.as_ref();
                return Some(Self {
                    versions,
                    user_base: is_users.then(|| base.clone()),
                });
            }
        }
        None
    }
}

/// What is installed below `base`, for the Python of this minor version (`python3.12`) when that is
/// known.
fn installed(base: &Path, minor: &str) -> BTreeMap<String, Version> {
    let folders = |path: &Path| {
        let mut entries: Vec<_> = std::fs::read_dir(path)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        entries.sort();
        entries
    };
    let mut found = BTreeMap::new();
    for library in ["lib", "lib64"].map(|name| base.join(name)) {
        let pythons = folders(&library)
            .into_iter()
            .filter(|name| name.starts_with("python3"))
            .filter(|name| !minor.starts_with("python3.") || name == minor || name == "python3");
        for python in pythons {
            for kind in ["site-packages", "dist-packages"] {
                let packages = folders(&library.join(&python).join(kind));
                found.extend(packages.iter().filter_map(|name| package(name)));
            }
        }
    }
    found
}

/// `imbue_mngr_claude-0.3.0.dist-info`.
fn package(folder: &str) -> Option<(String, Version)> {
    let (name, version) = folder.strip_suffix(".dist-info")?.split_once('-')?;
    let name = name.to_lowercase().replace(['_', '.'], "-");
    Some((name, version.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn have(base: &Path, python: &str, packages: &[&str]) {
        let folder = base.join("lib").join(python).join("site-packages");
        for package in packages {
            std::fs::create_dir_all(folder.join(format!("{package}.dist-info"))).unwrap();
        }
    }

    #[test]
    fn a_virtual_environment() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        have(
            base,
            "python3.12",
            &[
                "imbue_mngr-0.3.0",
                "imbue_mngr_wait-0.2.0",
                "Py.Infra-3.10.0",
                "broken",
            ],
        );
        let found = Packages::of(
            &base.join("bin/python"),
            Path::new("/else/bin/mngr"),
            &["imbue-mngr"],
        )
        .unwrap();
        assert_eq!(found.version("imbue-mngr"), Some(Version::new(0, 3, 0)));
        assert_eq!(found.version("py-infra"), Some(Version::new(3, 10, 0)));
        assert_eq!(found.version("imbue-mngr-claude"), None);
        assert_eq!(found.user_base, None);
        assert_eq!(
            Packages::of(
                &base.join("bin/python"),
                Path::new("/else/bin/mngr"),
                &["mng"]
            ),
            None
        );
    }

    #[test]
    fn the_users_own_beside_the_script() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        have(home, "python3.12", &["imbue_mngr-0.3.0"]);
        let script = home.join("bin/mngr");
        let found = Packages::of(
            Path::new("/usr/bin/no-such-python3"),
            &script,
            &["imbue-mngr"],
        )
        .unwrap();
        assert_eq!(found.user_base.as_deref(), Some(home));
        // Of two Pythons the interpreter's own counts.
        let link = home.join("bin/python3");
        std::fs::create_dir_all(home.join("bin")).unwrap();
        std::fs::write(home.join("bin/python3.11"), "").unwrap();
        std::os::unix::fs::symlink("python3.11", &link).unwrap();
        have(home, "python3.11", &["imbue_mngr-0.2.2"]);
        let found = Packages::of(&link, &script, &["imbue-mngr"]).unwrap();
        assert_eq!(found.version("imbue-mngr"), Some(Version::new(0, 2, 2)));
    }
}
