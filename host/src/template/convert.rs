//! From what a guest answers to what the rest of the program trusts: every text bounded, every word of
//! a vocabulary known, nothing that can forge a line or move a cursor.

use std::collections::{BTreeMap, BTreeSet};

use super::bindings::changelings::template::types::Failure;
use super::bindings::exports::changelings::template::template_api as guest;
use super::error::Problem;
use crate::brief::{Brief, Composition, Delivery, Manifest, Param};
use crate::names::{Name, is_invisible, printable, printable_lines};
use crate::permission::Permission;

/// Longest prompt, in bytes.
pub const MAX_PROMPT: usize = 256 << 10;

/// GitHub takes 65,536 characters; the host adds its part.
const MAX_BODY: usize = 48 << 10;

const MAX_DESCRIPTION: usize = 500;
const MAX_TITLE: usize = 200;
const MAX_LABEL: usize = 50;
const MAX_LABELS: usize = 20;
const MAX_ARG: usize = 2_000;
const MAX_ARGS: usize = 50;
const MAX_PARAMS: usize = 50;
const MAX_VALUE: usize = 10_000;
const MAX_PERMISSIONS: usize = 100;
const MAX_EXTRAS: usize = 50;
const MAX_SLUG: usize = 60;
const MAX_WORD: usize = 100;
const MAX_REASON: usize = 1_000;

pub(super) fn manifest(manifest: guest::Manifest) -> Result<Manifest, Problem> {
    let name = manifest
        .name
        .parse::<Name>()
        .map_err(|error| wrong("name", error.to_string()))?;
    Ok(Manifest {
        name,
        version: version(manifest.version)?,
        description: line("description", manifest.description, MAX_DESCRIPTION)?,
        agent_type: manifest
            .agent_type
            .map(|agent| line("agent-type", agent, MAX_WORD))
            .transpose()?,
        params: params(manifest.params)?,
        permissions: permissions(&manifest.permissions)?,
        default_message: lines("default-message", &manifest.default_message, MAX_PROMPT)?,
        default_mngr_args: args("default-mngr-args", manifest.default_mngr_args)?,
        extras: extras(manifest.extras)?,
    })
}

/// `known`: the manifest of the same template.
pub(super) fn composition(
    composition: guest::Composition,
    known: &Manifest,
) -> Result<Composition, Problem> {
    match composition {
        guest::Composition::Run(brief) => {
            Ok(Composition::Run(Box::new(self::brief(brief, known)?)))
        }
        guest::Composition::Skip(reason) => {
            let reason = flattened(&reason, MAX_REASON);
            if reason.is_empty() {
                return Err(wrong("skip", "no reason is given"));
            }
            Ok(Composition::Skip { reason })
        }
    }
}

fn brief(brief: guest::Brief, known: &Manifest) -> Result<Brief, Problem> {
    let prompt = lines("prompt", &brief.prompt, MAX_PROMPT)?;
    if prompt.trim().is_empty() {
        return Err(wrong("prompt", "it is empty"));
    }
    let permissions = permissions(&brief.permissions)?;
    if let Some(unlisted) = permissions
        .iter()
        .find(|wanted| !known.permissions.contains(wanted))
    {
        return Err(wrong(
            "permissions",
            format!("`{unlisted}` is not in the manifest"),
        ));
    }
    Ok(Brief {
        prompt,
        mngr_args: args("mngr-args", brief.mngr_args)?,
        permissions,
        delivery: delivery(&brief.delivery)?,
        slug: slug(brief.slug)?,
        pr_title: brief
            .pr_title
            .map(|title| line("pr-title", title, MAX_TITLE))
            .transpose()?,
        pr_body: brief
            .pr_body
            .map(|body| lines("pr-body", &body, MAX_BODY))
            .transpose()?,
        labels: labels(brief.labels)?,
        extras: extras(brief.extras)?,
    })
}

/// The template's own "no", made printable and bounded.
pub(super) fn refusal(failure: &Failure) -> Problem {
    let well_formed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let code = &failure.code;
    let code = if !code.is_empty() && code.len() <= MAX_WORD && code.chars().all(well_formed) {
        code.clone()
    } else {
        "failure".to_owned()
    };
    let message = flattened(&failure.message, MAX_REASON);
    Problem::Refused {
        code,
        message: if message.is_empty() {
            "it gave no reason".to_owned()
        } else {
            message
        },
        hint: failure
            .hint
            .as_ref()
            .map(|hint| flattened(hint, MAX_REASON))
            .filter(|hint| !hint.is_empty()),
    }
}

fn wrong(field: &str, complaint: impl Into<String>) -> Problem {
    Problem::Answer {
        field: field.to_owned(),
        complaint: complaint.into(),
    }
}

/// The beginning of a text, safe to quote in a complaint.
fn quoted(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", printable(&start))
}

/// Text on one line that says what it looks like it says.
fn line(field: &str, text: String, most: usize) -> Result<String, Problem> {
    let length = text.chars().count();
    if length > most {
        return Err(wrong(
            field,
            format!("{length} characters; at most {most} are allowed"),
        ));
    }
    if text.trim().is_empty() {
        return Err(wrong(field, "it is empty"));
    }
    if text.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err(wrong(
            field,
            format!("control or invisible characters in {}", quoted(&text)),
        ));
    }
    Ok(text)
}

/// Text of several lines, with control and invisible characters made visible: prompts quote what is in
/// repositories.
fn lines(field: &str, text: &str, most: usize) -> Result<String, Problem> {
    if text.len() > most {
        return Err(wrong(
            field,
            format!("{} bytes; at most {most} are allowed", text.len()),
        ));
    }
    Ok(printable_lines(&text.replace("\r\n", "\n")))
}

/// Any text made one printable line.
fn flattened(text: &str, most: usize) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    printable(&words.join(" ").chars().take(most).collect::<String>())
}

fn count(field: &str, count: usize, most: usize) -> Result<(), Problem> {
    if count > most {
        return Err(wrong(
            field,
            format!("{count} entries; at most {most} are allowed"),
        ));
    }
    Ok(())
}

/// `1.2.3`, maybe with `-rc.1` or `+build`.
fn version(version: String) -> Result<String, Problem> {
    let version = line("version", version, MAX_WORD)?;
    let (core, rest) = match version.find(['-', '+']) {
        Some(at) => version.split_at(at),
        None => (version.as_str(), ""),
    };
    let numbers: Vec<_> = core.split('.').collect();
    let is_number = |part: &&str| {
        !part.is_empty() && part.len() <= 9 && part.bytes().all(|b| b.is_ascii_digit())
    };
    let rest_fits = rest.len() != 1
        && rest
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.'));
    if numbers.len() == 3 && numbers.iter().all(is_number) && rest_fits {
        return Ok(version);
    }
    Err(wrong(
        "version",
        format!("{} is no semantic version", quoted(&version)),
    ))
}

fn params(params: Vec<guest::Param>) -> Result<Vec<Param>, Problem> {
    count("params", params.len(), MAX_PARAMS)?;
    let mut names = BTreeSet::new();
    params
        .into_iter()
        .map(|param| {
            let name = line("params", param.name, MAX_WORD)?;
            let well_formed =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
            if !name.chars().all(well_formed) {
                return Err(wrong(
                    "params",
                    format!(
                        "{} is no name; lowercase letters, digits, - and _ are allowed",
                        quoted(&name)
                    ),
                ));
            }
            if !names.insert(name.clone()) {
                return Err(wrong("params", format!("`{name}` is there twice")));
            }
            let default = match param.default {
                Some(default) => Some(lines("params", &default, MAX_VALUE)?),
                None => None,
            };
            if param.required && default.is_some() {
                return Err(wrong(
                    "params",
                    format!("`{name}` is required and has a default"),
                ));
            }
            let description = line("params", param.description, MAX_DESCRIPTION)?;
            Ok(Param {
                name,
                description,
                required: param.required,
                default,
            })
        })
        .collect()
}

/// Parsed, sorted, each once.
fn permissions(texts: &[String]) -> Result<Vec<Permission>, Problem> {
    count("permissions", texts.len(), MAX_PERMISSIONS)?;
    let parsed: Result<BTreeSet<Permission>, Problem> = texts
        .iter()
        .map(|text| {
            text.parse()
                .map_err(|_| wrong("permissions", format!("{} is no permission", quoted(text))))
        })
        .collect();
    Ok(parsed?.into_iter().collect())
}

/// Only their form: `plan` decides which ones pass.
fn args(field: &str, args: Vec<String>) -> Result<Vec<String>, Problem> {
    count(field, args.len(), MAX_ARGS)?;
    args.into_iter()
        .map(|arg| line(field, arg, MAX_ARG))
        .collect()
}

fn delivery(text: &str) -> Result<Delivery, Problem> {
    Delivery::ALL
        .into_iter()
        .find(|delivery| delivery.as_str() == text)
        .ok_or_else(|| {
            let known = Delivery::ALL.map(Delivery::as_str).join(", ");
            wrong("delivery", format!("{} is none of {known}", quoted(text)))
        })
}

fn slug(slug: String) -> Result<String, Problem> {
    let well_formed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    // Not at the ends: a branch must not look like an option.
    if (1..=MAX_SLUG).contains(&slug.len())
        && slug.bytes().all(well_formed)
        && !slug.starts_with('-')
        && !slug.ends_with('-')
    {
        return Ok(slug);
    }
    Err(wrong(
        "slug",
        format!(
            "{}; 1 to {MAX_SLUG} lowercase letters, digits and hyphens are allowed",
            quoted(&slug)
        ),
    ))
}

fn labels(labels: Vec<String>) -> Result<Vec<String>, Problem> {
    count("labels", labels.len(), MAX_LABELS)?;
    labels
        .into_iter()
        .map(|label| line("labels", label, MAX_LABEL))
        .collect()
}

fn extras(extras: Vec<(String, String)>) -> Result<BTreeMap<String, String>, Problem> {
    count("extras", extras.len(), MAX_EXTRAS)?;
    extras
        .into_iter()
        .map(|(key, value)| {
            Ok((
                line("extras", key, MAX_WORD)?,
                lines("extras", &value, MAX_VALUE)?,
            ))
        })
        .collect()
}
