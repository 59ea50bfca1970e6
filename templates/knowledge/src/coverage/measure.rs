//! Which command measures what.

use std::sync::OnceLock;

use changelings_sdk::repo;
use changelings_sdk::{Failure, prompt};

use super::tool::{TOOLS, Tool};
use crate::checks::{Check, Purpose, Source};
use crate::survey::Survey;
use crate::testing::runner::{self, Found, has_word, name_matches};
use crate::testing::style::escaped;
use crate::{decoy, ecosystem, language};

const MAX_LINES: u32 = 2_000;

/// A command that measures coverage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// What it measures with; `None` when a task's name alone says that it measures.
    pub tool: Option<&'static Tool>,
    /// Names of the languages it measures.
    pub languages: &'static [&'static str],
    /// Where to run it; empty: the root.
    pub folder: String,
    pub command: String,
    /// What says so: a file and a line of it.
    pub path: String,
    pub line: Option<u32>,
    pub source: Source,
    /// The file that go is told to write by the task that the command runs.
    profile: Option<String>,
}

/// Something that shows a tool is set up.
struct Evidence {
    tool: &'static Tool,
    folder: String,
    path: String,
    line: Option<u32>,
}

/// All commands that measure, those that CI runs first, then tasks, then what a configuration or
/// the test runner makes possible.
pub fn find(survey: &Survey, runners: &[Found]) -> Result<Vec<Measure>, Failure> {
    let evidence = evidence()?;
    let mut measures: Vec<Measure> = survey
        .checks
        .iter()
        .filter_map(|check| measure_of_check(check, survey, &evidence))
        .collect();
    measures.sort_by_key(|measure| measure.source);
    for measure in &mut measures {
        measure.profile = profile_of_task(measure)?;
    }
    for found in &evidence {
        let covers = |measure: &Measure| {
            is_inside(&found.folder, &measure.folder) && speaks_for(measure, found.tool)
        };
        if !found.tool.measure.is_empty() && !measures.iter().any(covers) {
            measures.push(by_convention(
                found.tool,
                &found.folder,
                &found.path,
                found.line,
                survey,
            )?);
        }
    }
    for found in runners {
        let Some(tool) = TOOLS
            .iter()
            .find(|tool| tool.comes_with == found.runner.name)
        else {
            continue;
        };
        let covers = |measure: &Measure| {
            is_inside(&found.folder, &measure.folder) && speaks_for(measure, tool)
        };
        if !measures.iter().any(covers) {
            measures.push(by_convention(
                tool,
                &found.folder,
                &found.path,
                found.line,
                survey,
            )?);
        }
    }
    Ok(measures)
}

/// The command that measures a path: the innermost, and of those the most trustworthy.
pub fn of_path<'a>(measures: &'a [Measure], path: &str) -> Option<&'a Measure> {
    let language = language::of(path)?;
    let fits = |measure: &&Measure| {
        measure.languages.contains(&language.name) && is_inside(path, &measure.folder)
    };
    let by_hand = |measure: &Measure| measure.source != Source::Convention;
    let best = |wanted: &dyn Fn(&Measure) -> bool| {
        let candidates = || {
            measures
                .iter()
                .filter(fits)
                .filter(|measure| wanted(measure))
        };
        let depth = candidates().map(|measure| measure.folder.len()).max();
        candidates().find(|measure| Some(measure.folder.len()) == depth)
    };
    best(&by_hand).or_else(|| best(&|_| true))
}

impl Measure {
    /// As a person said: it measures everything.
    pub fn given(command: &str) -> Self {
        static ALL: OnceLock<Vec<&'static str>> = OnceLock::new();
        Self {
            tool: TOOLS
                .iter()
                .find(|tool| tool.commands.iter().any(|words| measures(command, words))),
            languages: ALL.get_or_init(|| {
                language::LANGUAGES
                    .iter()
                    .map(|language| language.name)
                    .collect()
            }),
            folder: String::new(),
            command: command.to_owned(),
            path: String::new(),
            line: None,
            source: Source::Task,
            profile: None,
        }
    }

    /// Where to find the lines that no test runs, for a person.
    pub fn missed_lines(&self) -> Option<String> {
        let tool = self.tool?;
        let is_there = tool.missed_option.is_empty() || self.command.contains(tool.missed_option);
        // npm takes options without the two dashes for its own.
        let dashes = if self.command.starts_with("npm run") {
            "-- "
        } else {
            ""
        };
        let option = if is_there {
            String::new()
        } else {
            let option = prompt::code(&format!("{dashes}{}", tool.missed_option));
            format!("with {option} added, ")
        };
        let missed = tool.missed.replace("{profile}", &self.profile_in_words());
        Some(format!("{option}{missed}"))
    }

    /// The file that go writes what ran into.
    fn profile_in_words(&self) -> String {
        match profile_of(&self.command).or(self.profile.as_deref()) {
            Some(file) => prompt::code(file),
            None => "the file given to `-coverprofile`".to_owned(),
        }
    }

    /// `` `npm run coverage` in `web` (`web/package.json:6`) ``, for a person.
    pub fn in_words(&self) -> String {
        let folder = match self.folder.as_str() {
            "" => String::new(),
            folder => format!(" in {}", prompt::code(folder)),
        };
        let place = match self.line {
            Some(line) => prompt::place(&self.path, line),
            None => prompt::code(&self.path),
        };
        let tool = self
            .tool
            .map(|tool| format!(", {}", tool.name))
            .unwrap_or_default();
        let origin = match self.source {
            _ if self.path.is_empty() => "as the owner says".to_owned(),
            Source::Ci => format!("CI runs it: {place}"),
            Source::Task => place,
            Source::Convention => format!("no CI or task file names a command; set up in {place}"),
        };
        format!("{}{folder} ({origin}{tool})", prompt::code(&self.command))
    }
}

/// A check that measures: its purpose says so, or its command has a tool's words.
fn measure_of_check(check: &Check, survey: &Survey, evidence: &[Evidence]) -> Option<Measure> {
    if check.source == Source::Convention {
        return None;
    }
    let by_words = TOOLS.iter().find(|tool| {
        tool.commands
            .iter()
            .any(|words| measures(&check.command, words))
    });
    let is_coverage = check.purpose == Purpose::Coverage;
    if !is_coverage && (by_words.is_none() || check.purpose != Purpose::Test) {
        return None;
    }
    // A task's name says little: what is set up beside it says which tool it is.
    let beside = || {
        evidence
            .iter()
            .find(|found| found.folder == check.folder)
            .map(|found| found.tool)
    };
    let of_package = || {
        let mut packages = survey.packages().into_iter();
        packages
            .find(|package| package.folder == check.folder)
            .map(|package| package.ecosystem)
    };
    let tool = by_words.or_else(beside);
    let languages = match (tool, ecosystem::of_command(&check.command)) {
        (Some(tool), _) => tool.languages,
        (None, Some(ecosystem)) => ecosystem.languages,
        (None, None) => of_package()?.languages,
    };
    let tool = tool.or_else(|| only_tool_for(languages));
    Some(Measure {
        tool,
        languages,
        folder: check.folder.clone(),
        command: check.command.clone(),
        path: check.path.clone(),
        line: Some(check.line),
        source: check.source,
        profile: None,
    })
}

/// The file after `-coverprofile`.
fn profile_of(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("-coverprofile")?;
    let file = after
        .trim_start_matches(['=', ' '])
        .split_whitespace()
        .next()?;
    Some(file.trim_matches(['"', '\'']))
}

/// What the first line of the task that says so names, when the command itself does not.
fn profile_of_task(measure: &Measure) -> Result<Option<String>, Failure> {
    let is_asked = measure.languages == ["Go"] && profile_of(&measure.command).is_none();
    let Some(line) = measure.line.filter(|_| is_asked) else {
        return Ok(None);
    };
    let glob = format!("/{}", measure.path);
    let found = repo::search("-coverprofile[= ]", &[&glob], 20)?;
    let said = found.items.iter().find(|found| found.line >= line);
    Ok(said
        .and_then(|said| profile_of(&said.text))
        .map(str::to_owned))
}

/// The tool that everybody uses there: it comes with the language.
fn only_tool_for(languages: &[&str]) -> Option<&'static Tool> {
    let mut tools = TOOLS.iter().filter(|tool| {
        tool.languages
            .iter()
            .any(|language| languages.contains(language))
    });
    let first = tools.next().filter(|tool| !tool.comes_with.is_empty())?;
    tools.next().is_none().then_some(first)
}

/// Whether a command has a tool's words: those that are options may be followed by a value.
fn measures(command: &str, words: &str) -> bool {
    let options_between = || {
        // `vitest run --coverage` is also `vitest run --silent --coverage`.
        words.split_once(" --").is_some_and(|(start, option)| {
            has_word(command, start) && has_word(command, &format!("--{option}"))
        })
    };
    has_word(command, words) || options_between()
}

fn by_convention(
    tool: &'static Tool,
    folder: &str,
    path: &str,
    line: Option<u32>,
    survey: &Survey,
) -> Result<Measure, Failure> {
    let speaks = |check: &&Check| {
        let languages = ecosystem::of_command(&check.command).map(|ecosystem| ecosystem.languages);
        let fits = languages.is_none_or(|languages| languages.contains(&tool.languages[0]));
        check.folder == folder && fits
    };
    let custom = if tool.languages.contains(&"Ruby") {
        "bundle exec rake"
    } else {
        "npm test"
    };
    let test = survey
        .checks_for(Purpose::Test)
        .find(speaks)
        .map_or(custom, |check| check.command.as_str());
    let run = match runner::starts_tools_with(survey, tool.languages[0], folder) {
        "uv run " => format!("uv run {}", not_locked(tool, folder, survey)?),
        run => run.to_owned(),
    };
    Ok(Measure {
        tool: Some(tool),
        languages: tool.languages,
        folder: folder.to_owned(),
        command: tool.measure.replace("{run}", &run).replace("{test}", test),
        path: path.to_owned(),
        line,
        source: Source::Convention,
        profile: None,
    })
}

/// What uv has to bring along because its lockfile does not: `--with coverage --with pytest `.
fn not_locked(tool: &Tool, folder: &str, survey: &Survey) -> Result<String, Failure> {
    let package = if tool.name == "pytest-cov" {
        "pytest-cov"
    } else {
        "coverage"
    };
    let mut folder = folder;
    let glob = loop {
        let path = match folder {
            "" => "uv.lock".to_owned(),
            folder => format!("{folder}/uv.lock"),
        };
        if folder.is_empty() || survey.notable.has(&path) {
            break format!("/{path}");
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    };
    let locked = repo::search(&format!("^name = \"({package}|pytest)\"$"), &[&glob], 10)?;
    let has = |name: &str| {
        let line = format!("name = \"{name}\"");
        locked.items.iter().any(|locked| locked.text.trim() == line)
    };
    let missing = [package, "pytest"].into_iter().filter(|name| !has(name));
    Ok(missing.flat_map(|name| ["--with ", name, " "]).collect())
}

fn speaks_for(measure: &Measure, tool: &Tool) -> bool {
    tool.languages
        .iter()
        .any(|language| measure.languages.contains(language))
}

/// Whether a path or folder is a folder or below it.
fn is_inside(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What shows that tools are set up, in the order of the tools.
fn evidence() -> Result<Vec<Evidence>, Failure> {
    let excluding = decoy::excluding_folders();
    let own: Vec<&str> = TOOLS.iter().flat_map(|tool| tool.files).copied().collect();
    let mut globs = decoy::globs("**/", &own, "");
    globs.extend(excluding.iter().cloned());
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    let files = repo::files(&globs, MAX_LINES)?;

    let signs = || TOOLS.iter().flat_map(|tool| tool.signs);
    let mut others: Vec<&str> = signs().flat_map(|sign| sign.files).copied().collect();
    others.sort_unstable();
    others.dedup();
    let mut words: Vec<String> = signs()
        .flat_map(|sign| sign.words)
        .map(|word| escaped(word))
        .collect();
    words.sort();
    words.dedup();
    let mut globs = decoy::globs("**/", &others, "");
    globs.extend(excluding);
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    let lines = repo::search(&words.join("|"), &globs, MAX_LINES)?;

    let mut evidence: Vec<Evidence> = Vec::new();
    for tool in TOOLS {
        let mut add = |path: &str, line: Option<u32>| {
            let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
            // SimpleCov is started by a helper among the tests.
            let folder = folder
                .trim_end_matches("spec")
                .trim_end_matches("test")
                .trim_end_matches('/');
            let is_known = evidence
                .iter()
                .any(|found| found.tool == tool && found.folder == folder);
            if !is_known {
                evidence.push(Evidence {
                    tool,
                    folder: folder.to_owned(),
                    path: path.to_owned(),
                    line,
                });
            }
        };
        for line in &lines.items {
            let name = line.path.rsplit('/').next().unwrap_or(&line.path);
            let is_sign = tool.signs.iter().any(|sign| {
                sign.files.iter().any(|glob| name_matches(name, glob))
                    && sign.words.iter().any(|word| has_word(&line.text, word))
            });
            let is_comment = line.text.trim_start().starts_with(['#', '/']);
            if is_sign && !is_comment {
                add(&line.path, Some(line.line));
            }
        }
        for file in &files.items {
            let name = file.path.rsplit('/').next().unwrap_or(&file.path);
            if tool.files.iter().any(|glob| name_matches(name, glob)) {
                add(&file.path, None);
            }
        }
    }
    Ok(evidence)
}

#[cfg(test)]
mod tests;
