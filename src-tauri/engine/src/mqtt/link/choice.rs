//! Which protocol version to ask for: the one that was fixed, or MQTT 5 and then 3.1.1.

use super::super::words::Failure;
use relayscope_domain::message::MqttVersion;

/// The version of a run, as far as it is decided.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    fixed: bool,
    next: MqttVersion,
    worked: bool,
    // Connections in a row that were closed after CONNECT without a word.
    hung_up: u8,
}

impl Choice {
    pub(super) fn new(wanted: MqttVersion) -> Self {
        let (fixed, next) = match wanted {
            MqttVersion::Auto => (false, MqttVersion::V5),
            fixed => (true, fixed),
        };
        Self { fixed, next, worked: false, hung_up: 0 }
    }

    /// What to ask for.
    pub(super) fn version(&self) -> MqttVersion {
        self.next
    }

    /// Whether another attempt may be made with another version.
    pub(super) fn undecided(&self) -> bool {
        !self.fixed && !self.worked && self.next == MqttVersion::V5
    }

    /// CONNACK came with success.
    pub(super) fn worked(&mut self) {
        self.worked = true;
        self.hung_up = 0;
    }

    /// CONNECT was refused, or `silent`: the connection was closed instead of an answer. In words what is done about it,
    /// when the other version is tried next.
    pub(super) fn failed(&mut self, failure: &Failure, silent: bool) -> Option<String> {
        if self.fixed || self.worked {
            return None;
        }
        // 3.1.1 section 3.2.2.3; 5.0 section 3.2.2.2.
        let refused = matches!(failure.code, Some(0x01 | 0x84));
        self.hung_up = if silent { self.hung_up + 1 } else { 0 };
        let turn = refused || self.hung_up >= 2;
        match self.next {
            MqttVersion::V5 | MqttVersion::Auto if turn => {
                self.next = MqttVersion::V311;
                self.hung_up = 0;
                let why =
                    if refused { "does not speak MQTT 5" } else { "closes the connection when MQTT 5 is asked for" };
                Some(format!("The broker {why}; MQTT 3.1.1 is used instead."))
            }
            MqttVersion::V311 if turn => {
                // It was not the version, then; ask for the better one again.
                *self = Self::new(MqttVersion::Auto);
                None
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(code: u8) -> Failure {
        Failure { code: Some(code), ..Failure::new("", "", true) }
    }

    #[test]
    fn only_a_refused_version_or_two_silent_ends_lead_to_3_1_1() {
        let silence = Failure::new("", "", false);
        for refusal in [1, 0x84] {
            let mut choice = Choice::new(MqttVersion::Auto);
            assert_eq!(choice.version(), MqttVersion::V5);
            assert!(choice.failed(&code(0x87), false).is_none() && choice.undecided());
            assert!(choice.failed(&code(refusal), false).is_some());
            assert_eq!(choice.version(), MqttVersion::V311);
        }
        let mut choice = Choice::new(MqttVersion::Auto);
        assert!(choice.failed(&silence, true).is_none());
        assert!(choice.failed(&silence, false).is_none(), "the broker was away in between");
        assert!(choice.failed(&silence, true).is_none());
        assert!(choice.failed(&silence, true).is_some());
        // Not the version either.
        assert!(choice.failed(&silence, true).is_none() && choice.failed(&silence, true).is_none());
        assert_eq!(choice.version(), MqttVersion::V5);
    }

    #[test]
    fn what_worked_or_was_fixed_stays() {
        let mut choice = Choice::new(MqttVersion::Auto);
        choice.worked();
        let mut fixed = Choice::new(MqttVersion::V5);
        for _ in 0..3 {
            assert!(choice.failed(&code(1), true).is_none() && fixed.failed(&code(1), true).is_none());
        }
        assert_eq!((choice.version(), fixed.version()), (MqttVersion::V5, MqttVersion::V5));
    }
}
