use std::fmt::Write as _;

use jiff::civil::DateTime;
use jiff::{Timestamp, Zoned};
use proptest::prelude::*;

use super::*;

fn fires(pattern: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::parse(pattern).unwrap();
    let zone = Zone::parse(zone).unwrap();
    let after: Timestamp = after.parse().unwrap();
    schedule
        .fires_after(after, &zone)
        .take(count)
        .map(|fire| fire.strftime("%a %Y-%m-%d %H:%M %Z").to_string())
        .collect()
}

#[test]
fn normalised() {
    for (text, expected) in [
        ("0 3 * * *", "0 3 * * *"),
        ("  0\t3  * * * ", "0 3 * * *"),
        ("@daily", "0 0 * * *"),
        ("@MIDNIGHT", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@annually", "0 0 1 1 *"),
        ("00 03 * JAN-mar,Dec Mon-FRI", "0 3 * 1-3,12 1-5"),
        ("0 3 * * 7", "0 3 * * 0"),
        ("0 3 * * fri-sun", "0 3 * * 0,5,6"),
        ("0 3 * * 0-7", "0 3 * * 0,1,2,3,4,5,6"),
        ("*/15,59 */1 * * *", "*/15,59 * * * *"),
        ("0 3 *,5 * *", "0 3 * * *"),
        ("10-20/5 3 * * *", "10-20/5 3 * * *"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 31 1,2 *", "0 0 31 1,2 *"),
        ("0 0 30 2 1", "0 0 30 2 1"),
    ] {
        let schedule = Schedule::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(schedule.to_string(), expected, "{text}");
        assert_eq!(Schedule::parse(expected).unwrap(), schedule, "{text}");
    }
}

#[test]
fn refused() {
    let mut said = String::new();
    for text in [
        "",
        "   ",
        "daily",
        "@dayly",
        "@every 5m",
        "@reboot",
        "03:00",
        "0 3 * *",
        "0 0 3 * * *",
        "CRON_TZ=Europe/Zurich 0 3 * * *",
        "1 2 3 4 5 6",
        "60 3 * * *",
        "0 24 * * *",
        "0 3 0 * *",
        "0 3 32 * *",
        "0 3 * 13 *",
        "0 3 * 0 *",
        "0 3 * * 8",
        "99999999999 3 * * *",
        "-1 3 * * *",
        "+1 3 * * *",
        "0 3 * * monday",
        "MON 3 * * *",
        "0 3 L * *",
        "0 3 15W * *",
        "0 3 * * 1#2",
        "0 3 * * 5L",
        "0 3 ? * *",
        "0~30 3 * * *",
        "H 3 * * *",
        "5/10 * * * *",
        "/10 * * * *",
        "*/0 * * * *",
        "*/90 * * * *",
        "*/ * * * *",
        "0 5-3 * * *",
        "0 3 * * fri-mon",
        "0,,5 3 * * *",
        "0, 3 * * *",
        "0 0 31 2 *",
        "0 0 30 2 *",
        "0 0 31 4,6,9,11 *",
        "0 0 */2 * 1",
        "0 0 1 * */2",
        "\u{1b}[31m * * * *",
        "０ 3 * * *",
    ] {
        let error = Schedule::parse(text).expect_err(text);
        writeln!(said, "{text:?}\n  {error}\n  help: {}", error.hint()).unwrap();
    }
    insta::assert_snapshot!(said);
}

#[test]
fn gap_runs_right_after_the_jump() {
    // Zurich: 2026-03-29 02:00 → 03:00.
    assert_eq!(
        fires("30 2 * * *", "Europe/Zurich", "2026-03-28T00:00:00Z", 3),
        [
            "Sat 2026-03-28 02:30 CET",
            "Sun 2026-03-29 03:00 CEST",
            "Mon 2026-03-30 02:30 CEST"
        ]
    );
    // Several skipped times become one run, and one that follows at the same moment is not doubled.
    assert_eq!(
        fires(
            "0,15,30 2,3 * * *",
            "Europe/Zurich",
            "2026-03-29T00:00:00Z",
            4
        ),
        [
            "Sun 2026-03-29 03:00 CEST",
            "Sun 2026-03-29 03:15 CEST",
            "Sun 2026-03-29 03:30 CEST",
            "Mon 2026-03-30 02:00 CEST"
        ]
    );
    assert_eq!(
        fires("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2),
        ["Sun 2026-03-08 03:00 EDT", "Mon 2026-03-09 02:30 EDT"]
    );
    // Lord Howe moves by half an hour: 2026-10-04 02:00 → 02:30.
    assert_eq!(
        fires(
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T00:00:00Z",
            2
        ),
        ["Sun 2026-10-04 02:30 +11", "Mon 2026-10-05 02:15 +11"]
    );
    // Cairo jumps at midnight, so the day begins at 01:00.
    assert_eq!(
        fires("0 0 24 4 *", "Africa/Cairo", "2026-01-01T00:00:00Z", 1),
        ["Fri 2026-04-24 01:00 EEST"]
    );
    // Only once: asked at the jump itself, the next is tomorrow.
    assert_eq!(
        fires("30 2 * * *", "Europe/Zurich", "2026-03-29T01:00:00Z", 1),
        ["Mon 2026-03-30 02:30 CEST"]
    );
}

#[test]
fn fold_runs_once() {
    // Zurich: 2026-10-25 03:00 → 02:00.
    assert_eq!(
        fires("30 2 * * *", "Europe/Zurich", "2026-10-24T12:00:00Z", 2),
        ["Sun 2026-10-25 02:30 CEST", "Mon 2026-10-26 02:30 CET"]
    );
    assert_eq!(
        fires(
            "0,30 1 * * *",
            "America/New_York",
            "2026-11-01T00:00:00Z",
            3
        ),
        [
            "Sun 2026-11-01 01:00 EDT",
            "Sun 2026-11-01 01:30 EDT",
            "Mon 2026-11-02 01:00 EST"
        ]
    );
    // In the second half, the first half's time is over.
    assert_eq!(
        fires("30 1 * * *", "America/New_York", "2026-11-01T06:10:00Z", 1),
        ["Mon 2026-11-02 01:30 EST"]
    );
    // Lord Howe: 2026-04-05 02:00 → 01:30.
    assert_eq!(
        fires(
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-04T12:00:00Z",
            2
        ),
        ["Sun 2026-04-05 01:45 +11", "Mon 2026-04-06 01:45 +1030"]
    );
}

#[test]
fn hourly_stays_hourly() {
    let hours = |zone, after| -> Vec<i64> {
        let schedule = Schedule::parse("0 * * * *").unwrap();
        let zone = Zone::parse(zone).unwrap();
        let fires: Vec<Zoned> = schedule
            .fires_after(Timestamp::from_second(after).unwrap(), &zone)
            .take(30)
            .collect();
        fires
            .windows(2)
            .map(|two| two[1].timestamp().as_second() - two[0].timestamp().as_second())
            .collect()
    };
    let second = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
    for (zone, after) in [
        ("Europe/Zurich", "2026-03-28T12:00:00Z"),
        ("Europe/Zurich", "2026-10-24T12:00:00Z"),
        ("America/New_York", "2026-11-01T00:00:00Z"),
    ] {
        assert!(
            hours(zone, second(after)).iter().all(|gap| *gap == 3600),
            "{zone} {after}"
        );
    }
    // Both halves, in the order they happen.
    assert_eq!(
        fires("*/30 * * * *", "Europe/Zurich", "2026-10-24T23:45:00Z", 5),
        [
            "Sun 2026-10-25 02:00 CEST",
            "Sun 2026-10-25 02:30 CEST",
            "Sun 2026-10-25 02:00 CET",
            "Sun 2026-10-25 02:30 CET",
            "Sun 2026-10-25 03:00 CET"
        ]
    );
}

#[test]
fn rare_dates() {
    assert_eq!(
        fires("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 2),
        ["Fri 2104-02-29 00:00 UTC", "Wed 2108-02-29 00:00 UTC"]
    );
    // Either the day of the month or the weekday.
    assert_eq!(
        fires("0 0 13 * 5", "UTC", "2026-02-01T00:00:00Z", 4),
        [
            "Fri 2026-02-06 00:00 UTC",
            "Fri 2026-02-13 00:00 UTC",
            "Fri 2026-02-20 00:00 UTC",
            "Fri 2026-02-27 00:00 UTC"
        ]
    );
    // A 31st that February does not have comes round in January.
    assert_eq!(
        fires("0 0 31 1,2 *", "UTC", "2026-02-01T00:00:00Z", 1),
        ["Sun 2027-01-31 00:00 UTC"]
    );
    let end = Timestamp::MAX;
    assert_eq!(
        Schedule::parse("0 3 * * *")
            .unwrap()
            .next_after(end, &Zone::utc()),
        None
    );
}

#[test]
fn next_in_words() {
    let mut said = String::new();
    for (now, next) in [
        ("2026-11-22T18:00", "2026-11-23T03:00"),
        ("2026-11-22T10:00", "2026-11-23T03:00"),
        ("2026-11-23T01:50", "2026-11-23T03:00"),
        ("2026-11-22T10:00", "2026-11-22T10:00:20"),
        ("2026-11-22T10:00", "2026-11-22T10:05"),
        ("2026-11-22T10:00", "2026-11-22T14:00"),
        ("2026-11-22T10:00", "2026-11-22T22:30"),
        ("2026-11-22T10:00", "2026-11-23T22:30"),
        ("2026-11-22T10:00", "2026-11-24T03:00"),
        ("2026-11-22T10:00", "2026-12-01T03:00"),
        ("2026-11-22T10:00", "2027-11-01T03:00"),
        ("2026-11-22T10:00", "2028-02-29T00:00"),
        ("2026-09-02T10:00", "2027-09-22T23:59"),
    ] {
        let at = |text: &str| {
            text.parse::<DateTime>()
                .unwrap()
                .in_tz("Europe/Zurich")
                .unwrap()
        };
        let words = in_words(&at(next), at(now).timestamp());
        assert!(words.len() <= 31, "{words}");
        let few = in_few_words(&at(next), at(now).timestamp());
        assert!(few.len() <= 16, "{few}");
        writeln!(said, "{now} → {next}: {words} / {few}").unwrap();
    }
    insta::assert_snapshot!(said);
}

#[test]
fn described() {
    let mut said = String::new();
    for pattern in [
        "0 3 * * *",
        "30 2 * * 1-5",
        "0 9 * * 0,6",
        "0 3 * * 1",
        "0 3 * * mon,thu",
        "0 3 * * 1,3,5",
        "0 3 * * 0-7",
        "0 1,13 * * *",
        "0,30 1 * * *",
        "0,15,30,45 1 * * *",
        "@hourly",
        "*/15 * * * *",
        "* * * * *",
        "*/7 * * * *",
        "10 */6 * * *",
        "10 */5 * * *",
        "0 0 1 * *",
        "0 3 1,15 * *",
        "0 3 2,3,22 * *",
        "0 3 11-13 * *",
        "0 3 */2 * *",
        "@yearly",
        "0 0 29 2 *",
        "0 3 1 1,7 *",
        "0 3 13 * 5",
        "0 3 * 6-8 1-5",
        "*/10 9-17 * * 1-5",
        "0 3 * * 1-4",
    ] {
        let schedule = Schedule::parse(pattern).unwrap();
        writeln!(said, "{pattern}: {}", schedule.describe()).unwrap();
    }
    insta::assert_snapshot!(said);
}

#[test]
fn zones() {
    assert_eq!(
        Zone::parse("europe/zurich").unwrap().name(),
        "Europe/Zurich"
    );
    assert_eq!(Zone::parse("UTC").unwrap().name(), "UTC");
    for (wrong, hint) in [
        ("Zurich", "did you mean Europe/Zurich?"),
        ("Europe/Zürich", "did you mean Europe/Zurich?"),
        ("Europe/Zurch", "did you mean Europe/Zurich?"),
        ("new york", "did you mean America/New_York?"),
        (
            "CEST-2",
            "time zones have names such as Europe/Zurich, America/New_York or UTC",
        ),
        (
            "+02:00",
            "time zones have names such as Europe/Zurich, America/New_York or UTC",
        ),
        (
            "",
            "time zones have names such as Europe/Zurich, America/New_York or UTC",
        ),
        (
            "../../etc/passwd",
            "time zones have names such as Europe/Zurich, America/New_York or UTC",
        ),
    ] {
        let error = Zone::parse(wrong).unwrap_err();
        assert_eq!(error.hint(), hint, "{wrong}");
    }
}

#[test]
fn spread_over_the_night() {
    // Stable: written into configurations.
    assert_eq!(spread("nightly-fixmes"), "47 4 * * *");
    let mut minutes = std::collections::BTreeSet::new();
    for n in 0..200 {
        let pattern = spread(&format!("repo-{n}"));
        let schedule = Schedule::parse(&pattern).unwrap();
        assert!(
            schedule.hour.values().all(|hour| (1..5).contains(&hour)),
            "{pattern}"
        );
        minutes.insert(pattern);
    }
    assert!(minutes.len() > 100, "{}", minutes.len());
}

/// The civil time is one the pattern names, by our own reading of the fields.
fn matches(schedule: &Schedule, time: DateTime) -> bool {
    let has = |field: &Field, value: i8| field.values().any(|v| i8::try_from(v) == Ok(value));
    let day = has(&schedule.day, time.day());
    let weekday = has(&schedule.weekday, time.weekday().to_sunday_zero_offset());
    let restricted = !schedule.day.is_star() && !schedule.weekday.is_star();
    has(&schedule.minute, time.minute())
        && has(&schedule.hour, time.hour())
        && has(&schedule.month, time.month())
        // Cron's rule: when both are restricted, either is enough.
        && if restricted { day || weekday } else { day && weekday }
        && time.second() == 0
        && time.subsec_nanosecond() == 0
}

fn any_field(min: u8, max: u8) -> impl Strategy<Value = String> {
    let value = min..=max;
    prop_oneof![
        3 => Just("*".to_owned()),
        3 => value.clone().prop_map(|v| v.to_string()),
        1 => (2..=max - min).prop_map(|step| format!("*/{step}")),
        1 => (value.clone(), value.clone()).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        1 => (value.clone(), value.clone(), 1..=max - min)
            .prop_map(|(a, b, step)| format!("{}-{}/{step}", a.min(b), a.max(b))),
        1 => prop::collection::vec(value, 2..4)
            .prop_map(|all| all.iter().map(u8::to_string).collect::<Vec<_>>().join(",")),
    ]
}

fn any_pattern() -> impl Strategy<Value = String> {
    (
        any_field(0, 59),
        any_field(0, 23),
        any_field(1, 31),
        any_field(1, 12),
        any_field(0, 7),
    )
        .prop_map(|(minute, hour, day, month, weekday)| {
            format!("{minute} {hour} {day} {month} {weekday}")
        })
}

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Zurich",
    "America/New_York",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "America/Santiago",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parse_never_panics(text in "\\PC{0,30}") {
        let _ = Schedule::parse(&text).map_err(|error| error.hint());
        let _ = Zone::parse(&text).map_err(|error| error.hint());
    }

    /// Without clock changes: what fires is what a walk over every minute finds.
    #[test]
    fn nothing_is_left_out(pattern in any_pattern(), start in 1_600_000_000_i64..2_500_000_000) {
        let Ok(schedule) = Schedule::parse(&pattern) else { return Ok(()) };
        let start = Timestamp::from_second(start - start % 60).unwrap();
        let next = schedule.next_after(start, &Zone::utc()).unwrap().timestamp();
        let mut at = start;
        for _ in 0..3_000 {
            at += jiff::SignedDuration::from_mins(1);
            let civil = at.to_zoned(jiff::tz::TimeZone::UTC).datetime();
            prop_assert_eq!(matches(&schedule, civil), at == next, "{} {}", pattern, at);
            if at == next {
                break;
            }
        }
    }

    #[test]
    fn fires_ascend_and_match(
        pattern in any_pattern(),
        zone in prop::sample::select(&ZONES[..]),
        start in 1_600_000_000_i64..2_500_000_000,
    ) {
        let Ok(schedule) = Schedule::parse(&pattern) else { return Ok(()) };
        let zone = Zone::parse(zone).unwrap();
        let start = Timestamp::from_second(start).unwrap();
        let mut last = start;
        for fire in schedule.fires_after(start, &zone).take(20) {
            prop_assert!(fire.timestamp() > last);
            last = fire.timestamp();
            let jump = || {
                let before = fire.timestamp() - jiff::SignedDuration::from_nanos(1);
                zone.time_zone().following(before).next().map(|jump| jump.timestamp())
            };
            prop_assert!(
                matches(&schedule, fire.datetime()) || jump() == Some(fire.timestamp()),
                "{} {}", pattern, fire
            );
        }
    }

    /// A pattern at one named time of every day fires exactly once a day, clock changes included.
    #[test]
    fn a_night_is_neither_lost_nor_doubled(
        minute in 0..60,
        hour in 0..24,
        zone in prop::sample::select(&ZONES[..]),
        start in 1_600_000_000_i64..2_500_000_000,
    ) {
        let schedule = Schedule::parse(&format!("{minute} {hour} * * *")).unwrap();
        let zone = Zone::parse(zone).unwrap();
        let start = Timestamp::from_second(start).unwrap();
        let days: Vec<_> =
            schedule.fires_after(start, &zone).take(400).map(|fire| fire.date()).collect();
        for two in days.windows(2) {
            prop_assert_eq!(two[0].tomorrow().unwrap(), two[1]);
        }
    }
}
