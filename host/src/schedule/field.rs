//! One field of a cron pattern: `*`, numbers, names, ranges, steps and lists of them.

use std::fmt;

use crate::names::printable;

/// What a field may hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    min: u8,
    max: u8,
    /// Names for the values from `min` on.
    names: &'static [&'static str],
}

impl Kind {
    /// The last value, without the weekday's 7: it is Sunday again, which must not count twice.
    fn last(&self) -> u8 {
        if self.max == WEEKDAY.max { 6 } else { self.max }
    }
}

pub(super) static MINUTE: Kind = Kind {
    name: "minute",
    min: 0,
    max: 59,
    names: &[],
};
pub(super) static HOUR: Kind = Kind {
    name: "hour",
    min: 0,
    max: 23,
    names: &[],
};
pub(super) static DAY: Kind = Kind {
    name: "day of month",
    min: 1,
    max: 31,
    names: &[],
};
pub(super) static MONTH: Kind = Kind {
    name: "month",
    min: 1,
    max: 12,
    names: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
};
/// 7 is Sunday too; it is normalised to 0.
pub(super) static WEEKDAY: Kind = Kind {
    name: "day of week",
    min: 0,
    max: 7,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

/// A field: the set of values it matches, and its normalised text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Bit `n`: the value `n` matches.
    values: u64,
    text: String,
}

/// Why a field is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    #[error("`{0}` is not a number{1}")]
    NotANumber(String, &'static str),
    #[error("{value} is out of range; allowed are {min} to {max}")]
    OutOfRange { value: String, min: u8, max: u8 },
    #[error("the range `{range}` runs backwards")]
    Backwards { range: String, instead: String },
    #[error("the step of `{0}` must be a number from 1 to {1}")]
    Step(String, u8),
    #[error("`{text}` has a step but no range to step through")]
    StepWithoutRange { text: String, instead: String },
    #[error("`{0}` is an extension that not every cron understands")]
    Extension(char),
    #[error("an element of the list is empty")]
    Empty,
}

impl FieldError {
    /// What to write instead, for the field called `name`.
    pub(super) fn hint(&self, name: &str) -> String {
        match self {
            Self::StepWithoutRange { instead, .. } | Self::Backwards { instead, .. } => {
                format!("write {instead}")
            }
            Self::Step(..) if name == MINUTE.name => {
                "for every 90 minutes and the like, list the times in the hour field".into()
            }
            _ => format!(
                "the {name} takes {}; lists (1,3), ranges (1-5) and steps (*/2)",
                match name {
                    "minute" => "0-59",
                    "hour" => "0-23",
                    "day of month" => "1-31",
                    "month" => "1-12 or jan-dec",
                    _ => "0-7 (0 and 7 are Sunday) or sun-sat",
                }
            ),
        }
    }
}

impl Field {
    /// `text` is lowercase.
    pub(super) fn parse(kind: &Kind, text: &str) -> Result<Self, FieldError> {
        let mut values = 0;
        let mut normalised = Vec::new();
        for element in text.split(',') {
            let (bits, text) = parse_element(kind, element)?;
            values |= bits;
            normalised.push(text);
        }
        // A star beside other elements makes them pointless.
        let mut text = if normalised.iter().any(|text| text == "*") {
            "*".to_owned()
        } else {
            normalised.join(",")
        };
        if kind.max == WEEKDAY.max && values & (1 << 7) != 0 {
            values = (values & 0x7f) | 1;
            let days: Vec<_> = (0..7).filter(|day| values & (1 << day) != 0).collect();
            if !text.contains('*') {
                text = days.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
            }
        }
        Ok(Self { values, text })
    }

    /// The values that match, ascending.
    pub(super) fn values(&self) -> impl Iterator<Item = u8> + use<> {
        let values = self.values;
        (0..64).filter(move |value| values & (1 << value) != 0)
    }

    /// Exactly `*`.
    pub(super) fn is_star(&self) -> bool {
        self.text == "*"
    }

    /// `*` or a step through it.
    pub(super) fn has_star(&self) -> bool {
        self.text.contains('*')
    }

    /// The step of `*/step`; 1 for `*`.
    pub(super) fn star_step(&self) -> Option<u8> {
        match self.text.strip_prefix('*')? {
            "" => Some(1),
            step => step.strip_prefix('/')?.parse().ok(),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn parse_element(kind: &Kind, element: &str) -> Result<(u64, String), FieldError> {
    if element.is_empty() {
        return Err(FieldError::Empty);
    }
    let (range, step) = match element.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (element, None),
    };
    let (start, end, range_text) = if range == "*" {
        (kind.min, kind.last(), "*".to_owned())
    } else if let Some((start, end)) = range.split_once('-').filter(|(start, _)| !start.is_empty())
    {
        let first = parse_value(kind, start)?;
        let last = match parse_value(kind, end)? {
            0 if end == "sun" && first > 0 => 7,
            last => last,
        };
        if first > last {
            let instead = format!("{first}-{},{}-{last}", kind.last(), kind.min);
            return Err(FieldError::Backwards {
                range: printable(range),
                instead,
            });
        }
        (first, last, format!("{first}-{last}"))
    } else if step.is_some() {
        let step = printable(step.unwrap_or_default());
        let instead = match parse_value(kind, range) {
            Ok(start) => format!("{start}-{}/{step}", kind.last()),
            Err(_) => format!("*/{step}"),
        };
        return Err(FieldError::StepWithoutRange {
            text: printable(element),
            instead,
        });
    } else {
        let value = parse_value(kind, range)?;
        return Ok((1 << value, value.to_string()));
    };
    let (step, text) = match step {
        None => (1, range_text),
        Some(text) => {
            let largest = (kind.max - kind.min).max(1);
            let step = text
                .parse::<u8>()
                .ok()
                .filter(|step| (1..=largest).contains(step) && !text.starts_with('+'))
                .ok_or_else(|| FieldError::Step(printable(element), largest))?;
            (
                step,
                if step == 1 {
                    range_text
                } else {
                    format!("{range_text}/{step}")
                },
            )
        }
    };
    let values = (start..=end)
        .step_by(usize::from(step))
        .fold(0, |values, value| values | (1 << value));
    Ok((values, text))
}

fn parse_value(kind: &Kind, text: &str) -> Result<u8, FieldError> {
    if let Some(index) = kind.names.iter().position(|name| *name == text) {
        return Ok(kind.min + u8::try_from(index).unwrap_or_default());
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(match text.chars().find(|c| "lw#?~hr".contains(*c)) {
            Some(c) if is_extension(text) => FieldError::Extension(c.to_ascii_uppercase()),
            _ => FieldError::NotANumber(
                printable(text),
                if kind.names.is_empty() {
                    ""
                } else {
                    " or a name"
                },
            ),
        });
    }
    text.parse()
        .ok()
        .filter(|value| (kind.min..=kind.max).contains(value))
        .ok_or_else(|| FieldError::OutOfRange {
            value: text.to_owned(),
            min: kind.min,
            max: kind.max,
        })
}

/// `L`, `15W`, `1#2`, `5L`, `?`, `H`, `0~30`: what other crons add.
fn is_extension(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_digit() || "lw#?~h".contains(c))
}
