//! Runs of the past, written by the program's own record store.

use std::path::Path;
use std::time::Duration;

use changelings::context::Home;
use changelings::exec::{Event, Outcome};
use changelings::record::{File, Header, Kind, Recording, Store, Usage};
use jiff::Timestamp;

/// One run to be written down.
#[derive(Debug, Clone)]
pub(crate) struct Past<'a> {
    pub(crate) id: &'a str,
    pub(crate) kind: Kind,
    pub(crate) changeling: &'a str,
    /// As records have it: a URL without credentials.
    pub(crate) repo: &'a str,
    pub(crate) template: &'a str,
    /// RFC 3339.
    pub(crate) started_at: &'a str,
    pub(crate) took: Duration,
    /// JSON, as in a record.
    pub(crate) outcome: &'a str,
    pub(crate) cost_usd: Option<f64>,
    pub(crate) turns: Option<u32>,
    /// What happened between begin and end, so many seconds after the start.
    pub(crate) events: Vec<(u64, Event)>,
    pub(crate) files: Vec<(File, String)>,
}

impl Default for Past<'_> {
    /// A run of `nightly` that found nothing to do.
    fn default() -> Self {
        Self {
            id: "20260302-020600-c0ffee",
            kind: Kind::Run,
            changeling: "nightly",
            repo: "https://github.com/myorg/myrepo",
            template: "fixme-fairy",
            started_at: "2026-03-02T02:06:00Z",
            took: Duration::from_secs(65),
            outcome: r#"{"outcome":"no-changes","last_message":null,"uncommitted":false}"#,
            cost_usd: None,
            turns: None,
            events: Vec::new(),
            files: Vec::new(),
        }
    }
}

/// The history in a home folder, made when there is none.
pub(crate) fn history(home: &Path) -> Store {
    Store::open(&Home::at(home.to_owned())).expect("opening a history")
}

impl Past<'_> {
    /// Writes the run down from begin to end.
    pub(crate) fn write(&self, store: &Store) {
        self.finish(self.begin(store));
        store.mark_clean(self.id).expect("writing a record");
    }

    /// Ends a run that began.
    pub(crate) fn finish(&self, recording: Recording) {
        let outcome: Outcome = serde_json::from_str(self.outcome).expect("an outcome");
        let usage = Usage {
            cost_usd: self.cost_usd,
            turns: self.turns,
        };
        recording
            .finish(&outcome, usage, self.at(self.took.as_secs()))
            .expect("writing a record");
    }

    /// Writes down that the run began, and what is known by then. It lives as long as the value.
    pub(crate) fn begin<'s>(&self, store: &'s Store) -> Recording<'s> {
        let header = Header {
            id: self.id,
            kind: self.kind,
            changeling: &self.changeling.parse().expect("a name"),
            repo: self.repo,
            template: &self.template.parse().expect("a name"),
            started_at: self.at(0),
        };
        let mut recording = store.begin(&header).expect("writing a record");
        for (after, event) in &self.events {
            recording
                .event(self.at(*after), event)
                .expect("writing an event");
        }
        for (file, text) in &self.files {
            match file {
                File::Log => recording.log(text.as_bytes()).expect("writing a log"),
                File::Plan => {
                    let plan = serde_json::from_str(text).expect("a plan");
                    recording.plan(&plan).expect("writing a plan");
                }
                file => recording
                    .save(*file, text.as_bytes())
                    .expect("writing a file"),
            }
        }
        recording
    }

    fn at(&self, seconds: u64) -> Timestamp {
        let started: Timestamp = self.started_at.parse().expect("a time");
        started + Duration::from_secs(seconds)
    }
}
