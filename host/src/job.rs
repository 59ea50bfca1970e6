//! A changeling resolved and frozen: everything a run needs, and no secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::brief::{Delivery, Manifest};
use crate::config::{self, Changeling, Config, ConfigError, Layer, OnOpenPr};
use crate::git::Identity;
use crate::names::{Digest, Name, printable};
use crate::permission::Permission;
use crate::repo_url::RepoUrl;
use crate::schedule::Zone;
use crate::template::Template;

/// Version of the serialised form. A newer one is refused, never rewritten.
pub const JOB_VERSION: u32 = 1;

/// One changeling on one target repository, resolved from configuration, defaults and template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    pub version: u32,
    pub changeling: Name,
    pub template: TemplateId,
    pub repo: RepoUrl,
    /// Base branch; `None`: the remote's HEAD, resolved each run.
    pub branch: Option<String>,
    /// IANA name: what "today" means for this changeling.
    pub timezone: String,
    /// The user's, else the template's; `None`: `claude`.
    pub agent_type: Option<String>,
    /// Replaces the template's prompt.
    pub message: Option<String>,
    /// Added after the prompt.
    pub message_append: Option<String>,
    /// The user's own choice; `None`: what the brief asks for and the template was granted.
    pub permissions: Option<Vec<Permission>>,
    /// What this exact digest was granted (for a built-in: what its manifest lists).
    pub granted: Vec<Permission>,
    /// The user's own mngr arguments, passed on as they are.
    pub extra_mngr_args: Vec<String>,
    pub env_vars: BTreeMap<String, String>,
    /// Names the host may read; values are resolved at use and stored nowhere.
    pub secrets: Vec<String>,
    pub params: BTreeMap<String, String>,
    pub timeout_seconds: u64,
    pub work_branch: Option<String>,
    pub pr_title: Option<String>,
    pub deliver: Option<Delivery>,
    /// Globs of protected paths this changeling may touch.
    pub allow_paths: Vec<String>,
    pub on_open_pr: OnOpenPr,
    pub max_turns: u32,
    pub max_budget_usd: f64,
    /// Who commits; `None`: the user's git identity.
    pub identity: Option<Identity>,
    /// An agent that skips permission prompts on this machine was agreed to.
    pub unattended: bool,
    /// The private key for a repository reached over ssh: a file as written, or the name of a secret.
    #[serde(default)]
    pub ssh_key: Option<String>,
}

/// Which template, by name and exact content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateId {
    pub name: Name,
    pub version: String,
    pub digest: Digest,
    pub built_in: bool,
}

impl TemplateId {
    pub fn of(template: &Template) -> Self {
        Self {
            name: template.manifest.name.clone(),
            version: template.manifest.version.clone(),
            digest: template.digest.clone(),
            built_in: template.built_in,
        }
    }
}

impl Job {
    /// Freezes a changeling on one of its repositories with the template it names. `granted` is what
    /// this exact template was granted.
    ///
    /// # Errors
    /// A parameter the template does not have, or one it needs and did not get.
    pub fn resolve(
        changeling: &Changeling,
        repo: &RepoUrl,
        template: &Template,
        granted: Vec<Permission>,
    ) -> Result<Self, ConfigError> {
        Self::new(
            changeling,
            repo,
            &template.manifest,
            TemplateId::of(template),
            granted,
        )
    }

    /// A template on a repository without an entry in the configuration; `[defaults]` hold.
    ///
    /// # Errors
    /// As `resolve`.
    pub fn ad_hoc(
        config: &Config,
        template: &Template,
        repo: RepoUrl,
        granted: Vec<Permission>,
        params: BTreeMap<String, String>,
        zone: &Zone,
    ) -> Result<Self, ConfigError> {
        let name = template.manifest.name.clone();
        let changeling = config.ad_hoc(name.clone(), name.to_string(), repo, zone, params);
        Self::resolve(&changeling, &changeling.repos[0], template, granted)
    }

    fn new(
        changeling: &Changeling,
        repo: &RepoUrl,
        manifest: &Manifest,
        template: TemplateId,
        granted: Vec<Permission>,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            version: JOB_VERSION,
            changeling: changeling.name.clone(),
            template,
            repo: repo.clone(),
            branch: changeling.branch.clone(),
            timezone: changeling.timezone.name().to_owned(),
            agent_type: changeling
                .agent_type
                .clone()
                .or_else(|| manifest.agent_type.clone()),
            message: changeling.message.clone(),
            message_append: changeling.message_append.clone(),
            permissions: changeling.permissions.clone(),
            granted,
            extra_mngr_args: changeling.extra_mngr_args.clone(),
            env_vars: changeling.env_vars.clone(),
            secrets: changeling.secrets.clone(),
            params: check_params(manifest, changeling)?,
            timeout_seconds: changeling.timeout.seconds(),
            work_branch: changeling.work_branch.clone(),
            pr_title: changeling.pr_title.clone(),
            deliver: changeling.deliver,
            allow_paths: changeling.allow_paths.clone(),
            on_open_pr: on_open_pr(changeling, manifest),
            max_turns: changeling.max_turns,
            max_budget_usd: changeling.max_budget_usd,
            identity: changeling.identity.clone(),
            unattended: changeling.unattended,
            ssh_key: changeling.ssh_key.as_ref().map(|key| key.0.clone()),
        })
    }
}

/// The user's choice; else the template's, which knows whether its runs go on with one piece of work
/// (any FIXME) or begin another (the next issue); else to update.
fn on_open_pr(changeling: &Changeling, manifest: &Manifest) -> OnOpenPr {
    let chosen = changeling.origin("on_open_pr").layer != Layer::BuiltIn;
    match manifest.extras.get("on-open-pr").map(String::as_str) {
        Some("new") if !chosen => OnOpenPr::New,
        Some("skip") if !chosen => OnOpenPr::Skip,
        _ => changeling.on_open_pr,
    }
}

/// The parameters a template gets: those the user set, and the defaults of the others.
///
/// # Errors
/// A parameter the template does not have, or every required one that is missing.
pub fn check_params(
    manifest: &Manifest,
    changeling: &Changeling,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let names: Vec<_> = manifest
        .params
        .iter()
        .map(|param| param.name.as_str())
        .collect();
    let set = changeling.params_for(&names);
    let known = || manifest.params.iter().map(|param| param.name.as_str());
    if let Some(name) = set
        .keys()
        .find(|name| known().all(|known| known != name.as_str()))
    {
        return Err(ConfigError::UnknownParam {
            template: manifest.name.clone(),
            param: printable(name),
            nearest: config::nearest(name, known()).map(printable),
            known: known().map(printable).collect(),
        });
    }
    let mut params = set;
    let mut missing = Vec::new();
    for param in &manifest.params {
        if params.contains_key(&param.name) {
            continue;
        }
        if let Some(default) = &param.default {
            params.insert(param.name.clone(), default.clone());
        } else if param.required {
            missing.push((printable(&param.name), printable(&param.description)));
        }
    }
    if missing.is_empty() {
        return Ok(params);
    }
    Err(ConfigError::MissingParams {
        template: manifest.name.clone(),
        params: missing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brief::Param;
    use crate::config::Config;

    fn manifest() -> Manifest {
        let param = |name: &str, required, default: Option<&str>| Param {
            name: name.to_owned(),
            description: format!("what {name} means"),
            required,
            default: default.map(str::to_owned),
        };
        Manifest {
            name: "code-custodian".parse().unwrap(),
            version: "1.0.0".to_owned(),
            description: String::new(),
            agent_type: Some("codex".to_owned()),
            params: vec![
                param("scope", true, None),
                param("goal", true, None),
                param("limit", false, Some("3")),
                param("label", false, None),
            ],
            permissions: vec![],
            default_message: String::new(),
            default_mngr_args: vec![],
            extras: BTreeMap::new(),
        }
    }

    fn changeling(set: &[(&str, &str)], shared: &str) -> Changeling {
        let file = std::path::Path::new("/base/config.toml");
        let text = format!("[defaults]\nparams = {shared}\n");
        let config = Config::parse(file, &text, file).unwrap();
        let repo = RepoUrl::parse("me/it", file).unwrap();
        let name: Name = "a".parse().unwrap();
        config.ad_hoc(
            name,
            "code-custodian".to_owned(),
            repo,
            &Zone::utc(),
            params(set),
        )
    }

    fn params(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn params_are_checked_and_defaults_filled_in() {
        let set = changeling(&[("scope", "src"), ("goal", "tidy")], "{}");
        let expected = params(&[("goal", "tidy"), ("limit", "3"), ("scope", "src")]);
        assert_eq!(check_params(&manifest(), &set).unwrap(), expected);
        // What all changelings share need not be for every template.
        let set = changeling(
            &[("scope", "src")],
            "{ goal = \"tidy\", other = 1, scope = \"x\" }",
        );
        assert_eq!(check_params(&manifest(), &set).unwrap(), expected);
        let refused = |set: &[(&str, &str)]| {
            let error = crate::error::Error::from(
                check_params(&manifest(), &changeling(set, "{}")).expect_err("must be refused"),
            );
            format!("{error}\n  {}", error.hint.clone().unwrap_or_default())
        };
        insta::assert_snapshot!(
            [
                refused(&[]),
                refused(&[("scope", "src")]),
                refused(&[("scpoe", "src")]),
                refused(&[("colour", "red")]),
            ]
            .join("\n")
        );
    }

    #[test]
    fn a_template_knows_whether_its_runs_belong_together() {
        let file = std::path::Path::new("/base/config.toml");
        let start = "[changelings.a]\ntemplate = \"issue-fixer\"\nrepo = \"me/it\"\n";
        let chosen = |text: &str, wish: Option<&str>| {
            let config = Config::parse(file, text, file).unwrap();
            let mut manifest = manifest();
            manifest
                .extras
                .extend(wish.map(|wish| ("on-open-pr".to_owned(), wish.to_owned())));
            on_open_pr(config.named("a").unwrap(), &manifest)
        };
        assert_eq!(chosen(start, None), OnOpenPr::Update);
        assert_eq!(chosen(start, Some("new")), OnOpenPr::New);
        assert_eq!(chosen(start, Some("anything")), OnOpenPr::Update);
        let said = format!("{start}on_open_pr = \"update\"\n");
        assert_eq!(chosen(&said, Some("new")), OnOpenPr::Update);
    }

    #[test]
    fn a_job_is_the_changeling_frozen() {
        let file = std::path::Path::new("/base/config.toml");
        let text = "[changelings.a]\ntemplate = \"code-custodian\"\nrepo = \"me/it\"\n\
                    timezone = \"Europe/Zurich\"\nparams = { scope = \"src\", goal = \"tidy\" }\n";
        let config = Config::parse(file, text, file).unwrap();
        let changeling = config.named("a").unwrap();
        let id = TemplateId {
            name: "code-custodian".parse().unwrap(),
            version: "1.0.0".to_owned(),
            digest: Digest::of(b""),
            built_in: true,
        };
        let job = Job::new(
            changeling,
            &changeling.repos[0],
            &manifest(),
            id,
            vec![Permission::Publish],
        )
        .unwrap();
        insta::assert_json_snapshot!(job);
        let again: Job = serde_json::from_str(&serde_json::to_string(&job).unwrap()).unwrap();
        assert_eq!(again, job);
    }
}
