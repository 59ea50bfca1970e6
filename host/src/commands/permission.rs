use std::collections::BTreeSet;

use serde::Serialize;

use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::names::{Digest, Name, printable};
use crate::permission::{Grants, Permission, Rights, grants};
use crate::template::{Template, catalog};
use crate::ui::block;
use crate::ui::style::{self, paint};

/// Look at, grant and revoke permissions
///
/// A template is a sandboxed program, but what it says drives an agent. A built-in template is granted
/// what its manifest lists. Anybody else's may plan and rehearse; everything else is granted to one
/// exact file, by its sha256, and a changed file asks again.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(List),
    Grant(Grant),
    Revoke(Revoke),
}

/// Show what each changeling's template asks for, what was granted and what is in force
#[derive(Debug, clap::Args)]
struct List {
    /// One changeling, built-in template or .wasm file; all changelings without it
    #[arg(value_name = "NAME|TEMPLATE")]
    reference: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Grant permissions to one exact template file
#[derive(Debug, clap::Args)]
struct Grant {
    /// The .wasm file, or a changeling that uses it
    #[arg(value_name = "TEMPLATE")]
    reference: String,
    /// `agent` to let it run, or what it asks for: publish, github:read, env:NAME, ...
    #[arg(required = true, value_name = "PERMISSION")]
    permissions: Vec<Permission>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Say what would be granted and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Take grants back
#[derive(Debug, clap::Args)]
struct Revoke {
    /// The .wasm file, a changeling that uses it, or the first digits of its sha256
    #[arg(value_name = "TEMPLATE")]
    reference: String,
    /// All of them when none is named
    #[arg(value_name = "PERMISSION")]
    permissions: Vec<Permission>,
    /// Say what would be taken back and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    match &args.command {
        Command::List(args) => list(args, context),
        Command::Grant(args) => grant(args, context),
        Command::Revoke(args) => revoke(args, context),
    }
}

/// What scripts get. Fields are added, never renamed.
#[derive(Debug, Serialize)]
struct Listing {
    /// One for each changeling, or the one template that was asked about.
    templates: Vec<Entry>,
    /// Grants to files that none of these uses.
    other_grants: Vec<Other>,
}

#[derive(Debug, Serialize)]
struct Entry {
    changeling: Option<Name>,
    /// As the configuration or the command line names it.
    reference: String,
    template: Option<Loaded>,
    /// Why the template cannot be looked at.
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Loaded {
    name: Name,
    version: String,
    digest: Digest,
    built_in: bool,
    asked: Vec<Permission>,
    granted: Vec<Permission>,
    in_force: BTreeSet<Permission>,
    /// It may run and be deployed, not only plan and rehearse.
    may_run: bool,
}

#[derive(Debug, Serialize)]
struct Other {
    template: Name,
    digest: Digest,
    permissions: Vec<Permission>,
}

fn list(args: &List, context: &Context) -> Result<()> {
    let config = Config::load(&context.home)?;
    let grants = Grants::load(&context.home.grants_file())?;
    let templates = match &args.reference {
        Some(reference) => vec![named(reference, &config, &grants, context)?],
        None => configured(&config, &grants, context),
    };
    let used: BTreeSet<_> = templates
        .iter()
        .filter_map(|entry| Some(&entry.template.as_ref()?.digest))
        .collect();
    let others = grants
        .iter()
        .filter(|(digest, _)| args.reference.is_none() && !used.contains(digest));
    let other_grants = others
        .map(|(digest, granted)| Other {
            template: granted.template.clone(),
            digest: digest.clone(),
            permissions: granted.permissions.clone(),
        })
        .collect();
    let listing = Listing {
        templates,
        other_grants,
    };
    if args.json {
        context.ui.json(&listing);
    } else if listing.templates.is_empty() && listing.other_grants.is_empty() {
        context.ui.note("there are no changelings and no grants; `changeling permission list fixme-fairy` shows a template's");
    } else {
        context.ui.out(shown(&listing, context.ui.columns));
    }
    Ok(())
}

fn configured(config: &Config, grants: &Grants, context: &Context) -> Vec<Entry> {
    let entry = |changeling: &crate::config::Changeling| {
        let own = changeling.permissions.as_deref();
        let loaded = load(&changeling.template, config.base(), context);
        Entry {
            changeling: Some(changeling.name.clone()),
            reference: changeling.template.clone(),
            error: loaded.as_ref().err().map(ToString::to_string),
            template: loaded
                .ok()
                .map(|template| Loaded::new(&template, own, grants)),
        }
    };
    config.changelings.values().map(entry).collect()
}

fn named(reference: &str, config: &Config, grants: &Grants, context: &Context) -> Result<Entry> {
    let changeling = find_changeling(reference, config);
    let template = resolve(reference, config, context)?;
    let own = changeling.and_then(|changeling| changeling.permissions.as_deref());
    Ok(Entry {
        changeling: changeling.map(|changeling| changeling.name.clone()),
        reference: reference.to_owned(),
        template: Some(Loaded::new(&template, own, grants)),
        error: None,
    })
}

impl Loaded {
    fn new(template: &Template, own: Option<&[Permission]>, grants: &Grants) -> Self {
        let granted = grants.of(template);
        let rights = Rights {
            own,
            granted: &granted,
            built_in: template.built_in,
        };
        let manifest = &template.manifest;
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: template.digest.clone(),
            built_in: template.built_in,
            in_force: rights.in_force(&manifest.permissions),
            may_run: rights.may_run(),
            asked: manifest.permissions.clone(),
            granted,
        }
    }
}

fn shown(listing: &Listing, columns: Option<usize>) -> String {
    let mut blocks: Vec<_> = listing
        .templates
        .iter()
        .map(|entry| shown_entry(entry, columns))
        .collect();
    if !listing.other_grants.is_empty() {
        let rows: Vec<_> = listing
            .other_grants
            .iter()
            .map(|other| {
                (
                    format!("{} sha256:{}", other.template, other.digest.short()),
                    words(&other.permissions),
                )
            })
            .collect();
        blocks.push(format!(
            "{}\n{}",
            block::heading("Grants to other files"),
            block::pairs(&rows, columns)
        ));
    }
    blocks.join("\n\n")
}

fn shown_entry(entry: &Entry, columns: Option<usize>) -> String {
    let title = entry
        .changeling
        .as_ref()
        .map_or(entry.reference.as_str(), Name::as_str);
    let title = block::heading(printable(title));
    let Some(template) = &entry.template else {
        let why = entry.error.as_deref().unwrap_or_default();
        let pairs = [
            ("template", printable(&entry.reference)),
            ("problem", why.to_owned()),
        ];
        return format!("{title}\n{}", block::pairs(&pairs, columns));
    };
    let id = format!("{} {}", template.name, printable(&template.version));
    let id = if template.built_in {
        format!("{id}, built in")
    } else {
        format!("{id}, sha256:{}", template.digest.short())
    };
    let may = if template.may_run {
        "plan, rehearse, run and be deployed".to_owned()
    } else {
        format!(
            "plan and rehearse; {}",
            paint(style::CAREFUL, "to run it needs the grant `agent`")
        )
    };
    let pairs = [
        ("template", id),
        ("asks for", words(&template.asked)),
        ("granted", words(&template.granted)),
        ("in force", words(template.in_force.iter())),
        ("may", may),
    ];
    format!("{title}\n{}", block::pairs(&pairs, columns))
}

fn words<'a>(permissions: impl IntoIterator<Item = &'a Permission>) -> String {
    let words: Vec<_> = permissions.into_iter().map(ToString::to_string).collect();
    if words.is_empty() {
        "nothing".to_owned()
    } else {
        words.join(", ")
    }
}

fn grant(args: &Grant, context: &Context) -> Result<()> {
    let config = Config::load(&context.home)?;
    let template = resolve(&args.reference, &config, context)?;
    let name = &template.manifest.name;
    if template.built_in {
        return Err(Error::usage(format!(
            "{name} is built in and granted what its manifest lists: {}",
            words(&template.manifest.permissions)
        ))
        .with_hint(
            "set `permissions` of a changeling to give its runs more or less: changeling edit NAME",
        ));
    }
    let file = context.home.grants_file();
    let granted = Grants::load(&file)?.of(&template);
    for permission in &args.permissions {
        if *permission != Permission::Agent && !template.manifest.permissions.contains(permission) {
            return Err(
                Error::usage(format!("{name} does not ask for {permission}")).with_hint(format!(
                    "it asks for: {}",
                    words(&template.manifest.permissions)
                )),
            );
        }
    }
    let new: Vec<_> = args
        .permissions
        .iter()
        .filter(|permission| !granted.contains(permission))
        .cloned()
        .collect();
    if new.is_empty() {
        context.ui.note(format!(
            "{name} has that grant already: {}",
            words(&granted)
        ));
        return Ok(());
    }
    let question = format!(
        "Grant {} to {name} (sha256:{})?",
        words(&new),
        template.digest.short()
    );
    say_what(&template, &new, context);
    if args.dry_run {
        context.ui.note("nothing was changed (--dry-run)");
        return Ok(());
    }
    if !context.ui.confirm(&question, args.yes)? {
        context.ui.note("nothing was granted");
        return Ok(());
    }
    let all = grants::grant(&file, &template.digest, name, &new, &now(context))?;
    context.ui.note(format!(
        "granted; {name} (sha256:{}) now has: {}",
        template.digest.short(),
        words(&all)
    ));
    Ok(())
}

/// What a yes would mean, before it is asked for.
fn say_what(template: &Template, permissions: &[Permission], context: &Context) {
    let manifest = &template.manifest;
    let mut pairs = vec![
        (
            "template".to_owned(),
            format!("{} {}", manifest.name, printable(&manifest.version)),
        ),
        ("says".to_owned(), printable(&manifest.description)),
        ("digest".to_owned(), format!("sha256:{}", template.digest)),
    ];
    pairs.extend(
        permissions
            .iter()
            .map(|permission| (permission.to_string(), permission.meaning())),
    );
    context
        .ui
        .note(block::pairs(&pairs, context.ui.message_columns));
}

fn revoke(args: &Revoke, context: &Context) -> Result<()> {
    let file = context.home.grants_file();
    let known = Grants::load(&file)?;
    // A file that is gone or changed can still be named by its digest.
    let digest = if let Some((digest, _)) = known.by_prefix(&args.reference) {
        digest.clone()
    } else {
        let template = resolve(&args.reference, &Config::load(&context.home)?, context)?;
        if template.built_in {
            let name = &template.manifest.name;
            return Err(Error::usage(format!(
                "{name} is built in; there is no grant to take back"
            ))
            .with_hint(
                "set `permissions` of a changeling to give its runs less: changeling edit NAME",
            ));
        }
        template.digest
    };
    let Some((_, granted)) = known.iter().find(|(other, _)| **other == digest) else {
        context
            .ui
            .note(format!("sha256:{} was granted nothing", digest.short()));
        return Ok(());
    };
    let name = granted.template.clone();
    let gone = granted
        .permissions
        .iter()
        .filter(|one| args.permissions.is_empty() || args.permissions.contains(one));
    let gone = words(gone);
    if args.dry_run {
        context.ui.note(format!(
            "would take back from {name} (sha256:{}): {gone} (--dry-run)",
            digest.short()
        ));
        return Ok(());
    }
    let left = grants::revoke(&file, &digest, &args.permissions, &now(context))?;
    context.ui.note(format!(
        "taken back from {name} (sha256:{}): {gone}; left: {}",
        digest.short(),
        words(&left)
    ));
    Ok(())
}

fn now(context: &Context) -> String {
    context
        .clock
        .now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// A template by built-in name or path, or the one a changeling uses.
fn resolve(reference: &str, config: &Config, context: &Context) -> Result<Template> {
    match find_changeling(reference, config) {
        Some(changeling) => load(&changeling.template, config.base(), context),
        None => load(reference, &context.cwd, context),
    }
}

/// Templates come first: a changeling may be called like the built-in one it uses.
fn find_changeling<'a>(
    reference: &str,
    config: &'a Config,
) -> Option<&'a crate::config::Changeling> {
    let name: Name = reference.parse().ok()?;
    let built_in = catalog::built_in_names().contains(&reference);
    config.changelings.get(&name).filter(|_| !built_in)
}

fn load(reference: &str, base: &std::path::Path, context: &Context) -> Result<Template> {
    let source = catalog::find(reference, base)?;
    let _progress = context
        .ui
        .progress(format!("loading {}", printable(reference)));
    Ok(Template::load(&source, &context.home.components_dir())?)
}
