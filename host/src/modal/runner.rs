//! How the `changeling` program gets into the container: as a file that is mounted, or by steps of the
//! image that fetch or build it.

mod elf;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::document::{FOLDER, RUNNER};
use super::image::{Image, Step};
use crate::config::{FilePath, Modal};
use crate::context::{Context, create_private_dir};
use crate::error::{Error, Kind};
use crate::names::{Digest, printable_lines};
use crate::process::Command;
use crate::python::executable;
use elf::Misfit;

/// Where the image keeps a program that it fetched or built.
const IN_IMAGE: &str = "/usr/local/bin/changeling";

/// Where the image puts what it fetches.
const FETCHED: &str = "/tmp/changeling";

/// Where the release for Linux may lie: beside this program, under one of these names. The second is the
/// one it is given away under.
pub const BESIDE: [&str; 2] = [
    "changeling-x86_64-unknown-linux-musl",
    concat!(
        "changeling-",
        env!("CARGO_PKG_VERSION"),
        "-x86_64-unknown-linux-musl.tar.gz"
    ),
];

/// How releases are packed: a folder with the program in it.
const PACKED: &str = ".tar.gz";

/// Sources, packed: beside the document, and in the image while it is built.
pub const SOURCES: &str = "source.tar.gz";

/// The program of one deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// Its path in the container.
    pub path: String,
    /// `None`: known when the image has built it.
    pub digest: Option<Digest>,
    pub source: Source,
}

/// Where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file here, mounted.
    File(PathBuf),
    /// A step of the image fetches it.
    Url(Step),
    /// The image builds it from the last commit of a repository here.
    Sources(PathBuf, Step),
}

/// Why there is no program for the container.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    #[error("this program cannot run on Modal: {0}")]
    NotThisOne(Misfit),
    #[error("{path} cannot run on Modal: {misfit}")]
    NotThat { path: String, misfit: Misfit },
    #[error("cannot read {path}, which `runner` names")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{0}, which `runner` names, is not executable")]
    NotExecutable(String),
    #[error("there is no program in {path}")]
    NotUnpacked {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{0} has no Cargo.toml: it is no folder with the sources of changelings")]
    NoSources(String),
    #[error("`runner` names a URL without the checksum of what is there")]
    NoChecksum,
    #[error("`runner` names a URL that is not https")]
    NotHttps,
}

impl From<RunnerError> for Error {
    fn from(error: RunnerError) -> Self {
        let hint = match &error {
            RunnerError::NotThisOne(_) | RunnerError::NotThat { .. } => format!(
                "put the release for Linux beside this program as it is ({}), or name it: runner = \"PATH\" or \
                 \"https://...#sha256=...\"; or let the image build it: runner = \"FOLDER WITH THE SOURCES\"",
                BESIDE[1]
            ),
            RunnerError::NotExecutable(path) => format!("chmod +x {}", shell_words::quote(path)),
            RunnerError::Read { .. }
            | RunnerError::NoSources(_)
            | RunnerError::NotUnpacked { .. } => {
                "`runner` is \"auto\", the path of a program for Linux or of a release (.tar.gz), a folder \
                 with sources, or an https URL"
                    .to_owned()
            }
            RunnerError::NoChecksum | RunnerError::NotHttps => {
                "write runner = \"https://HOST/RELEASE.tar.gz#sha256=64 HEXADECIMAL DIGITS\"".to_owned()
            }
        };
        Self::from_source(Kind::Usage, error).with_hint(hint)
    }
}

impl Runner {
    /// What a changeling's `runner` means. `base` is the folder of the configuration, `this` the
    /// program that runs now.
    ///
    /// # Errors
    /// It names nothing that can run in the image.
    pub fn choose(
        modal: &Modal,
        base: &Path,
        this: &Path,
        context: &Context,
    ) -> Result<Self, RunnerError> {
        let glibc = Image::glibc(modal);
        match modal.runner.as_str() {
            "auto" => Self::auto(this, glibc, context),
            url if url.contains("://") => Self::at_url(url),
            path => {
                let home = context.env.get_os("HOME").map(Path::new);
                let file = FilePath(path.to_owned()).resolve(base, home);
                Self::named(&file, glibc, context)
            }
        }
    }

    /// Stands for one that is not there yet, where a deployment is only shown.
    pub fn unknown() -> Self {
        Self {
            path: format!("{FOLDER}/{RUNNER}"),
            digest: None,
            source: Source::File(PathBuf::new()),
        }
    }

    /// How large the file is, when there is one.
    pub fn bytes(&self) -> Option<u64> {
        match &self.source {
            Source::File(file) => std::fs::metadata(file).ok().map(|found| found.len()),
            Source::Url(_) | Source::Sources(..) => None,
        }
    }

    fn auto(
        this: &Path,
        glibc: Option<(u32, u32)>,
        context: &Context,
    ) -> Result<Self, RunnerError> {
        let read = |file: &Path| std::fs::read(file).ok();
        let misfit = match read(this) {
            Some(bytes) => match elf::fits(&bytes, glibc) {
                Ok(()) => return Ok(Self::mounted(this.to_owned(), &bytes)),
                Err(misfit) => misfit,
            },
            None => Misfit::NotLinux,
        };
        for name in BESIDE {
            let beside = this.with_file_name(name);
            if beside.is_file()
                && let program = program(&beside, context)?
                && let Some(bytes) = read(&program)
                && elf::fits(&bytes, glibc).is_ok()
            {
                return Ok(Self::mounted(program, &bytes));
            }
        }
        Err(RunnerError::NotThisOne(misfit))
    }

    fn named(
        file: &Path,
        glibc: Option<(u32, u32)>,
        context: &Context,
    ) -> Result<Self, RunnerError> {
        let path = context.shown(file);
        if file.is_dir() {
            return if file.join("Cargo.toml").is_file() {
                Ok(Self {
                    path: IN_IMAGE.to_owned(),
                    digest: None,
                    source: Source::Sources(file.to_owned(), build()),
                })
            } else {
                Err(RunnerError::NoSources(path))
            };
        }
        let file = program(file, context)?;
        let bytes = std::fs::read(&file).map_err(|source| RunnerError::Read {
            path: path.clone(),
            source,
        })?;
        match elf::fits(&bytes, glibc) {
            Ok(()) if executable(&file).is_none() => Err(RunnerError::NotExecutable(path)),
            Ok(()) => Ok(Self::mounted(file, &bytes)),
            Err(misfit) => Err(RunnerError::NotThat { path, misfit }),
        }
    }

    fn mounted(file: PathBuf, bytes: &[u8]) -> Self {
        Self {
            path: format!("{FOLDER}/{RUNNER}"),
            digest: Some(Digest::of(bytes)),
            source: Source::File(file),
        }
    }

    fn at_url(text: &str) -> Result<Self, RunnerError> {
        let (url, fragment) = text.split_once('#').ok_or(RunnerError::NoChecksum)?;
        let digest = fragment
            .strip_prefix("sha256=")
            .and_then(|digits| Digest::try_from(digits.to_owned()).ok())
            .ok_or(RunnerError::NoChecksum)?;
        let parsed = url::Url::parse(url).ok();
        let parsed = parsed.filter(|url| url.scheme() == "https");
        let is_packed = parsed
            .ok_or(RunnerError::NotHttps)?
            .path()
            .ends_with(PACKED);
        let url = shell_words::quote(url);
        let step = Step::RunCommands(vec![
            format!("curl --fail --silent --show-error --location --output {FETCHED} {url}"),
            format!("echo '{digest}  {FETCHED}' | sha256sum --check"),
            if is_packed {
                format!(
                    "tar --extract --gzip --to-stdout --wildcards --file {FETCHED} '*/changeling' > {IN_IMAGE}"
                )
            } else {
                format!("cp {FETCHED} {IN_IMAGE}")
            },
            // What cannot run stops the image, and not every night.
            format!("chmod 755 {IN_IMAGE} && {IN_IMAGE} --version && rm {FETCHED}"),
        ]);
        Ok(Self {
            path: IN_IMAGE.to_owned(),
            digest: Some(digest),
            source: Source::Url(step),
        })
    }

    /// What the image does for it.
    pub fn steps(&self) -> Vec<Step> {
        match &self.source {
            Source::File(_) => Vec::new(),
            Source::Url(step) => vec![step.clone()],
            Source::Sources(_, step) => vec![
                Step::AptInstall(vec!["build-essential".to_owned()]),
                Step::Copy([SOURCES.to_owned(), format!("/tmp/{SOURCES}")]),
                step.clone(),
            ],
        }
    }
}

/// The program a file is, or that was taken out of it: a release is packed. Unpacked once.
fn program(file: &Path, context: &Context) -> Result<PathBuf, RunnerError> {
    let is_packed = file.to_string_lossy().ends_with(PACKED);
    if !is_packed {
        return Ok(file.to_owned());
    }
    unpacked(file, context).map_err(|source| RunnerError::NotUnpacked {
        path: context.shown(file),
        source,
    })
}

fn unpacked(archive: &Path, context: &Context) -> std::io::Result<PathBuf> {
    let digest = Digest::of(&std::fs::read(archive)?);
    let cache = context.home.cache_dir();
    let program = cache.join(format!("changeling-{}", digest.short()));
    if program.is_file() {
        return Ok(program);
    }
    create_private_dir(&cache)?;
    let aside = tempfile::tempdir_in(&cache)?;
    let tar = Command::new("tar")
        .args(["-x", "-z", "-f"])
        .arg(archive)
        .cwd(aside.path())
        .env("PATH", context.env.get_os("PATH").unwrap_or_default())
        .run()
        .map_err(std::io::Error::other)?;
    let folders = std::fs::read_dir(aside.path())?.flatten();
    let found = folders
        .map(|folder| folder.path().join("changeling"))
        .find(|file| file.is_file());
    match found {
        Some(found) if tar.success() => {
            std::fs::set_permissions(&found, std::fs::Permissions::from_mode(0o755))?;
            std::fs::rename(found, &program)?;
        }
        _ if tar.success() => {
            return Err(std::io::Error::other("it has no `changeling` in a folder"));
        }
        _ => {
            let said = String::from_utf8_lossy(&tar.stderr);
            return Err(std::io::Error::other(printable_lines(said.trim_end())));
        }
    }
    Ok(program)
}

/// Builds what lies in the image at `/tmp/SOURCES`, and leaves nothing but the program.
fn build() -> Step {
    let cargo = ". /tmp/rust/cargo/env && CARGO_HOME=/tmp/rust/cargo RUSTUP_HOME=/tmp/rust/rustup \
                 CARGO_TARGET_DIR=/tmp/build cargo build --release --locked --package changelings \
                 --bin changeling --manifest-path /tmp/source/Cargo.toml";
    Step::RunCommands(vec![
        format!(
            "mkdir /tmp/source && tar --extract --gzip --file /tmp/{SOURCES} --directory /tmp/source"
        ),
        "curl --proto '=https' --tlsv1.2 --fail --silent --show-error https://sh.rustup.rs \
         | CARGO_HOME=/tmp/rust/cargo RUSTUP_HOME=/tmp/rust/rustup sh -s -- -y --no-modify-path \
         --profile minimal --default-toolchain none"
            .to_owned(),
        format!("cd /tmp/source && {cargo}"),
        format!("install --mode=755 /tmp/build/release/changeling {IN_IMAGE}"),
        format!("rm -r /tmp/source /tmp/rust /tmp/build /tmp/{SOURCES}"),
    ])
}

#[cfg(test)]
mod tests;
