//! IANA time zones.

use std::fmt;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::error::{Error, Kind};
use crate::names::printable;

/// A time zone with an IANA name, from the database built into this program: the same rules on
/// every machine, and nothing to read from disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    time_zone: TimeZone,
}

/// Why there is no zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    #[error("unknown time zone `{0}`")]
    Unknown(String, Option<String>),
    #[error("cannot tell this machine's time zone")]
    NoSystemZone,
}

impl Zone {
    /// The zone with this IANA name, whatever its case.
    ///
    /// # Errors
    /// There is none; the error's hint names the nearest.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        let unknown = || ZoneError::Unknown(printable(name), nearest(name));
        let time_zone = TimeZoneDatabase::bundled()
            .get(name)
            .map_err(|_| unknown())?;
        let name = time_zone.iana_name().ok_or_else(unknown)?.to_owned();
        Ok(Self { name, time_zone })
    }

    pub fn utc() -> Self {
        Self {
            name: "UTC".into(),
            time_zone: TimeZone::UTC,
        }
    }

    /// The machine's zone (`TZ`, else the system's setting).
    ///
    /// # Errors
    /// The machine has none, or one without an IANA name: it could not be written down.
    pub fn system() -> Result<Self, ZoneError> {
        let system = TimeZone::try_system().map_err(|_| ZoneError::NoSystemZone)?;
        if let Some(zone) = system.iana_name().and_then(|name| Self::parse(name).ok()) {
            return Ok(zone);
        }
        // `/etc/localtime` can be a copy instead of a link; Debian writes the name beside it.
        std::fs::read_to_string("/etc/timezone")
            .ok()
            .and_then(|name| Self::parse(name.trim()).ok())
            .filter(|zone| same_rules(&zone.time_zone, &system))
            .ok_or(ZoneError::NoSystemZone)
    }

    /// The machine's zone, or UTC and a sentence that says so.
    pub fn system_or_utc() -> (Self, Option<String>) {
        match Self::system() {
            Ok(zone) => (zone, None),
            Err(error) => (Self::utc(), Some(format!("{error}: using UTC"))),
        }
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// Both zones agree over some years, which is as much as can be asked of a zone without a name.
fn same_rules(one: &TimeZone, other: &TimeZone) -> bool {
    let start = jiff::Timestamp::constant(1_735_689_600, 0); // 2025-01-01
    let changes = |zone: &TimeZone| {
        zone.following(start)
            .take(6)
            .map(|change| (change.timestamp(), change.offset()))
            .collect::<Vec<_>>()
    };
    one.to_offset(start) == other.to_offset(start) && changes(one) == changes(other)
}

/// The zone somebody probably meant: the same city, else a name that is spelt alike.
fn nearest(wanted: &str) -> Option<String> {
    let wanted = wanted.trim().to_lowercase().replace(' ', "_");
    if wanted.is_empty() || wanted.len() > 64 {
        return None;
    }
    let names: Vec<String> = TimeZoneDatabase::bundled()
        .available()
        .map(|name| name.as_str().to_owned())
        .collect();
    let city = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
    if let Some(name) = names.iter().find(|name| city(name) == city(&wanted)) {
        return Some(name.clone());
    }
    names
        .into_iter()
        .map(|name| {
            let whole = strsim::damerau_levenshtein(&name.to_lowercase(), &wanted);
            let part = strsim::damerau_levenshtein(&city(&name), &wanted);
            (whole.min(part), name)
        })
        .min()
        .filter(|(distance, _)| *distance <= 1 + wanted.chars().count() / 5)
        .map(|(_, name)| name)
}

impl ZoneError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown(_, Some(near)) => format!("did you mean {near}?"),
            Self::Unknown(_, None) => {
                "time zones have names such as Europe/Zurich, America/New_York or UTC".into()
            }
            Self::NoSystemZone => "name one with --timezone, for example Europe/Zurich".into(),
        }
    }
}

impl From<ZoneError> for Error {
    fn from(error: ZoneError) -> Self {
        let hint = error.hint();
        Self::from_source(Kind::Usage, error).with_hint(hint)
    }
}
