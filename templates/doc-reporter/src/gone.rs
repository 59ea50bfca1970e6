//! What documents point at and the tree does not have: targets of links, paths, tasks.

use std::collections::HashSet;

use changelings_sdk::Failure;
use changelings_sdk::prompt;
use changelings_sdk::repo;
use knowledge::checks::json;
use knowledge::docs::{self, Form, Tree};
use knowledge::language;
use knowledge::survey::Files;

use crate::documents::Document;

/// Most task files read, and how much of each.
const MAX_TASK_FILES: usize = 16;
const MAX_BYTES: u32 = 200_000;

/// A sentence about a place of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) line: u32,
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn told(&self) -> String {
        format!("{} {}", prompt::place(&self.path, self.line), self.what)
    }
}

/// Links that lead nowhere.
pub(crate) fn links(documents: &[Document], tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for document in documents {
        for mention in &document.mentions {
            if mention.form != Form::Link {
                continue;
            }
            let leads = docs::target(&mention.text)
                .is_none_or(|target| tree.has_target(&document.path, &target));
            if !leads {
                found.push(Finding {
                    path: document.path.clone(),
                    line: mention.line,
                    what: format!(
                        "links to {}, which is not there",
                        prompt::code_bounded(&mention.text, 120)
                    ),
                });
            }
        }
    }
    found.dedup();
    found
}

/// Paths in text or commands that the tree does not have, though it has the folder they start in.
pub(crate) fn paths(documents: &[Document], tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for document in documents {
        for mention in &document.mentions {
            let words: Vec<&str> = match mention.form {
                Form::Link => continue,
                Form::Code if mention.text.contains(' ') => continue,
                Form::Code => vec![mention.text.as_str()],
                // Of a command only the script it starts with: its arguments may be files to be made.
                Form::Command => mention
                    .text
                    .split_whitespace()
                    .take(2)
                    .filter(|word| word.starts_with("./") || is_script(word))
                    .collect(),
            };
            for word in words {
                if is_gone(&document.path, word, mention.form, tree) {
                    found.push(Finding {
                        path: document.path.clone(),
                        line: mention.line,
                        what: format!(
                            "names the path {}, which is not there",
                            prompt::code_bounded(word, 120)
                        ),
                    });
                }
            }
        }
    }
    found.dedup();
    found
}

fn is_script(word: &str) -> bool {
    word.contains('/')
        && [".sh", ".py", ".js", ".mjs", ".ts", ".rb", ".pl"]
            .iter()
            .any(|end| word.ends_with(end))
}

fn is_gone(document: &str, word: &str, form: Form, tree: &Tree) -> bool {
    let is_plain = word
        .chars()
        .all(|c| c.is_alphanumeric() || "_-./".contains(c));
    let path = word
        .strip_prefix("./")
        .unwrap_or(word)
        .trim_end_matches(['.', ',']);
    // A line number may follow.
    let path = path.trim_end_matches('/');
    if !is_plain
        || path.is_empty()
        || word.starts_with(['/', '-'])
        || word.starts_with("../")
        || path.contains("..")
    {
        return false;
    }
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = format!("{folder}/{path}");
    if tree.has(path) || tree.has(&beside) || tree.has_end(path) {
        return false;
    }
    match path.split_once('/') {
        Some((first, rest)) => {
            let starts_here =
                tree.has_folder(first) || tree.has_folder(&format!("{folder}/{first}"));
            // `origin/main` and `and/or` start in no folder; `src/foo` may be a module without its extension.
            let has_stem = [".rs", ".py", ".ts", ".tsx", ".js", ".go", ".md", ".java"]
                .iter()
                .any(|end| tree.has_end(&format!("{path}{end}")));
            starts_here && !has_stem && !rest.is_empty()
        }
        // A file of code by its name alone: not the programs a command starts.
        None => {
            form == Form::Code
                && language::of(path).is_some_and(|language| language.is_code)
                && path.split('.').count() == 2
                && path
                    .split('.')
                    .next()
                    .is_some_and(|stem| stem.len() > 2 && stem.chars().any(char::is_lowercase))
                && !tree.has_name(path)
        }
    }
}

/// Tasks that can be run here.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    scripts: HashSet<String>,
    targets: HashSet<String>,
    recipes: HashSet<String>,
    has_pattern: bool,
}

impl Tasks {
    /// Of the task files near the root.
    pub(crate) fn read(files: &Files) -> Result<Self, Failure> {
        let mut tasks = Self::default();
        let mut paths: Vec<&str> = files
            .iter()
            .map(|file| file.path.as_str())
            .filter(|path| {
                let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
                [
                    "package.json",
                    "makefile",
                    "gnumakefile",
                    "justfile",
                    ".justfile",
                ]
                .contains(&name.as_str())
            })
            .collect();
        paths.sort_by_key(|path| path.matches('/').count());
        for path in paths.into_iter().take(MAX_TASK_FILES) {
            let Some(file) = repo::read_if_text(path, MAX_BYTES)? else {
                continue;
            };
            let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
            if name == "package.json" {
                let scripts = json::entries(&file.text)
                    .into_iter()
                    .filter(|entry| entry.keys.len() == 2 && entry.keys[0] == "scripts");
                tasks
                    .scripts
                    .extend(scripts.map(|entry| entry.keys[1].clone()));
            } else {
                tasks.read_rules(&file.text, name.contains("just"));
            }
        }
        Ok(tasks)
    }

    fn read_rules(&mut self, text: &str, is_just: bool) {
        for line in text.lines() {
            // A Makefile that includes others has targets we do not see.
            self.has_pattern |= line.starts_with("include ")
                || line.starts_with("-include ")
                || line.starts_with("import ")
                || line.starts_with('%');
            if line.starts_with([' ', '\t', '#', '[']) {
                continue;
            }
            let Some((names, rest)) = line.split_once(':') else {
                continue;
            };
            if rest.starts_with('=') || names.contains('=') {
                continue;
            }
            if is_just {
                let name = names
                    .split_whitespace()
                    .next()
                    .unwrap_or("")
                    .trim_start_matches('@');
                self.recipes.insert(name.to_owned());
            } else {
                let list = if names.trim() == ".PHONY" {
                    rest
                } else {
                    names
                };
                self.targets
                    .extend(list.split_whitespace().map(str::to_owned));
            }
        }
    }

    /// Tasks that documents say to run and no task file has.
    pub(crate) fn gone(&self, documents: &[Document]) -> Vec<Finding> {
        let mut found = Vec::new();
        for document in documents {
            for mention in &document.mentions {
                if mention.form == Form::Link {
                    continue;
                }
                for (task, what) in self.missing(&mention.text) {
                    found.push(Finding {
                        path: document.path.clone(),
                        line: mention.line,
                        what: format!(
                            "says to run {}, and {what} {}",
                            prompt::code_bounded(&mention.text, 120),
                            prompt::code(&task)
                        ),
                    });
                }
            }
        }
        found.dedup();
        found
    }

    fn missing(&self, command: &str) -> Vec<(String, &'static str)> {
        let mut words = command
            .split("&&")
            .next()
            .unwrap_or(command)
            .split_whitespace();
        let is_name = |word: &&str| {
            word.chars()
                .all(|c| c.is_alphanumeric() || "_-:.".contains(c))
                && word.starts_with(char::is_alphabetic)
        };
        match words.next() {
            Some("make") if !self.targets.is_empty() && !self.has_pattern => words
                .take_while(is_name)
                .filter(|target| !self.targets.contains(*target))
                .map(|target| (target.to_owned(), "no Makefile has the target"))
                .collect(),
            Some("just") if !self.recipes.is_empty() && !self.has_pattern => words
                .next()
                .filter(is_name)
                .filter(|recipe| !self.recipes.contains(*recipe))
                .map(|recipe| (recipe.to_owned(), "no justfile has the recipe"))
                .into_iter()
                .collect(),
            Some("npm" | "pnpm" | "yarn" | "bun") if !self.scripts.is_empty() => words
                .next()
                .filter(|word| *word == "run")
                .and_then(|_| words.next())
                .filter(is_name)
                .filter(|script| !self.scripts.contains(*script))
                .map(|script| (script.to_owned(), "no package.json has the script"))
                .into_iter()
                .collect(),
            _ => Vec::new(),
        }
    }
}
