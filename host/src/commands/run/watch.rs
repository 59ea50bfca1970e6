//! What a person sees while a run is on its way: on a terminal one line that moves, elsewhere a plain
//! line a step, and one a minute while the agent works.

use std::time::{Duration, Instant};

use crate::exec::{Event, News, StepName};
use crate::names::{Name, printable};
use crate::prepare::Subject;
use crate::record::Usage;
use crate::ui::{Progress, Ui};

use super::show::{elapsed, spent};

/// Where nothing moves: how often it is said that the agent still works.
const EVERY: Duration = Duration::from_mins(1);

pub(super) struct Watch<'a> {
    ui: &'a Ui,
    repo: String,
    template: Name,
    progress: Option<Progress>,
    agent: Option<Agent>,
}

/// While it works.
struct Agent {
    started: Instant,
    told: Instant,
    said: String,
    usage: Usage,
}

impl<'a> Watch<'a> {
    pub(super) fn of(subject: &Subject, ui: &'a Ui) -> Self {
        Self {
            ui,
            repo: subject.job.repo.to_string(),
            template: subject.template.manifest.name.clone(),
            progress: None,
            agent: None,
        }
    }

    pub(super) fn hear(&mut self, news: &News) {
        match news {
            News::Event(Event::StepStarted { step }) => self.step(*step),
            News::Event(Event::StepEnded { .. } | Event::Ended { .. }) => {
                self.progress = None;
                self.agent = None;
            }
            News::Event(_) => {}
            News::Said(line) => self.agent(|agent| (*line).clone_into(&mut agent.said)),
            News::Usage(usage) => self.agent(|agent| agent.usage = *usage),
        }
    }

    fn step(&mut self, step: StepName) {
        // The spinner before goes first: two would flicker.
        drop(self.progress.take());
        let words = match step {
            StepName::Mirror => format!("fetching {}", self.repo),
            StepName::Compose => format!("{} looks at it", self.template),
            StepName::Clone => "making a workspace".to_owned(),
            StepName::Agent => "the agent works".to_owned(),
            StepName::Collect => "collecting what it did".to_owned(),
            StepName::Publish => "publishing".to_owned(),
            StepName::Plan | StepName::CheckPatch | StepName::Record => return,
        };
        self.progress = Some(self.ui.progress(words));
        if step == StepName::Agent {
            let now = Instant::now();
            self.agent = Some(Agent {
                started: now,
                told: now,
                said: String::new(),
                usage: Usage::default(),
            });
        }
    }

    fn agent(&mut self, change: impl FnOnce(&mut Agent)) {
        let Some(agent) = &mut self.agent else { return };
        change(agent);
        let moves = self.ui.stderr_is_terminal;
        // A terminal is drawn to only so often, whatever is said.
        if !moves && agent.told.elapsed() < EVERY {
            return;
        }
        agent.told = Instant::now();
        let spent = spent(agent.usage);
        let said = if agent.said.is_empty() {
            String::new()
        } else {
            format!(": {}", agent.said)
        };
        if moves {
            // The spinner shows the time itself.
            let spent = spent.map_or_else(String::new, |spent| format!(" ({spent})"));
            if let Some(progress) = &self.progress {
                progress.say(format!("the agent works{spent}{said}"));
            }
        } else {
            let so_far = [Some(elapsed(agent.started.elapsed().as_secs())), spent];
            let so_far: Vec<_> = so_far.into_iter().flatten().collect();
            let line = format!("the agent works ({}){said}", so_far.join(", "));
            self.ui.note(printable(&line));
        }
    }
}
