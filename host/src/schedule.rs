//! Schedules: five cron fields in an IANA time zone, and when they fire next.
//!
//! The pattern language is what every crontab understands; extensions (`L`, `W`, `#`, `?`, `~`,
//! seconds) are refused, because a schedule must mean the same on this machine and in the cloud.
//! Everything here is pure, except for `Zone::system`.

use std::fmt;
use std::str::FromStr;

use croner::Cron;
use croner::errors::CronError;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
use crate::names::printable;

mod field;
mod fires;
mod words;
mod zone;

pub use field::{Field, FieldError};
pub use words::{in_few_words, in_words};
pub use zone::{Zone, ZoneError};

/// Five cron fields that can match, in normalised form (numbers, single spaces).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule {
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
    /// The same pattern, to search the calendar with.
    cron: Cron,
}

/// Why a string is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("the schedule is empty")]
    Empty,
    #[error(
        "the schedule `{0}` has {1} field{s}; expected five: minute hour day-of-month month day-of-week",
        s = if *.1 == 1 { "" } else { "s" }
    )]
    FieldCount(String, usize),
    #[error("unknown schedule `{0}`")]
    UnknownNickname(String),
    #[error("`@reboot` is no point in time, so it cannot be a schedule")]
    Reboot,
    #[error("the {name} of the schedule `{text}`: {error}")]
    Field {
        name: &'static str,
        text: String,
        error: FieldError,
    },
    #[error("the schedule `{0}` never fires: {1}")]
    NeverFires(String, String),
    #[error(
        "the schedule `{0}` restricts days of the month and of the week, one of them by a step; crons disagree on what that means"
    )]
    AmbiguousDays(String),
    #[error("the schedule `{0}` carries a time zone")]
    CarriesZone(String),
    /// Right by our rules and wrong by croner's: there is none such, as far as is known.
    #[error("the schedule `{0}` cannot be used: {1}")]
    Unsupported(String, String),
}

const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

impl Schedule {
    /// Reads five cron fields or a nickname such as `@daily`.
    ///
    /// # Errors
    /// The text is no such pattern, or one that can never fire.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let shown = || printable(&text.chars().take(80).collect::<String>());
        let lower = text.trim().to_ascii_lowercase();
        let pattern = if lower.starts_with('@') {
            match NICKNAMES.iter().find(|(name, _)| *name == lower) {
                Some((_, pattern)) => pattern,
                None if lower == "@reboot" => return Err(ScheduleError::Reboot),
                None => return Err(ScheduleError::UnknownNickname(shown())),
            }
        } else {
            lower.as_str()
        };
        if pattern.starts_with("tz=") || pattern.starts_with("cron_tz=") {
            return Err(ScheduleError::CarriesZone(shown()));
        }
        let parts: Vec<&str> = pattern.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts[..] else {
            return Err(match parts.len() {
                0 => ScheduleError::Empty,
                1 if parts[0].chars().all(char::is_alphabetic) => {
                    ScheduleError::UnknownNickname(shown())
                }
                count => ScheduleError::FieldCount(shown(), count),
            });
        };
        let read = |kind: &'static field::Kind, part: &str| {
            Field::parse(kind, part).map_err(|error| ScheduleError::Field {
                name: kind.name,
                text: shown(),
                error,
            })
        };
        let minute = read(&field::MINUTE, minute)?;
        let hour = read(&field::HOUR, hour)?;
        let day = read(&field::DAY, day)?;
        let month = read(&field::MONTH, month)?;
        let weekday = read(&field::WEEKDAY, weekday)?;
        let normalised = format!("{minute} {hour} {day} {month} {weekday}");
        let cron = normalised.parse().map_err(|error: CronError| {
            ScheduleError::Unsupported(normalised, error.to_string())
        })?;
        let schedule = Self {
            minute,
            hour,
            day,
            month,
            weekday,
            cron,
        };
        schedule.check_days()?;
        Ok(schedule)
    }

    /// Refuses days that no calendar has, and a combination that crons read differently.
    fn check_days(&self) -> Result<(), ScheduleError> {
        let stepped = |field: &Field| field.has_star() && !field.is_star();
        if (stepped(&self.day) && !self.weekday.is_star())
            || (stepped(&self.weekday) && !self.day.is_star())
        {
            return Err(ScheduleError::AmbiguousDays(self.to_string()));
        }
        let longest = |month: u8| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        // A named weekday fires by itself, whatever the day of the month says.
        let possible = !self.weekday.is_star()
            || self
                .month
                .values()
                .any(|month| self.day.values().any(|day| day <= longest(month)));
        if possible {
            return Ok(());
        }
        let first_day = self.day.values().next().unwrap_or_default();
        let months: Vec<_> = self.month.values().map(words::month).collect();
        let reason = format!("there is no {first_day} {}", words::any_of(&months));
        Err(ScheduleError::NeverFires(self.to_string(), reason))
    }

    /// In words, when it is one of the usual patterns; else the pattern itself.
    pub fn describe(&self) -> String {
        words::describe(self).unwrap_or_else(|| self.to_string())
    }
}

/// A daily pattern between 01:00 and 05:00 that depends on the name alone, so that many changelings
/// do not all start at the same minute.
pub fn spread(name: &str) -> String {
    // FNV-1a: stable over versions and machines, unlike the standard library's hasher.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let minute = (hash ^ (hash >> 32)) % 240;
    format!("{} {} * * *", minute % 60, 1 + minute / 60)
}

impl fmt::Display for Schedule {
    /// The five fields, normalised.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            minute,
            hour,
            day,
            month,
            weekday,
            ..
        } = self;
        write!(f, "{minute} {hour} {day} {month} {weekday}")
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Schedule {
    type Error = ScheduleError;

    fn try_from(text: String) -> Result<Self, ScheduleError> {
        Self::parse(&text)
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> Self {
        schedule.to_string()
    }
}

impl ScheduleError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::FieldCount(text, 1) if time_of_day(text).is_some() => {
                let (hour, minute) = time_of_day(text).unwrap_or_default();
                format!("every day at {hour:02}:{minute:02} is \"{minute} {hour} * * *\"")
            }
            Self::Empty | Self::FieldCount(..) | Self::Unsupported(..) => {
                "for every day at 03:00 write \"0 3 * * *\"; @daily, @weekly and @monthly work too"
                    .into()
            }
            Self::UnknownNickname(text) => {
                let wanted = format!("@{}", text.trim_start_matches('@').to_lowercase());
                let near = NICKNAMES
                    .iter()
                    .map(|(name, _)| (strsim::damerau_levenshtein(name, &wanted), *name))
                    .min()
                    .filter(|(distance, _)| *distance <= 2);
                match near {
                    Some((_, name)) => format!("did you mean {name}?"),
                    None => "use five cron fields (\"0 3 * * *\": every day at 03:00) or @hourly, \
                             @daily, @weekly, @monthly, @yearly"
                        .into(),
                }
            }
            Self::Reboot => "use @daily, or five cron fields such as \"0 3 * * *\"".into(),
            Self::Field { name, error, .. } => error.hint(name),
            Self::NeverFires(..) => {
                "\"0 3 1 * *\" fires on the first day of every month, \"0 0 29 2 *\" on leap days"
                    .into()
            }
            Self::AmbiguousDays(_) => {
                "restrict only one of them, or list the days of the month (1,3,5,...)".into()
            }
            Self::CarriesZone(_) => {
                "put the zone into the key `timezone`, for example timezone = \"Europe/Zurich\""
                    .into()
            }
        }
    }
}

/// `03:00`, which is what many people write first.
fn time_of_day(text: &str) -> Option<(u8, u8)> {
    let (hour, minute) = text.trim().split_once(':')?;
    let part = |text: &str, below: u8| text.parse().ok().filter(|value| *value < below);
    Some((part(hour, 24)?, part(minute, 60)?))
}

impl From<ScheduleError> for Error {
    fn from(error: ScheduleError) -> Self {
        let hint = error.hint();
        Self::from_source(Kind::Usage, error).with_hint(hint)
    }
}

#[cfg(test)]
mod tests;
