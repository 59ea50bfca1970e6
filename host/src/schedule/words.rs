//! Schedules and their next fires as a person would say them.

use jiff::civil::Weekday;
use jiff::{Timestamp, Zoned};

use super::Schedule;

/// "tonight at 03:00 (in 9 h)", "tomorrow at 03:00 (in 22 h)", "Monday 24 Nov at 03:00", with the
/// year when it is another one. In `next`'s own time zone; at most 31 characters.
pub fn in_words(next: &Zoned, now: Timestamp) -> String {
    let now = now.to_zoned(next.time_zone().clone());
    let time = next.strftime("%H:%M");
    match near_day(next, &now) {
        Some(day) => format!("{day} at {time} ({})", time_until(next, &now)),
        None if next.year() == now.year() => next.strftime("%A %-d %b at %H:%M").to_string(),
        None => next.strftime("%A %-d %b %Y at %H:%M").to_string(),
    }
}

/// As `in_words`, where there is little room: "tonight 03:00", "Mon 24 Nov 03:00", "29 Feb 2028".
/// At most 16 characters.
pub fn in_few_words(next: &Zoned, now: Timestamp) -> String {
    let now = now.to_zoned(next.time_zone().clone());
    match near_day(next, &now) {
        Some(day) => next.strftime(&format!("{day} %H:%M")).to_string(),
        None if next.year() == now.year() => next.strftime("%a %-d %b %H:%M").to_string(),
        None => next.strftime("%-d %b %Y").to_string(),
    }
}

/// "today", "tonight" or "tomorrow".
fn near_day(next: &Zoned, now: &Zoned) -> Option<&'static str> {
    let days = now.date().until(next.date()).ok()?.get_days();
    match (days, now.hour(), next.hour()) {
        (0, 0..5, 0..6) | (0, _, 18..) | (1, 17.., 0..6) => Some("tonight"),
        (0, ..) => Some("today"),
        (1, ..) => Some("tomorrow"),
        _ => None,
    }
}

/// "in 9 h", "in 20 min", "now". Rounded to what matters at that distance.
fn time_until(next: &Zoned, now: &Zoned) -> String {
    let minutes = (next.timestamp().as_second() - now.timestamp().as_second() + 30) / 60;
    match minutes {
        ..1 => "now".into(),
        1..90 => format!("in {minutes} min"),
        _ => format!("in {} h", (minutes + 30) / 60),
    }
}

/// `None` when the pattern is none of the usual ones.
pub(super) fn describe(schedule: &Schedule) -> Option<String> {
    let Schedule {
        minute,
        hour,
        day,
        month,
        weekday,
        ..
    } = schedule;
    if hour.has_star() {
        if !(day.is_star() && month.is_star() && weekday.is_star()) {
            return None;
        }
        return match (minute.star_step(), hour.star_step()?) {
            (Some(1), 1) => Some("every minute".into()),
            (Some(step), 1) if 60 % step == 0 => Some(format!("every {step} minutes")),
            (None, hours) if minute.values().count() == 1 => {
                let minute = minute.values().next()?;
                match hours {
                    1 => Some(format!("every hour at :{minute:02}")),
                    _ if 24 % hours == 0 => Some(format!("every {hours} hours at :{minute:02}")),
                    _ => None,
                }
            }
            _ => None,
        };
    }
    let times: Vec<String> = hour
        .values()
        .flat_map(|hour| {
            minute
                .values()
                .map(move |minute| format!("{hour:02}:{minute:02}"))
        })
        .collect();
    if times.len() > 3 {
        return None;
    }
    let days = match (day.is_star(), month.is_star(), weekday.is_star()) {
        (true, true, true) => "every day".into(),
        (true, true, false) => weekdays(&weekday.values().collect::<Vec<_>>())?,
        (false, true, true) => {
            if day.star_step().is_some() {
                return None;
            }
            let days: Vec<_> = day.values().map(ordinal).collect();
            if days.len() > 3 {
                return None;
            }
            format!("every month on the {}", all_of(&days))
        }
        (false, false, true) => {
            let (days, months): (Vec<_>, Vec<_>) =
                (day.values().collect(), month.values().collect());
            match (&days[..], &months[..]) {
                ([29], [2]) => "leap days".into(),
                ([day], [month]) => format!("every year on {day} {}", self::month(*month)),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(format!("{days} at {}", all_of(&times)))
}

fn weekdays(days: &[u8]) -> Option<String> {
    Some(match days {
        [0..=6, 0..=6, 0..=6, 0..=6, 0..=6, 0..=6, _] => "every day".into(),
        [1, 2, 3, 4, 5] => "weekdays".into(),
        [0, 6] => "weekends".into(),
        [_] | [_, _] | [_, _, _] => {
            let names: Option<Vec<String>> = days
                .iter()
                .map(|day| Some(format!("{}s", weekday(*day)?)))
                .collect();
            all_of(&names?)
        }
        _ => return None,
    })
}

fn weekday(day: u8) -> Option<&'static str> {
    Some(
        match Weekday::from_sunday_zero_offset(i8::try_from(day).ok()?).ok()? {
            Weekday::Sunday => "Sunday",
            Weekday::Monday => "Monday",
            Weekday::Tuesday => "Tuesday",
            Weekday::Wednesday => "Wednesday",
            Weekday::Thursday => "Thursday",
            Weekday::Friday => "Friday",
            Weekday::Saturday => "Saturday",
        },
    )
}

pub(super) fn month(month: u8) -> &'static str {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    MONTHS
        .get(usize::from(month).wrapping_sub(1))
        .copied()
        .unwrap_or("?")
}

fn ordinal(day: u8) -> String {
    let suffix = match (day % 10, day / 10) {
        (_, 1) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{day}{suffix}")
}

/// "a", "a and b", "a, b and c".
fn all_of(items: &[impl AsRef<str>]) -> String {
    join(items, " and ")
}

/// "a", "a or b", "a, b or c".
pub(super) fn any_of(items: &[impl AsRef<str>]) -> String {
    join(items, " or ")
}

fn join(items: &[impl AsRef<str>], last: &str) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match &items[..] {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., end] => format!("{}{last}{end}", most.join(", ")),
    }
}
