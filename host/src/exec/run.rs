//! One run on its way: its record, and whoever watches.

use jiff::Timestamp;

use super::secrets::Secrets;
use super::{Event, Outcome, StepName};
use crate::agent::Heard;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::plan::Plan;
use crate::process;
use crate::record::{Header, RecordError, Recording, Store, Usage};
use crate::redact::Redactor;

/// What a run shows to whoever watches it.
#[derive(Debug)]
pub enum News<'a> {
    /// It is in the record, too.
    Event(&'a Event),
    /// The agent's newest line, for a person: redacted, printable, bounded.
    Said(&'a str),
    /// What the agent cost so far.
    Usage(Usage),
}

pub(super) struct Run<'a> {
    pub(super) recording: Recording<'a>,
    pub(super) context: &'a Context,
    watch: &'a mut dyn FnMut(News),
    /// What must not be in its events.
    redactor: Redactor,
}

/// Why a run ends before its last step: its outcome is known.
#[derive(Debug)]
pub(super) struct Stop(pub(super) Outcome);

impl<'a> Run<'a> {
    /// Records that it begins.
    pub(super) fn begin(
        store: &'a Store,
        header: &Header,
        context: &'a Context,
        watch: &'a mut dyn FnMut(News),
    ) -> Result<Self> {
        let recording = store.begin(header)?;
        watch(News::Event(&Event::Started));
        Ok(Self {
            recording,
            context,
            watch,
            redactor: Redactor::default(),
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.context.clock.now()
    }

    /// From here on nothing of these secrets is written down.
    pub(super) fn hides(&mut self, secrets: &Secrets) -> Result<()> {
        self.recording.has_secrets(&secrets.names())?;
        self.redactor = secrets.redactor();
        Ok(())
    }

    /// Writes the plan down. Its branch stays as it is, since git must know it.
    pub(super) fn plan(&mut self, plan: &Plan) -> Result<()> {
        let clean = Plan {
            branch: plan.branch.clone(),
            ..self.redactor.value(plan)
        };
        Ok(self.recording.plan(&clean)?)
    }

    pub(super) fn event(&mut self, event: &Event) -> Result<()> {
        let event = &self.redactor.value(event);
        self.recording.event(self.now(), event)?;
        (self.watch)(News::Event(event));
        Ok(())
    }

    /// What is heard of the agent: into the log, and to whoever watches.
    pub(super) fn hear(&mut self, heard: &Heard) -> Result<(), RecordError> {
        match heard {
            Heard::Output(bytes) => self.recording.log(bytes)?,
            Heard::Says(line) => (self.watch)(News::Said(line)),
            Heard::Usage(usage) => {
                // A run that is killed has cost what it cost.
                if let Err(error) = self.recording.usage(*usage) {
                    tracing::warn!("{error}");
                }
                (self.watch)(News::Usage(*usage));
            }
        }
        Ok(())
    }

    /// One step; an error in it ends the run.
    pub(super) fn step<T>(
        &mut self,
        step: StepName,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T, Stop> {
        self.try_step(step, work)
            .map_err(|error| Stop(failure(step, &error)))
    }

    /// As `step`, for those whose errors are the user's to mend.
    pub(super) fn try_step<T>(
        &mut self,
        step: StepName,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.event(&Event::StepStarted { step })?;
        let done = work(self)?;
        self.event(&Event::StepEnded { step })?;
        Ok(done)
    }

    /// The outcome is written down; the run is over.
    pub(super) fn finish(mut self, outcome: &Outcome, usage: Usage) -> Result<()> {
        let now = self.now();
        self.event(&Event::StepStarted {
            step: StepName::Record,
        })?;
        self.recording.finish(outcome, usage, now)?;
        (self.watch)(News::Event(&Event::Ended {
            outcome: outcome.clone(),
        }));
        Ok(())
    }

    /// It could not begin. A mistake of whoever asked leaves no record; everything else does.
    pub(super) fn give_up(self, step: StepName, error: Error) -> Error {
        let written = if matches!(error.kind, Kind::Usage) {
            self.recording.discard()
        } else {
            let now = self.now();
            let outcome = self.redactor.value(&failure(step, &error));
            self.recording.finish(&outcome, Usage::default(), now)
        };
        if let Err(record) = written {
            tracing::warn!("cannot write the record: {record}");
        }
        error
    }
}

/// What it means that the run was asked to end.
pub(super) fn interrupted() -> Outcome {
    match process::time_up() {
        Some(limit) => Outcome::TimedOut {
            after_seconds: limit.as_secs(),
        },
        None => Outcome::INTERRUPTED,
    }
}

/// What an error in a step means for the run.
pub(super) fn failure(step: StepName, error: &Error) -> Outcome {
    match error.kind {
        Kind::Interrupted => interrupted(),
        Kind::NeedsPerson => Outcome::NeedsAttention {
            why: std::iter::once(format!("{}: {error}", step.as_str()))
                .chain(error.hint.clone())
                .collect(),
            next: None,
        },
        _ => Outcome::Failed {
            step,
            exit: None,
            message: error.to_string(),
            last_lines: Vec::new(),
        },
    }
}
