//! What comes of the present rates, in words: when a plan's minute will be used up, when a backlog will be gone.

use super::words::grouped;
use crate::api::wire::{DrainStatus, QuotaStatus};
use crate::feed::unix_millis;
use crate::relay::meter::Quota;

// A backlog smaller than this many seconds of the present rate is the ordinary coming and going.
const WORTH_SAYING: f64 = 2.0;

/// A relay's minute.
pub(super) fn quota(quota: &Quota, rate_in: f64) -> QuotaStatus {
    let until_reset = quota.resets_at.duration_since(std::time::SystemTime::now()).unwrap_or_default().as_secs_f64();
    // What others send is known by what they sent.
    let rate = rate_in + f64::from(quota.others) / (60.0 - until_reset).max(1.0);
    let seconds = f64::from(quota.left) / rate.max(f64::MIN_POSITIVE);
    let (used, whose) = used(quota);
    let words = if quota.held {
        format!("{used}{whose}: answered with 429, so that every relay of the profile waits")
    } else if quota.pacing {
        format!("paced: {used} a minute{whose}")
    } else if seconds < until_reset {
        format!("{used}{whose}: at this rate the limit is reached in {}", span(seconds))
    } else {
        format!("{used} in this minute{whose}")
    };
    QuotaStatus {
        limit: quota.limit,
        allowance: quota.allowance,
        used: quota.used,
        others: quota.others,
        relays: quota.relays as u32,
        resets_at: unix_millis(quota.resets_at),
        pacing: quota.pacing,
        words,
    }
}

/// What is used of what, and whose it is when it is not this relay's alone.
fn used(quota: &Quota) -> (String, String) {
    let of = |used: u32, limit: u32| format!("{} of {}", grouped(used.into()), grouped(limit.into()));
    match quota.share {
        Some(share) if quota.others > 0 && share == quota.allowance => {
            (of(quota.used + quota.others, share), format!(", {} by this relay", grouped(quota.used.into())))
        }
        Some(share) if quota.others > 0 => {
            let profile = of(quota.used + quota.others, share);
            (of(quota.used, quota.allowance), format!(", {profile} by the profile"))
        }
        _ => (of(quota.used, quota.allowance), String::new()),
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
            share: Some(4_500),
            allowance: 4_500,
            used,
            others: 0,
            left: 4_500 - used,
            relays: 1,
            resets_at: SystemTime::now() + Duration::from_secs(40),
            pacing,
            held: false,
        };
        assert_eq!(quota(&minute(100, false), 1.0).words, "100 of 4,500 in this minute");
        assert_eq!(
            quota(&minute(4_360, false), 10.0).words,
            "4,360 of 4,500: at this rate the limit is reached in 14 s"
        );
        assert_eq!(quota(&minute(4_500, true), 10.0).words, "paced: 4,500 of 4,500 a minute");
        let two = Quota { others: 1_000, left: 3_400, relays: 2, ..minute(100, false) };
        assert_eq!(quota(&two, 1.0).words, "1,100 of 4,500 in this minute, 100 by this relay");
        // The other one sent 50 a second.
        let soon = Quota { left: 590, ..two.clone() };
        assert_eq!(
            quota(&soon, 10.0).words,
            "1,100 of 4,500, 100 by this relay: at this rate the limit is reached in 10 s"
        );
        let slow = Quota { allowance: 120, left: 20, pacing: true, ..two.clone() };
        assert_eq!(quota(&slow, 1.0).words, "paced: 100 of 120 a minute, 1,100 of 4,500 by the profile");
        let held = Quota { held: true, ..two };
        assert!(quota(&held, 1.0).words.ends_with("answered with 429, so that every relay of the profile waits"));
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
