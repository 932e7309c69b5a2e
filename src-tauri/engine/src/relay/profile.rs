//! The clock minute of a TagoIO profile, shared by the relays that use it: TagoIO counts per profile, not per relay. The
//! strictest plan among them holds for all, who waits gets its turn before who was served more, and a refusal that one
//! learned of holds the others back. It knows no disk: what is kept over a restart is given to it and taken from it.
//!
//! Minutes are anchored to the wall clock once and then counted by the monotonic one, so that a clock that is set does not
//! matter.

#[cfg(test)]
mod tests;

use super::meter::Quota;
use super::pace::{MINUTE, Pace};
use crate::feed::unix_millis;
use relayscope_domain::delivery::Rules;
use relayscope_domain::id::RelayId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How often what was used is kept while requests go out.
pub const KEPT_EVERY: Duration = Duration::from_secs(5);
// A relay that was told when to come back and does not is no longer waited for.
const TURN: Duration = Duration::from_millis(250);

/// A profile's minute.
pub struct Profile {
    // Whether anything is counted or held back: without, a request asks nothing more.
    minds: AtomicBool,
    state: Mutex<State>,
}

/// What was used in a minute, as it is kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Which minute: minutes since 1970.
    minute: i64,
    /// When this was true, Unix milliseconds.
    at: i64,
    /// Whether nobody sent anything after that.
    complete: bool,
    /// Requests by relay.
    used: BTreeMap<RelayId, u32>,
}

struct State {
    // When this minute began, and its number.
    begins: Instant,
    number: i64,
    used: BTreeMap<RelayId, u32>,
    // Part of a minute of which is not known what was used: counted as what was due.
    unknown: f64,
    recalled: bool,
    changed: bool,
    // The strictest plan's requests a minute, and what of them is ours.
    limit: Option<u32>,
    share: Option<u32>,
    shared: Option<Pace>,
    held_until: Option<Instant>,
    members: Vec<Member>,
    joined: u64,
    // What the one served last had been served: whoever comes back after a rest begins there.
    served: u64,
}

struct Member {
    number: u64,
    relay: RelayId,
    limit: Option<u32>,
    share: Option<u32>,
    pace: Option<u32>,
    own: Option<Pace>,
    served: u64,
    // It waits for its turn and comes back at this time.
    comes: Option<Instant>,
    // Whether requests waited for it lately.
    waited: bool,
}

impl Profile {
    /// A profile of which nothing is known.
    pub fn new(now: Instant, wall: SystemTime) -> Arc<Self> {
        let millis = unix_millis(wall);
        let into = Duration::from_millis(millis.rem_euclid(60_000) as u64);
        let state = State {
            begins: now.checked_sub(into).unwrap_or(now),
            number: millis.div_euclid(60_000),
            used: BTreeMap::new(),
            unknown: into.as_secs_f64() / 60.0,
            recalled: false,
            changed: false,
            limit: None,
            share: None,
            shared: None,
            held_until: None,
            members: vec![],
            joined: 0,
            served: 0,
        };
        Arc::new(Self { minds: AtomicBool::new(false), state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mind(&self, state: &State) {
        let counts = state.members.iter().any(Member::counts);
        self.minds.store(counts || state.held_until.is_some(), Ordering::Relaxed);
    }

    /// Whether what an earlier run kept is still to be told.
    pub fn is_new(&self) -> bool {
        !self.state().recalled
    }

    /// Takes over what an earlier run kept, once. Without it, what was due until now counts as used.
    pub fn recall(&self, kept: Option<Kept>, now: Instant) {
        let mut state = self.state();
        state.roll(now);
        if std::mem::replace(&mut state.recalled, true) {
            return;
        }
        let Some(kept) = kept.filter(|kept| kept.minute <= state.number) else { return };
        let begins = state.number * 60_000;
        let at = begins + now.duration_since(state.begins).as_millis() as i64;
        // A run that was killed may have gone on until it would have kept the next.
        let until = if kept.complete { kept.at } else { at.min(kept.at + KEPT_EVERY.as_millis() as i64) };
        state.unknown = (until - begins.max(kept.at)).max(0) as f64 / 60_000.0;
        if kept.minute == state.number {
            state.used = kept.used;
        }
    }

    /// What is to be kept, when it changed since this was last asked.
    pub fn keep(&self, now: Instant, wall: SystemTime) -> Option<Kept> {
        let mut state = self.state();
        state.roll(now);
        std::mem::take(&mut state.changed).then(|| Kept {
            minute: state.number,
            at: unix_millis(wall),
            complete: state.members.is_empty(),
            used: state.used.clone(),
        })
    }
}

impl Member {
    fn counts(&self) -> bool {
        self.share.is_some() || self.pace.is_some()
    }
}

impl State {
    fn roll(&mut self, now: Instant) {
        while now.duration_since(self.begins) >= MINUTE {
            self.begins += MINUTE;
            self.number += 1;
            self.unknown = 0.0;
            self.used.clear();
        }
    }

    fn total(&self) -> u32 {
        self.used.values().fold(0, |sum, used| sum.saturating_add(*used))
    }

    /// Somebody came or went: the strictest plan holds.
    fn agree(&mut self, now: Instant) {
        self.limit = self.members.iter().filter_map(|member| member.limit).min();
        let share = self.members.iter().filter_map(|member| member.share).min();
        if share != self.share {
            self.share = share;
            self.shared = share.map(|share| Pace::new(share, self.total(), self.begins, now));
        }
    }

    /// Whether somebody else waits who was served less, and when that one comes.
    fn ahead_of(&self, at: usize, now: Instant) -> Option<Instant> {
        let served = self.members[at].served;
        let others = self.members.iter().enumerate().filter(|(other, member)| *other != at && member.served < served);
        others.filter_map(|(_, member)| member.comes.filter(|comes| now < *comes + TURN)).min()
    }

    fn ready(&mut self, at: usize, now: Instant) -> Result<(), Instant> {
        self.roll(now);
        if let Some(until) = self.held_until {
            if now < until {
                return Err(until);
            }
            self.held_until = None;
        }
        let rested = self.members[at].comes.is_none_or(|comes| now >= comes + TURN);
        let member = &mut self.members[at];
        if rested {
            member.served = member.served.max(self.served);
        }
        if let Some(own) = &mut member.own {
            own.ready(now).inspect_err(|_| member.comes = None)?;
        }
        let Some(shared) = &mut self.shared else { return Ok(()) };
        if let Err(until) = shared.ready(now) {
            self.members[at].comes = Some(until);
            return Err(until);
        }
        if let Some(comes) = self.ahead_of(at, now) {
            let until = comes.max(now) + Duration::from_millis(1);
            self.members[at].comes = Some(until);
            return Err(until);
        }
        self.members[at].comes = None;
        Ok(())
    }

    fn spent(&mut self, at: usize) {
        self.changed = true;
        let member = &mut self.members[at];
        self.served = member.served;
        member.served += 1;
        let used = self.used.entry(member.relay).or_default();
        *used = used.saturating_add(1);
        if let Some(own) = &mut member.own {
            own.spent();
        }
        if let Some(shared) = &mut self.shared {
            shared.spent();
        }
    }
}

/// A relay's place in its profile; it leaves when this is dropped.
pub(super) struct Share {
    profile: Arc<Profile>,
    number: u64,
}

impl Share {
    /// Takes a place with a relay's plan, reserve and pace.
    pub(super) fn join(profile: Arc<Profile>, relay: RelayId, rules: &Rules, now: Instant) -> Self {
        let mut state = profile.state();
        state.roll(now);
        // What is not known to have been used is this relay's, as far as anybody can tell.
        if let Some(due) = rules.allowance()
            && state.unknown > 0.0
        {
            let unknown = (f64::from(due) * std::mem::take(&mut state.unknown)) as u32;
            *state.used.entry(relay).or_default() += unknown;
        }
        let (begins, used) = (state.begins, state.used.get(&relay).copied().unwrap_or_default());
        state.joined += 1;
        let number = state.joined;
        let member = Member {
            number,
            relay,
            limit: rules.limit(),
            share: rules.share(),
            pace: rules.pace,
            own: rules.pace.map(|pace| Pace::new(pace, used, begins, now)),
            served: state.served,
            comes: None,
            waited: false,
        };
        state.members.push(member);
        state.agree(now);
        profile.mind(&state);
        drop(state);
        Self { profile, number }
    }

    fn at(&self, state: &State) -> Option<usize> {
        state.members.iter().position(|member| member.number == self.number)
    }

    /// Whether a request may go now; if not, when to ask again.
    pub(super) fn ready(&self, now: Instant) -> Result<(), Instant> {
        if !self.profile.minds.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut state = self.profile.state();
        let Some(at) = self.at(&state) else { return Ok(()) };
        let result = state.ready(at, now);
        state.members[at].waited |= result.is_err();
        self.profile.mind(&state);
        result
    }

    /// A request went out.
    pub(super) fn spent(&self) {
        if !self.profile.minds.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.profile.state();
        if let Some(at) = self.at(&state) {
            state.spent(at);
        }
    }

    /// The platform refused the profile as a whole until then: nobody sends, and nothing goes at once afterwards.
    pub(super) fn refused(&self, until: Instant, now: Instant) {
        let mut state = self.profile.state();
        state.held_until = Some(state.held_until.map_or(until, |held| held.max(until)));
        if let Some(shared) = &mut state.shared {
            shared.drained(now);
        }
        self.profile.mind(&state);
    }

    /// The platform takes requests again.
    pub(super) fn taken(&self) {
        let mut state = self.profile.state();
        state.held_until = None;
        self.profile.mind(&state);
    }

    /// Until when the platform's refusal holds everybody back.
    pub(super) fn held(&self, now: Instant) -> Option<Instant> {
        let minds = self.profile.minds.load(Ordering::Relaxed);
        minds.then(|| self.profile.state().held_until).flatten().filter(|until| now < *until)
    }

    /// How the minute stands; nothing without a plan and a pace.
    pub(super) fn quota(&self, now: Instant) -> Option<Quota> {
        let mut state = self.profile.state();
        state.roll(now);
        let at = self.at(&state)?;
        let waited = std::mem::take(&mut state.members[at].waited);
        let State { shared, members, .. } = &mut *state;
        let paces = shared.iter_mut().chain(&mut members[at].own);
        let left = paces.map(|pace| pace.left(now)).min();
        let member = &state.members[at];
        let allowance = state.share.into_iter().chain(member.pace).min()?;
        let used = state.used.get(&member.relay).copied().unwrap_or_default();
        let total = state.total();
        Some(Quota {
            limit: state.limit.unwrap_or(allowance),
            share: state.share,
            allowance,
            used,
            others: total - used,
            left: left.unwrap_or_default(),
            relays: state.members.len(),
            resets_at: SystemTime::now() + (state.begins + MINUTE).saturating_duration_since(now),
            pacing: waited,
            held: state.held_until.is_some_and(|until| now < until),
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = self.profile.state();
        let now = Instant::now();
        // What is kept after this may be the last word.
        state.changed |= self.at(&state).is_some_and(|at| state.members[at].counts());
        state.members.retain(|member| member.number != self.number);
        state.roll(now);
        state.agree(now);
        self.profile.mind(&state);
    }
}
