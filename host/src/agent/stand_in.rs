//! The stand-in: takes an agent's place in a rehearsal and is honest about it. It reads the prompt,
//! looks for places (`path:line`) that exist, and writes them down; it fixes nothing.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write as _};
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};
use crate::git::{Git, checked};

/// Places that are listed.
const MAX_PLACES: usize = 20;
/// What it commits, unless the repository has something of that name.
const FILE: &str = "STAND-IN.md";

/// A line of a file that the prompt names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    path: String,
    line: usize,
    /// The line itself, shortened.
    text: String,
}

/// Where the stand-in was put.
#[derive(Debug)]
pub struct Desk<'a> {
    /// The clone.
    pub folder: &'a Path,
    /// Where a report is wanted, if one is.
    pub report: Option<PathBuf>,
    pub summary: Option<PathBuf>,
    pub run_id: &'a str,
}

/// Does its work. What it answers is for the log.
pub fn work(prompt: &str, desk: &Desk, git: &Git) -> Result<String> {
    let places = places(prompt, desk.folder);
    if let Some(report) = &desk.report {
        fs::write(report, page("report", &places, desk.run_id))?;
        return Ok(said(&places, "wrote them into the report"));
    }
    let file = create_new(desk.folder, &page("change", &places, desk.run_id))?;
    commit(desk.folder, git, &file, &places)?;
    if let Some(summary) = &desk.summary {
        fs::write(summary, summary_text(&file, &places))?;
    }
    Ok(said(&places, &format!("committed them as {file}")))
}

/// Writes a file under a name that is free and answers the name. Never into what the repository has
/// there: that may be a link to a file of the user's.
fn create_new(folder: &Path, text: &str) -> Result<String> {
    let names =
        std::iter::once(FILE.to_owned()).chain((2..100).map(|n| format!("STAND-IN-{n}.md")));
    for name in names {
        let path = folder.join(&name);
        match fs::File::create_new(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                return Ok(name);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::failed(
        "the repository has a file at every name the stand-in knows",
    ))
}

fn said(places: &[Place], what: &str) -> String {
    format!(
        "stand-in: found {} in the prompt, {what}; nothing was fixed",
        counted(places.len())
    )
}

fn counted(places: usize) -> String {
    match places {
        1 => "1 place".to_owned(),
        count => format!("{count} places"),
    }
}

fn page(what: &str, places: &[Place], run_id: &str) -> String {
    let mut text = format!(
        "# STAND-IN\n\nNo agent worked here. A rehearsal (`{run_id}`) put its stand-in in the agent's \
         place to show the way a {what} takes. It fixed nothing.\n\n"
    );
    if places.is_empty() {
        text.push_str("The prompt names no line of a file in this repository.\n");
        return text;
    }
    let _ = writeln!(
        text,
        "A real agent would have read the prompt and begun with {}:\n",
        if places.len() == 1 {
            "this place"
        } else {
            "these places"
        }
    );
    for place in places {
        let _ = write!(text, "- `{}:{}`", place.path, place.line);
        if !place.text.is_empty() {
            // A code span that holds backticks needs a longer fence around it.
            let fence = if place.text.contains('`') { "``" } else { "`" };
            let pad = if place.text.contains('`') { " " } else { "" };
            let _ = write!(text, ": {fence}{pad}{}{pad}{fence}", place.text);
        }
        text.push('\n');
    }
    text
}

fn summary_text(file: &str, places: &[Place]) -> String {
    format!(
        "# Stand-in: {} that an agent would have worked on\n## Rationale\nThis is a rehearsal: a stand-in \
         took the agent's place and changed no code. {file} lists where a real agent would have begun.\n\
         ## Tests\nNone were run, because nothing was changed.\n",
        counted(places.len())
    )
}

fn commit(folder: &Path, git: &Git, file: &str, places: &[Place]) -> Result<()> {
    let identity = git
        .identity(None)?
        .ok_or_else(|| Error::failed("no git identity was given to the stand-in"))?;
    let call = |args: &[&str]| {
        git.in_dir(&folder.join(".git"))
            .arg("--work-tree")
            .arg(folder)
            .cwd(folder)
            .args(args)
    };
    checked("add", &call(&["add", "--force", "--", file]))?;
    let message = format!(
        "Stand-in: list {} an agent would work on\n\nMade by a rehearsal, not by an agent. Nothing was fixed.\n",
        counted(places.len())
    );
    let (name, email) = (
        format!("user.name={}", identity.name),
        format!("user.email={}", identity.email),
    );
    let commit = git
        .in_dir(&folder.join(".git"))
        .arg("--work-tree")
        .arg(folder)
        .cwd(folder)
        .args([
            "-c",
            &name,
            "-c",
            &email,
            "commit",
            "--quiet",
            "--no-verify",
            "--no-gpg-sign",
            "-m",
        ])
        .arg(message);
    checked("commit", &commit)?;
    Ok(())
}

/// The first places that exist, line by line of the prompt, each once.
fn places(prompt: &str, folder: &Path) -> Vec<Place> {
    let mut seen = HashSet::new();
    candidates(prompt)
        // Prompts quote commands of CI files, which no agent may touch: no place to work on.
        .filter(|(path, _)| !path.starts_with(".github/workflows/"))
        .filter(|candidate| seen.insert(*candidate))
        .filter_map(|(path, line)| {
            Some(Place {
                text: line_of(folder, path, line)?,
                path: path.to_owned(),
                line,
            })
        })
        .take(MAX_PLACES)
        .collect()
}

/// Everything that looks like `path:line`: between backticks or white space.
fn candidates(prompt: &str) -> impl Iterator<Item = (&str, usize)> {
    prompt
        .lines()
        .flat_map(|line| {
            let spans = line.split('`').skip(1).step_by(2);
            spans.chain(line.split_whitespace())
        })
        .filter_map(place)
}

fn place(text: &str) -> Option<(&str, usize)> {
    let text = text.trim_matches(|c: char| "`'\"()[]<>{},;*".contains(c));
    let (path, rest) = text.rsplit_once(':')?;
    let digits = rest.trim_end_matches(['.', ',', ';', ')']);
    // `path:line:column` and `path:line:`
    match (digits.parse(), path.rsplit_once(':')) {
        (_, Some((path, line))) if line.parse::<usize>().is_ok() => {
            Some((path, line.parse().ok()?))
        }
        (Ok(line), _) => Some((path, line)),
        _ => None,
    }
    .filter(|(path, line)| *line > 0 && !path.is_empty())
}

/// The line of a plain file below `folder`, shortened; `None` when there is none.
fn line_of(folder: &Path, path: &str, line: usize) -> Option<String> {
    let inside = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let mut file = folder.to_owned();
    for part in Path::new(path).components().filter(|_| inside) {
        file.push(part);
        if fs::symlink_metadata(&file).ok()?.is_symlink() {
            return None;
        }
    }
    if !inside || !file.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    fs::File::open(file)
        .ok()?
        .take(4 * 1024 * 1024)
        .read_to_end(&mut bytes)
        .ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let found = text.lines().nth(line - 1)?.trim();
    let short: String = found.chars().take(120).collect();
    Some(crate::names::printable(&short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_a_prompt() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("src dir")).unwrap();
        fs::write(root.join("a.py"), "one\n  # FIXME: `two`\n").unwrap();
        fs::write(root.join("src dir/b.rs"), "// TODO\n").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("link")).unwrap();
        let prompt = "Look at a.py:2, then `src dir/b.rs:1` (src/none.rs:1).\n- a.py:2:5: again\n\
                      * **a.py:1** at 12:30, https://host:80/x, /etc/passwd:1 ../a.py:1 link:1 a.py:99 a.py:0";
        let found = places(prompt, root);
        let shown: Vec<_> = found
            .iter()
            .map(|p| (p.path.as_str(), p.line, p.text.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("src dir/b.rs", 1, "// TODO"),
                ("a.py", 2, "# FIXME: `two`"),
                ("a.py", 1, "one")
            ]
        );
        insta::assert_snapshot!(format!(
            "{}\n{}\n{}",
            page("change", &found, "20260102-030405-abcdef"),
            page("report", &[], "20260102-030405-abcdef"),
            summary_text(FILE, &found)
        ));
    }
}
