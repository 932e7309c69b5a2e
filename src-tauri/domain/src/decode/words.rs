//! Numbers, times and bytes in words, as decoders show them.

use std::fmt::Write;

/// `52114` as `52,114`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 byte`, `2,048 bytes`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Lower-case hex, without spaces, of at most `limit` characters and a mark where it was cut.
pub(super) fn hex(bytes: &[u8], limit: usize) -> String {
    let shown = bytes.len().min(limit / 2);
    let mut out = String::with_capacity(shown * 2 + 4);
    for byte in &bytes[..shown] {
        // Writing to a String does not fail.
        let _ = write!(out, "{byte:02x}");
    }
    if shown < bytes.len() {
        out.push('…');
    }
    out
}

/// `text`, of at most `limit` bytes and a mark where it was cut.
pub(super) fn clip(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

/// A double as short as it is exact; with an exponent where digits would only be zeros.
pub(super) fn float(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 || !size.is_finite() || (1e-5..1e16).contains(&size) {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}

/// A single as [`float`] has doubles, and the double that a chart takes: the decimal that is meant, not its neighbour.
pub(super) fn single(number: f32) -> (String, f64) {
    let size = number.abs();
    let written = if size == 0.0 || !size.is_finite() || (1e-5..1e16).contains(&size) {
        number.to_string()
    } else {
        format!("{number:e}")
    };
    let double = written.parse().unwrap_or(f64::from(number));
    (written, double)
}

/// Milliseconds since 1970 as `2026-11-21T15:03:00.000Z`; `None` past the year 9999.
pub(super) fn utc(milliseconds: u64) -> Option<String> {
    let (days, left) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
    // Days to a date of the Gregorian calendar: eras of 400 years that begin on 1 March.
    let shifted = days.checked_add(719_468)?;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + carry;
    if year > 9999 {
        return None;
    }
    let (seconds, milliseconds) = (left / 1000, left % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(format!("{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_times_are_readable() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(52_114), "52,114");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(counted(1, "byte", "bytes"), "1 byte");
        assert_eq!(utc(0).as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(utc(1_486_144_502_122).as_deref(), Some("2017-02-03T17:55:02.122Z"));
        assert_eq!(utc(951_782_400_000).as_deref(), Some("2000-02-29T00:00:00.000Z"));
        assert_eq!(utc(253_402_300_799_999).as_deref(), Some("9999-12-31T23:59:59.999Z"));
        assert_eq!(utc(253_402_300_800_000), None);
        assert_eq!(utc(u64::MAX), None);
        assert_eq!(
            (float(100_000.0), float(1.5e300), float(-2.5e-7)),
            ("100000".into(), "1.5e300".into(), "-2.5e-7".into())
        );
        assert_eq!((single(0.1), single(1e20)), (("0.1".into(), 0.1), ("1e20".into(), 1e20)));
        assert_eq!(clip("añb", 2), "a…");
        assert_eq!(hex(&[0, 255, 1], 4), "00ff…");
    }
}
