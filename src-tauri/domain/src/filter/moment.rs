//! Points in time as people write them. Which instant one means is asked of whoever has a clock and a time zone.

use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum Moment {
    /// `10:00`, `10:00:05.250`: today, local time.
    Clock {
        /// Milliseconds since midnight.
        millis: u32,
    },
    /// `2026-11-21`, `2026-11-21T10:00`: local time.
    Date {
        /// Year, four digits.
        year: u16,
        /// Month, from 1.
        month: u8,
        /// Day, from 1.
        day: u8,
        /// Milliseconds since midnight.
        millis: u32,
    },
    /// `@1763733600000`: Unix milliseconds.
    Unix {
        /// Since 1970.
        millis: i64,
    },
    /// `5m`, `30s`, `2h`, `1d`: so long ago.
    Ago {
        /// Milliseconds.
        millis: u64,
    },
}

const UNITS: [(&str, u64); 5] = [("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

impl Moment {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, String> {
        const FORMS: &str =
            "write 10:00, 10:00:05.250, 2026-11-21, 2026-11-21T10:00, 5m (so long ago) or @ and Unix milliseconds";
        let wrong = || format!("“{text}” is no time; {FORMS}.");
        if let Some(number) = text.strip_prefix('@') {
            return number.parse().map(|millis| Self::Unix { millis }).map_err(|_| wrong());
        }
        if let Some((date, clock)) = split_date(text) {
            let (year, month, day) = date_of(date).ok_or_else(wrong)?;
            let millis = clock.map_or(Some(0), clock_of).ok_or_else(wrong)?;
            return Ok(Self::Date { year, month, day, millis });
        }
        if text.contains(':') {
            return clock_of(text).map(|millis| Self::Clock { millis }).ok_or_else(wrong);
        }
        for (unit, size) in UNITS {
            if let Some(number) = text.strip_suffix(unit) {
                let millis = number.parse::<u64>().ok().filter(|_| digits(number)).and_then(|n| n.checked_mul(size));
                return millis.map(|millis| Self::Ago { millis }).ok_or_else(wrong);
            }
        }
        Err(wrong())
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn split_date(text: &str) -> Option<(&str, Option<&str>)> {
    let (date, clock) = match text.split_once(['T', 't']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    date.contains('-').then_some((date, clock))
}

fn date_of(text: &str) -> Option<(u16, u8, u8)> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || ![year, month, day].into_iter().all(digits) {
        return None;
    }
    let (year, month, day): (u16, u8, u8) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then_some((year, month, day))
}

fn clock_of(text: &str) -> Option<u32> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut parts = whole.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next());
    if parts.next().is_some() || (fraction.is_some() && seconds.is_none()) {
        return None;
    }
    let number = |part: &str, below: u32| {
        part.parse::<u32>().ok().filter(|number| digits(part) && part.len() <= 2 && *number < below)
    };
    let millis = match fraction {
        Some(fraction) if digits(fraction) && fraction.len() <= 3 => format!("{fraction:0<3}").parse().ok()?,
        Some(_) => return None,
        None => 0,
    };
    let seconds = seconds.map_or(Some(0), |part| number(part, 60))?;
    Some(((number(hours, 24)? * 60 + number(minutes, 60)?) * 60 + seconds) * 1_000 + millis)
}

fn write_clock(f: &mut fmt::Formatter<'_>, millis: u32) -> fmt::Result {
    let (seconds, rest) = (millis / 1_000, millis % 1_000);
    write!(f, "{:02}:{:02}", seconds / 3_600, seconds / 60 % 60)?;
    if !millis.is_multiple_of(60_000) {
        write!(f, ":{:02}", seconds % 60)?;
    }
    if rest != 0 { write!(f, ".{rest:03}") } else { Ok(()) }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Clock { millis } => write_clock(f, millis),
            Self::Date { year, month, day, millis } => {
                write!(f, "{year:04}-{month:02}-{day:02}")?;
                if millis == 0 {
                    return Ok(());
                }
                f.write_str("T")?;
                write_clock(f, millis)
            }
            Self::Unix { millis } => write!(f, "@{millis}"),
            Self::Ago { millis } => {
                let fits = |unit: &&(&str, u64)| unit.1 > 1 && millis != 0 && millis % unit.1 == 0;
                let (unit, size) = UNITS.iter().find(fits).copied().unwrap_or(("ms", 1));
                write!(f, "{}{unit}", millis / size)
            }
        }
    }
}
