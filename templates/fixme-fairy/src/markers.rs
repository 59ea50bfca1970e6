//! Finding markers: words like FIXME at work in a comment of the owners' own code, and not the same
//! words in a string, in prose, or in files that are not theirs.

use std::collections::BTreeMap;

use changelings_sdk::prompt::Total;
use changelings_sdk::repo::{self, Match, Place};
use changelings_sdk::{Failure, prompt};
use knowledge::history::Churn;
use knowledge::{decoy, ecosystem, language, lexer};

/// Most matching lines asked for.
const MAX_MATCHES: u32 = 10_000;
/// Most files read, and how much of each.
const MAX_FILES: usize = 300;
const MAX_BYTES: u32 = 256 * 1024;
/// Longest text of a marker that is told.
const MAX_TEXT: usize = 160;

/// A marker in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) place: Place,
    /// The word, and its rank among the words looked for: 0 is the gravest.
    pub(crate) word: String,
    pub(crate) rank: usize,
    /// What it says, on one line.
    pub(crate) text: String,
}

/// The markers of a repository.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) markers: Vec<Marker>,
    /// Lines with such a word that are no markers.
    pub(crate) look_alikes: usize,
    /// Markers in files that were not read, as far as single lines tell.
    pub(crate) unread: usize,
    /// There are more than were looked at.
    pub(crate) truncated: bool,
}

/// All markers with one of `words`, the gravest first, in files that match `paths` (all when empty).
pub(crate) fn find(words: &[&str], paths: &[&str], churn: &Churn) -> Result<Found, Failure> {
    let excluding = decoy::excluding();
    let globs: Vec<&str> = paths
        .iter()
        .copied()
        .chain(excluding.iter().map(String::as_str))
        .collect();
    let pattern = format!(r"\b({})\b", words.join("|"));
    let matches = repo::search(&pattern, &globs, MAX_MATCHES)?;
    let mut found = Found {
        truncated: matches.truncated,
        ..Found::default()
    };
    let mut by_file: BTreeMap<String, Vec<Match>> = BTreeMap::new();
    for line in matches {
        by_file.entry(line.path.clone()).or_default().push(line);
    }
    let mut files: Vec<(String, Vec<Match>)> = by_file.into_iter().collect();
    // Those that are likely to matter are read first; the others only as far as the bound allows.
    files.sort_by_key(|(path, lines)| {
        let gravest = lines
            .iter()
            .filter_map(|line| rank_in(&line.text, words))
            .min();
        (
            gravest.unwrap_or(usize::MAX),
            std::cmp::Reverse(churn.commits(path)),
        )
    });
    for (path, lines) in files.split_off(files.len().min(MAX_FILES)) {
        found.unread += lines
            .iter()
            .filter(|line| is_marker_alone(&path, &line.text, words))
            .count();
    }
    for (path, lines) in files {
        let markers = in_file(&path, words)?;
        found.look_alikes += lines.len().saturating_sub(markers.len());
        found.markers.extend(markers);
    }
    Ok(found)
}

/// What the line alone tells, without the file around it.
fn is_marker_alone(path: &str, line: &str, words: &[&str]) -> bool {
    decoy::of_path(path).is_none()
        && language::of(path).is_some_and(|language| {
            lexer::comment_lines(line, language.syntax)
                .iter()
                .any(|comment| marker_in(comment.text, words).is_some())
        })
}

fn in_file(path: &str, words: &[&str]) -> Result<Vec<Marker>, Failure> {
    let Some(language) = language::of(path).filter(|_| decoy::of_path(path).is_none()) else {
        return Ok(Vec::new());
    };
    let Some(file) = repo::read_if_text(path, MAX_BYTES)? else {
        return Ok(Vec::new());
    };
    if decoy::of_text(&file.text).is_some() {
        return Ok(Vec::new());
    }
    let markers = lexer::comment_lines(&file.text, language.syntax)
        .into_iter()
        .filter_map(|comment| {
            let (rank, text) = marker_in(comment.text, words)?;
            let place = Place {
                path: path.to_owned(),
                line: comment.line,
            };
            Some(Marker {
                place,
                word: words[rank].to_owned(),
                rank,
                text: prompt::one_line(text, MAX_TEXT),
            })
        })
        .collect();
    Ok(markers)
}

/// The marker of a comment's line and what it says. The word opens the comment or is followed by a
/// colon or an owner in parentheses; anywhere else it is prose about markers.
fn marker_in<'a>(comment: &'a str, words: &[&str]) -> Option<(usize, &'a str)> {
    let opening = |c: char| !c.is_alphanumeric() && c != '_';
    let body = comment.trim_start_matches(opening);
    let start_of_body = comment.len() - body.len();
    words.iter().enumerate().find_map(|(rank, word)| {
        comment.match_indices(word).find_map(|(at, _)| {
            let before = comment[..at].chars().next_back();
            let rest = &comment[at + word.len()..];
            let is_word = before.is_none_or(opening) && rest.chars().next().is_none_or(opening);
            let is_quoted = ['"', '`']
                .iter()
                .any(|quote| comment[..at].matches(*quote).count() % 2 == 1);
            let at_work = at == start_of_body
                || !is_quoted && (rest.starts_with(':') || rest.starts_with('('));
            (is_word && at_work).then(|| (rank, text_of(rest)))
        })
    })
}

/// `(ada): the text */` is `the text`.
fn text_of(rest: &str) -> &str {
    let rest = rest
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'))
        .map_or(rest, |(_, rest)| rest);
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ':');
    let rest = rest.strip_prefix("- ").unwrap_or(rest);
    ["*/", "-->", "-}", "*)"]
        .iter()
        .find_map(|end| rest.trim_end().strip_suffix(end))
        .unwrap_or(rest)
        .trim()
}

fn rank_in(line: &str, words: &[&str]) -> Option<usize> {
    words.iter().position(|word| line.contains(word))
}

impl Found {
    pub(crate) fn total(&self) -> Total {
        let total = self.markers.len() + self.unread;
        match (self.truncated, self.unread) {
            (true, _) => Total::MoreThan(total),
            (false, 0) => Total::Exactly(total),
            (false, _) => Total::About(total),
        }
    }
}

/// How much a marker matters, more is more: its word, how often people change the file, whether it
/// says anything, and that a test's own markers come later. Age is added where it is known.
pub(crate) fn weight(marker: &Marker, words: usize, churn: &Churn, years: Option<i64>) -> i64 {
    let position = i64::try_from(words - marker.rank).unwrap_or(1);
    let says_nothing = marker.text.chars().filter(|c| c.is_alphanumeric()).count() < 4;
    let in_test = ecosystem::is_test_file(&marker.place.path);
    position * 4
        + i64::from(churn.commits(&marker.place.path).min(5)) * 2
        + years.unwrap_or(0).clamp(0, 5)
        - i64::from(says_nothing) * 8
        - i64::from(in_test) * 6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_at_work_and_words_in_prose() {
        let words = ["FIXME", "TODO"];
        let marker = |comment| marker_in(comment, &words).map(|(rank, text)| (words[rank], text));
        assert_eq!(marker("// TODO(ada): add it"), Some(("TODO", "add it")));
        assert_eq!(marker("/* FIXME - later */"), Some(("FIXME", "later")));
        assert_eq!(marker(" * see below. TODO: that"), Some(("TODO", "that")));
        assert_eq!(marker("# TODO"), Some(("TODO", "")));
        assert_eq!(marker("// keep the TODO list short"), None);
        assert_eq!(
            marker("// TODO: --flag is ignored"),
            Some(("TODO", "--flag is ignored"))
        );
        assert_eq!(marker("// TODOS are bad"), None);
        assert_eq!(
            marker("//! write(\"a\", \"// FIXME: in an example\")"),
            None
        );

        assert_eq!(marker("// MY_TODO: x"), None);
    }
}
