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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn good_manifest() -> guest::Manifest {
        guest::Manifest {
            name: "good".to_owned(),
            version: "1.2.3".to_owned(),
            description: "Does good".to_owned(),
            agent_type: Some("claude".to_owned()),
            params: vec![guest::Param {
                name: "scope".to_owned(),
                description: "Where".to_owned(),
                required: true,
                default: None,
            }],
            permissions: vec![
                "publish".to_owned(),
                "repo:read".to_owned(),
                "publish".to_owned(),
            ],
            default_message: "Do good:\r\n{findings}".to_owned(),
            default_mngr_args: vec!["--label=x".to_owned()],
            extras: vec![("a".to_owned(), "b".to_owned())],
        }
    }

    fn good_brief() -> guest::Brief {
        guest::Brief {
            prompt: "Do good".to_owned(),
            mngr_args: Vec::new(),
            permissions: vec!["publish".to_owned()],
            delivery: "issue".to_owned(),
            slug: "good-2".to_owned(),
            pr_title: Some("Good".to_owned()),
            pr_body: Some("two\nlines".to_owned()),
            labels: vec!["good first".to_owned()],
            extras: Vec::new(),
        }
    }

    fn known() -> Manifest {
        manifest(good_manifest()).unwrap()
    }

    /// What is wrong with a brief that is good but for one change.
    fn complaint(change: impl FnOnce(&mut guest::Brief)) -> String {
        let mut brief = good_brief();
        change(&mut brief);
        super::brief(brief, &known()).unwrap_err().to_string()
    }

    #[test]
    fn good_answers_come_through() {
        let known = known();
        assert_eq!(known.permissions.len(), 2);
        assert_eq!(known.default_message, "Do good:\n{findings}");
        let brief = brief(good_brief(), &known).unwrap();
        assert_eq!(brief.delivery, Delivery::Issue);
        assert_eq!(brief.pr_body.as_deref(), Some("two\nlines"));
    }

    #[test]
    fn versions() {
        for good in [
            "0.0.1",
            "1.2.3",
            "1.2.3-rc.1",
            "1.2.3+build.5",
            "10.20.30-a-b+c",
        ] {
            assert!(version(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.x", "1.2.3-", "1.2.3-ä", "1..3",
        ] {
            assert!(version(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn slugs() {
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a/b",
            "a.b",
            "a b",
            "ä",
            &"a".repeat(61),
        ] {
            assert!(slug(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(slug("a".repeat(60)).is_ok());
    }

    #[test]
    fn complaints_quote_safely_and_shortly() {
        let told = complaint(|brief| brief.delivery = format!("\x1b]0;{}", "x".repeat(5_000)));
        assert!(told.len() < 200 && told.contains("\\u{1b}"), "{told}");
        let told = complaint(|brief| brief.labels = vec!["x".to_owned(); 21]);
        assert_eq!(
            told,
            "its answer is wrong in labels: 21 entries; at most 20 are allowed"
        );
        let told = complaint(|brief| brief.pr_title = Some("ä".repeat(201)));
        assert_eq!(
            told,
            "its answer is wrong in pr-title: 201 characters; at most 200 are allowed"
        );
    }

    #[test]
    fn refusals_are_bounded() {
        let failure = Failure {
            code: "No Way".to_owned(),
            message: "x ".repeat(100_000),
            hint: Some(" \n ".to_owned()),
        };
        let Problem::Refused {
            code,
            message,
            hint,
        } = refusal(&failure)
        else {
            panic!()
        };
        assert_eq!((code.as_str(), hint), ("failure", None));
        assert!(message.len() <= MAX_REASON);
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[ -~\\n\\x1b\u{202e}]{0,80}",
            "[a-z]{1,70}"
        ]
    }

    proptest! {
        #[test]
        fn what_passes_is_well_formed(
            prompt in text(), slug in text(), title in text(), body in text(), label in text(),
            delivery in text(), permission in text(), arg in text(), key in text(),
        ) {
            let answer = guest::Brief {
                prompt,
                mngr_args: vec![arg],
                permissions: vec![permission],
                delivery,
                slug,
                pr_title: Some(title),
                pr_body: Some(body),
                labels: vec![label],
                extras: vec![(key, String::new())],
            };
            check_all(answer)?;
        }

        #[test]
        fn one_odd_text_at_a_time(odd in text(), field in 0..6) {
            let mut answer = good_brief();
            match field {
                0 => answer.prompt = odd,
                1 => answer.slug = odd,
                2 => answer.pr_title = Some(odd),
                3 => answer.pr_body = Some(odd),
                4 => answer.labels = vec![odd],
                _ => answer.mngr_args = vec![odd],
            }
            check_all(answer)?;
        }
    }

    fn check_all(answer: guest::Brief) -> Result<(), TestCaseError> {
        let forges = |text: &str| text.chars().any(|c| c.is_control() || is_invisible(c));
        match super::brief(answer, &known()) {
            Ok(brief) => {
                let lines = [&brief.slug].into_iter().chain(&brief.pr_title);
                for line in lines.chain(&brief.labels).chain(&brief.mngr_args) {
                    prop_assert!(!forges(line) && !line.trim().is_empty());
                }
                for text in [&brief.prompt].into_iter().chain(&brief.pr_body) {
                    prop_assert!(!forges(&text.replace(['\n', '\t'], "")));
                }
                prop_assert!(!brief.slug.starts_with('-') && brief.slug.len() <= MAX_SLUG);
            }
            Err(problem) => {
                let told = problem.to_string();
                prop_assert!(!forges(&told) && told.len() < 1_000, "{}", told);
            }
        }
        Ok(())
    }
}
