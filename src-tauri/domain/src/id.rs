//! Identifiers. Each is a UUID in its own type, so that a token can't be handed in where a broker is meant.
//! Configuration uses version 4; a [`MessageId`] is version 7, so that ids sort by the time of receipt.

use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A saved broker, external or embedded.
    BrokerId
);
id!(
    /// A listener of an embedded broker.
    ListenerId
);
id!(
    /// A tap: a listener of ours before a saved broker.
    TapId
);
id!(
    /// A saved network token, authorization or device token.
    TokenId
);
id!(
    /// A relay: source broker, topic mappings, destination.
    RelayId
);
id!(
    /// One message, from its PUBLISH to its last delivery attempt.
    MessageId
);
id!(
    /// An uploaded Protobuf schema.
    SchemaId
);
id!(
    /// A saved binding of a decoder to a topic filter.
    BindingId
);
