//! What a person types to do by hand what could not be done.

use super::Publisher;
use crate::record::File;

/// `1 commit`, `2 commits`.
pub(super) fn few(commits: usize) -> String {
    match commits {
        1 => "1 commit".to_owned(),
        count => format!("{count} commits"),
    }
}

impl Publisher<'_> {
    fn gh(&self, words: &[&str]) -> Option<String> {
        let repo = self.github?.full_name();
        let body = self.store.folder_of(&self.plan.run_id);
        let body = body.join(File::PullRequest.name());
        let mut line: Vec<&str> = vec!["gh"];
        line.extend(words);
        let body = body.to_string_lossy();
        line.extend([
            "--repo",
            &repo,
            "--title",
            &self.text.title,
            "--body-file",
            &body,
        ]);
        Some(shell_words::join(line))
    }

    /// Opens the pull request of a branch that is there. `None`: not on GitHub.
    pub(super) fn pull_request_line(&self, branch: &str) -> Option<String> {
        let base = &self.plan.base.branch;
        self.gh(&["pr", "create", "--head", branch, "--base", base])
    }

    /// Opens the issue.
    pub(super) fn issue_line(&self) -> Option<String> {
        self.gh(&["issue", "create"])
    }
}
