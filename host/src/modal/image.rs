//! What the container's image is made of, as data that `app.py` applies in order. What changes least
//! comes first, so that a change rebuilds no more than it must; job, template and program are no part
//! of it at all, unless the program is built there.

use serde::{Deserialize, Serialize};

use crate::config::Modal;

/// The base unless the changeling names another: Debian 12, and the Python that runs `app.py`.
const BASE: &str = "python:3.12.11-slim-bookworm";
/// glibc of `BASE`.
pub(super) const BASE_GLIBC: (u32, u32) = (2, 36);
/// Added to a base of the changeling's own, which may have none or another.
const PYTHON: &str = "3.12";

/// Of Debian: what runs, mngr and agents need; what looks after them.
const APT: [&str; 11] = [
    "ca-certificates",
    "curl",
    "gh",
    "git",
    "jq",
    "npm",
    "openssh-client",
    "procps",
    "ripgrep",
    "tmux",
    "tzdata",
];

/// mngr and what it needs of plugins, as tested; in an environment of its own, so that nothing a
/// changeling's `pip` installs can break it.
const MNGR: [&str; 3] = [
    "imbue-mngr==0.3.0",
    "imbue-mngr-claude==0.3.0",
    "imbue-mngr-wait==0.2.0",
];
/// Nothing newer than this day: dependencies of mngr are as they were when it was tested.
const NEWEST: &str = "2026-11-20";
const UV: &str = "uv==0.13.9";

const CLAUDE: &str = "2.1.330";
/// npm's checksum of the package for Linux on x86-64.
const CLAUDE_SHA512: &str = "f469fe57b0ed27c3359f3b4ff42783565f60dd1b6b7a923bace153c8f4519d97bc0facde6c81ca982ecebc16aeb9cb803f45f493ce520cdfcb3d56728ec19ecd";

/// The user agents run as, so that they cannot read what belongs to the run.
pub const AGENT: &str = "agent";
/// Its number in the container.
pub const AGENT_UID: u32 = 10_001;

/// An image: a base from a registry and steps on top of it, those that change least first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Name in a registry.
    pub base: String,
    /// Version of Python that is added to the base; `None`: it has the right one.
    pub python: Option<String>,
    pub steps: Vec<Step>,
}

/// One layer; the word is the method of `modal.Image` that makes it, the list its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Debian packages.
    AptInstall(Vec<String>),
    /// Python packages.
    PipInstall(Vec<String>),
    /// Lines of shell, as root.
    RunCommands(Vec<String>),
    /// A file beside the document, and its path in the image; no method, but copied into it.
    Copy([String; 2]),
}

impl Image {
    /// The image of a changeling; `runner` are the steps that put our program into it, if any.
    pub fn of(modal: &Modal, runner: Vec<Step>) -> Self {
        let own = [
            (!modal.apt.is_empty()).then(|| Step::AptInstall(modal.apt.clone())),
            (!modal.pip.is_empty()).then(|| Step::PipInstall(modal.pip.clone())),
            (!modal.commands.is_empty()).then(|| Step::RunCommands(modal.commands.clone())),
        ];
        let mut steps = vec![
            // Where nobody can answer, packages of some distributions wait for an answer.
            Step::RunCommands(vec![
                "echo 'debconf debconf/frontend select Noninteractive' | debconf-set-selections"
                    .to_owned(),
            ]),
            Step::AptInstall(APT.map(String::from).into()),
            mngr(),
            claude(),
            Step::RunCommands(vec![format!(
                "useradd --create-home --uid {AGENT_UID} --shell /bin/bash {AGENT}"
            )]),
        ];
        steps.extend(own.into_iter().flatten());
        steps.extend(runner);
        Self {
            base: modal.image.clone().unwrap_or_else(|| BASE.to_owned()),
            python: modal.image.as_ref().map(|_| PYTHON.to_owned()),
            steps,
        }
    }

    /// The glibc a program finds in it, when that is known.
    pub fn glibc(modal: &Modal) -> Option<(u32, u32)> {
        modal.image.is_none().then_some(BASE_GLIBC)
    }
}

fn mngr() -> Step {
    Step::RunCommands(vec![
        format!("python -m pip install --no-cache-dir --root-user-action=ignore '{UV}'"),
        "python -m venv /opt/mngr".to_owned(),
        format!(
            "uv pip install --no-cache --python /opt/mngr/bin/python --exclude-newer {NEWEST} {}",
            MNGR.map(|package| format!("'{package}'")).join(" ")
        ),
        "ln -s /opt/mngr/bin/mngr /usr/local/bin/mngr".to_owned(),
    ])
}

/// npm fetches it and checks it against what its registry says; the checksum here says that it is the
/// one that was tried.
fn claude() -> Step {
    let package = "claude-code-linux-x64";
    let file = format!("/tmp/anthropic-ai-{package}-{CLAUDE}.tgz");
    Step::RunCommands(vec![
        format!(
            "npm pack --loglevel=error --pack-destination /tmp '@anthropic-ai/{package}@{CLAUDE}'"
        ),
        format!("echo '{CLAUDE_SHA512}  {file}' | sha512sum --check"),
        format!("tar --extract --gzip --file {file} --directory /tmp package/claude"),
        "install --mode=755 /tmp/package/claude /usr/local/bin/claude".to_owned(),
        format!("rm -r {file} /tmp/package /root/.npm"),
    ])
}
