//! What a guest asks of `repo`, served and noted for the person who reads the plan.

use super::super::{Access, State};
use super::{Failure, Repo, Work};
use crate::names::printable;
use crate::template::bindings::changelings::template::repo::{
    ChangedFileList, CommitList, FileList, FileText, Host, OriginList, Place, TextMatchList,
};
use crate::ui::text::{Cut, shorten};

impl State {
    /// Serves one call, if the permission is there.
    fn ask_repo<T>(
        &mut self,
        question: impl FnOnce() -> String,
        ask: impl FnOnce(&mut Repo, &Work) -> Result<T, Failure>,
        count: impl FnOnce(&T) -> String,
    ) -> wasmtime::Result<Result<T, Failure>> {
        let work = match self.begin()? {
            Ok(work) => work,
            Err(failure) => return Ok(Err(failure)),
        };
        let answer = self.repo.get("repo:read").and_then(|repo| ask(repo, &work));
        if !matches!(self.repo, Access::Describing) {
            let told = answer
                .as_ref()
                .map_or_else(|failure| failure.code.clone(), count);
            self.note(question(), told, &work);
        }
        Ok(answer)
    }
}

type Answer<T> = wasmtime::Result<Result<T, Failure>>;

impl Host for State {
    async fn files(&mut self, globs: Vec<String>, limit: u32) -> Answer<FileList> {
        self.ask_repo(
            || format!("files{}", among(&globs)),
            |repo, work| repo.files(&globs, limit, work),
            |list| counted(list.items.len(), "files", list.truncated),
        )
    }

    async fn read(&mut self, path: String, max_bytes: u32) -> Answer<FileText> {
        self.ask_repo(
            || format!("read {}", shortened(&path)),
            |repo, work| repo.read(&path, max_bytes, work),
            |text| counted(text.text.len(), "bytes", text.truncated),
        )
    }

    async fn search(
        &mut self,
        pattern: String,
        globs: Vec<String>,
        limit: u32,
    ) -> Answer<TextMatchList> {
        self.ask_repo(
            || format!("lines with `{}`{}", shortened(&pattern), among(&globs)),
            |repo, work| repo.search(&pattern, &globs, limit, work),
            |list| counted(list.items.len(), "matches", list.truncated),
        )
    }

    async fn commits(
        &mut self,
        path: Option<String>,
        since_days: u32,
        limit: u32,
    ) -> Answer<CommitList> {
        self.ask_repo(
            || format!("commits{}{}", of(path.as_deref()), last(since_days)),
            |repo, work| repo.commits(path.as_deref(), since_days, limit, work),
            |list| counted(list.items.len(), "commits", list.truncated),
        )
    }

    async fn changed_files(&mut self, since_days: u32) -> Answer<ChangedFileList> {
        self.ask_repo(
            || format!("changed files{}", last(since_days)),
            |repo, work| repo.changed_files(since_days, work),
            |list| counted(list.items.len(), "files", list.truncated),
        )
    }

    async fn origins(&mut self, places: Vec<Place>) -> Answer<OriginList> {
        self.ask_repo(
            || format!("who wrote {} lines, and when", places.len()),
            |repo, work| repo.origins(&places, work),
            |list| counted(list.items.len(), "origins", list.truncated),
        )
    }
}

fn counted(count: usize, what: &str, truncated: bool) -> String {
    format!("{count} {what}{}", if truncated { " (cut)" } else { "" })
}

fn shortened(text: &str) -> String {
    printable(&shorten(text, 50, Cut::End))
}

/// Where it looked. Long lists of patterns tell a person nothing but how many they are.
fn among(globs: &[String]) -> String {
    // One pattern can hold many: `**/{a,b,c}`.
    let counted = |out: bool| -> usize {
        let globs = globs.iter().filter(|glob| glob.starts_with('!') == out);
        globs.map(|glob| glob.matches(',').count() + 1).sum()
    };
    match (counted(false), counted(true)) {
        (0, 0) => String::new(),
        (within, without) if within + without <= 3 => {
            format!(" in {}", shortened(&globs.join(" ")))
        }
        (within, 0) => format!(" that fit {within} patterns"),
        (0, without) => format!(", but for {without} patterns of paths"),
        (within, without) => format!(" that fit {within} patterns and not {without} others"),
    }
}

fn of(path: Option<&str>) -> String {
    path.map(|path| format!(" of {}", shortened(path)))
        .unwrap_or_default()
}

fn last(days: u32) -> String {
    if days == 0 {
        String::new()
    } else {
        format!(" of the last {days} days")
    }
}

#[cfg(test)]
mod tests {

    #[test]
    fn long_lists_of_patterns_are_counted() {
        let among = |globs: &[&str]| {
            let globs: Vec<String> = globs.iter().map(|glob| (*glob).to_owned()).collect();
            super::among(&globs)
        };
        assert_eq!(among(&[]), "");
        assert_eq!(among(&["src/**", "*.{c,h}"]), " in src/** *.{c,h}");
        assert_eq!(among(&["**/{a,b,c,d}"]), " that fit 4 patterns");
        assert_eq!(
            among(&["!**/{a,b,c}/**", "*.{c,h}"]),
            " that fit 2 patterns and not 3 others"
        );
    }
}
