//! Through GitHub's API: the pull request of a pushed branch, or the issue of a report. A request
//! whose answer was lost is not repeated before it is known to have had no effect.

use std::time::Duration;

use jiff::Timestamp;

use super::wording::few;
use super::{Branch, Publisher, Run, Stop, WAITS, not_pushed, stop};
use crate::exec::event::Action;
use crate::exec::work::Work;
use crate::exec::{Event, Outcome};
use crate::git::checked;
use crate::github::{GithubError, Issue, NewIssue, NewPull, Pull, Query, Repository, State};
use crate::names::printable;
use crate::process::pause;
use crate::pull_request::{changeling_of, marker, title_with};
use crate::record::Delivery;

/// The last issues that are looked through for one that was opened after all.
const RECENT: usize = 50;

/// Before looking again whether GitHub shows what was pushed a moment ago.
const SETTLES: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_millis(800),
    Duration::from_secs(2),
];

impl Publisher<'_> {
    /// Opens the pull request of a branch, or adds to the one that is open.
    pub(super) fn pull_request(
        &mut self,
        run: &mut Run,
        github: &Repository,
        done: &Work,
        branch: &Branch,
    ) -> Result<Outcome, Stop> {
        let commits = done.collected.commits.len();
        let failed = |publisher: &Self, error: &GithubError| {
            Stop(Outcome::NeedsAttention {
                why: vec![format!(
                    "{} is pushed ({}), and its pull request could not be opened: {error}",
                    branch.name,
                    few(commits)
                )],
                next: publisher.pull_request_line(&branch.name),
            })
        };
        let open = retried(|| github.open_pull_of(&branch.name));
        let (pull, action) = match open.map_err(|error| failed(self, &error))? {
            Some(pull) if self.plan.branch.updates == Some(pull.number) => (pull, Action::Updated),
            Some(pull) => (pull, Action::Found),
            None => {
                if let Some(number) = self.plan.branch.updates {
                    return Err(closed_meanwhile(number, branch, commits));
                }
                let pull = self.create(github, branch);
                (pull.map_err(|error| failed(self, &error))?, Action::Opened)
            }
        };
        let event = Event::PullRequest {
            url: printable(&pull.url),
            number: pull.number,
            action,
            branch: branch.name.clone(),
            commits,
        };
        run.event(&event).map_err(|error| stop(&error))?;
        self.deliver(
            run,
            "pull-request",
            &pull.url,
            pull.number,
            Some(&branch.name),
        );
        match action {
            Action::Opened => {}
            Action::Updated => self.update(github, &pull, branch),
            Action::Found => self.mark(github, &pull),
        }
        let labels = &self.plan.pull_request.labels;
        if action != Action::Updated && !labels.is_empty() {
            let labelled = github.add_labels(pull.number, labels);
            self.note(labelled, "its labels could not be set");
        }
        self.look(github, &pull, branch);
        Ok(Outcome::PullRequest {
            url: printable(&pull.url),
            number: pull.number,
            branch: branch.name.clone(),
            commits,
        })
    }

    /// A pull request that people closed is not pushed to: they said no, or took what was there.
    pub(super) fn is_still_open(&self, github: &Repository, number: u64) -> Result<(), Stop> {
        match retried(|| github.pull(number)) {
            Ok(pull) if pull.state != "open" => {
                let why = format!("#{number} is {} by now", pull.state);
                Err(not_pushed(&self.plan.branch.name, why))
            }
            // What it is cannot be told; the next question will have the same trouble, or not.
            _ => Ok(()),
        }
    }

    fn create(&self, github: &Repository, branch: &Branch) -> Result<Pull, GithubError> {
        let new = NewPull {
            title: &self.text.title,
            body: &self.text.body,
            head: &branch.name,
            base: &self.plan.base.branch,
        };
        let exists = || github.open_pull_of(&branch.name);
        once(|| github.create_pull(&new), exists)
    }

    /// Opens the issue of a report.
    pub(super) fn issue(&mut self, run: &mut Run, github: &Repository) -> Result<Outcome, Stop> {
        let new = NewIssue {
            title: &self.text.title,
            body: &self.text.body,
            labels: &self.plan.pull_request.labels,
        };
        let recent = Query {
            state: State::All,
            labels: Vec::new(),
            limit: RECENT,
        };
        let id = format!("`{}`", self.plan.run_id);
        let is_ours = |issue: &Issue| {
            changeling_of(&issue.body).as_ref() == Some(&self.plan.changeling)
                && issue.body.contains(&id)
        };
        let exists = || Ok(github.issues_now(&recent)?.items.into_iter().find(is_ours));
        let issue = once(|| github.create_issue(&new), exists).map_err(|error| {
            Stop(Outcome::NeedsAttention {
                why: vec![format!(
                    "the report is kept, and its issue could not be opened: {error}"
                )],
                next: self.issue_line(),
            })
        })?;
        let event = Event::IssueOpened {
            url: printable(&issue.url),
            number: issue.number,
        };
        run.event(&event).map_err(|error| stop(&error))?;
        self.deliver(run, "issue", &issue.url, issue.number, None);
        let seen = github.issue(issue.number).map(drop);
        self.note(seen, "GitHub did not show the issue again");
        Ok(Outcome::Report {
            place: printable(&issue.url),
        })
    }

    /// Tells on the open pull request what this run added. Its description may be a person's by now:
    /// only a title that counts its commits is kept right.
    fn update(&mut self, github: &Repository, pull: &Pull, branch: &Branch) {
        let commented = github.comment(pull.number, &self.text.body);
        self.note(commented, "what was added could not be told on it");
        let template = &self.plan.pull_request.title;
        let was_counted = (1..1_000).any(|count| title_with(template, count) == pull.title);
        let range = format!("{}..{}", self.plan.base.commit, branch.commit);
        let count = self.with.git.in_dir(&self.with.mirror.git_dir);
        let count = checked("rev-list", &count.args(["rev-list", "--count", &range]));
        if let (true, Ok(Ok(count))) = (was_counted, count.map(|count| count.text().parse())) {
            let title = title_with(template, count);
            if title != pull.title {
                let edited = github.edit_pull(pull.number, Some(&title), None);
                self.note(edited, "its title could not be brought up to date");
            }
        }
    }

    /// The agent opened it: later runs must know it for one of this changeling.
    fn mark(&mut self, github: &Repository, pull: &Pull) {
        let changeling = &self.plan.changeling;
        if changeling_of(&pull.body).as_ref() == Some(changeling) {
            return;
        }
        let body = format!("{}\n\n{}\n", pull.body.trim_end(), marker(changeling));
        let edited = github.edit_pull(pull.number, None, Some(&body));
        self.note(edited, "it could not be marked as this changeling's");
    }

    /// GitHub's own word for it. The remote's branch is known already; its view of it follows soon.
    fn look(&mut self, github: &Repository, pull: &Pull, branch: &Branch) {
        let mut waits = SETTLES.iter();
        loop {
            match retried(|| github.pull(pull.number)) {
                Ok(seen) if seen.state != "open" => {
                    let note = format!("#{} is {} already", pull.number, seen.state);
                    return self.notes.push(note);
                }
                Ok(seen) if seen.head_commit == branch.commit => return,
                Ok(_) => {}
                Err(error) => {
                    return self.note(Err(error), "GitHub did not show the pull request again");
                }
            }
            match waits.next() {
                Some(wait) if pause(*wait) => {}
                _ => {
                    let note = format!(
                        "GitHub does not show the last commit in #{} yet",
                        pull.number
                    );
                    return self.notes.push(note);
                }
            }
        }
    }

    fn deliver(&mut self, run: &Run, kind: &str, url: &str, number: u64, branch: Option<&str>) {
        let delivered = self.store.deliver(&Delivery {
            run: self.plan.run_id.clone(),
            changeling: self.plan.changeling.clone(),
            repo: self.plan.repo.clone(),
            kind: kind.to_owned(),
            number,
            url: printable(url),
            title: self.text.title.clone(),
            branch: branch.map(str::to_owned),
            state: "open".to_owned(),
            updated_at: run.now(),
        });
        if let Err(error) = delivered {
            self.notes
                .push(format!("it could not be written down: {error}"));
        }
    }

    fn note(&mut self, done: Result<(), GithubError>, what: &str) {
        if let Err(error) = done {
            self.notes.push(format!("{what}: {error}"));
        }
    }
}

fn closed_meanwhile(number: u64, branch: &Branch, commits: usize) -> Stop {
    Stop(Outcome::needs(format!(
        "#{number} was closed while the run worked for it; {} on {} are pushed, and nothing proposes them",
        few(commits),
        branch.name
    )))
}

/// Asks again after an error that may pass.
fn retried<T>(ask: impl Fn() -> Result<T, GithubError>) -> Result<T, GithubError> {
    let mut attempts = WAITS.iter();
    loop {
        let error = match ask() {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if !may_repeat(&error, attempts.next().is_some()) {
            return Err(error);
        }
    }
}

/// Makes something that must be there once. `exists` finds it when it was made and nobody said so.
fn once<T>(
    make: impl Fn() -> Result<T, GithubError>,
    exists: impl Fn() -> Result<Option<T>, GithubError>,
) -> Result<T, GithubError> {
    let mut attempts = WAITS.iter();
    loop {
        let error = match make() {
            Ok(new) => return Ok(new),
            Err(error) => error,
        };
        let may_exist = error.is_doubtful() || matches!(error, GithubError::Invalid { .. });
        if may_exist {
            match exists() {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                // Not known: making it again could make it twice.
                Err(_) => return Err(error),
            }
        }
        if !may_repeat(&error, attempts.next().is_some()) {
            return Err(error);
        }
    }
}

/// Waits until the same request has a chance; `false`: it has none.
fn may_repeat(error: &GithubError, is_left: bool) -> bool {
    // What timed out has been waited for long enough.
    if !is_left || matches!(error, GithubError::TimedOut { .. }) {
        return false;
    }
    error.wait(Timestamp::now()).is_some_and(pause)
}
