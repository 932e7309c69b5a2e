//! Sizes as people write them, and what a payload's size is compared with.

use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;

/// What a payload's size is compared with, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum SizeTest {
    /// `size:>10k`
    Above {
        /// Bytes.
        bytes: u64,
    },
    /// `size:>=10k`
    AtLeast {
        /// Bytes.
        bytes: u64,
    },
    /// `size:<10k`
    Below {
        /// Bytes.
        bytes: u64,
    },
    /// `size:<=10k`
    AtMost {
        /// Bytes.
        bytes: u64,
    },
    /// `size:10`
    Exactly {
        /// Bytes.
        bytes: u64,
    },
    /// `size:10..20`, both ends included.
    Between {
        /// Bytes, the least.
        least: u64,
        /// Bytes, the most.
        most: u64,
    },
}

impl SizeTest {
    /// Reads one.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let number =
            |text: &str| bytes_of(text).ok_or_else(|| format!("“{text}” is no size; write 200, 10k, 1.5M or 64Ki."));
        if let Some((least, most)) = text.split_once("..") {
            let (least, most) = (number(least)?, number(most)?);
            if least > most {
                return Err(format!("The range {text} is empty; the smaller size stands first."));
            }
            return Ok(Self::Between { least, most });
        }
        Ok(if let Some(rest) = text.strip_prefix(">=") {
            Self::AtLeast { bytes: number(rest)? }
        } else if let Some(rest) = text.strip_prefix("<=") {
            Self::AtMost { bytes: number(rest)? }
        } else if let Some(rest) = text.strip_prefix('>') {
            Self::Above { bytes: number(rest)? }
        } else if let Some(rest) = text.strip_prefix('<') {
            Self::Below { bytes: number(rest)? }
        } else {
            Self::Exactly { bytes: number(text.strip_prefix('=').unwrap_or(text))? }
        })
    }

    /// Whether a payload of `size` bytes fulfils it.
    pub fn holds(self, size: u64) -> bool {
        match self {
            Self::Above { bytes } => size > bytes,
            Self::AtLeast { bytes } => size >= bytes,
            Self::Below { bytes } => size < bytes,
            Self::AtMost { bytes } => size <= bytes,
            Self::Exactly { bytes } => size == bytes,
            Self::Between { least, most } => (least..=most).contains(&size),
        }
    }
}

impl fmt::Display for SizeTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Above { bytes } => write!(f, ">{}", amount(bytes)),
            Self::AtLeast { bytes } => write!(f, ">={}", amount(bytes)),
            Self::Below { bytes } => write!(f, "<{}", amount(bytes)),
            Self::AtMost { bytes } => write!(f, "<={}", amount(bytes)),
            Self::Exactly { bytes } => f.write_str(&amount(bytes)),
            Self::Between { least, most } => write!(f, "{}..{}", amount(least), amount(most)),
        }
    }
}

fn amount(bytes: u64) -> String {
    let units = [("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)];
    match units.into_iter().find(|(_, size)| bytes > 0 && bytes.is_multiple_of(*size)) {
        Some((unit, size)) => format!("{}{unit}", bytes / size),
        None => bytes.to_string(),
    }
}

fn bytes_of(text: &str) -> Option<u64> {
    let text = text.strip_suffix(['B', 'b']).unwrap_or(text);
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1_000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        _ => return None,
    };
    if let Ok(whole) = digits.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let (whole, fraction) = digits.split_once('.')?;
    let all_digits = |part: &str| !part.is_empty() && part.len() < 10 && part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let scale = 10u64.pow(fraction.len() as u32);
    let value = whole.parse::<u64>().ok()? * scale + fraction.parse::<u64>().ok()?;
    u64::try_from(u128::from(value) * u128::from(factor) / u128::from(scale)).ok()
}
