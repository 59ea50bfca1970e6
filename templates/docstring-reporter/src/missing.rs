//! What is missing in tonight's files, and which of it matters.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use changelings_sdk::repo::{self, File};
use changelings_sdk::{Failure, prompt};
use knowledge::docstring::{self, Convention, Item};
use knowledge::history::Churn;
use knowledge::lexer::{self, Kind};
use knowledge::{decoy, language};

/// Most files read, how much of each, and of all.
const MAX_FILES: usize = 2_000;
const MAX_BYTES: u32 = 200_000;
const MAX_TOTAL: usize = 8_000_000;
/// Most names whose use is looked up, and the shortest of them: shorter ones occur everywhere.
const MAX_NAMES: usize = 120;
const MIN_NAME: usize = 4;
const MAX_MATCHES: u32 = 10_000;

/// A public name without a docstring.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) path: String,
    pub(crate) item: Item,
}

/// A documented name to take as a model.
#[derive(Debug)]
struct Model {
    path: String,
    item: Item,
    /// Documented names of its file.
    neighbours: usize,
}

/// What tonight's files hold.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// In the order of the files read.
    pub(crate) missing: Vec<Missing>,
    /// Public names.
    pub(crate) public: usize,
    /// Files that were not read.
    pub(crate) unread: usize,
    /// Files that were read and are generated or minified.
    pub(crate) decoys: usize,
    languages: BTreeMap<&'static str, Language>,
}

/// What is known of one language.
#[derive(Debug, Default)]
struct Language {
    public: usize,
    documented: usize,
    convention: Option<&'static Convention>,
    model: Option<Model>,
}

/// Reads the files, those that changed most first.
pub(crate) fn read(files: &[File], churn: &Churn) -> Result<Read, Failure> {
    let mut files: Vec<&File> = files.iter().collect();
    files.sort_by_key(|file| (Reverse(churn.commits(&file.path)), &file.path));
    let mut read = Read::default();
    let mut total = 0;
    for (index, file) in files.iter().enumerate() {
        if index >= MAX_FILES || total > MAX_TOTAL {
            read.unread = files.len() - index;
            break;
        }
        let Some(language) = language::of(&file.path) else {
            continue;
        };
        let Some(convention) = docstring::convention(language) else {
            continue;
        };
        let Some(text) = repo::read_if_text(&file.path, MAX_BYTES)? else {
            continue;
        };
        total += text.text.len();
        if decoy::of_text(&text.text).is_some() {
            read.decoys += 1;
            continue;
        }
        read.add(
            &file.path,
            convention,
            convention.items(&text.text, language),
        );
    }
    Ok(read)
}

impl Read {
    fn add(&mut self, path: &str, convention: &'static Convention, items: Vec<Item>) {
        let language = self.languages.entry(convention.language).or_default();
        language.convention = Some(convention);
        let neighbours = items.iter().filter(|item| item.is_documented).count();
        self.public += items.len();
        language.public += items.len();
        language.documented += neighbours;
        for item in items {
            if !item.is_documented {
                self.missing.push(Missing {
                    path: path.to_owned(),
                    item,
                });
            } else if item.kind != "module"
                && language
                    .model
                    .as_ref()
                    .is_none_or(|model| model.neighbours < neighbours)
            {
                language.model = Some(Model {
                    path: path.to_owned(),
                    item,
                    neighbours,
                });
            }
        }
    }

    /// `12 of 30 in Go, 3 of 4 in Python`.
    pub(crate) fn coverage(&self) -> String {
        let each: Vec<String> = self
            .languages
            .iter()
            .filter(|(_, language)| language.public > 0)
            .map(|(name, language)| {
                let (documented, public) = (language.documented, language.public);
                format!(
                    "{} of {} in {name}",
                    prompt::number(documented),
                    prompt::number(public)
                )
            })
            .collect();
        each.join(", ")
    }

    /// The form of each language that one of the places is in, with a documented name as a model.
    pub(crate) fn conventions(&self, places: &[&str]) -> String {
        let named: HashSet<&str> = places
            .iter()
            .filter_map(|place| language::of(place))
            .map(|language| language.name)
            .collect();
        let each = self
            .languages
            .iter()
            .filter(|(name, _)| named.contains(*name))
            .filter_map(|(name, language)| {
                let form = language.convention?.form;
                let model = match &language.model {
                    Some(Model { path, item, .. }) => format!(
                        "; write as it is done for {} at {}",
                        prompt::code_bounded(&item.name, 120),
                        prompt::place(path, item.line)
                    ),
                    None => "; no name of the slice has one to take as a model".to_owned(),
                };
                Some(format!("{name}: {form}{model}"))
            });
        prompt::bullets(each)
    }
}

/// The names that matter, each with the number of other files whose code has the name's last word;
/// `None`: not counted.
pub(crate) fn choose<'a>(
    read: &'a Read,
    limit: usize,
    churn: &Churn,
) -> Result<Vec<(&'a Missing, Option<usize>)>, Failure> {
    let mut missing: Vec<&Missing> = read.missing.iter().collect();
    missing.sort_by_key(|missing| {
        (
            Reverse(churn.commits(&missing.path)),
            &missing.path,
            missing.item.line,
        )
    });
    let users = users(&missing)?;
    let mut ranked: Vec<(&Missing, Option<usize>)> = missing
        .into_iter()
        .map(|missing| {
            let others = users
                .get(missing.item.own_name())
                .map(|files| files.iter().filter(|file| **file != missing.path).count());
            (missing, others)
        })
        .collect();
    ranked.sort_by_key(|(missing, others)| {
        let weight =
            others.unwrap_or(0).min(20) * 2 + churn.commits(&missing.path).min(10) as usize;
        (Reverse(weight), &missing.path, missing.item.line)
    });
    ranked.truncate(limit);
    Ok(ranked)
}

/// The files whose code has each name, found with one search. Strings and comments do not count, as
/// far as single lines tell.
fn users(missing: &[&Missing]) -> Result<HashMap<String, HashSet<String>>, Failure> {
    let mut names: Vec<&str> = Vec::new();
    for name in missing.iter().map(|missing| missing.item.own_name()) {
        let is_plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if is_plain && name.len() >= MIN_NAME && name != "default" && !names.contains(&name) {
            names.push(name);
        }
        if names.len() == MAX_NAMES {
            break;
        }
    }
    let mut users: HashMap<String, HashSet<String>> = HashMap::new();
    if names.is_empty() {
        return Ok(users);
    }
    let mut pattern = String::new();
    for name in names {
        // The host bounds patterns.
        if pattern.len() + name.len() > 3_500 {
            break;
        }
        if !pattern.is_empty() {
            pattern.push('|');
        }
        pattern.push_str(name);
        users.insert(name.to_owned(), HashSet::new());
    }
    let extensions: Vec<&str> = language::LANGUAGES
        .iter()
        .filter(|language| language.is_code)
        .flat_map(|language| language.extensions.iter().copied())
        .collect();
    let mut globs = decoy::globs("**/*.", &extensions, "");
    globs.extend(decoy::excluding());
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    let found = repo::search(&format!(r"\b({pattern})\b"), &globs, MAX_MATCHES)?;
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    for line in found {
        let Some(language) = language::of(&line.path) else {
            continue;
        };
        let code = lexer::masked(&line.text, language.syntax, &[Kind::Code]);
        let mut rest = code.as_str();
        while let Some(start) = rest.find(is_part) {
            let word = &rest[start..];
            let (word, after) = word.split_at(word.find(|c| !is_part(c)).unwrap_or(word.len()));
            rest = after;
            // `format!(` is a macro and not the method `format`.
            let is_macro =
                language.name == "Rust" && after.starts_with('!') && !after.starts_with("!=");
            if let Some(files) = users.get_mut(word).filter(|_| !is_macro)
                && !files.contains(&line.path)
            {
                files.insert(line.path.clone());
            }
        }
    }
    Ok(users)
}
