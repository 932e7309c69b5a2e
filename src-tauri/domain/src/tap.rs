//! A tap: a listener of ours before somebody else's broker. Clients change host and port, and nothing else.
//!
//! [`TapDraft`] is what the form holds; [`check`] turns it into a [`Tap`] or into every problem at its field. The private
//! key of its certificate travels beside it. That a port is free, and that a key belongs to its certificate, others say.

use crate::broker::{LimitsDraft, ListenerDraft, check_limits, check_listener, listener_draft};
use crate::id::{BrokerId, TapId};
use crate::listener::{BrokerLimits, Listener};
use crate::problem::{Problem, Problems};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A saved tap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Tap {
    /// Its identity; survives renaming.
    pub id: TapId,
    /// What people call it; unique among taps.
    pub name: String,
    /// The broker behind it.
    pub broker_id: BrokerId,
    /// Where clients come in.
    pub listener: Listener,
    /// Whether the broker is told each client's address by the PROXY protocol, version 2. It must expect it.
    pub proxy: bool,
    /// How much it takes.
    pub limits: BrokerLimits,
    /// Whether it runs.
    pub enabled: bool,
}

/// What the form of a tap holds.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TapDraft {
    /// Nothing while it is new.
    pub id: Option<TapId>,
    /// Name.
    pub name: String,
    /// The broker behind it.
    pub broker_id: Option<BrokerId>,
    /// Where clients come in.
    pub listener: ListenerDraft,
    /// Whether the broker is told each client's address.
    pub proxy: bool,
    /// How much it takes.
    pub limits: LimitsDraft,
    /// Whether it runs.
    pub enabled: bool,
}

impl TapDraft {
    /// The form of what is saved.
    pub fn of(tap: &Tap) -> Self {
        Self {
            id: Some(tap.id),
            name: tap.name.clone(),
            broker_id: Some(tap.broker_id),
            listener: listener_draft(&tap.listener),
            proxy: tap.proxy,
            limits: LimitsDraft::of(&tap.limits),
            enabled: tap.enabled,
        }
    }
}

/// Checks a draft as a whole. `now` is Unix time in seconds, for certificates; `has_key`: a private key is stored.
pub fn check(draft: &TapDraft, id: TapId, now: i64, has_key: bool) -> Result<Tap, Vec<Problem>> {
    let mut problems = Problems::default();
    let name = draft.name.trim().to_owned();
    if name.is_empty() {
        problems.add("name", "Enter a name, such as the one of the broker behind it.");
    } else if name.chars().count() > 80 {
        problems.add("name", "A name has at most 80 characters.");
    }
    if draft.broker_id.is_none() {
        problems.add("brokerId", "Choose the broker that clients are led to.");
    }
    // A tap has one listener: its limits are the tap's.
    let listener = ListenerDraft { limits: None, ..draft.listener.clone() };
    let listener = check_listener(&listener, "listener", now, has_key, &mut problems);
    let limits = check_limits(&draft.limits, "limits", &mut problems);
    let broker_id = draft.broker_id.unwrap_or(BrokerId(uuid::Uuid::nil()));
    problems.finish(Tap { id, name, broker_id, listener, proxy: draft.proxy, limits, enabled: draft.enabled })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::broker::{Transport, default_listener};
    use crate::endpoint::Listen;
    use crate::id::ListenerId;
    use uuid::Uuid;

    fn draft() -> TapDraft {
        let listener = ListenerDraft {
            transport: Transport::Tcp,
            listen: Listen::Loopback,
            port: "1884".into(),
            ..default_listener(ListenerId(Uuid::from_u128(1)))
        };
        TapDraft {
            id: None,
            name: "Plant".into(),
            broker_id: Some(BrokerId(Uuid::from_u128(2))),
            listener,
            proxy: false,
            limits: LimitsDraft::default(),
            enabled: true,
        }
    }

    #[test]
    fn a_good_draft_comes_back_as_it_was() {
        let tap = check(&draft(), TapId(Uuid::from_u128(3)), 0, false).unwrap();
        assert_eq!((tap.listener.port, tap.listener.is_loopback()), (1884, true));
        let again = check(&TapDraft::of(&tap), tap.id, 0, false).unwrap();
        assert_eq!(again, tap);
    }

    #[test]
    fn every_problem_is_at_its_field() {
        let mut wrong = draft();
        wrong.name = " ".into();
        wrong.broker_id = None;
        wrong.listener.transport = Transport::Tls;
        wrong.listener.listen = Listen::All;
        wrong.listener.port = "0".into();
        wrong.limits.choice = crate::broker::LimitsChoice::Own;
        let problems = check(&wrong, TapId(Uuid::from_u128(3)), 0, false).unwrap_err();
        let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
        let expected = [
            "name",
            "brokerId",
            "listener.port",
            "listener.exposed",
            "listener.certificate",
            "listener.key",
            "limits.firstPacketSeconds",
            "limits.packetBytes",
        ];
        assert_eq!(fields, expected);
        wrong = draft();
        wrong.listener.listen = Listen::All;
        let problems = check(&wrong, TapId(Uuid::from_u128(3)), 0, false).unwrap_err();
        assert_eq!(problems[0].field, "listener.exposed", "other addresses are confirmed");
    }
}
