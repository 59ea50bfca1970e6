//! When a schedule fires, clock changes included.
//!
//! At named hours (`30 2 * * *`) a time that the clock jumps over fires right after the jump, once,
//! and a time that happens twice fires the first time only: a nightly run is neither lost nor
//! doubled. A pattern with `*` in its hour field follows the clock instead: it skips what does not
//! exist and fires in both halves of what is repeated, so that "hourly" stays hourly.

use jiff::civil::{DateTime, Time};
use jiff::tz::AmbiguousOffset;
use jiff::{Timestamp, ToSpan, Zoned};

use super::{Schedule, Zone};

/// No time zone puts its clock back further than this in one go, except for a few that moved over
/// the date line.
const LONGEST_FOLD_HOURS: i64 = 3;

/// Leap days are at most eight years apart.
const LONGEST_WAIT_DAYS: usize = 9 * 366;

impl Schedule {
    /// The first time it fires after `now` (never at `now` itself). `None` only at the end of the
    /// calendar.
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

    /// The civil times the pattern names, from `from` on.
    fn civil_times(&self, from: DateTime) -> impl Iterator<Item = DateTime> {
        std::iter::successors(Some(from.date()), |date| date.tomorrow().ok())
            .take(LONGEST_WAIT_DAYS)
            .filter(|date| self.fires_on(*date))
            .flat_map(move |date| {
                self.hour.values().flat_map(move |hour| {
                    self.minute.values().map(move |minute| {
                        // Both fit: a field's values are below 60.
                        let part = |value: u8| i8::try_from(value).unwrap_or_default();
                        date.to_datetime(Time::constant(part(hour), part(minute), 0, 0))
                    })
                })
            })
            .skip_while(move |civil| *civil < from)
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
