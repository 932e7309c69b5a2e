//! What comes of the present rates, in words: when a plan's minute will be used up, when a backlog will be gone.

use crate::api::wire::{DrainStatus, QuotaStatus};
use crate::feed::unix_millis;
use crate::relay::meter::Quota;

// A backlog smaller than this many seconds of the present rate is the ordinary coming and going.
const WORTH_SAYING: f64 = 2.0;

/// A relay's minute.
pub(super) fn quota(quota: &Quota, rate_in: f64) -> QuotaStatus {
    let left = quota.allowance.saturating_sub(quota.used);
    let until_reset = quota.resets_at.duration_since(std::time::SystemTime::now()).unwrap_or_default().as_secs_f64();
    let seconds = f64::from(left) / rate_in.max(f64::MIN_POSITIVE);
    let words = if quota.pacing {
        format!("paced: {} of {} a minute", quota.used, quota.allowance)
    } else if seconds < until_reset {
        format!("at this rate the limit is reached in {}", span(seconds))
    } else {
        format!("{} of {} in this minute", quota.used, quota.allowance)
    };
    QuotaStatus {
        limit: quota.limit,
        allowance: quota.allowance,
        used: quota.used,
        resets_at: unix_millis(quota.resets_at),
        pacing: quota.pacing,
        words,
    }
}

/// A backlog; `highest` is the most that waited since there last was none. Nothing while there is none worth a word.
pub(super) fn drain(waiting: u64, highest: u64, rate_in: f64, rate_out: f64) -> Option<DrainStatus> {
    if waiting == 0 || (waiting as f64) < rate_out.max(10.0) * WORTH_SAYING {
        return None;
    }
    let done = 1.0 - waiting as f64 / highest.max(waiting) as f64;
    let net = rate_out - rate_in;
    if net <= 0.0 {
        let words =
            if rate_out > 0.0 { "the backlog grows: more comes than goes" } else { "nothing is delivered right now" };
        return Some(DrainStatus { done, seconds: None, words: words.into() });
    }
    let seconds = waiting as f64 / net;
    Some(DrainStatus { done, seconds: Some(seconds), words: format!("backlog gone in about {}", span(seconds)) })
}

/// A span as one says it: `14 s`, `12 min`, `3 h`.
fn span(seconds: f64) -> String {
    match seconds {
        ..90.0 => format!("{} s", seconds.ceil().max(1.0)),
        ..5_400.0 => format!("{} min", (seconds / 60.0).round()),
        ..172_800.0 => format!("{} h", (seconds / 3_600.0).round()),
        _ => format!("{} days", (seconds / 86_400.0).round()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_minute_is_told_with_what_comes_of_it() {
        let minute = |used, pacing| Quota {
            limit: 5_000,
            allowance: 4_500,
            used,
            resets_at: SystemTime::now() + Duration::from_secs(40),
            pacing,
        };
        assert_eq!(quota(&minute(100, false), 1.0).words, "100 of 4500 in this minute");
        assert_eq!(quota(&minute(4_360, false), 10.0).words, "at this rate the limit is reached in 14 s");
        assert_eq!(quota(&minute(4_500, true), 10.0).words, "paced: 4500 of 4500 a minute");
    }

    #[test]
    fn a_backlog_is_told_with_its_end() {
        assert_eq!(drain(15, 100, 5.0, 10.0), None, "no more than the ordinary");
        let gone = |waiting, out| drain(waiting, 10_000, 10.0, out).map(|drain| drain.words);
        assert_eq!(gone(7_200, 20.0).as_deref(), Some("backlog gone in about 12 min"));
        assert_eq!(gone(400, 30.0).as_deref(), Some("backlog gone in about 20 s"));
        assert_eq!(gone(400, 5.0).as_deref(), Some("the backlog grows: more comes than goes"));
        assert_eq!(gone(400, 0.0).as_deref(), Some("nothing is delivered right now"));
        assert_eq!(drain(2_500, 10_000, 0.0, 100.0).map(|drain| drain.done), Some(0.75));
    }
}
