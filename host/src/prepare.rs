//! From what the user named to a plan: the way `plan`, `rehearse` and `run` share, so that what is
//! shown is what happens.
//!
//! `subjects` → [`Subject::facts`] → [`plan::start`] → [`Subject::compose`] → [`Subject::plan`]. Each
//! step is a call of its own, so that a run can record it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::brief::Brief;
use crate::config::Config;
use crate::context::Context;
use crate::error::Result;
use crate::git::{Git, Mirror, Snapshot};
use crate::github;
use crate::job::Job;
use crate::permission::{self, Grants, Permission};
use crate::plan::{self, Facts, Plan, PullRequestFact};
use crate::pull_request;
use crate::repo_url::RepoUrl;
use crate::schedule::Zone;
use crate::secret;
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
#[derive(Debug)]
pub struct Subject {
    pub job: Job,
    pub template: Arc<Template>,
    pub config: Config,
    zone: Zone,
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
        })
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
            date: context
                .clock
                .now_in(self.zone.time_zone().clone())
                .date()
                .to_string(),
            run_id: run_id.to_owned(),
            base_commit: mirror.commit_of(&base_branch)?,
            on_github: self.place(context).is_some(),
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

    /// Git as this subject talks to its remote: with the user's `GITHUB_TOKEN` when the repository is
    /// on GitHub over https and the changeling may use it, else with his own credentials.
    pub fn git(&self, context: &Context) -> Git {
        let git = Git::new(&context.env);
        let repo = &self.job.repo;
        let is_github = self.place(context).is_some();
        let may = self.job.secrets.iter().any(|name| name == "GITHUB_TOKEN");
        if !may || !is_github || !matches!(repo, RepoUrl::Web { .. }) {
            return git;
        }
        match secret::find("GITHUB_TOKEN", &self.config, &context.env) {
            Ok(Some(token)) => git.with_token(repo, token.expose()),
            Ok(None) => git,
            Err(error) => {
                context.ui.warn(format!("{error}; trying without it"));
                git
            }
        }
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
        let token = secret::find("GITHUB_TOKEN", &self.config, &context.env)?;
        let api = api.unwrap_or(github::DEFAULT_API);
        Ok(Some(github::Repository::new(
            api,
            owner,
            name,
            token.as_ref().map(secret::Secret::expose),
        )?))
    }
}
