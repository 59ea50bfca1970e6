use std::path::Path;

use toml_edit::{DocumentMut, Table};

use super::settings::{Change, Settings, preview};
use crate::agent::skips_prompts;
use crate::config::edit::{edit_config, entry};
use crate::config::{Changeling, Config, parse_name};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::git::{self, Git};
use crate::job::check_params;
use crate::names::{MAX_NAME, Name, printable};
use crate::permission::{Grants, Permission};
use crate::repo_url::{RepoUrl, strip_credentials};
use crate::schedule::{self, Zone, in_words};
use crate::template::{Template, catalog};
use crate::ui::{block, style};

/// Add a changeling to the configuration
///
/// Inside a clone, a template is enough: `changeling add --template fixme-fairy`. The repository is
/// the clone's origin, the name says repository and template, and the schedule is a time between
/// 01:00 and 05:00 that depends on the name.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the changeling (default: repository and template)
    name: Option<String>,
    /// Name of the changeling
    #[arg(
        long = "name",
        value_name = "NAME",
        conflicts_with = "name",
        hide = true
    )]
    named: Option<String>,
    #[command(flatten)]
    settings: Settings,
    /// Add it without letting it run yet
    #[arg(long)]
    disabled: bool,
    /// Answer questions with yes
    #[arg(short, long)]
    yes: bool,
    /// Print what would be added and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let reference = args
        .settings
        .template
        .as_deref()
        .ok_or_else(which_template)?;
    let config = Config::load(&context.home)?;
    let mut changes = args.settings.changes(&context.cwd)?;
    let mut said = None;
    if args.settings.repo.is_empty() {
        let (repo, how) = origin(context)?;
        said = Some(how);
        changes.insert(1, Change::Set("repo", repo.into()));
    }
    check_folders(&args.settings, context)?;
    let name = match args.name.as_ref().or(args.named.as_ref()) {
        Some(name) => parse_name(name)?,
        None => default_name(&changes, reference, &context.cwd)?,
    };
    if config.changelings.contains_key(&name) {
        return Err(taken(&name));
    }
    add_times(&mut changes, &name, &config, args, context);
    if args.disabled {
        changes.push(Change::Set("enabled", false.into()));
    }

    // First what costs nothing: are the values any good?
    let entry = entry_of(&changes);
    let put = |entry: &Table| {
        let entry = entry.clone();
        let name = &name;
        move |doc: &mut DocumentMut| {
            if entry::insert(doc, name.as_str(), entry.clone()) {
                Ok(())
            } else {
                Err(taken(name))
            }
        }
    };
    let changeling = preview(context, &name, put(&entry))?.changeling(&name)?;
    let template = load(&changeling, context)?;
    check_params(&template.manifest, &changeling)?;
    if agree_to_unattended(args, &changeling, &template, context)? {
        changes.push(Change::Set("unattended", true.into()));
    }

    let entry = entry_of(&changes);
    let preview = preview(context, &name, put(&entry))?;
    if args.dry_run {
        let doc = preview.text.parse::<DocumentMut>();
        let text = doc
            .map(|doc| entry::text(&doc, name.as_str()))
            .unwrap_or_default();
        context.ui.out(text.trim_end());
        if let Some(said) = said {
            context.ui.note(format!("repository: {said}"));
        }
        context.ui.note("nothing was written (--dry-run)");
        return Ok(());
    }
    edit_config(&context.home, put(&entry))?;
    tell(
        &preview.changeling(&name)?,
        &template,
        said.as_deref(),
        context,
    )
}

fn which_template() -> Error {
    let names = catalog::built_in_names().join(", ");
    Error::usage("which template? give one with --template").with_hint(format!(
        "built in: {names}; `changeling template list` says what each does"
    ))
}

fn taken(name: &Name) -> Error {
    Error::usage(format!("there is a changeling `{name}` already")).with_hint(format!(
        "`changeling edit {name}` changes it; another NAME adds a second one"
    ))
}

fn entry_of(changes: &[Change]) -> Table {
    let mut table = Table::new();
    for change in changes {
        change.apply(&mut table);
    }
    table
}

/// The origin of the clone we stand in, without credentials, and a sentence about it.
fn origin(context: &Context) -> Result<(String, String)> {
    let git = Git::new(&context.env);
    let which = "which repository? give one with --repo, or run this inside a clone";
    let (git_dir, _) = git.discover(&context.cwd).map_err(|error| match error {
        git::GitError::Failed { message, .. } if message.contains("not a git repository") => {
            Error::usage(which)
        }
        error => Error::from(error).context("looking at this folder's repository"),
    })?;
    let call = git
        .in_dir(&git_dir)
        .args(["config", "--local", "--get", "remote.origin.url"]);
    let finished = call.run().map_err(git::GitError::from)?;
    let url = finished.text();
    if !finished.success() || url.is_empty() {
        return Err(Error::usage("this clone has no remote named `origin`")
            .with_hint("give the repository with --repo"));
    }
    let (url, stripped) = strip_credentials(&url);
    let repo = RepoUrl::parse(&url, &context.cwd)
        .map_err(|error| Error::from(error).context("this clone's origin cannot be used"))?;
    let credentials = if stripped {
        ", its credentials left out"
    } else {
        ""
    };
    Ok((
        repo.to_string(),
        format!("this clone's origin{credentials}"),
    ))
}

/// A folder given with `--repo` must hold a repository: a typing mistake is cheap to find now.
fn check_folders(settings: &Settings, context: &Context) -> Result<()> {
    for repo in &settings.repo {
        let RepoUrl::Local(folder) = RepoUrl::parse(repo, &context.cwd)? else {
            continue;
        };
        Git::new(&context.env).discover(&folder).map_err(|_| {
            Error::usage(format!(
                "--repo: {} is not a git repository",
                context.shown(&folder)
            ))
        })?;
    }
    Ok(())
}

/// `<repo>-<template>`, the repository's part cut where it is too long.
fn default_name(changes: &[Change], reference: &str, cwd: &Path) -> Result<Name> {
    let repo = changes.iter().find_map(|change| match change {
        Change::Set("repo", value) => value.as_str(),
        Change::Set("repos", value) => value.as_array()?.get(0)?.as_str(),
        _ => None,
    });
    let repo = RepoUrl::parse(repo.unwrap_or_default(), cwd)?;
    let stem = Path::new(reference)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let template = Name::slugify(&stem).map(String::from).unwrap_or_default();
    let room = MAX_NAME.saturating_sub(template.len() + 1);
    let repo = Name::slugify(repo.name())
        .map(String::from)
        .unwrap_or_default();
    let repo: String = repo.chars().take(room).collect();
    Name::slugify(&format!("{repo}-{template}")).ok_or_else(|| {
        Error::usage("no name can be made of this repository and this template")
            .with_hint("give one: changeling add NAME ...")
    })
}

/// Time zone and schedule, unless the flags or `[defaults]` say them.
fn add_times(
    changes: &mut Vec<Change>,
    name: &Name,
    config: &Config,
    args: &Args,
    context: &Context,
) {
    let place = changes
        .iter()
        .position(|change| {
            !matches!(
                change,
                Change::Set("template" | "repo" | "repos" | "schedule", _)
            )
        })
        .unwrap_or(changes.len());
    if args.settings.timezone.is_none() && !config.shares("timezone") {
        let (zone, warning) = Zone::system_or_utc();
        if let Some(warning) = warning {
            context
                .ui
                .warn(format!("{warning}; --timezone names another"));
        }
        changes.insert(place, Change::Set("timezone", zone.name().into()));
    }
    if args.settings.schedule.is_none() && !config.shares("schedule") {
        let schedule = schedule::spread(name.as_str());
        changes.insert(place, Change::Set("schedule", schedule.into()));
    }
}

fn load(changeling: &Changeling, context: &Context) -> Result<Template> {
    let source = catalog::find(&changeling.template, context.home.root())?;
    let _progress = context.ui.quick_progress("loading the template");
    Ok(Template::load(&source, &context.home.components_dir())?)
}

/// The agent that will run, in mngr's words.
fn agent_type<'a>(changeling: &'a Changeling, template: &'a Template) -> &'a str {
    let own = changeling.agent_type.as_deref();
    own.or(template.manifest.agent_type.as_deref())
        .unwrap_or("claude")
}

/// Whether `unattended = true` is to be written: asked, where somebody can be asked.
fn agree_to_unattended(
    args: &Args,
    changeling: &Changeling,
    template: &Template,
    context: &Context,
) -> Result<bool> {
    let agent = agent_type(changeling, template);
    let is_said = args.settings.unattended.is_some() || changeling.unattended;
    let can_ask = (context.ui.can_ask && !args.dry_run) || args.yes;
    if is_said || !skips_prompts(agent) || !can_ask {
        return Ok(false);
    }
    let question = format!(
        "Run on this machine, {} acts as you and asks for no permission. Allow that for `{}`?",
        printable(agent),
        changeling.name
    );
    context.ui.confirm(&question, args.yes)
}

/// What was chosen, what is missing before it runs, and what to type next.
fn tell(
    changeling: &Changeling,
    template: &Template,
    said: Option<&str>,
    context: &Context,
) -> Result<()> {
    let ui = &context.ui;
    let name = style::paint(style::NAME, &changeling.name);
    ui.note(format!(
        "added {name} to {}\n",
        context.shown(&context.home.config_file())
    ));
    ui.note(block::pairs(
        &summary(changeling, template, said, context),
        ui.message_columns,
    ));
    ui.note("");
    if !template.built_in
        && !Grants::load(&context.home.grants_file())?
            .of(template)
            .contains(&Permission::Agent)
    {
        ui.note(format!(
            "this template is not built in: it may plan and rehearse; to run it needs a grant: \
             changeling permission grant {} agent",
            printable(&changeling.template),
        ));
    }
    let agent = agent_type(changeling, template);
    if skips_prompts(agent) && !changeling.unattended {
        ui.note(format!(
            "not agreed to: on this machine {} would run without asking for permission; \
             `changeling edit {} --unattended` agrees, and runs here need it",
            printable(agent),
            changeling.name,
        ));
    }
    let next = style::paint(style::NAME, format!("changeling plan {}", changeling.name));
    ui.note(format!("next: {next} shows what a run would do"));
    let run = format!("changeling run {} --local", changeling.name);
    let run = style::paint(style::NAME, run);
    ui.note(format!("      {run} does it now, on this machine"));
    let deploy = format!("changeling deploy {}", changeling.name);
    let deploy = style::paint(style::NAME, deploy);
    let scheduled = changeling.enabled && changeling.schedule.is_some();
    let deploys = if scheduled {
        "starts its schedule, on Modal"
    } else {
        "lets it run on Modal"
    };
    ui.note(format!("      {deploy} {deploys}"));
    Ok(())
}

fn summary(
    changeling: &Changeling,
    template: &Template,
    said: Option<&str>,
    context: &Context,
) -> Vec<(&'static str, String)> {
    let repos: Vec<_> = changeling.repos.iter().map(ToString::to_string).collect();
    let said = said.map_or_else(String::new, |said| format!(" ({said})"));
    let now = context.clock.now();
    let (when, next) = match &changeling.schedule {
        Some(schedule) => {
            let next = schedule.next_after(now, &changeling.timezone);
            (
                format!(
                    "{schedule} ({}), {}",
                    schedule.describe(),
                    changeling.timezone
                ),
                next.map_or_else(
                    || "never".to_owned(),
                    |next| format!("once deployed: {}", in_words(&next, now)),
                ),
            )
        }
        None => ("none".to_owned(), "when you run it".to_owned()),
    };
    let manifest = &template.manifest;
    vec![
        (
            "template",
            format!("{} {}", manifest.name, printable(&manifest.version)),
        ),
        ("repository", repos.join(", ") + &said),
        ("schedule", when),
        (
            "next fire",
            if changeling.enabled {
                next
            } else {
                "never: it is disabled".to_owned()
            },
        ),
        (
            "limits",
            format!(
                "{}, {} USD and {} turns a run",
                changeling.timeout, changeling.max_budget_usd, changeling.max_turns
            ),
        ),
    ]
}
