//! Whether a run may start: money, and failures in a row.

use serde::{Deserialize, Serialize};

use crate::config::Changeling;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::prepare::Subject;
use crate::record::{Store, month_start};
use crate::schedule::Zone;

/// Less than this buys nothing, in US dollars: with no more left of a month's budget nothing starts.
pub const LEAST_USD: f64 = 0.01;

/// Who starts a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// A person, who can be told and can decide.
    Hand,
    /// The clock.
    Schedule,
}

impl Trigger {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Schedule => "schedule",
        }
    }

    pub(crate) fn named(word: &str) -> Option<Self> {
        [Self::Hand, Self::Schedule]
            .into_iter()
            .find(|trigger| trigger.as_str() == word)
    }
}

/// What a run may have.
#[derive(Debug)]
pub(super) enum Allowance {
    Go {
        /// The run's own cap, or what is left of the month's.
        max_budget_usd: f64,
        notes: Vec<String>,
    },
    /// Why it does not start, for a person.
    No(String),
}

/// # Errors
/// A person asked, and has to do something first.
pub(super) fn ask(
    store: &Store,
    subject: &Subject,
    changeling: &Changeling,
    trigger: Trigger,
    context: &Context,
) -> Result<Allowance> {
    let by_hand = trigger == Trigger::Hand;
    let name = &changeling.name;
    if !changeling.enabled {
        let reason = format!("{name} is disabled");
        if by_hand {
            let hint = format!("changeling enable {name}");
            return Err(Error::needs_person(reason).with_hint(hint));
        }
        return Ok(Allowance::No(reason));
    }
    let mut notes = Vec::new();
    let failures = store.consecutive_failures(name, &subject.job.repo.to_string())?;
    if changeling.is_paused_after(failures) {
        let paused = format!("{name} is paused after {failures} failures in a row");
        if !by_hand {
            return Ok(Allowance::No(format!(
                "{paused}; `changeling enable {name}` ends the pause, and so does a run by hand that succeeds"
            )));
        }
        notes.push(format!("{paused}; a success ends the pause"));
    }
    let limit = subject.config.defaults.monthly_budget_usd;
    let month = month_start(context.clock.now(), &Zone::system_or_utc().0);
    let spent = store.cost_since(None, None, month)?;
    let left = limit - spent;
    if left < LEAST_USD {
        let reason = format!(
            "this month's runs have cost {spent:.2} USD, and `monthly_budget_usd` is {limit}: nothing starts before the next month"
        );
        if by_hand {
            let hint = "raise `monthly_budget_usd` below `[defaults]` (`changeling config path` says where)";
            return Err(Error::needs_person(reason).with_hint(hint));
        }
        return Ok(Allowance::No(reason));
    }
    let own = subject.job.max_budget_usd;
    if left < own {
        notes.push(format!(
            "{left:.2} of this month's {limit} USD are left: the run gets no more than that"
        ));
    }
    Ok(Allowance::Go {
        // Whole cents, downwards: it is shown, and given to agents.
        max_budget_usd: own.min((left * 100.0).floor() / 100.0),
        notes,
    })
}
