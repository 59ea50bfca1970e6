//! Names of the code that documents mention: whether the code still has them, and where.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use changelings_sdk::repo::{self, Match};
use changelings_sdk::{Failure, prompt};
use knowledge::docs::Form;
use knowledge::{decoy, ecosystem, language};

use crate::documents::Document;
use crate::gone::Finding;

/// Most names looked up, and most searches for them: names that occur everywhere fill one search and
/// are left out of the next.
const MAX_NAMES: usize = 250;
const MAX_SEARCHES: usize = 5;
const MAX_MATCHES: u32 = 4_000;
const MAX_PATTERN: usize = 3_800;
/// Most lines kept of a name.
const MAX_LINES: usize = 400;

/// Most other lines told of a name.
const MAX_OTHERS: usize = 6;

/// Words before the name of something that is defined.
const DEFINING: &[&str] = &[
    "fn",
    "def",
    "class",
    "func",
    "function",
    "struct",
    "enum",
    "trait",
    "type",
    "interface",
    "const",
    "static",
    "let",
    "var",
    "val",
    "module",
    "mod",
    "record",
    "object",
    "fun",
    "macro_rules!",
    "final",
];

/// A name in a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    pub(crate) path: String,
    pub(crate) line: u32,
    /// As the document writes it.
    pub(crate) text: String,
    /// What is looked for: the last part, or a flag without its dashes.
    key: String,
    is_flag: bool,
    /// The part before the last: a module, a class.
    qualifier: Option<String>,
}

impl Named {
    /// As code defines it: `takes --currency`, `defines fine_for`.
    pub(crate) fn as_defined(&self) -> String {
        if self.is_flag {
            format!("takes {}", prompt::code(&format!("--{}", self.key)))
        } else {
            format!("defines {}", prompt::code_bounded(&self.key, 60))
        }
    }
}

/// Where code has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Defined {
    pub(crate) named: Named,
    pub(crate) path: String,
    pub(crate) line: u32,
}

/// What became of the names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) gone: Vec<Finding>,
    pub(crate) defined: Vec<Defined>,
}

pub(crate) fn look_up(documents: &[Document]) -> Result<Names, Failure> {
    let mentioned = collect(documents);
    let mut missing: BTreeSet<&str> = mentioned
        .iter()
        .map(|named| named.key.as_str())
        .take(MAX_NAMES)
        .collect();
    let mut places: HashMap<String, Vec<Match>> = HashMap::new();
    // Found, and not all of the lines that have them.
    let mut partly: BTreeSet<String> = BTreeSet::new();
    let mut is_complete = missing.is_empty();
    for _ in 0..MAX_SEARCHES {
        if missing.is_empty() {
            is_complete = true;
            break;
        }
        let (pattern, all) = pattern(&missing);
        let globs = code_globs();
        let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
        let found = repo::search(&pattern, &globs, MAX_MATCHES)?;
        let (truncated, before) = (found.truncated, missing.len());
        let sought: BTreeSet<String> = missing.iter().map(|&key| key.to_owned()).collect();
        for line in found {
            for key in keys_of(&line.text, &sought) {
                missing.remove(key.as_str());
                if truncated
                    || places
                        .get(&key)
                        .is_some_and(|lines| lines.len() >= MAX_LINES)
                {
                    partly.insert(key.clone());
                }
                let of_key = places.entry(key).or_default();
                if of_key.len() < MAX_LINES {
                    of_key.push(line.clone());
                }
            }
        }
        if !truncated && all {
            is_complete = true;
            break;
        }
        if missing.len() == before {
            break;
        }
    }
    let mut names = Names::default();
    for named in &mentioned {
        if let Some(matches) = places.get(&named.key) {
            if named.is_flag
                && !partly.contains(&named.key)
                && !matches
                    .iter()
                    .any(|line| is_flag_of_code(&line.text, &named.key))
            {
                names.gone.push(gone(named, documents));
            } else if let Some((path, line)) = definition(named, matches) {
                names.defined.push(Defined {
                    named: named.clone(),
                    path,
                    line,
                });
            }
        } else if is_complete && missing.contains(named.key.as_str()) {
            names.gone.push(gone(named, documents));
        }
    }
    names.gone.sort();
    names
        .gone
        .dedup_by(|a, b| a.path == b.path && a.what == b.what);
    Ok(names)
}

fn gone(named: &Named, documents: &[Document]) -> Finding {
    let text = prompt::code_bounded(&named.text, 120);
    let also = match others(named, documents).as_slice() {
        [] => String::new(),
        lines => {
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            format!(" (also in line {})", lines.join(", "))
        }
    };
    let what = if named.is_flag {
        format!("names the option {text}{also}, which no code takes")
    } else {
        format!(
            "names {text}{also}, and no code has {}",
            prompt::code(&named.key)
        )
    };
    Finding {
        path: named.path.clone(),
        line: named.line,
        what,
    }
}

/// Names in the text of documents; each once a document.
fn collect(documents: &[Document]) -> Vec<Named> {
    let mut found: BTreeMap<(usize, String), Named> = BTreeMap::new();
    for (index, document) in documents.iter().enumerate() {
        for mention in document
            .mentions
            .iter()
            .filter(|mention| mention.form == Form::Code)
        {
            let Some((key, qualifier, is_flag)) = name_in(&mention.text) else {
                continue;
            };
            found.entry((index, mention.text.clone())).or_insert(Named {
                path: document.path.clone(),
                line: mention.line,
                text: mention.text.clone(),
                key,
                is_flag,
                qualifier,
            });
        }
    }
    found.into_values().collect()
}

/// Other lines of the document, commands among them, that have the name.
fn others(named: &Named, documents: &[Document]) -> Vec<u32> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let has = |text: &str| {
        text.match_indices(&named.text).any(|(at, _)| {
            let after = &text[at + named.text.len()..];
            !text[..at].ends_with(is_part) && !after.starts_with(is_part)
        })
    };
    let mut lines: Vec<u32> = documents
        .iter()
        .filter(|document| document.path == named.path)
        .flat_map(|document| &document.mentions)
        .filter(|other| other.form != Form::Link && other.line != named.line && has(&other.text))
        .map(|other| other.line)
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines.truncate(MAX_OTHERS);
    lines
}

/// `loans.fine_for(loan)` is `fine_for` of `loans`; words of prose and commands are no names.
fn name_in(text: &str) -> Option<(String, Option<String>, bool)> {
    if let Some(flag) = text.strip_prefix("--") {
        let flag = flag.split(['=', ' ']).next()?;
        let is_flag = flag.len() > 2
            && flag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !flag.starts_with('-');
        let well_known = ["help", "version", "verbose", "quiet", "force"].contains(&flag);
        return (is_flag && !well_known).then(|| (flag.to_owned(), None, true));
    }
    let (name, is_call) = match text.split_once('(') {
        Some((name, rest)) if rest.ends_with(')') => (name, true),
        Some(_) => return None,
        None => (text, false),
    };
    let name = name.replace("::", ".").replace('#', ".");
    let parts: Vec<&str> = name.trim_start_matches('.').split('.').collect();
    let is_identifier = |part: &&str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !part.starts_with(|c: char| c.is_ascii_digit())
    };
    let last = *parts.last()?;
    if !parts.iter().all(is_identifier) || last.len() < 4 || language::of(&name).is_some() {
        return None;
    }
    // A host name or a path of a library is qualified too; only two parts are sure to be ours.
    let qualifier = (parts.len() == 2).then(|| parts[0].to_owned());
    let has_hump = last
        .chars()
        .zip(last.chars().skip(1))
        .any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    let is_name =
        is_call || qualifier.is_some() || last.contains('_') && last.len() > 4 || has_hump;
    (is_name && parts.len() <= 3).then(|| (last.to_owned(), qualifier, false))
}

/// For as many names as the host's bound allows; false when that is not all.
fn pattern(names: &BTreeSet<&str>) -> (String, bool) {
    let mut pattern = String::new();
    for name in names {
        if pattern.len() + name.len() > MAX_PATTERN {
            return (format!("({pattern})"), false);
        }
        if !pattern.is_empty() {
            pattern.push('|');
        }
        // `--dry-run` may be the variable `dry_run`.
        pattern.push_str(&name.replace('-', "[-_]"));
    }
    (format!("({pattern})"), true)
}

/// Everything that is no document.
fn code_globs() -> Vec<String> {
    let mut globs: Vec<String> = vec![
        "**".into(),
        "!**/*.{md,markdown,mdx,rst,adoc,asciidoc,txt}".into(),
    ];
    globs.extend(decoy::globs("!**/*.", decoy::DATA_EXTENSIONS, ""));
    globs
}

/// The names that a line has as words of their own.
fn keys_of(line: &str, sought: &BTreeSet<String>) -> BTreeSet<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let words = line.split(|c: char| !is_word(c));
    // `dry_run` is the option `dry-run`.
    let variants = words.flat_map(|word| [word.to_owned(), word.replace('_', "-")]);
    let flags = line
        .split(|c: char| !is_word(c) && c != '-')
        .map(|word| word.trim_start_matches('-').to_owned());
    variants
        .chain(flags)
        .filter(|word| sought.contains(word))
        .collect()
}

/// `--from`, `"from"`, or a field `from:` that a parser of arguments makes an option of.
fn is_flag_of_code(line: &str, flag: &str) -> bool {
    let variable = flag.replace('-', "_");
    let quoted = ["\"", "'", "`"].iter().any(|quote| {
        line.contains(&format!("{quote}{flag}{quote}"))
            || line.contains(&format!("{quote}-{flag}"))
            || line.contains(&format!("{quote}{flag},"))
    });
    let field = line.match_indices(&variable).any(|(at, _)| {
        let before = line[..at].trim_end();
        let is_start = before.is_empty()
            || before.ends_with("pub")
            || before.ends_with([',', '(', '{', '*'])
            || before.ends_with("bool");
        let after = line[at + variable.len()..].trim_start();
        is_start
            && (after.starts_with(':') || after.starts_with('='))
            && !after.starts_with("::")
            && !after.starts_with("==")
    });
    quoted || field || line.contains(&format!("--{flag}"))
}

/// Where the owners' own code defines it, best where the qualifier names the file.
fn definition(named: &Named, matches: &[Match]) -> Option<(String, u32)> {
    let defining = matches.iter().filter(|line| {
        let is_code = language::of(&line.path).is_some_and(|language| language.is_code);
        let is_own = decoy::of_path(&line.path).is_none() && !ecosystem::is_test_file(&line.path);
        let defines = if named.is_flag {
            is_flag_of_code(&line.text, &named.key)
        } else {
            defines(&line.text, &named.key)
        };
        is_code && is_own && defines
    });
    let is_named_file = |line: &&Match| {
        named.qualifier.as_ref().is_some_and(|qualifier| {
            let mut parts = line.path.rsplit('/');
            let stem = parts.next().and_then(|name| name.split('.').next());
            stem == Some(qualifier) || parts.next() == Some(qualifier)
        })
    };
    // Options are read where the command line is.
    let reads_arguments = |line: &&Match| {
        let name = line.path.rsplit('/').next().unwrap_or(&line.path);
        let stem = name.split('.').next().unwrap_or(name);
        named.is_flag
            && [
                "main", "cli", "args", "options", "opts", "flags", "__main__",
            ]
            .contains(&stem)
    };
    let is_named_file = |line: &&Match| is_named_file(line) || reads_arguments(line);
    let defining: Vec<&Match> = defining.collect();
    let best = defining.iter().copied().find(|line| is_named_file(line));
    // Several places without a hint which one: better none than the wrong one.
    let best = best.or_else(|| (defining.len() == 1).then(|| defining[0]))?;
    Some((best.path.clone(), best.line))
}

fn defines(line: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        if before.ends_with(is_word) || after.starts_with(is_word) {
            return false;
        }
        let word_before = before.split_whitespace().last().unwrap_or("");
        let is_method_of_go =
            before.trim_start().starts_with("func (") && before.trim_end().ends_with(')');
        let is_assigned = before.trim().is_empty() && {
            let after = after.trim_start();
            after.starts_with('=') && !after.starts_with("==")
                || after.starts_with(':') && !after.starts_with("::")
        };
        DEFINING.contains(&word_before) || is_method_of_go || is_assigned
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_what_is_none() {
        let key = |text| name_in(text).map(|(key, ..)| key);
        assert_eq!(key("loans.fine_for(loan)").as_deref(), Some("fine_for"));
        assert_eq!(key("pricing::round").as_deref(), Some("round"));
        assert_eq!(key("--dry-run=yes").as_deref(), Some("dry-run"));
        assert_eq!(key("MaxAttempts").as_deref(), Some("MaxAttempts"));
        assert_eq!(key("run()"), None);
        for prose in [
            "true",
            "make test",
            "README.md",
            "GET /pins",
            "--help",
            "example.org",
            "1.2.3",
            "{ text, color }",
        ] {
            let found = key(prose);
            assert!(
                found.is_none() || prose == "example.org",
                "{prose} {found:?}"
            );
        }
    }

    #[test]
    fn definitions() {
        assert!(defines("PERIOD_DAYS = 28", "PERIOD_DAYS"));
        assert!(defines("const MaxAttempts = 8", "MaxAttempts"));
        assert!(defines("func (q *Queue) Push(m Message) {", "Push"));
        assert!(defines("pub fn round(cents: f64) -> i64 {", "round"));
        assert!(!defines("    timedelta(days=PERIOD_DAYS)", "PERIOD_DAYS"));
    }

    #[test]
    fn options() {
        assert!(is_flag_of_code("    currency: Option<String>,", "currency"));
        assert!(is_flag_of_code("flag.String(\"listen\", x)", "listen"));
        assert!(is_flag_of_code(
            "parser.add_argument('--dry-run')",
            "dry-run"
        ));
        assert!(!is_flag_of_code("let x = String::from(\"EUR\");", "from"));
    }
}
