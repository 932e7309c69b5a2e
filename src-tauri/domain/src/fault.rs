//! What a tap can do to its clients on purpose, so that devices can be tested against a bad network and a bad broker.
//!
//! [`FaultDraft`] is what the buttons send (texts as typed), [`Fault`] what holds. Where bytes are held or dropped is the
//! front's to know.

use crate::broker::number;
use crate::problem::{Problem, Problems};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The next CONNECT is answered with this reason code of MQTT 5; older versions get the nearest they have.
    Refuse(u8),
    /// The next PUBACK from the broker does not reach the client.
    DropPubAck,
    /// Everything comes so many milliseconds later, in both directions.
    Delay(u32),
    /// The TCP connection is closed now, without a goodbye.
    Cut,
    /// Nothing passes for so many seconds, in either direction.
    Stall(u32),
    /// So many bytes a second, in each direction.
    Bandwidth(u32),
}

impl Fault {
    /// `refuse the next CONNECT with 0x88`.
    pub fn words(self) -> String {
        match self {
            Self::Refuse(code) => format!("refuse the next CONNECT with 0x{code:02x}"),
            Self::DropPubAck => "drop the next PUBACK".into(),
            Self::Delay(milliseconds) => format!("delay by {milliseconds} ms"),
            Self::Cut => "cut the connection".into(),
            Self::Stall(seconds) => format!("stall for {seconds} s"),
            Self::Bandwidth(bytes) => format!("limit to {bytes} B/s"),
        }
    }
}

/// The buttons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FaultKind {
    /// [`Fault::Refuse`].
    Refuse,
    /// [`Fault::DropPubAck`].
    DropPubAck,
    /// [`Fault::Delay`].
    Delay,
    /// [`Fault::Cut`].
    Cut,
    /// [`Fault::Stall`].
    Stall,
    /// [`Fault::Bandwidth`].
    Bandwidth,
}

/// A fault as a page asks for it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FaultDraft {
    /// Client id; empty is every client.
    pub client: String,
    /// What is done.
    pub kind: FaultKind,
    /// With [`FaultKind::Refuse`]: the reason code, hexadecimal.
    pub code: String,
    /// With the others that need one: milliseconds, seconds or bytes a second.
    pub amount: String,
}

/// The client (`None` is every one) and what is done, or every problem at its field.
pub fn check(draft: &FaultDraft) -> Result<(Option<String>, Fault), Vec<Problem>> {
    let mut problems = Problems::default();
    let mut amount = |what: &str, min: u64, max: u64| {
        problems.take("amount", number::<u32>(&draft.amount, what, min, max)).unwrap_or_default()
    };
    let fault = match draft.kind {
        FaultKind::Refuse => Fault::Refuse(problems.take("code", code(&draft.code)).unwrap_or_default()),
        FaultKind::DropPubAck => Fault::DropPubAck,
        FaultKind::Delay => Fault::Delay(amount("number of milliseconds", 1, 60_000)),
        FaultKind::Cut => Fault::Cut,
        FaultKind::Stall => Fault::Stall(amount("number of seconds", 1, 600)),
        FaultKind::Bandwidth => Fault::Bandwidth(amount("number of bytes a second", 64, 1 << 30)),
    };
    let client = Some(draft.client.clone()).filter(|client| !client.is_empty());
    problems.finish((client, fault))
}

/// Codes with which a CONNECT is refused begin at 0x80 (MQTT 5.0 table 3-1).
fn code(text: &str) -> Result<u8, String> {
    let digits = text.trim().trim_start_matches("0x");
    match u8::from_str_radix(digits, 16) {
        Ok(code) if code >= 0x80 => Ok(code),
        _ => Err("The code is hexadecimal, from 0x80 to 0xff: 0x88 is server unavailable.".into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn draft(kind: FaultKind, amount: &str) -> FaultDraft {
        FaultDraft { client: String::new(), kind, code: amount.into(), amount: amount.into() }
    }

    #[test]
    fn what_is_typed_is_checked() {
        assert_eq!(check(&draft(FaultKind::Delay, "200")).unwrap(), (None, Fault::Delay(200)));
        assert_eq!(check(&draft(FaultKind::Refuse, "0x88")).unwrap().1, Fault::Refuse(0x88));
        let one = FaultDraft { client: "pump".into(), ..draft(FaultKind::Cut, "") };
        assert_eq!(check(&one).unwrap(), (Some("pump".into()), Fault::Cut));
        for (kind, text, field) in [
            (FaultKind::Refuse, "7f", "code"),
            (FaultKind::Delay, "0", "amount"),
            (FaultKind::Stall, "", "amount"),
            (FaultKind::Bandwidth, "63", "amount"),
        ] {
            assert_eq!(check(&draft(kind, text)).unwrap_err()[0].field, field, "{kind:?}");
        }
    }
}
