//! What history says about files and lines. A repository whose history cannot be read (a shallow
//! clone, a host that gives up on it) still gets a prompt, with less in it.

use std::collections::HashMap;

use changelings_sdk::repo::{self, ChangedFile, Origin, Place};
use changelings_sdk::{Date, Failure, log, prompt};

/// Days that count as "lately".
pub const LATELY: u32 = 180;

/// How often files changed lately.
#[derive(Debug, Clone, Default)]
pub struct Churn {
    days: u32,
    files: HashMap<String, ChangedFile>,
}

impl Churn {
    /// Of the last days; [`LATELY`] unless there is a reason.
    pub fn of_last(days: u32) -> Result<Self, Failure> {
        let changed = or_nothing(repo::changed_files(days).map(|list| list.items))?;
        Ok(Self {
            days,
            files: changed
                .into_iter()
                .map(|file| (file.path.clone(), file))
                .collect(),
        })
    }

    /// Commits that touched the file in that time.
    pub fn commits(&self, path: &str) -> u32 {
        self.files.get(path).map_or(0, |file| file.commits)
    }

    /// Date of the last of them.
    pub fn last_changed(&self, path: &str) -> Option<Date> {
        self.files
            .get(path)
            .and_then(|file| Date::parse(&file.last_changed))
    }

    /// All files that changed, most commits first, then by path.
    pub fn files(&self) -> Vec<&ChangedFile> {
        let mut files: Vec<_> = self.files.values().collect();
        files.sort_by(|a, b| b.commits.cmp(&a.commits).then_with(|| a.path.cmp(&b.path)));
        files
    }

    /// `3 commits in 180 days`, for a person; `unchanged for 180 days`; `3 commits` of all time.
    pub fn in_words(&self, path: &str) -> String {
        let commits = prompt::count(self.commits(path) as usize, "commit");
        match (self.commits(path), self.days) {
            (_, 0) => commits,
            (0, days) => format!("unchanged for {days} days"),
            (_, days) => format!("{commits} in {days} days"),
        }
    }
}

/// Who wrote lines, and when.
#[derive(Debug, Clone, Default)]
pub struct Origins(HashMap<Place, Origin>);

impl Origins {
    /// Of at most [`repo::MAX_PLACES`] places, in one call; reading history is slow, so ask for few
    /// files.
    pub fn of(places: &[Place]) -> Result<Self, Failure> {
        if places.is_empty() {
            return Ok(Self::default());
        }
        let places = &places[..places.len().min(repo::MAX_PLACES)];
        let origins = or_nothing(repo::origins(places).map(|list| list.items))?;
        Ok(Self(
            origins
                .into_iter()
                .map(|origin| {
                    let place = Place {
                        path: origin.path.clone(),
                        line: origin.line,
                    };
                    (place, origin)
                })
                .collect(),
        ))
    }

    /// When a line was written.
    pub fn date(&self, place: &Place) -> Option<Date> {
        self.0
            .get(place)
            .and_then(|origin| Date::parse(&origin.date))
    }

    /// `2 years old (2024-03-09, Ada Lovelace)`, for a person.
    pub fn in_words(&self, place: &Place, today: Date) -> Option<String> {
        let author = prompt::one_line(&self.0.get(place)?.author, 40);
        let date = self.date(place)?;
        let age = match today.age_of(date).as_str() {
            "today" => "written today".to_owned(),
            age => format!("{age} old"),
        };
        Some(format!("{age} ({date}, {author})"))
    }
}

/// Being denied is an answer for the user; anything else is no reason to give up.
fn or_nothing<T>(read: Result<Vec<T>, Failure>) -> Result<Vec<T>, Failure> {
    match read {
        Err(failure) if failure.code == Failure::DENIED => Err(failure),
        Err(failure) => {
            log::warn(format!("going on without history: {failure}"));
            Ok(Vec::new())
        }
        Ok(items) => Ok(items),
    }
}
