//! Times of the past and lengths of time, as a person says them.

use jiff::Timestamp;

use crate::schedule::Zone;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// "45 s", "12 min", "1 h 5 min", "2 d 3 h": at most 10 characters.
pub fn span(seconds: i64) -> String {
    let both = |big: i64, big_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{big} {big_unit}"),
        small => format!("{big} {big_unit} {small} {small_unit}"),
    };
    match seconds {
        s if s < 2 * MINUTE => format!("{} s", s.max(0)),
        s if s < HOUR => format!("{} min", s / MINUTE),
        s if s < DAY => both(s / HOUR, "h", s % HOUR / MINUTE, "min"),
        s if s < 100 * DAY => both(s / DAY, "d", s % DAY / HOUR, "h"),
        s => format!("{} d", s / DAY),
    }
}

/// As `span`, in one unit: "12 min", "1 h", "3 d".
pub fn brief_span(seconds: i64) -> String {
    match seconds {
        s if s < HOUR => span(s),
        s if s < 2 * DAY => format!("{} h", s / HOUR),
        s => format!("{} d", s / DAY),
    }
}

/// "just now", "12 min ago", "3 d ago".
pub fn ago(time: Timestamp, now: Timestamp) -> String {
    match now.duration_since(time).as_secs() {
        ..MINUTE => "just now".to_owned(),
        seconds => format!("{} ago", brief_span(seconds)),
    }
}

/// "today 03:06", "yesterday 03:06", "Fri 20 Nov 03:06", "20 Nov 2025": at most 16 characters.
pub fn when(time: Timestamp, now: Timestamp, zone: &Zone) -> String {
    let time = time.to_zoned(zone.time_zone().clone());
    let now = now.to_zoned(zone.time_zone().clone());
    let days = time.date().until(now.date()).map(|span| span.get_days());
    match days {
        Ok(0) => time.strftime("today %H:%M").to_string(),
        Ok(1) => time.strftime("yesterday %H:%M").to_string(),
        _ if time.year() == now.year() => time.strftime("%a %-d %b %H:%M").to_string(),
        _ => time.strftime("%-d %b %Y").to_string(),
    }
}

/// "0.42", "12.40", "<0.01"; of US dollars.
pub fn dollars(cost: f64) -> String {
    if cost > 0.0 && cost < 0.005 {
        "<0.01".to_owned()
    } else {
        format!("{cost:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_words() {
        let spans = [
            -5,
            0,
            119,
            120,
            3599,
            3600,
            3900,
            DAY,
            2 * DAY + 3 * HOUR,
            101 * DAY,
        ];
        assert_eq!(
            spans.map(span).join(", "),
            "0 s, 0 s, 119 s, 2 min, 59 min, 1 h, 1 h 5 min, 1 d, 2 d 3 h, 101 d"
        );
        assert_eq!(
            spans.map(brief_span).join(", "),
            "0 s, 0 s, 119 s, 2 min, 59 min, 1 h, 1 h, 24 h, 2 d, 101 d"
        );
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let zone = Zone::parse("Europe/Zurich").unwrap();
        let shown = |text: &str| {
            let time: Timestamp = text.parse().unwrap();
            format!("{} ({})", when(time, now, &zone), ago(time, now))
        };
        assert_eq!(shown("2026-03-02T08:59:30Z"), "today 09:59 (just now)");
        assert_eq!(shown("2026-03-01T23:30:00Z"), "today 00:30 (9 h ago)");
        assert_eq!(shown("2026-03-01T22:30:00Z"), "yesterday 23:30 (10 h ago)");
        assert_eq!(shown("2026-02-20T02:06:00Z"), "Fri 20 Feb 03:06 (10 d ago)");
        assert_eq!(shown("2025-11-20T02:06:00Z"), "20 Nov 2025 (102 d ago)");
        assert_eq!(
            [0.0, 0.001, 0.424, 12.4].map(dollars).join(" "),
            "0.00 <0.01 0.42 12.40"
        );
    }
}
