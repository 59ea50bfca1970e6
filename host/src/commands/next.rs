//! Whether a changeling runs by itself, and when. Only Modal keeps a schedule: what is not deployed runs
//! when somebody runs it.

use jiff::{Timestamp, Zoned};

use super::deployed::Deployed;
use crate::config::Changeling;
use crate::schedule::{Zone, in_few_words, in_words};
use crate::ui::{Cell, style};

/// When it runs next by itself, or why it does not.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Next {
    /// At Modal, as it was deployed.
    Fires(Zoned),
    /// The same, though it is disabled here: Modal was not told.
    StillFires(Zoned),
    Not(Why),
}

/// Why it does not run by itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Why {
    Disabled,
    /// It failed too often, and waits for a person.
    Paused,
    /// When it would, were it deployed now.
    NotDeployed(Zoned),
    /// Modal had no such app when it was last asked.
    NotAtModal,
    /// It has no schedule.
    ByHand,
}

impl Next {
    /// `is_there`: the app is at Modal, as far as is known.
    pub(super) fn of(
        changeling: &Changeling,
        deployed: Option<&Deployed>,
        is_there: bool,
        is_paused: bool,
        now: Timestamp,
    ) -> Self {
        // What fires is what was deployed, whatever was edited since.
        let there = deployed.filter(|_| is_there);
        let fires = there.and_then(|deployed| deployed.next(now));
        let own = || {
            let schedule = changeling.schedule.as_ref()?;
            schedule.next_after(now, &changeling.timezone)
        };
        Self::Not(match (changeling.enabled, fires, deployed) {
            (false, None, _) => Why::Disabled,
            _ if is_paused => Why::Paused,
            (false, Some(fires), _) => return Self::StillFires(fires),
            (true, Some(fires), _) => return Self::Fires(fires),
            (true, None, Some(_)) if !is_there => Why::NotAtModal,
            (true, None, Some(_)) => Why::ByHand,
            (true, None, None) => own().map_or(Why::ByHand, Why::NotDeployed),
        })
    }

    /// When it runs by itself.
    pub(super) fn fires(&self) -> Option<&Zoned> {
        match self {
            Self::Fires(next) | Self::StillFires(next) => Some(next),
            Self::Not(_) => None,
        }
    }

    /// Why it does not, for scripts: `disabled`, `paused`, `not-deployed`, `not-at-modal` or `by-hand`.
    pub(super) fn why_no_fire(&self) -> Option<&'static str> {
        let Self::Not(why) = self else { return None };
        Some(match why {
            Why::Disabled => "disabled",
            Why::Paused => "paused",
            Why::NotDeployed(_) => "not-deployed",
            Why::NotAtModal => "not-at-modal",
            Why::ByHand => "by-hand",
        })
    }

    /// In a table.
    pub(super) fn cell(&self, now: Timestamp, here: &Zone) -> Cell {
        let why = match self {
            Self::Fires(next) => {
                return Cell::new(in_words_of(next, now, here)).or(brief(next, now, here));
            }
            Self::StillFires(next) => {
                let long = format!("still {}", in_words_of(next, now, here));
                let brief = format!("still {}", brief(next, now, here));
                return Cell::styled(style::CAREFUL, long).or(brief);
            }
            Self::Not(why) => why,
        };
        match why {
            Why::Disabled => Cell::styled(style::CAREFUL, "disabled"),
            Why::Paused => Cell::styled(style::BAD, "paused"),
            Why::NotDeployed(_) => Cell::styled(style::FAINT, "not deployed"),
            Why::NotAtModal => Cell::styled(style::BAD, "does not fire"),
            Why::ByHand => Cell::styled(style::FAINT, "only by hand"),
        }
    }
}

/// A point in time as every program reads it.
pub(super) fn rfc3339(time: &Zoned) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// "tonight at 03:00 CET (in 8 h)". Times are the changeling's own: where its clock shows another time
/// than this machine's, the zone stands behind them.
pub(super) fn in_words_of(time: &Zoned, now: Timestamp, here: &Zone) -> String {
    let (words, zone) = (in_words(time, now), abroad(time, here));
    match words.split_once(" (") {
        Some((time, rest)) => format!("{time}{zone} ({rest}"),
        None => words + &zone,
    }
}

fn brief(time: &Zoned, now: Timestamp, here: &Zone) -> String {
    in_few_words(time, now) + &abroad(time, here)
}

fn abroad(time: &Zoned, here: &Zone) -> String {
    if here.time_zone().to_offset(time.timestamp()) == time.offset() {
        String::new()
    } else {
        time.strftime(" %Z").to_string()
    }
}
