//! Modal's client in a place of its own, whose Python notes every time it is started.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::TestEnv;
use crate::tools;

/// For `[modal] binary`.
#[derive(Debug)]
pub struct CountedClient {
    program: PathBuf,
    calls: PathBuf,
}

impl CountedClient {
    /// `None` after a loud word: there is no client.
    ///
    /// # Panics
    /// Its files cannot be written.
    #[track_caller]
    pub fn new(env: &TestEnv) -> Option<Self> {
        let bin = tools::modal()?.parent()?;
        let home = bin.parent()?;
        let venv = env.root().join("counted");
        std::fs::create_dir_all(venv.join("bin")).expect("making a folder of the test");
        symlink(home.join("lib"), venv.join("lib")).expect("making a link");
        std::fs::copy(home.join("pyvenv.cfg"), venv.join("pyvenv.cfg")).expect("copying a file");
        let write = |name: &str, text: &str| {
            let file = env.write(&format!("counted/bin/{name}"), text);
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))
                .expect("making a file executable");
            file
        };
        let calls = venv.join("calls");
        let python = format!(
            "#!/bin/sh\necho called >> '{}'\nexec '{}' \"$@\"\n",
            calls.display(),
            bin.join("python").display()
        );
        let python = write("python", &python);
        let program = write("modal", &format!("#!{}\nimport modal\n", python.display()));
        Some(Self { program, calls })
    }

    /// The `modal` program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// How many times its Python was started so far.
    pub fn calls(&self) -> usize {
        let text = std::fs::read_to_string(&self.calls).unwrap_or_default();
        text.lines().count()
    }
}
