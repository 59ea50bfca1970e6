//! When a schedule fires, clock changes included.
//!
//! At named hours (`30 2 * * *`) a time that the clock jumps over fires right after the jump, once,
//! and a time that happens twice fires the first time only: a nightly run is neither lost nor
//! doubled. (croner searches the calendar; its own rule for clock changes takes a list of hours for an
//! interval and loses that night, so it gets to see civil times only.) A pattern with `*` in its hour field follows the clock instead: it skips what does not
//! exist and fires in both halves of what is repeated, so that "hourly" stays hourly.

use jiff::civil::DateTime;
use jiff::tz::AmbiguousOffset;
use jiff::{Timestamp, ToSpan, Zoned};

use super::{Schedule, Zone};

/// No time zone puts its clock back further than this in one go, except for a few that moved over
/// the date line.
const LONGEST_FOLD_HOURS: i64 = 3;

impl Schedule {
    /// The first time it fires after `now` (never at `now` itself). `None` only in
    /// the year 5000.
    pub fn next_after(&self, now: Timestamp, zone: &Zone) -> Option<Zoned> {
        let from = now
            .to_zoned(zone.time_zone().clone())
            .datetime()
            .saturating_sub(LONGEST_FOLD_HOURS.hours());
        let mut best: Option<Zoned> = None;
        for civil in self.civil_times(from) {
            let (first, second) = self.instants(civil, zone);
            // Civil times ascend, and so do their first instants.
            if best
                .as_ref()
                .zip(first.as_ref())
                .is_some_and(|(best, first)| first >= best)
            {
                break;
            }
            for instant in [first, second].into_iter().flatten() {
                if instant.timestamp() > now && best.as_ref().is_none_or(|best| instant < *best) {
                    best = Some(instant);
                }
            }
        }
        best
    }

    /// The times it fires after `now`, ascending, without end.
    pub fn fires_after<'a>(
        &'a self,
        now: Timestamp,
        zone: &'a Zone,
    ) -> impl Iterator<Item = Zoned> + 'a {
        std::iter::successors(self.next_after(now, zone), |last| {
            self.next_after(last.timestamp(), zone)
        })
    }

    /// The civil times the pattern names, from `from` on, ascending.
    fn civil_times(&self, from: DateTime) -> impl Iterator<Item = DateTime> {
        let next =
            |time: &DateTime, inclusive| self.cron.find_next_occurrence(time, inclusive).ok();
        std::iter::successors(next(&from, true), move |last| next(last, false))
    }

    /// When the civil time happens in this zone: once, not at all, or twice.
    fn instants(&self, civil: DateTime, zone: &Zone) -> (Option<Zoned>, Option<Zoned>) {
        let follows_the_clock = self.hour.has_star();
        let ambiguous = zone.time_zone().to_ambiguous_zoned(civil);
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => (ambiguous.unambiguous().ok(), None),
            AmbiguousOffset::Gap { .. } if follows_the_clock => (None, None),
            AmbiguousOffset::Gap { after, .. } => {
                // Read with the offset after the jump, a skipped time lies before the jump.
                let jump = after
                    .to_timestamp(civil)
                    .ok()
                    .and_then(|before| zone.time_zone().following(before).next())
                    .map(|jump| jump.timestamp().to_zoned(zone.time_zone().clone()));
                (jump, None)
            }
            AmbiguousOffset::Fold { .. } => {
                let earlier = ambiguous.clone().earlier().ok();
                let later = follows_the_clock.then(|| ambiguous.later().ok()).flatten();
                (earlier, later)
            }
        }
    }
}
