//! A profile's minute, with a clock that the tests turn.

use super::*;
use relayscope_domain::delivery::Plan;
use std::time::UNIX_EPOCH;

fn rules(limit: u32, pace: Option<u32>) -> Rules {
    Rules { plan: Plan::Own, own_limit: limit, reserve: 0, pace, ..Rules::default() }
}

fn relay() -> RelayId {
    RelayId(uuid::Uuid::new_v4())
}

/// At the beginning of the tenth minute since 1970.
fn profile(begin: Instant) -> Arc<Profile> {
    Profile::new(begin, UNIX_EPOCH + Duration::from_secs(600))
}

/// What each sent in `seconds`, when each always has something to send and asks when told to.
fn race(shares: &[&Share], begin: Instant, seconds: u64) -> Vec<u32> {
    let mut sent = vec![0; shares.len()];
    let mut asks = vec![begin; shares.len()];
    let end = begin + Duration::from_secs(seconds);
    while let Some((at, now)) = asks.iter().copied().enumerate().min_by_key(|(_, at)| *at).filter(|(_, at)| *at < end) {
        match shares[at].ready(now) {
            Ok(()) => {
                shares[at].spent();
                sent[at] += 1;
            }
            Err(until) => asks[at] = until.max(now + Duration::from_micros(1)),
        }
    }
    sent
}

#[test]
fn two_relays_stay_below_the_plan_together_and_get_their_halves() {
    let begin = Instant::now();
    let profile = profile(begin);
    let one = Share::join(profile.clone(), relay(), &rules(600, None), begin);
    let two = Share::join(profile.clone(), relay(), &rules(600, None), begin);
    for minute in 0..3 {
        let sent = race(&[&one, &two], begin + MINUTE * minute, 60);
        let all: u32 = sent.iter().sum();
        assert!((590..=600).contains(&all), "{sent:?}");
        // The burst may go to one of them.
        assert!(sent.iter().all(|sent| *sent >= 260), "{sent:?}");
    }
    let quota = one.quota(begin + MINUTE * 2 + Duration::from_secs(59)).unwrap();
    assert_eq!((quota.limit, quota.share, quota.allowance, quota.relays), (600, Some(600), 600, 2));
    assert!(quota.used >= 260 && quota.others >= 260 && quota.pacing, "{quota:?}");
}

#[test]
fn one_alone_gets_all_and_a_slow_one_gets_what_it_asks() {
    let begin = Instant::now();
    let profile = profile(begin);
    let busy = Share::join(profile.clone(), relay(), &rules(600, None), begin);
    let slow = Share::join(profile.clone(), relay(), &rules(600, Some(60)), begin);
    assert!(race(&[&busy], begin, 60)[0] >= 595);
    let sent = race(&[&busy, &slow], begin + MINUTE, 60);
    assert!((55..=60).contains(&sent[1]) && sent[0] >= 530 && sent[0] + sent[1] <= 600, "{sent:?}");
    drop(busy);
    let quota = slow.quota(begin + MINUTE).unwrap();
    assert_eq!((quota.allowance, quota.relays), (60, 1));
    assert!(quota.others >= 530, "what one sent that left still counts: {quota:?}");
}

#[test]
fn the_strictest_plan_holds_for_all_of_them() {
    let begin = Instant::now();
    let profile = profile(begin);
    let free = Share::join(profile.clone(), relay(), &Rules::default(), begin);
    assert!((0..10_000).all(|_| free.ready(begin).is_ok()), "nobody set a limit");
    assert_eq!(free.quota(begin), None);
    let planned = Share::join(profile.clone(), relay(), &rules(600, None), begin);
    let sent = race(&[&free, &planned], begin, 60);
    assert!(sent[0] + sent[1] <= 600, "{sent:?}");
    assert_eq!(free.quota(begin).map(|quota| (quota.limit, quota.relays)), Some((600, 2)));
    drop(planned);
    assert!(free.ready(begin).is_ok());
}

#[test]
fn a_refusal_holds_all_of_them_back() {
    let begin = Instant::now();
    let profile = profile(begin);
    let one = Share::join(profile.clone(), relay(), &rules(600, None), begin);
    let two = Share::join(profile.clone(), relay(), &Rules::default(), begin);
    let until = begin + Duration::from_secs(8);
    one.refused(until, begin);
    assert_eq!((two.ready(begin), one.ready(begin)), (Err(until), Err(until)));
    assert!(two.quota(begin).is_some_and(|quota| quota.held));
    assert_eq!((two.held(begin), two.held(until)), (Some(until), None));
    assert!(race(&[&one, &two], until, 1).iter().sum::<u32>() <= 90, "no burst of what was not sent meanwhile");
    one.refused(begin + MINUTE, until);
    one.taken();
    assert!(race(&[&two], until, 2)[0] > 0);
}

#[test]
fn what_was_used_is_kept_over_a_restart() {
    let begin = Instant::now();
    let (id, start) = (relay(), UNIX_EPOCH + Duration::from_secs(600));
    let first = profile(begin);
    let share = Share::join(first.clone(), id, &rules(600, None), begin);
    race(&[&share], begin, 20);
    let (at, wall) = (begin + Duration::from_secs(20), start + Duration::from_secs(20));
    let crashed = first.keep(at, wall).unwrap();
    assert!(!crashed.complete);
    assert_eq!(first.keep(at, wall), None, "nothing new");
    let used = share.quota(at).unwrap().used;
    drop(share);
    let ended = first.keep(at, wall).unwrap();
    assert!(ended.complete);

    let again = |kept: Option<Kept>, seconds: u64| {
        let profile = Profile::new(at, start + Duration::from_secs(seconds));
        profile.recall(kept, at);
        Share::join(profile, id, &rules(600, None), at).quota(at).unwrap().used
    };
    assert_eq!(again(Some(ended.clone()), 40), used, "all of it is known");
    assert_eq!(again(Some(ended.clone()), 61), 0, "of an earlier minute");
    let killed = again(Some(crashed.clone()), 40);
    assert_eq!(killed, used + 50, "five seconds may have gone by before it was killed");
    assert_eq!(again(Some(crashed), 22), used + 20);
    assert_eq!(again(None, 30), 300, "nothing is known: what was due");
    assert_eq!(again(Some(ended), 0), used, "a kept minute is this one");
}
