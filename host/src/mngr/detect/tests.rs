use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A made installation; nothing in it can run.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// `base` gets the packages, and a `python` in `bin`.
    fn with(packages: &[&str]) -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let site = place.path("tool/lib/python3.12/site-packages");
        for package in packages {
            std::fs::create_dir_all(site.join(format!("{package}.dist-info"))).unwrap();
        }
        place.program("tool/bin/python", "not run");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        // The temporary folder can be a link.
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    fn script(&self, name: &str) -> PathBuf {
        let python = self.path("tool/bin/python");
        self.program(name, &format!("#!{}\nimport sys\n", python.display()))
    }

    fn look(&self, found: &Path) -> Result<Installed, MngrError> {
        let env = Environment::from_pairs([("PATH", "/nowhere")]);
        Installed::at(found, &self.path("cache"), &env)
    }
}

const COMPLETE: [&str; 4] = [
    "imbue_mngr-0.3.0",
    "imbue_mngr_claude-0.3.0",
    "imbue_mngr_wait-0.2.0",
    "pyinfra-3.10.0",
];

#[test]
fn by_uv_or_pipx_a_link_into_an_environment() {
    let place = Place::with(&COMPLETE);
    let script = place.script("tool/bin/mngr");
    let link = place.path("bin/mngr");
    std::fs::create_dir(place.path("bin")).unwrap();
    symlink(&script, &link).unwrap();
    let expected = Installed {
        program: script,
        version: Some(Version::new(0, 3, 0)),
        dialect: Dialect::Current,
        has_claude: true,
        has_wait: true,
        user_base: None,
    };
    assert_eq!(place.look(&link).unwrap(), expected);
}

#[test]
fn by_a_shim_of_pyenv() {
    let place = Place::with(&["imbue_mngr-0.2.17"]);
    let script = place.script("pyenv/versions/3.12.1/bin/mngr");
    let shim = place.program(
        "pyenv/shims/mngr",
        "#!/usr/bin/env bash\nexec pyenv exec mngr\n",
    );
    let found = place.look(&shim).unwrap();
    assert_eq!(found.program, script);
    assert_eq!(found.version, Some(Version::new(0, 2, 17)));
    assert!(!found.has_wait && !found.has_claude);
}

#[test]
fn versions_that_cannot_work() {
    let look = |packages: &[&str]| {
        let place = Place::with(packages);
        let script = place.script("tool/bin/mngr");
        place.look(&script).map(|found| found.dialect)
    };
    let trap = |version| MngrError::Trap {
        version,
        pyinfra: Version::new(3, 8, 0),
    };
    let (first, last) = (Version::new(0, 2, 0), Version::new(0, 2, 6));
    assert_eq!(look(&["imbue_mngr-0.2.0", "pyinfra-3.8"]), Err(trap(first)));
    assert_eq!(look(&["imbue_mngr-0.2.6", "pyinfra-3.8"]), Err(trap(last)));
    assert_eq!(
        look(&["imbue_mngr-0.2.6", "pyinfra-3.7"]),
        Ok(Dialect::Current)
    );
    assert_eq!(
        look(&["imbue_mngr-0.2.2", "pyinfra-3.7"]),
        Ok(Dialect::Middle)
    );
    assert_eq!(
        look(&["imbue_mngr-0.2.7", "pyinfra-3.10.0"]),
        Ok(Dialect::Current)
    );
    assert_eq!(look(&["mng-0.1.4", "pyinfra-3.10.0"]), Ok(Dialect::Legacy));
    assert_eq!(
        look(&["mng-0.1.0"]),
        Err(MngrError::TooOld(Version::new(0, 1, 0)))
    );
    // The new name's version counts where both are: the old one is an empty shell around it.
    assert_eq!(
        look(&["mng-0.1.9", "imbue_mngr-0.2.0", "pyinfra-3.7"]),
        Ok(Dialect::Middle)
    );
}

#[test]
fn without_a_word_of_its_folders_it_is_asked() {
    let place = Place::with(&[]);
    let program = place.program(
        "bin/mngr",
        "#!/bin/sh\necho \"$1 $2: --transfer --command\"\n",
    );
    let found = place.look(&program).unwrap();
    assert_eq!((found.version, found.dialect), (None, Dialect::Middle));
    assert_eq!(found.program, program);
    let broken = place.program(
        "else/mngr",
        "#!/bin/sh\necho 'No module named x' >&2\nexit 1\n",
    );
    assert_eq!(
        place.look(&broken).unwrap_err().to_string(),
        format!(
            "mngr at {} cannot be used: `create --help` ends with exit code 1: No module named x",
            broken.display()
        )
    );
}
