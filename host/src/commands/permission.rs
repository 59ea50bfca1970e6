mod list;

use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::names::{Name, printable};
use crate::permission::{Grants, Permission, grants};
use crate::template::{Template, catalog};
use crate::ui::block;

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
    List(list::Args),
    Grant(Grant),
    Revoke(Revoke),
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
        Command::List(args) => list::run(args, context),
        Command::Grant(args) => grant(args, context),
        Command::Revoke(args) => revoke(args, context),
    }
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
        .quick_progress(format!("loading {}", printable(reference)));
    Ok(Template::load(&source, &context.home.components_dir())?)
}
