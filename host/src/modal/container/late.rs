//! Fires that had to wait. Modal queues a call while the function is at work; when its turn comes, what
//! it was for has just been done, or the next fire has come, which is for the same.

use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::config::Overlap;
use crate::error::Result;
use crate::exec::{Outcome, Trigger};
use crate::modal::document::App;
use crate::prepare::Subject;
use crate::record::{Filter, Kind, Origin, Store};
use crate::schedule::{Schedule, Zone};

/// A container may take so long to start.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// By so much clocks differ.
const MOMENT: SignedDuration = SignedDuration::from_secs(30);

/// How many records are looked through for the run before.
const LOOKED_AT: u32 = 50;

/// Why this call comes too late; `None`: it does not.
pub(super) fn reason(
    subject: &Subject,
    app: &App,
    store: &Store,
    origin: &Origin,
    fired: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<String>> {
    let job = &subject.job;
    let overlap = subject.config.changeling(&job.changeling)?.overlap;
    let (Trigger::Schedule, Overlap::Skip, Some(pattern)) = (origin.by, overlap, &app.schedule)
    else {
        return Ok(None);
    };
    let (schedule, zone) = (Schedule::parse(pattern)?, Zone::parse(&app.timezone)?);
    let clock = |at: Timestamp| {
        let local = at.to_zoned(zone.time_zone().clone());
        local.strftime("%H:%M").to_string()
    };
    if let Some(fired) = fired
        && let Some(due) = is_stale(&schedule, &zone, now, fired)
    {
        return Ok(Some(format!(
            "its turn came at {}, when the schedule had fired again at {} (`overlap` is `skip`)",
            clock(now),
            clock(due)
        )));
    }
    let filter = Filter {
        changeling: Some(&job.changeling),
        repo: Some(&job.repo.to_string()),
        kind: Some(Kind::Run),
        limit: LOOKED_AT,
        ..Filter::default()
    };
    let ended = store
        .runs(&filter)?
        .into_iter()
        // Those did not do what this one is for.
        .filter(|record| {
            !matches!(
                record.outcome,
                Some(Outcome::Skipped { .. } | Outcome::Interrupted { .. })
            )
        })
        // Another attempt at the same call is no other run.
        .filter(|record| {
            record
                .origin
                .as_ref()
                .is_none_or(|other| other.call != origin.call)
        })
        .filter_map(|record| record.ended_at)
        .max();
    Ok(is_late(&schedule, &zone, now, ended).map(|due| {
        format!(
            "it was due at {} and its turn came at {}, when the run before it had ended (`overlap` is `skip`)",
            clock(due),
            clock(now)
        )
    }))
}

/// When the schedule fired again since `fired`; then that fire's call, which waits too, is enough.
fn is_stale(
    schedule: &Schedule,
    zone: &Zone,
    now: Timestamp,
    fired: Timestamp,
) -> Option<Timestamp> {
    // Not the very fire that this is, should one of the two clocks be early.
    last_fire(schedule, zone, now).filter(|due| due.duration_since(fired) > MOMENT)
}

/// When it was due, when another run was at work then and that is more than a moment ago.
fn is_late(
    schedule: &Schedule,
    zone: &Zone,
    now: Timestamp,
    ended: Option<Timestamp>,
) -> Option<Timestamp> {
    let due = last_fire(schedule, zone, now)?;
    (ended? > due && now.duration_since(due) > PATIENCE).then_some(due)
}

/// The last time it fired, at `now` at the latest; `None`: not within five years.
fn last_fire(schedule: &Schedule, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
    let windows = [1, 24, 24 * 8, 24 * 32, 24 * 367, 24 * 367 * 5];
    windows.into_iter().find_map(|hours| {
        let since = now.checked_sub(hours.hours()).ok()?;
        schedule
            .fires_after(since, zone)
            .map(|fire| fire.timestamp())
            .take_while(|fire| *fire <= now)
            .last()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_is_who_waited_until_the_next_fire() {
        let zone = Zone::parse("UTC").unwrap();
        let at = |text: &str| -> Timestamp { format!("2026-11-22T{text}Z").parse().unwrap() };
        let stale = |now: &str, fired: &str| {
            let hourly = Schedule::parse("0 * * * *").unwrap();
            is_stale(&hourly, &zone, at(now), at(fired))
        };
        assert_eq!(stale("03:59:00", "03:00:02"), None);
        assert_eq!(stale("04:00:00", "03:00:02"), Some(at("04:00:00")));
        assert_eq!(stale("09:30:00", "03:00:02"), Some(at("09:00:00")));
        // Another clock says that it fired just before the hour.
        assert_eq!(stale("03:00:10", "02:59:58"), None);
    }

    #[test]
    fn late_is_who_waited_for_the_run_before() {
        let zone = Zone::parse("Europe/Zurich").unwrap();
        let at = |text: &str| -> Timestamp { format!("2026-11-22T{text}+01:00").parse().unwrap() };
        let late = |pattern: &str, now: &str, ended: Option<&str>| {
            let schedule = Schedule::parse(pattern).unwrap();
            is_late(&schedule, &zone, at(now), ended.map(at))
        };
        let hourly = "0 * * * *";
        // The run of two o'clock took until ten past three.
        assert_eq!(
            late(hourly, "03:10:05", Some("03:10:00")),
            Some(at("03:00:00"))
        );
        // It ended before this one was due: the container only took long to start.
        assert_eq!(late(hourly, "03:10:05", Some("02:40:00")), None);
        // A moment is no delay.
        assert_eq!(late(hourly, "03:04:59", Some("03:04:00")), None);
        assert_eq!(late(hourly, "03:10:05", None), None);
        // Rarely, and due at this very moment.
        assert_eq!(late("0 3 22 11 *", "03:00:00", Some("02:00:00")), None);
        assert_eq!(
            late("0 3 22 11 *", "09:00:00", Some("08:59:00")),
            Some(at("03:00:00"))
        );
        assert_eq!(
            late("0 0 1 1 *", "03:00:00", Some("02:00:00")),
            Some("2026-01-01T00:00:00+01:00".parse().unwrap())
        );
    }
}
