//! Fires that were promised, and those that no call answers to.

use jiff::{SignedDuration, Timestamp};

use super::{Call, Facts, Fate};
use crate::exec::Trigger;
use crate::schedule::{Schedule, Zone};

/// Clocks differ: a call so much before its fire still answers to it.
const EARLY: SignedDuration = SignedDuration::from_mins(2);
/// Modal's clock is no alarm clock: a call so late still answers to its fire, unless the next is due.
const LATE: SignedDuration = SignedDuration::from_mins(30);
/// A fire is missed only after that.
const DUE: SignedDuration = SignedDuration::from_mins(10);
/// Older ones are no news, and Modal forgets its calls.
const HORIZON: SignedDuration = SignedDuration::from_hours(3 * 24);
/// Of a schedule that fires all the time, the latest so many are looked at.
const MOST: usize = 500;

/// When an app should have fired.
#[derive(Debug, Clone, Copy)]
pub struct Promise<'a> {
    pub schedule: &'a Schedule,
    pub zone: &'a Zone,
    /// The function that carries it.
    pub function: &'a str,
    /// When this schedule was deployed.
    pub since: Timestamp,
    /// Modal lists only the newest of the calls: before the oldest listed one nothing is known.
    pub cut: bool,
}

pub(super) fn missed(promise: &Promise, facts: &Facts, fates: &[Fate]) -> Vec<Timestamp> {
    let oldest = facts.calls.iter().filter_map(Call::at).min();
    let horizon = facts.at - HORIZON;
    let mut since = promise.since.max(horizon);
    if let Some(oldest) = oldest.filter(|_| promise.cut) {
        since = since.max(oldest);
    }
    let mut fires: Vec<Timestamp> = promise
        .schedule
        .fires_after(since, promise.zone)
        .map(|fire| fire.timestamp())
        .take_while(|fire| *fire + DUE <= facts.at)
        .collect();
    fires.drain(..fires.len().saturating_sub(MOST));

    let by_hand = |call: &str| {
        let fate = fates.iter().find(|fate| fate.call == call);
        fate.is_some_and(|fate| fate.trigger == Some(Trigger::Hand))
    };
    let carries = |call: &&Call| call.function == promise.function && !by_hand(&call.id);
    let asked = facts.calls.iter().filter(carries).filter_map(Call::at);
    // Modal forgets calls, records stay.
    let listed = |call: &str| facts.calls.iter().any(|known| known.id == call);
    let recorded = facts.records.iter();
    let recorded = recorded.filter(|record| record.trigger == Trigger::Schedule);
    let recorded = recorded.filter(|record| !listed(record.call));
    let mut answers: Vec<Timestamp> = asked
        .chain(recorded.map(|record| record.started_at))
        .collect();
    answers.sort_unstable();

    let mut answers = answers.into_iter().peekable();
    let mut missed = Vec::new();
    for (index, fire) in fires.iter().enumerate() {
        let end = match fires.get(index + 1) {
            Some(next) => (*fire + LATE).min(*next - EARLY),
            None => *fire + LATE,
        };
        while answers.next_if(|at| *at < *fire - EARLY).is_some() {}
        if answers.next_if(|at| *at < end).is_none() {
            missed.push(*fire);
        }
    }
    missed
}
