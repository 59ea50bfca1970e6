use std::path::Path;
use std::thread;

use serde::Serialize;

use crate::brief::{Manifest, Param};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::names::Digest;
use crate::permission::Permission;
use crate::template::catalog::{self, Source};
use crate::template::{self, Template, TemplateError};
use crate::ui::{Cell, Column, style, text};

/// Look at templates
///
/// A template says what a changeling does. Some are built in; others are WebAssembly components
/// given by path.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(List),
    Show(Show),
}

/// List the built-in templates
#[derive(Debug, clap::Args)]
struct List {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Show what a template is: its parameters, permissions and default prompt
///
/// Runs the template's own description and nothing else; needs no network.
#[derive(Debug, clap::Args)]
struct Show {
    /// Name of a built-in template, or path of a component (./my-template.wasm)
    #[arg(value_name = "NAME|PATH")]
    template: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What scripts get. Fields are added, never renamed.
#[derive(Debug, Serialize)]
struct Item<'a> {
    name: &'a str,
    version: &'a str,
    description: &'a str,
    built_in: bool,
    digest: &'a Digest,
    agent_type: Option<&'a str>,
    permissions: &'a [Permission],
    params: &'a [Param],
    default_mngr_args: &'a [String],
    default_message: &'a str,
}

#[derive(Debug, Serialize)]
struct Listing<'a> {
    templates: Vec<Item<'a>>,
}

pub fn run(args: &Args, context: &Context) -> Result<()> {
    match &args.command {
        Command::List(args) => list(args, context),
        Command::Show(args) => show(args, context),
    }
}

fn list(args: &List, context: &Context) -> Result<()> {
    let templates = load_built_in(context)?;
    if args.json {
        let templates = templates.iter().map(item).collect();
        context.ui.json(&Listing { templates });
        return Ok(());
    }
    let columns = [
        Column::new("NAME").last_to_shrink(),
        Column::new("VERSION"),
        Column::new("DESCRIPTION").first_to_shrink(),
    ];
    let rows = templates.iter().map(|template| {
        let manifest = &template.manifest;
        [
            Cell::styled(style::NAME, manifest.name.as_str()),
            Cell::new(&manifest.version),
            Cell::new(&manifest.description),
        ]
    });
    context.ui.table(columns, rows);
    Ok(())
}

/// All at once: the first time, each is compiled.
fn load_built_in(context: &Context) -> Result<Vec<Template>> {
    let folder = context.home.components_dir();
    let sources: Result<Vec<_>, TemplateError> = catalog::built_in_names()
        .into_iter()
        .map(|name| catalog::find(name, Path::new("/")))
        .collect();
    let sources = sources?;
    let fresh = sources
        .iter()
        .any(|source| template::needs_compiling(source, &folder));
    let _progress = fresh.then(|| {
        context
            .ui
            .progress("compiling the built-in templates, once")
    });
    let templates: Vec<_> = thread::scope(|scope| {
        let loading: Vec<_> = sources
            .iter()
            .map(|source| scope.spawn(|| Template::load(source, &folder)))
            .collect();
        loading
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect()
    });
    templates
        .into_iter()
        .map(|loaded| match loaded {
            Ok(template) => Ok(template?),
            Err(_) => Err(Error::failed("cannot load the built-in templates")),
        })
        .collect()
}

fn show(args: &Show, context: &Context) -> Result<()> {
    let source = catalog::find(&args.template, &context.cwd)?;
    let template = load(&source, context)?;
    if args.json {
        context.ui.json(&item(&template));
        return Ok(());
    }
    print(&template, context);
    Ok(())
}

/// Loads a template and says so when that takes a while.
fn load(source: &Source, context: &Context) -> Result<Template> {
    let folder = context.home.components_dir();
    let fresh = template::needs_compiling(source, &folder);
    let _progress = fresh.then(|| context.ui.progress("compiling the template, once"));
    Ok(Template::load(source, &folder)?)
}

fn item(template: &Template) -> Item<'_> {
    let Manifest {
        name,
        version,
        description,
        agent_type,
        params,
        permissions,
        default_message,
        default_mngr_args,
        extras: _,
    } = &template.manifest;
    Item {
        name: name.as_str(),
        version,
        description,
        built_in: template.built_in,
        digest: &template.digest,
        agent_type: agent_type.as_deref(),
        permissions,
        params,
        default_mngr_args,
        default_message,
    }
}

fn print(template: &Template, context: &Context) {
    let ui = &context.ui;
    let manifest = &template.manifest;
    let join = |texts: Vec<String>| {
        if texts.is_empty() {
            "none".to_owned()
        } else {
            texts.join("  ")
        }
    };
    let origin = if template.built_in {
        "built in"
    } else {
        "third party"
    };
    let name = style::paint(style::NAME, &manifest.name);
    let columns = ui.columns.unwrap_or(usize::MAX);
    ui.out(text::wrap(
        &format!("{name}  "),
        &manifest.description,
        columns,
    ));
    ui.out("");
    ui.pairs(&[
        ("version", manifest.version.clone()),
        ("origin", format!("{origin}, sha256:{}", template.digest)),
        (
            "agent type",
            manifest
                .agent_type
                .clone()
                .unwrap_or_else(|| "claude".to_owned()),
        ),
        (
            "permissions",
            join(
                manifest
                    .permissions
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            ),
        ),
        ("mngr arguments", join(manifest.default_mngr_args.clone())),
    ]);
    ui.heading("Parameters");
    if manifest.params.is_empty() {
        ui.out("  none");
    }
    let params: Vec<_> = manifest
        .params
        .iter()
        .map(|param| (&param.name, in_words(param)))
        .collect();
    if !params.is_empty() {
        ui.pairs(&params);
    }
    ui.heading("Prompt (a run puts what it found in place of {findings})");
    ui.quote(&manifest.default_message);
}

fn in_words(param: &Param) -> String {
    let note = match &param.default {
        _ if param.required => " (required)".to_owned(),
        Some(default) => format!(" (default: {})", crate::names::printable(default)),
        None => String::new(),
    };
    format!("{}{note}", param.description)
}
