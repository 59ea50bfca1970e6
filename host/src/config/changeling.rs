//! One changeling as it is in force: its own entry over `[defaults]` over what is built in, and for
//! every value the layer it comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use serde::{Serialize, Serializer};
use toml::de::DeTable;

use super::key::{At, Layer};
use super::keys::{ChangelingKeys, ModalKeys};
use super::problem::Reader;
use super::tables::Params;
use super::types::{FilePath, Mebibytes, Timeout};
use super::words::{OnOpenPr, Overlap};
use crate::brief::Delivery;
use crate::git::Identity;
use crate::names::Name;
use crate::permission::Permission;
use crate::repo_url::RepoUrl;
use crate::schedule::{Schedule, Zone};

/// A changeling with every value in force. Serialises in the order of the reference.
#[derive(Debug, Clone, Serialize)]
pub struct Changeling {
    pub name: Name,
    /// As written: a name, or a path that is relative to `Config::base`.
    pub template: String,
    /// At least one.
    pub repos: Vec<RepoUrl>,
    /// `None`: runs only by hand.
    pub schedule: Option<Schedule>,
    #[serde(serialize_with = "as_text")]
    pub timezone: Zone,
    /// `None`: the remote's HEAD, resolved each run.
    pub branch: Option<String>,
    /// `None`: the template's, else `claude`.
    pub agent_type: Option<String>,
    pub message: Option<String>,
    pub message_append: Option<String>,
    /// `None`: what the brief asks for and the template was granted.
    pub permissions: Option<Vec<Permission>>,
    pub extra_mngr_args: Vec<String>,
    pub env_vars: BTreeMap<String, String>,
    /// Names only.
    pub secrets: Vec<String>,
    pub params: BTreeMap<String, String>,
    pub enabled: bool,
    pub timeout: Timeout,
    pub work_branch: Option<String>,
    pub pr_title: Option<String>,
    pub max_budget_usd: f64,
    pub max_turns: u32,
    /// 0: never.
    pub pause_after: u32,
    pub on_open_pr: OnOpenPr,
    pub overlap: Overlap,
    pub catch_up: bool,
    pub keep_runs: u32,
    pub keep_days: u32,
    pub max_parallel: u32,
    /// A file, or the name of a secret.
    pub ssh_key: Option<FilePath>,
    pub deliver: Option<Delivery>,
    pub allow_paths: Vec<String>,
    pub unattended: bool,
    pub identity: Option<Identity>,
    pub modal: Modal,
    /// Names in `params` that only `[defaults]` sets.
    #[serde(skip)]
    only_shared: BTreeSet<String>,
    #[serde(skip)]
    origins: BTreeMap<&'static str, Origin>,
}

/// What a changeling needs on Modal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Modal {
    pub cpu: Option<f64>,
    /// MiB.
    pub memory: Option<Mebibytes>,
    pub gpu: Option<String>,
    /// MiB.
    pub ephemeral_disk: Option<Mebibytes>,
    pub region: Option<String>,
    pub apt: Vec<String>,
    pub pip: Vec<String>,
    pub image: Option<String>,
    pub commands: Vec<String>,
    pub runner: String,
    /// `None`: the changeling's own and a margin.
    pub timeout: Option<Timeout>,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Origin {
    pub layer: Layer,
    /// Line of the configuration file, from 1; `None` for what is built in.
    pub line: Option<usize>,
}

fn as_text<S: Serializer>(value: &Zone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// What all changelings share.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared {
    pub(super) defaults: ChangelingKeys,
    pub(super) modal: ModalKeys,
    /// Names of the keys in `[defaults]`.
    pub(super) keys: BTreeSet<String>,
}

/// Chooses values and remembers where they come from.
struct Layering<'r, 'a> {
    reader: &'r Reader<'a>,
    origins: BTreeMap<&'static str, Origin>,
}

impl Layering<'_, '_> {
    fn pick<T: Clone>(
        &mut self,
        key: &'static str,
        own: Option<&At<T>>,
        shared: Option<&At<T>>,
    ) -> Option<T> {
        let (layer, at) = match (own, shared) {
            (Some(at), _) => (Layer::Changeling, at),
            (None, Some(at)) => (Layer::Defaults, at),
            (None, None) => return None,
        };
        let line = Some(self.reader.line(at.span.start));
        self.origins.insert(key, Origin { layer, line });
        Some(at.value.clone())
    }
}

/// `pick!(layers, own, shared, key)` for a key that both layers have.
macro_rules! pick {
    ($layers:ident, $own:expr, $shared:expr, $key:ident) => {
        pick!($layers, $own, $shared, $key, stringify!($key))
    };
    ($layers:ident, $own:expr, $shared:expr, $key:ident, $name:expr) => {
        $layers.pick($name, $own.$key.as_ref(), $shared.$key.as_ref())
    };
}

impl Changeling {
    /// The repositories it works on, at least one.
    pub fn repos(&self) -> &[RepoUrl] {
        &self.repos
    }

    /// So many failures in a row are enough: it does not run until a person looks.
    pub fn is_paused_after(&self, failures: u32) -> bool {
        self.pause_after > 0 && failures >= self.pause_after
    }

    /// Where the value of a key comes from; keys of its `modal` table are `modal.cpu` and so on.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).copied().unwrap_or(Origin {
            layer: Layer::BuiltIn,
            line: None,
        })
    }

    /// Puts the layers together; `entry` and `span` are where the changeling stands in the file.
    /// `None` (reported) when something required is missing.
    pub(super) fn resolve(
        name: Name,
        own: &ChangelingKeys,
        span: Range<usize>,
        entry: &DeTable<'_>,
        shared: &Shared,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        let repos = read_repos(own, span.clone(), entry, reader);
        if !entry.contains_key("template") {
            let help = "write template = \"fixme-fairy\"; `changeling template list` shows all";
            reader.problem(span, "has no `template`", Some(help.to_owned()));
        }
        let template = own.template.as_ref()?.value.0.clone();
        Some(Self::layered(name, template, repos?, own, shared, reader))
    }

    pub(super) fn ad_hoc(
        name: Name,
        template: String,
        repo: RepoUrl,
        timezone: &Zone,
        params: BTreeMap<String, String>,
        shared: &Shared,
    ) -> Self {
        let mut reader = Reader::new(Path::new(""), "", Path::new("/"));
        let at = |value| At { value, span: 0..0 };
        let own = ChangelingKeys {
            params: Some(at(Params(params))),
            ..ChangelingKeys::default()
        };
        let made = Self::layered(name, template, vec![repo], &own, shared, &mut reader);
        let shared_zone = shared.defaults.timezone.as_ref().map(|at| at.value.clone());
        Self {
            timezone: shared_zone.unwrap_or_else(|| timezone.clone()),
            ..made
        }
    }

    /// The parameters for one template: those shared by all changelings that it does not know are
    /// left out; a changeling's own are not.
    pub fn params_for(&self, known: &[&str]) -> BTreeMap<String, String> {
        let meant =
            |name: &String| !self.only_shared.contains(name) || known.contains(&name.as_str());
        let params = self.params.iter().filter(|(name, _)| meant(name));
        params
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn layered(
        name: Name,
        template: String,
        repos: Vec<RepoUrl>,
        own: &ChangelingKeys,
        shared: &Shared,
        reader: &mut Reader<'_>,
    ) -> Self {
        let base = &shared.defaults;
        let mut layers = Layering {
            reader,
            origins: BTreeMap::new(),
        };
        layers.pick("template", own.template.as_ref(), None);
        layers.pick("repos", own.repo.as_ref(), None);
        layers.pick("repos", own.repos.as_ref(), None);
        let mut params = base
            .params
            .as_ref()
            .map(|at| at.value.0.clone())
            .unwrap_or_default();
        let own_params = pick!(layers, own, base, params).unwrap_or_default().0;
        let is_own = |name: &String| {
            own.params
                .as_ref()
                .is_some_and(|at| at.value.0.contains_key(name))
        };
        let only_shared = params
            .keys()
            .filter(|name| !is_own(name))
            .cloned()
            .collect();
        params.extend(own_params);
        let mut env_vars = base
            .env_vars
            .as_ref()
            .map(|at| at.value.0.clone())
            .unwrap_or_default();
        env_vars.extend(pick!(layers, own, base, env_vars).unwrap_or_default().0);
        let modal = Modal::resolve(own, &shared.modal, &mut layers);
        Self {
            name,
            template,
            repos,
            schedule: pick!(layers, own, base, schedule),
            timezone: pick!(layers, own, base, timezone)
                .unwrap_or_else(|| layers.reader.system_zone()),
            branch: pick!(layers, own, base, branch).map(|branch| branch.0),
            agent_type: pick!(layers, own, base, agent_type).map(|agent| agent.0),
            message: pick!(layers, own, base, message),
            message_append: pick!(layers, own, base, message_append),
            permissions: pick!(layers, own, base, permissions),
            extra_mngr_args: pick!(layers, own, base, extra_mngr_args)
                .map(|words| words.0)
                .unwrap_or_default(),
            env_vars,
            secrets: pick!(layers, own, base, secrets).map_or_else(
                || {
                    ["GITHUB_TOKEN", "ANTHROPIC_API_KEY"]
                        .map(String::from)
                        .into()
                },
                |names| names.into_iter().map(|name| name.0).collect(),
            ),
            params,
            enabled: pick!(layers, own, base, enabled).unwrap_or(true),
            timeout: pick!(layers, own, base, timeout).unwrap_or(Timeout::HOUR),
            work_branch: pick!(layers, own, base, work_branch).map(|branch| branch.0),
            pr_title: pick!(layers, own, base, pr_title).map(|title| title.0),
            max_budget_usd: pick!(layers, own, base, max_budget_usd).map_or(5.0, |usd| usd.0),
            max_turns: pick!(layers, own, base, max_turns).map_or(200, |turns| turns.0),
            pause_after: pick!(layers, own, base, pause_after).map_or(3, |failures| failures.0),
            on_open_pr: pick!(layers, own, base, on_open_pr).unwrap_or(OnOpenPr::Update),
            overlap: pick!(layers, own, base, overlap).unwrap_or(Overlap::Skip),
            catch_up: pick!(layers, own, base, catch_up).unwrap_or(true),
            keep_runs: pick!(layers, own, base, keep_runs).map_or(100, |runs| runs.0),
            keep_days: pick!(layers, own, base, keep_days).map_or(90, |days| days.0),
            max_parallel: pick!(layers, own, base, max_parallel).map_or(4, |count| count.0),
            ssh_key: pick!(layers, own, base, ssh_key),
            deliver: pick!(layers, own, base, deliver),
            allow_paths: pick!(layers, own, base, allow_paths)
                .map(|globs| globs.into_iter().map(|glob| glob.0).collect())
                .unwrap_or_default(),
            unattended: pick!(layers, own, base, unattended).unwrap_or(false),
            identity: pick!(layers, own, base, identity),
            modal,
            only_shared,
            origins: layers.origins,
        }
    }
}

impl Modal {
    fn resolve(own: &ChangelingKeys, shared: &ModalKeys, layers: &mut Layering<'_, '_>) -> Self {
        let empty = ModalKeys::default();
        let own = own.modal.as_ref().map_or(&empty, |at| &at.value);
        let text = |line: super::value::Line| line.0;
        let texts = |lines: Option<Vec<super::value::Line>>| {
            lines
                .unwrap_or_default()
                .into_iter()
                .map(text)
                .collect::<Vec<_>>()
        };
        Self {
            cpu: pick!(layers, own, shared, cpu, "modal.cpu").map(|cores| cores.0),
            memory: pick!(layers, own, shared, memory, "modal.memory"),
            gpu: pick!(layers, own, shared, gpu, "modal.gpu").map(text),
            ephemeral_disk: pick!(layers, own, shared, ephemeral_disk, "modal.ephemeral_disk"),
            region: pick!(layers, own, shared, region, "modal.region").map(text),
            apt: texts(pick!(layers, own, shared, apt, "modal.apt")),
            pip: texts(pick!(layers, own, shared, pip, "modal.pip")),
            image: pick!(layers, own, shared, image, "modal.image").map(text),
            commands: texts(pick!(layers, own, shared, commands, "modal.commands")),
            runner: pick!(layers, own, shared, runner, "modal.runner")
                .map_or_else(|| "auto".to_owned(), text),
            timeout: pick!(layers, own, shared, timeout, "modal.timeout"),
        }
    }
}

/// `repo` or `repos`, at least one and none twice. `None`: reported, here or when the value was read.
fn read_repos(
    own: &ChangelingKeys,
    span: Range<usize>,
    entry: &DeTable<'_>,
    reader: &mut Reader<'_>,
) -> Option<Vec<RepoUrl>> {
    let problem = |reader: &mut Reader<'_>, span, message: &str, help: &str| {
        reader.problem(span, message, Some(help.to_owned()));
        None
    };
    if entry.contains_key("repo") && entry.contains_key("repos") {
        let help = "put all of them into `repos`";
        return problem(reader, span, "has both `repo` and `repos`", help);
    }
    if let Some(at) = &own.repo {
        return Some(vec![at.value.clone()]);
    }
    let Some(at) = &own.repos else {
        if entry.contains_key("repo") || entry.contains_key("repos") {
            return None;
        }
        return problem(reader, span, "has no `repo`", "write repo = \"owner/name\"");
    };
    if at.value.is_empty() {
        return problem(
            reader,
            at.span.clone(),
            "`repos` is empty",
            "name at least one repository",
        );
    }
    let mut keys: Vec<_> = at.value.iter().map(RepoUrl::key).collect();
    keys.sort();
    keys.dedup();
    if keys.len() < at.value.len() {
        let help = "name each repository once";
        return problem(
            reader,
            at.span.clone(),
            "`repos` names a repository twice",
            help,
        );
    }
    Some(at.value.clone())
}
