//! `permission list`.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{find_changeling, load, resolve, words};
use crate::config::Config;
use crate::context::Context;
use crate::error::Result;
use crate::names::{Digest, Name, printable};
use crate::permission::{Grants, Permission, Rights};
use crate::template::Template;
use crate::ui::block;
use crate::ui::style::{self, paint};

/// Show what each changeling's template asks for, what was granted and what is in force
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One changeling, built-in template or .wasm file; all changelings without it
    #[arg(value_name = "NAME|TEMPLATE")]
    reference: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
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

pub(super) fn run(args: &Args, context: &Context) -> Result<()> {
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
