//! What git's log and blame say, in the shapes of `repo`.

use std::collections::{BTreeMap, HashMap};

use super::Git;
use crate::repo::{ChangedFile, Commit, Origin, Place};
use crate::{Date, Failure};

/// Newest first; `since`: first day that counts.
pub(super) fn commits(
    git: &Git,
    path: Option<&str>,
    since: Option<i64>,
) -> Result<Vec<Commit>, Failure> {
    let mut args = vec!["log", "--format=%H%x09%an%x09%as%x09%s"];
    if let Some(path) = path {
        args.extend(["--", path]);
    }
    let log = String::from_utf8_lossy(&git.run(&args)?).into_owned();
    Ok(log
        .lines()
        .filter_map(|line| {
            let mut fields = line.splitn(4, '\t').map(str::to_owned);
            Some(Commit {
                id: fields.next()?,
                author: fields.next()?,
                date: fields.next()?,
                subject: fields.next()?,
            })
        })
        .filter(|commit| counts(&commit.date, since))
        .collect())
}

/// Most commits first, then by path.
pub(super) fn changed_files(git: &Git, since: Option<i64>) -> Result<Vec<ChangedFile>, Failure> {
    let log = git.run(&["log", "--format=%x00%as", "--name-only", "--no-renames"])?;
    let log = String::from_utf8_lossy(&log);
    let mut changed: BTreeMap<&str, ChangedFile> = BTreeMap::new();
    for commit in log.split('\0').skip(1) {
        let mut lines = commit.lines().filter(|line| !line.is_empty());
        let Some(date) = lines.next().filter(|date| counts(date, since)) else {
            continue;
        };
        for path in lines {
            let file = changed.entry(path).or_insert_with(|| ChangedFile {
                path: path.to_owned(),
                commits: 0,
                last_changed: date.to_owned(),
            });
            file.commits += 1;
        }
    }
    let mut changed: Vec<_> = changed.into_values().collect();
    changed.sort_by(|a, b| b.commits.cmp(&a.commits).then_with(|| a.path.cmp(&b.path)));
    Ok(changed)
}

/// In the order asked for.
pub(super) fn origins(git: &Git, places: &[Place]) -> Vec<Origin> {
    let mut lines_of: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for place in places {
        lines_of.entry(&place.path).or_default().push(place.line);
    }
    let mut found: HashMap<(&str, u32), Origin> = HashMap::new();
    for (path, lines) in lines_of {
        // A path that is not there has no origins.
        let Ok(blame) = git.run(&["blame", "--line-porcelain", "HEAD", "--", path]) else {
            continue;
        };
        let blame = String::from_utf8_lossy(&blame).into_owned();
        for origin in lines_of_blame(&blame, path) {
            if lines.contains(&origin.line) {
                found.insert((path, origin.line), origin);
            }
        }
    }
    places
        .iter()
        .filter_map(|place| found.get(&(place.path.as_str(), place.line)).cloned())
        .collect()
}

fn lines_of_blame(blame: &str, path: &str) -> Vec<Origin> {
    let mut origins = Vec::new();
    let (mut commit, mut line, mut author, mut date) = ("", 0, "", String::new());
    for text in blame.lines() {
        if text.starts_with('\t') {
            origins.push(Origin {
                path: path.to_owned(),
                line,
                commit: commit.to_owned(),
                author: author.to_owned(),
                date: date.clone(),
            });
        } else if let Some(name) = text.strip_prefix("author ") {
            author = name;
        } else if let Some(seconds) = text.strip_prefix("author-time ") {
            let days = seconds
                .parse::<i64>()
                .unwrap_or_default()
                .div_euclid(86_400);
            date = Date::from_day_number(days).to_string();
        } else if let Some((id, numbers)) = text.split_once(' ')
            && id.len() == 40
            && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            commit = id;
            line = numbers
                .split(' ')
                .nth(1)
                .and_then(|number| number.parse().ok())
                .unwrap_or(0);
        }
    }
    origins
}

fn counts(date: &str, since: Option<i64>) -> bool {
    since.is_none_or(|since| Date::parse(date).is_some_and(|date| date.day_number() >= since))
}
