//! Calendar dates, as far as a template needs them: reading, subtracting, saying how long ago.

use std::fmt;

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i32,
    month: u32,
    day: u32,
}

impl Date {
    /// Reads `2026-11-22`; what follows it (a time of day) does not matter.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.get(..10)?;
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let date = Self {
            year: year.parse().ok()?,
            month: month.parse().ok()?,
            day: day.parse().ok()?,
        };
        let valid = parts.next().is_none()
            && (1..=12).contains(&date.month)
            && (1..=days_in_month(date.year, date.month)).contains(&date.day);
        valid.then_some(date)
    }

    /// Days since 1970-01-01: for differences, and for picking what is today's turn in a rotation.
    pub fn day_number(self) -> i64 {
        // Howard Hinnant's days_from_civil.
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The date that is so many days after 1970-01-01.
    pub fn from_day_number(days: i64) -> Self {
        // Howard Hinnant's civil_from_days.
        let days = days + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let narrow = |number| u32::try_from(number).unwrap_or(1);
        Self {
            year: i32::try_from(year).unwrap_or(i32::MAX),
            month: narrow(month),
            day: narrow(day),
        }
    }

    /// Whole days from `earlier` to this date; negative when `earlier` is later.
    pub fn days_since(self, earlier: Self) -> i64 {
        self.day_number() - earlier.day_number()
    }

    /// The time from `earlier` to this date as people say it: `3 years`, `5 months`, `today`; only
    /// whole ones count.
    pub fn age_of(self, earlier: Self) -> String {
        let days = self.days_since(earlier);
        let months = i64::from(self.year - earlier.year) * 12 + i64::from(self.month)
            - i64::from(earlier.month)
            - i64::from(self.day < earlier.day);
        let (number, unit) = match (days, months) {
            (i64::MIN..=0, _) => return "today".into(),
            (1..=59, _) | (_, i64::MIN..=0) => (days, "day"),
            (_, 1..=23) => (months, "month"),
            _ => (months / 12, "year"),
        };
        format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn only_days_that_exist() {
        assert_eq!(date("2026-11-22T03:00:00Z").to_string(), "2026-11-22");
        assert!(Date::parse("2024-02-29").is_some());
        for bad in [
            "",
            "2026-11",
            "2026-02-29",
            "2026-13-01",
            "22.11.2026",
            "2026-1-100",
            "２０２６-11-22",
        ] {
            assert!(Date::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn day_numbers() {
        assert_eq!(date("1970-01-01").day_number(), 0);
        assert_eq!(date("2000-03-01").day_number(), 11_017);
        for days in (-800_000..800_000).step_by(97) {
            assert_eq!(Date::from_day_number(days).day_number(), days);
        }
        assert_eq!(date("2026-11-22").days_since(date("2025-11-22")), 365);
    }

    #[test]
    fn ages_in_words() {
        let today = date("2026-11-22");
        let age = |text| today.age_of(date(text));
        assert_eq!(age("2026-11-22"), "today");
        assert_eq!(age("2026-11-21"), "1 day");
        assert_eq!(age("2026-09-01"), "2 months");
        assert_eq!(age("2025-11-22"), "12 months");
        assert_eq!(age("2024-12-22"), "23 months");
        assert_eq!(age("2023-11-01"), "3 years");
        assert_eq!(age("2022-05-09"), "4 years");
        assert_eq!(age("2021-11-23"), "4 years");
        assert_eq!(age("2021-11-22"), "5 years");
    }
}
