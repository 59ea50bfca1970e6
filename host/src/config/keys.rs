//! Every key of the configuration. Reading, the JSON Schema and `docs/configuration.md` come from
//! these declarations.

use std::ops::Range;

use schemars::Schema;
use toml::de::{DeTable, DeValue};

use super::key::{At, Key, Layer, Layers, Section, Value, admit, section};
use super::problem::Reader;
use super::schema::section_schema;
use super::tables::{Params, VariableName, Variables};
use super::types::{
    Address, AgentType, BranchName, FilePath, Mebibytes, PathGlob, Timeout, Webhook,
};
use super::value::{Amount, Count, Line, Words, table};
use super::words::{Launch, NotifyOn, OnOpenPr, Overlap};
use crate::brief::Delivery;
use crate::git::Identity;
use crate::permission::Permission;
use crate::repo_url::RepoUrl;
use crate::schedule::{Schedule, Zone};

section! {
    /// `[changelings.NAME]`, and `[defaults]` for what may be shared.
    pub struct ChangelingKeys {
        /// What to do: the name of a built-in or installed template, or the path of a `.wasm` file.
        /// A relative path is taken from the folder of this file.
        [OWN] template: Line;
        /// The target repository: `owner/name` (GitHub), an `https` or `ssh` URL, `git@host:path`,
        /// or a folder. A URL with a password is refused.
        [OWN] repo: RepoUrl;
        /// Several target repositories, instead of `repo`; each has its own runs.
        [OWN] repos: Vec<RepoUrl>;
        /// When it runs: five cron fields, or `@daily` and friends. Without one it runs only by
        /// hand.
        [BOTH] schedule: Schedule;
        /// The IANA time zone of `schedule`, and of what "today" means. `add` writes it down;
        /// without one it is this machine's.
        [BOTH] timezone: Zone;
        /// The base branch. Without one it is the remote's default branch, looked up each run.
        [BOTH] branch: BranchName;
        /// How the agent runs, in mngr's words: `claude`, `codex`, `command`, ... Without one it is
        /// the template's, else `claude`.
        [BOTH] agent_type: AgentType;
        /// Replaces the template's prompt.
        [OWN_AND_REPOSITORY] message: String;
        /// Added to the end of the prompt.
        [ALL] message_append: String;
        /// What a run may do, instead of what the template asks for and was granted: `publish`,
        /// `github`, `github:read`, `repo:read`, `env:NAME`, `mngr-arg:--FLAG`, `agent`.
        [BOTH] permissions: Vec<Permission>;
        /// More arguments for `mngr create`, passed on as they are. What comes after `--` is for the
        /// agent itself: options of claude or codex; for the agent type `command`, the program and
        /// its arguments.
        [BOTH] extra_mngr_args: Words = "[]";
        /// Variables in the agent's environment. Not for secrets. Merged with those of
        /// `[defaults]`.
        [BOTH] env_vars: Variables = "{}";
        /// Names of the secrets a run may use; values are looked up when they are used (environment,
        /// then `[secrets]`) and are stored nowhere.
        [BOTH] secrets: Vec<VariableName> = "[\"GITHUB_TOKEN\", \"ANTHROPIC_API_KEY\"]";
        /// Parameters of the template; `changeling template show NAME` lists them. Merged with those
        /// of `[defaults]`.
        [ALL] params: Params = "{}";
        /// `false`: it keeps its place here and does not run.
        [OWN] enabled: bool = "true";
        /// How long a run may take, from `1s` to `24h`; then everything it started is ended.
        [BOTH] timeout: Timeout = "\"1h\"";
        /// The branch runs work on, instead of one named after the template's slug and the date.
        [OWN] work_branch: BranchName;
        /// Title of the pull request, instead of the template's. `{commits}` stands for the number
        /// of commits.
        [OWN] pr_title: Line;
        /// Most US dollars one run may cost, handed to agents that can keep it.
        [BOTH] max_budget_usd: Amount<10_000> = "5";
        /// Most turns one run's agent may take, handed to agents that can keep it.
        [BOTH] max_turns: Count<1, 10_000> = "200";
        /// Consecutive failures after which it pauses until a person looks; `0`: never.
        [BOTH] pause_after: Count<0, 1_000> = "3";
        /// What to do when a pull request of the same changeling is open: work on its branch, do not
        /// run, or open another.
        [BOTH] on_open_pr: OnOpenPr = "\"update\"";
        /// What to do when the previous run is still going on: do not start, wait for it, or end it.
        [BOTH] overlap: Overlap = "\"skip\"";
        /// Whether a run that was missed because the machine was off is made up for, once, when the
        /// machine is on again.
        [BOTH] catch_up: bool = "true";
        /// Records kept of each changeling and repository; older ones go, unpublished work never.
        [BOTH] keep_runs: Count<1, 100_000> = "100";
        /// Days a record is kept; unpublished work is never removed.
        [BOTH] keep_days: Count<1, 36_500> = "90";
        /// Most repositories of `repos` worked on at once.
        [BOTH] max_parallel: Count<1, 100> = "4";
        /// The private key for repositories reached over ssh: a file, or the name of a secret. Without
        /// one it is the secret `SSH_KEY`, when that is among `secrets`; else your own ssh decides, and
        /// a repository on GitHub is reached over https where there is a token.
        [BOTH] ssh_key: FilePath;
        /// How the result reaches you, instead of the template's way.
        [BOTH] deliver: Delivery;
        /// Globs of protected paths a run may change all the same: `.github/workflows/`,
        /// `CODEOWNERS`, settings of agents.
        [BOTH] allow_paths: Vec<PathGlob> = "[]";
        /// Your yes to an agent that skips permission prompts on this machine.
        [BOTH] unattended: bool = "false";
        /// Who commits, `{ name = "...", email = "..." }`. Without one it is git's own setting.
        [BOTH] identity: Identity;
        /// Most US dollars all runs together may cost in a calendar month; then nothing starts.
        [SHARED] monthly_budget_usd: Amount<1_000_000> = "100";
        /// What this changeling needs on Modal.
        [OWN] modal: ModalKeys;
    }
}

section! {
    /// `identity`.
    pub struct IdentityKeys {
        /// Name in commits.
        [OWN] name: Line;
        /// Email address in commits.
        [OWN] email: Line;
    }
}

section! {
    /// `[changelings.NAME.modal]`, and `[modal]` for what is shared.
    pub struct ModalKeys {
        /// Processor cores.
        [BOTH] cpu: Amount<128>;
        /// Memory: MiB, or a string such as `"4GiB"`.
        [BOTH] memory: Mebibytes;
        /// Graphics card, in Modal's words: `"T4"`, `"A100:2"`.
        [BOTH] gpu: Line;
        /// Disk beyond the usual: MiB, or a string such as `"600GiB"`.
        [BOTH] ephemeral_disk: Mebibytes;
        /// Where it runs, in Modal's words: `"eu"`, `"us-east"`.
        [BOTH] region: Line;
        /// Debian packages the image needs.
        [BOTH] apt: Vec<Line> = "[]";
        /// Python packages the image needs.
        [BOTH] pip: Vec<Line> = "[]";
        /// Base image from a registry, instead of Debian with Python.
        [BOTH] image: Line;
        /// Commands run while the image is built, after `apt` and `pip`.
        [BOTH] commands: Vec<Line> = "[]";
        /// The `changeling` program in the image: `"auto"` (this one when it fits), the path of a
        /// Linux executable or of a release (`.tar.gz`), a folder with its sources, or an https URL of either
        /// ending in `#sha256=...`.
        [BOTH] runner: Line = "\"auto\"";
        /// Modal's own limit of a call; without one it is `timeout` and a margin.
        [BOTH] timeout: Timeout;
        /// Modal environment apps are deployed to; without one it is the workspace's default.
        [SHARED] environment: Line;
        /// The `modal` program; without one it is looked for on PATH.
        [SHARED] binary: FilePath;
        /// Crons your workspace may have in all. Modal's free plan is said to allow five.
        [SHARED] max_crons: Count<1, 100_000> = "5";
    }
}

section! {
    /// `[mngr]`.
    pub struct MngrKeys {
        /// How agents are started: with our wrapper where it knows the agent type, always with it, or
        /// always as a native agent type of mngr.
        [SHARED] launch: Launch = "\"auto\"";
        /// The `mngr` program; without one it is looked for on PATH.
        [SHARED] binary: FilePath;
    }
}

section! {
    /// `[notify]`.
    pub struct NotifyKeys {
        /// A command that gets the record of the run as JSON on its standard input.
        [SHARED] command: Words;
        /// An https URL the record is posted to as JSON, or the name of the secret that holds it
        /// (an entry of `[secrets]`, or a variable).
        [SHARED] webhook: Webhook;
        /// Addresses a mail is sent to.
        [SHARED] mail: Vec<Address> = "[]";
        /// Outcomes that are told.
        [SHARED] on: Vec<NotifyOn> = "[\"failed\", \"timed-out\", \"needs-attention\"]";
    }
}

section! {
    /// An entry of `[secrets]`.
    pub struct SecretKeys {
        /// A command that prints the value: `["gh", "auth", "token"]`.
        [SHARED] command: Words;
        /// A file that holds the value.
        [SHARED] file: FilePath;
    }
}

impl Value for ModalKeys {
    const KIND: &'static str = "table";

    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self> {
        Some(<Self as Section>::read(
            table(value, span, reader)?,
            Layer::Changeling,
            reader,
        ))
    }

    fn schema() -> Schema {
        section_schema(Self::KEYS, Layer::Changeling)
    }
}
