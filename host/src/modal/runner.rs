//! How the `changeling` program gets into the container: as a file that is mounted, or by steps of the
//! image that fetch or build it.

mod elf;

use std::path::{Path, PathBuf};

use super::document::{FOLDER, RUNNER};
use super::image::{Image, Step};
use crate::config::{FilePath, Modal};
use crate::context::Context;
use crate::error::{Error, Kind};
use crate::names::Digest;
use crate::python::executable;
use elf::Misfit;

/// Where the image keeps a program that it fetched or built.
const IN_IMAGE: &str = "/usr/local/bin/changeling";

/// Where the release for Linux may lie: beside this program, under this name.
pub const BESIDE: &str = "changeling-x86_64-unknown-linux-musl";

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
                "put the release for Linux ({BESIDE}) beside this program, or name it: \
                 runner = \"PATH\"; or runner = \"https://...#sha256=...\"; or let the image build it: \
                 runner = \"FOLDER WITH THE SOURCES\""
            ),
            RunnerError::NotExecutable(path) => format!("chmod +x {}", shell_words::quote(path)),
            RunnerError::Read { .. } | RunnerError::NoSources(_) => {
                "`runner` is \"auto\", the path of a program for Linux, a folder with sources, or an https \
                 URL"
                .to_owned()
            }
            RunnerError::NoChecksum | RunnerError::NotHttps => {
                "write runner = \"https://HOST/changeling#sha256=64 HEXADECIMAL DIGITS\"".to_owned()
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
            "auto" => Self::auto(this, glibc),
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

    fn auto(this: &Path, glibc: Option<(u32, u32)>) -> Result<Self, RunnerError> {
        let read = |file: &Path| std::fs::read(file).ok();
        let misfit = match read(this) {
            Some(bytes) => match elf::fits(&bytes, glibc) {
                Ok(()) => return Ok(Self::mounted(this.to_owned(), &bytes)),
                Err(misfit) => misfit,
            },
            None => Misfit::NotLinux,
        };
        let beside = this.with_file_name(BESIDE);
        match read(&beside) {
            Some(bytes) if elf::fits(&bytes, glibc).is_ok() => Ok(Self::mounted(beside, &bytes)),
            _ => Err(RunnerError::NotThisOne(misfit)),
        }
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
        let bytes = std::fs::read(file).map_err(|source| RunnerError::Read {
            path: path.clone(),
            source,
        })?;
        match elf::fits(&bytes, glibc) {
            Ok(()) if executable(file).is_none() => Err(RunnerError::NotExecutable(path)),
            Ok(()) => Ok(Self::mounted(file.to_owned(), &bytes)),
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
        let is_https = url::Url::parse(url).is_ok_and(|url| url.scheme() == "https");
        if !is_https {
            return Err(RunnerError::NotHttps);
        }
        let url = shell_words::quote(url);
        let step = Step::RunCommands(vec![
            format!("curl --fail --silent --show-error --location --output {IN_IMAGE} {url}"),
            format!("echo '{digest}  {IN_IMAGE}' | sha256sum --check"),
            format!("chmod 755 {IN_IMAGE}"),
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
