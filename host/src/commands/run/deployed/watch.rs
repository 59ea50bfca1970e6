//! What a person sees while a run goes on at Modal: its log as it comes, but for its last words.

use std::collections::BTreeMap;

use super::raised;
use crate::commands::deployed::Deployed;
use crate::context::Context;
use crate::error::Result;
use crate::exec::Outcome;
use crate::modal::remote::{Followed, News};
use crate::names::printable;
use crate::record::Store;
use crate::ui::{Progress, Ui};

/// How Python begins its account of an error.
const TRACEBACK: &str = "Traceback (most recent call last):";
/// How this program begins what it says last, and what it says to do.
const ERROR: &str = "error: ";
const HELP: &str = " help: ";

/// What a person sees while the run goes on there.
pub(super) struct Watch<'a> {
    ui: &'a Ui,
    /// Names before the lines, where there are several repositories.
    names: Option<Vec<String>>,
    targets: BTreeMap<String, usize>,
    /// Lines whose end has not come yet.
    held: BTreeMap<String, String>,
    /// What may be the container's last word of an error, and Python's account of it: held back, since it
    /// is said once more of how the call ended.
    last_words: BTreeMap<String, LastWords>,
    waiting: Option<Progress>,
}

impl<'a> Watch<'a> {
    pub(super) fn of(
        deployed: &Deployed,
        targets: &[usize],
        detach: bool,
        context: &'a Context,
    ) -> Self {
        let ui = &context.ui;
        let what = if detach {
            "asking Modal for a run"
        } else {
            "asking Modal for a container"
        };
        let several = targets.len() > 1;
        Self {
            ui,
            names: several.then(|| {
                deployed
                    .repos()
                    .iter()
                    .map(|repo| repo.name().to_owned())
                    .collect()
            }),
            targets: BTreeMap::new(),
            held: BTreeMap::new(),
            last_words: BTreeMap::new(),
            waiting: Some(ui.progress(what)),
        }
    }

    pub(super) fn hear(&mut self, news: &News) {
        match news {
            News::Asked { target, call } => {
                self.targets.insert((*call).to_owned(), *target);
            }
            News::Said { call, text } => {
                self.waiting = None;
                let mut held = self.held.remove(*call).unwrap_or_default();
                held.push_str(text);
                while let Some(end) = held.find('\n') {
                    let line: String = held.drain(..=end).collect();
                    self.line(call, &line);
                }
                self.held.insert((*call).to_owned(), held);
            }
            News::Silent(seconds) => self.ui.warn(format_args!(
                "Modal has not answered for {seconds} s; the run goes on there, and Ctrl-C leaves it"
            )),
            News::LogLost(_) => self
                .ui
                .warn("its log cannot be read any more; its end will still be told"),
            News::Ended(ended) => {
                self.waiting = None;
                let rest = self.held.remove(&ended.call).unwrap_or_default();
                self.line(&ended.call, &rest);
            }
        }
    }

    fn line(&mut self, call: &str, line: &str) {
        let line = anstream::adapter::strip_str(line.trim_end()).to_string();
        let mut held = self.last_words.remove(call).unwrap_or_default();
        if !held.traceback.is_empty() || line.starts_with(TRACEBACK) {
            held.traceback.push(line);
        } else if line.starts_with(HELP) && !held.error.is_empty() || line.is_empty() {
            held.error.push(line);
        } else {
            // It went on: that was not its end.
            for line in std::mem::take(&mut held.error) {
                self.tell(call, &line);
            }
            if line.starts_with(ERROR) {
                held.error.push(line);
            } else {
                self.tell(call, &line);
            }
        }
        self.last_words.insert(call.to_owned(), held);
    }

    fn tell(&self, call: &str, line: &str) {
        if line.is_empty() {
            return;
        }
        let line = printable(line);
        let target = self.targets.get(call);
        match target.and_then(|target| self.names.as_ref()?.get(*target)) {
            Some(name) => self.ui.note(format_args!("{name}: {line}")),
            None => self.ui.note(line),
        }
    }

    /// Of what was held back, what is not said of how the call ended.
    pub(super) fn end(self, followed: &Followed, store: &Store) -> Result<()> {
        for (call, held) in &self.last_words {
            let record = store.runs_of_call(call)?.into_iter().next();
            let outcome = record.and_then(|record| record.outcome);
            let ended = followed.ended.iter().find(|ended| ended.call == *call);
            let message = ended.and_then(|ended| ended.message.as_deref().map(raised));
            let said = outcome.as_ref().map(Outcome::sentence);
            let said = said.or_else(|| message.map(str::to_owned));
            for line in held.beyond(said.as_deref(), outcome.is_some()) {
                self.tell(call, line);
            }
        }
        Ok(())
    }
}

/// The end of what a container said.
#[derive(Default)]
struct LastWords {
    /// `error: ...`, and what to do.
    error: Vec<String>,
    traceback: Vec<String>,
}

impl LastWords {
    /// The lines that say more than `said`. `recorded`: the run has its record, and Python has nothing to
    /// add to it.
    fn beyond(&self, said: Option<&str>, recorded: bool) -> Vec<&str> {
        let said = said.map(printable).unwrap_or_default();
        let is_said = |line: &str| {
            let line = printable(line.trim_start_matches(ERROR).trim());
            !line.is_empty() && said.contains(&line)
        };
        // It ends in `RuntimeError: what is said`.
        let last = self.traceback.iter().rfind(|line| !line.is_empty());
        let is_traced = recorded
            || last.is_some_and(|last| !said.is_empty() && printable(last).contains(&said));
        let error = self.error.iter().map(String::as_str);
        let error = error.filter(|line| !is_said(line));
        let traceback = self.traceback.iter().filter(|_| !is_traced);
        error.chain(traceback.map(String::as_str)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond(error: &[&str], traceback: &[&str], said: Option<&str>, recorded: bool) -> String {
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        let held = LastWords {
            error: lines(error),
            traceback: lines(traceback),
        };
        held.beyond(said, recorded).join("|")
    }

    #[test]
    fn what_is_said_of_the_end_is_not_said_before_it() {
        let error = ["error: mirror: refused", " help: renew it"];
        let traceback = [TRACEBACK, "  File", "RuntimeError: mirror: refused", ""];
        let all = "error: mirror: refused| help: renew it|Traceback (most recent call last):|  File|\
                   RuntimeError: mirror: refused|";
        assert_eq!(beyond(&error, &traceback, None, false), all);
        let said = Some("mirror: refused");
        assert_eq!(beyond(&error, &traceback, said, true), " help: renew it");
        assert_eq!(beyond(&error, &traceback, said, false), " help: renew it");
        // Another error than the one that is told.
        let other = beyond(&error, &traceback, Some("out of memory"), true);
        assert_eq!(other, "error: mirror: refused| help: renew it");
        assert_eq!(
            beyond(&error, &traceback, Some("out of memory"), false),
            all
        );
    }
}
