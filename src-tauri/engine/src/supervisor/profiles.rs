//! Which relays use one TagoIO profile, and what of a profile's minute was used, kept over a restart.
//!
//! A network token belongs to one profile and so does an authorization: relays that share either share the profile, and
//! so do those that share with them. Two relays with nothing in common may still use one profile; nothing here tells.

use crate::fingerprint::Fingerprint;
use crate::relay::profile::{KEPT_EVERY, Kept, Profile};
use crate::store::{Store, StoreError, StoredToken};
use relayscope_domain::id::{RelayId, TokenId};
use relayscope_domain::relay::Relay;
use std::collections::HashMap;
use std::time::{Instant, SystemTime};

/// The profile of each relay, named by the fingerprint of one of its tokens.
pub(super) fn of(relays: &[Relay], tokens: &HashMap<TokenId, StoredToken>) -> HashMap<RelayId, Fingerprint> {
    let print = |id: TokenId| tokens.get(&id).map(|stored| Fingerprint::of(stored.value.expose().as_bytes()));
    let both = |relay: &Relay| Some((relay.id, [print(relay.network_token_id)?, print(relay.authorization_id)?]));
    gather(&relays.iter().filter_map(both).collect::<Vec<_>>())
}

/// Every relay takes the least of the names it can reach by shared tokens.
fn gather(relays: &[(RelayId, [Fingerprint; 2])]) -> HashMap<RelayId, Fingerprint> {
    let mut names: HashMap<Fingerprint, Fingerprint> = HashMap::new();
    loop {
        let mut moved = false;
        for (_, tokens) in relays {
            let known = tokens.iter().map(|token| *names.get(token).unwrap_or(token)).min();
            let Some(least) = known else { continue };
            for token in tokens {
                moved |= names.insert(*token, least) != Some(least);
            }
        }
        if !moved {
            let name = |tokens: &[Fingerprint; 2]| names.get(&tokens[0]).copied().unwrap_or(tokens[0]);
            return relays.iter().map(|(id, tokens)| (*id, name(tokens))).collect();
        }
    }
}

fn key(profile: Fingerprint) -> String {
    format!("minute/{}", profile.short())
}

/// Tells a profile what an earlier run used of this minute.
pub(super) async fn recall(store: &Store, name: Fingerprint, profile: &Profile) -> Result<(), StoreError> {
    if profile.is_new() {
        // A row that another version wrote is as good as none.
        let kept = match store.value::<Kept>(&key(name)).await {
            Ok(kept) => kept,
            Err(StoreError::Malformed(..)) => None,
            Err(error) => return Err(error),
        };
        profile.recall(kept, Instant::now());
    }
    Ok(())
}

/// Runs a relay, and keeps what its profile used now and then and at the end.
pub(super) async fn kept_while<T>(
    store: &Store,
    name: Fingerprint,
    profile: &Profile,
    relay: impl Future<Output = T>,
) -> T {
    let mut relay = std::pin::pin!(relay);
    loop {
        let ended = tokio::time::timeout(KEPT_EVERY, relay.as_mut()).await.ok();
        if let Some(kept) = profile.keep(Instant::now(), SystemTime::now())
            && let Err(error) = store.set_value_quietly(&key(name), &kept).await
        {
            tracing::warn!(%error, "What was used of the plan's minute can't be kept.");
        }
        if let Some(ended) = ended {
            return ended;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_that_share_a_token_share_the_profile_and_so_do_those_they_reach() {
        let print = |name: &str| Fingerprint::of(name.as_bytes());
        let relay = |network, authorization| (RelayId(uuid::Uuid::new_v4()), [print(network), print(authorization)]);
        let relays = [
            relay("network 1", "authorization 1"),
            relay("network 2", "authorization 2"),
            relay("network 1", "authorization 3"),
            relay("network 4", "authorization 3"),
            relay("network 5", "authorization 5"),
        ];
        let named = gather(&relays);
        let [one, two, three, four, five] = relays.map(|(id, _)| named[&id]);
        assert_eq!((one, one), (three, four));
        assert!(two != one && five != one && two != five);
        let backwards: Vec<_> = relays.into_iter().rev().collect();
        assert_eq!(gather(&backwards), named, "whatever their order");
    }
}
