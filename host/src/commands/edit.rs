mod editor;

use toml_edit::DocumentMut;

use super::settings::{Change, Settings, preview};
use crate::config::edit::{edit_config, entry};
use crate::config::{Config, nearest, schema};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::job::check_params;
use crate::modal::Deployed;
use crate::names::printable;
use crate::template::{Template, catalog};

/// Change a changeling
///
/// The flags are those of `add`. Without flags, on a terminal, the configuration opens in $VISUAL or
/// $EDITOR; what has mistakes is not taken over, and kept beside it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the changeling
    name: Option<String>,
    #[command(flatten)]
    settings: Settings,
    /// Take a key out of the entry, so that its default holds; again for more
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// Print the entry as it would be and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let mut changes = args.settings.changes(&context.cwd)?;
    for key in &args.unset {
        changes.push(Change::Unset(known_key(key)?.to_owned()));
    }
    if changes.is_empty() {
        return editor::run(args.name.as_deref(), context);
    }
    let Some(name) = &args.name else {
        return Err(Error::usage("which changeling? give its name")
            .with_hint("`changeling list` shows all"));
    };
    let config = Config::load(&context.home)?;
    let name = config.named(name)?.name.clone();
    let change = |doc: &mut DocumentMut| -> Result<()> {
        let Some(entry) = entry::entry(doc, name.as_str()) else {
            return Err(Error::usage(format!("there is no changeling `{name}`")));
        };
        for change in &changes {
            change.apply(entry);
        }
        Ok(())
    };
    let preview = preview(context, &name, change)?;
    let touches_template = |change: &Change| {
        matches!(
            change,
            Change::Set("template", _) | Change::SetIn("params", ..)
        ) || matches!(change, Change::Unset(key) if key == "params")
    };
    if changes.iter().any(touches_template) {
        let changeling = preview.changeling(&name)?;
        let source = catalog::find(&changeling.template, context.home.root())?;
        let template = Template::load(&source, &context.home.components_dir())?;
        check_params(&template.manifest, &changeling)?;
    }
    if args.dry_run {
        let doc = preview.text.parse::<DocumentMut>();
        let text = doc
            .map(|doc| entry::text(&doc, name.as_str()))
            .unwrap_or_default();
        context.ui.out(text.trim_end());
        context.ui.note("nothing was written (--dry-run)");
        return Ok(());
    }
    edit_config(&context.home, change)?;
    context.ui.note(format!(
        "changed `{name}`; `changeling show {name}` shows all of it"
    ));
    if Deployed::of(&name, &context.home)?.is_some() {
        let what = "it is deployed as it was before; to deploy it as it is now";
        context
            .ui
            .to_type(what, &format!("changeling deploy {name}"));
    }
    Ok(())
}

fn known_key(key: &str) -> Result<&'static str> {
    let wanted = key.trim_start_matches("--").replace('-', "_");
    let known = || schema::changeling_keys();
    known().find(|known| *known == wanted).ok_or_else(|| {
        let error = Error::usage(format!("--unset: there is no key `{}`", printable(key)));
        match nearest(&wanted, known()) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error.with_hint(format!("keys: {}", known().collect::<Vec<_>>().join(", "))),
        }
    })
}
