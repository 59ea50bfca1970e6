//! From what the user named to a plan: the way `plan`, `rehearse` and `run` share, so that what is
//! shown is what happens.
//!
//! `subjects` → [`Subject::facts`] → [`plan::start`] → [`Subject::compose`] → [`Subject::plan`]. Each
//! step is a call of its own, so that a run can record it.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Zoned;

use crate::brief::Brief;
use crate::config::{Config, FilePath, SecretSource, is_variable_name};
use crate::context::{Context, create_private_dir};
use crate::error::{Error, Result};
use crate::git::{Git, Key, Mirror, Snapshot, Ssh};
use crate::github;
use crate::job::Job;
use crate::permission::{self, Grants, Permission};
use crate::plan::{self, Facts, Plan, PullRequestFact};
use crate::pull_request;
use crate::repo_url::RepoUrl;
use crate::schedule::Zone;
use crate::secret::{self, Secret, SecretError};
use crate::template::{ComposeRequest, Composed, Template, catalog};

/// What the user named.
#[derive(Debug, Clone)]
pub enum Selection {
    /// An entry of the configuration.
    Changeling(String),
    /// A template tried on a repository, without configuration.
    Template {
        template: String,
        repo: String,
        params: BTreeMap<String, String>,
        branch: Option<String>,
    },
}

/// One changeling on one repository, ready to look at it.
#[derive(Debug, Clone)]
pub struct Subject {
    pub job: Job,
    pub template: Arc<Template>,
    pub config: Config,
    zone: Zone,
    /// Looked for once: it may take a program of the user's to find it.
    token: OnceCell<Option<Secret>>,
}

/// One subject for each repository of the selection, in the order of the configuration.
pub fn subjects(selection: &Selection, context: &Context) -> Result<Vec<Subject>> {
    let config = Config::load(&context.home)?;
    match selection {
        Selection::Changeling(name) => {
            let changeling = config.named(name)?;
            let (template, granted) = load(&changeling.template, config.base(), context)?;
            let job = |repo| Job::resolve(changeling, repo, &template, granted.clone());
            let jobs = changeling.repos().iter().map(job);
            let jobs = jobs.collect::<Result<Vec<_>, _>>()?;
            jobs.into_iter()
                .map(|job| Subject::new(job, &template, &config))
                .collect()
        }
        Selection::Template {
            template,
            repo,
            params,
            branch,
        } => {
            let repo = RepoUrl::parse(repo, &context.cwd)?;
            let (template, granted) = load(template, &context.cwd, context)?;
            let (zone, _) = Zone::system_or_utc();
            let mut job = Job::ad_hoc(&config, &template, repo, granted, params.clone(), &zone)?;
            if branch.is_some() {
                job.branch.clone_from(branch);
            }
            Ok(vec![Subject::new(job, &template, &config)?])
        }
    }
}

/// A template, and what it was granted.
fn load(
    reference: &str,
    base: &Path,
    context: &Context,
) -> Result<(Arc<Template>, Vec<Permission>)> {
    let source = catalog::find(reference, base)?;
    let progress = context.ui.quick_progress("loading the template");
    let template = Template::load(&source, &context.home.components_dir())?;
    drop(progress);
    let grants = Grants::load(&context.home.grants_file())?;
    let granted = grants.granted(&template.manifest, &template.digest, template.built_in);
    Ok((Arc::new(template), granted))
}

impl Subject {
    fn new(job: Job, template: &Arc<Template>, config: &Config) -> Result<Self> {
        Ok(Self {
            zone: Zone::parse(&job.timezone)?,
            job,
            template: Arc::clone(template),
            config: config.clone(),
            token: OnceCell::new(),
        })
    }

    /// A job that was resolved before, elsewhere, with the configuration that holds for it.
    pub fn frozen(job: Job, template: Template, config: &Config) -> Result<Self> {
        Self::new(job, &Arc::new(template), config)
    }

    /// Now, where this changeling lives.
    pub fn now(&self, context: &Context) -> Zoned {
        context.clock.now_in(self.zone.time_zone().clone())
    }

    /// What the world looks like now: the clock, the remote's branches, and, where a token lets us
    /// ask, this changeling's earlier pull requests.
    pub fn facts(
        &self,
        mirror: &Mirror,
        run_id: &str,
        git: &Git,
        context: &Context,
    ) -> Result<Facts> {
        let base_branch = match &self.job.branch {
            Some(branch) => branch.clone(),
            None => mirror.default_branch()?.to_owned(),
        };
        Ok(Facts {
            date: self.now(context).date().to_string(),
            run_id: run_id.to_owned(),
            base_commit: mirror.commit_of(&base_branch)?,
            on_github: self.place(context).is_some(),
            remote: self.remote(context),
            remote_branches: mirror.branch_commits().clone(),
            base_branch,
            pull_requests: self.earlier_pull_requests(mirror, git, context)?,
        })
    }

    fn earlier_pull_requests(
        &self,
        mirror: &Mirror,
        git: &Git,
        context: &Context,
    ) -> Result<Vec<PullRequestFact>> {
        let Some(github) = self.github(context)?.filter(github::Repository::has_token) else {
            // Without a token nothing can be published either: there is no earlier proposal to mind.
            return Ok(Vec::new());
        };
        let progress = context.ui.quick_progress(format!(
            "asking GitHub about earlier pull requests of {}",
            self.job.repo
        ));
        let pulls = github.pulls_now(&github::Query {
            state: github::State::All,
            labels: Vec::new(),
            limit: github::MAX_ITEMS,
        })?;
        drop(progress);
        Ok(pull_request::earlier(
            &pulls.items,
            &self.job.changeling,
            // What no run of ours made, a person did, as far as we can know.
            |pull| !mirror.holds_run_commit(git, &pull.head_commit),
        ))
    }

    /// Lets the template look at the commit and say what to do.
    pub fn compose(
        &self,
        snapshot: &Snapshot,
        facts: &Facts,
        git: &Git,
        context: &Context,
    ) -> Result<Composed> {
        let permissions = permission::for_compose(&self.job, &self.template.manifest.permissions);
        let github = if permissions.contains(&Permission::GithubRead) {
            self.github(context)?
        } else {
            None
        };
        let repo = self.job.repo.to_string();
        Ok(self.template.compose(&ComposeRequest {
            changeling: &self.job.changeling,
            repo: &repo,
            base_branch: &facts.base_branch,
            date: &facts.date,
            params: &self.job.params,
            permissions: &permissions,
            extras: &BTreeMap::new(),
            snapshot,
            git,
            github: github.map(Arc::new),
        })?)
    }

    /// Decides what the run does.
    pub fn plan(&self, brief: &Brief, facts: &Facts) -> Result<Plan> {
        Ok(plan::build(&self.job, brief, facts)?)
    }

    /// Where git reaches the repository: a repository on GitHub that was named by its ssh URL is reached
    /// over https when there is a token and no key.
    pub fn remote(&self, context: &Context) -> RepoUrl {
        let repo = &self.job.repo;
        match (repo, repo.github()) {
            (RepoUrl::Ssh { .. }, Some((owner, name)))
                if self.job.ssh_key.is_none() && matches!(self.token(context), Ok(Some(_))) =>
            {
                RepoUrl::on_github(owner, name)
            }
            _ => repo.clone(),
        }
    }

    /// Git as this subject talks to its remote: with the user's `GITHUB_TOKEN` when the repository is
    /// on GitHub over https and the changeling may use it, with the changeling's own ssh key, else with
    /// the user's own credentials. Files it needs are in `folder`, a run's own, as long as it lives.
    pub fn git(&self, context: &Context, folder: Option<&Path>) -> Result<Git> {
        let git = Git::new(&context.env);
        let remote = self.remote(context);
        match &remote {
            RepoUrl::Web { .. } if self.place(context).is_some() => match self.token(context) {
                Ok(Some(token)) => Ok(git.with_token(&remote, token.expose())),
                Ok(None) => Ok(git),
                Err(error) => {
                    context.ui.warn(format!("{error}; trying without it"));
                    Ok(git)
                }
            },
            RepoUrl::Ssh { .. } => match self.ssh_key(context)? {
                Some(key) => Ok(git.with_ssh(ssh(&key, folder, context)?)),
                None => Ok(git),
            },
            _ => Ok(git),
        }
    }

    /// The user's token, when the changeling may use it and it is there.
    fn token(&self, context: &Context) -> Result<Option<&Secret>, SecretError> {
        if self.token.get().is_none() {
            let may = self.job.secrets.iter().any(|name| name == "GITHUB_TOKEN");
            let found = may.then(|| secret::find("GITHUB_TOKEN", &self.config, &context.env));
            // Somebody else set it meanwhile: nobody, there is one thread.
            let _ = self.token.set(found.transpose()?.flatten());
        }
        Ok(self.token.get().and_then(Option::as_ref))
    }

    fn ssh_key(&self, context: &Context) -> Result<Option<SshKey>> {
        let job = &self.job;
        ssh_key(job.ssh_key.as_deref(), &job.secrets, &self.config, context)
    }

    /// The text of the ssh key, so that it can be looked for where it must not appear.
    pub fn ssh_key_text(&self, context: &Context) -> Option<String> {
        let job = &self.job;
        ssh_key_text(job.ssh_key.as_deref(), &job.secrets, &self.config, context)
    }

    /// Owner and name on GitHub.
    fn place(&self, context: &Context) -> Option<(&str, &str)> {
        match context.env.get("GITHUB_API_URL") {
            // A GitHub of one's own (or a test's): any host's owner/name is meant there.
            Some(_) => self.job.repo.owner_and_name(),
            None => self.job.repo.github(),
        }
    }

    /// The repository as GitHub's API shows it; `None` when it is not on GitHub.
    pub fn github(&self, context: &Context) -> Result<Option<github::Repository>> {
        let Some((owner, name)) = self.place(context) else {
            return Ok(None);
        };
        let api = context.env.get("GITHUB_API_URL");
        let token = self.token(context)?;
        let api = api.unwrap_or(github::DEFAULT_API);
        Ok(Some(github::Repository::new(
            api,
            owner,
            name,
            token.map(Secret::expose),
        )?))
    }
}

enum SshKey {
    File(PathBuf),
    Secret(Secret),
}

/// The key for ssh: `ssh_key`, else the secret `SSH_KEY` when it is among `secrets`.
fn ssh_key(
    named: Option<&str>,
    secrets: &[String],
    config: &Config,
    context: &Context,
) -> Result<Option<SshKey>> {
    let listed = || secrets.iter().find(|name| *name == "SSH_KEY");
    let Some(name) = named.or_else(|| listed().map(String::as_str)) else {
        return Ok(None);
    };
    let home = context.env.get_os("HOME").map(Path::new);
    let file = |path: &FilePath| SshKey::File(path.resolve(config.base(), home));
    let in_environment = is_variable_name(name) && context.env.get(name).is_some();
    match config.secrets.get(name) {
        // Where it lies already, nothing of it has to be written.
        Some(SecretSource::File(path)) if !in_environment => Ok(Some(file(path))),
        None if !in_environment => Ok(named.map(|name| file(&FilePath(name.to_owned())))),
        _ => Ok(secret::find(name, config, &context.env)?.map(SshKey::Secret)),
    }
}

/// The text of the key for ssh of a changeling that says `ssh_key` and `secrets` so.
pub fn ssh_key_text(
    named: Option<&str>,
    secrets: &[String],
    config: &Config,
    context: &Context,
) -> Option<String> {
    match ssh_key(named, secrets, config, context).ok()?? {
        SshKey::File(path) => std::fs::read_to_string(path).ok(),
        SshKey::Secret(secret) => Some(secret.expose().to_owned()),
    }
}

fn ssh(key: &SshKey, folder: Option<&Path>, context: &Context) -> Result<Ssh> {
    let key = match key {
        SshKey::File(path) => {
            if let Err(error) = std::fs::File::open(path) {
                let path = context.shown(path);
                return Err(Error::needs_person(format!(
                    "cannot read the ssh key {path}: {error}"
                ))
                .with_hint("`ssh_key` names a file, or a secret of `[secrets]`"));
            }
            Key::File(path.clone())
        }
        SshKey::Secret(secret) => Key::Text(secret.expose()),
    };
    let made = if let Some(folder) = folder {
        Ssh::with_key(&key, folder, true)
    } else {
        let root = context.home.root();
        create_private_dir(root).and_then(|()| Ssh::with_key(&key, root, false))
    };
    made.map_err(|error| Error::from(error).context("cannot use the ssh key"))
}
