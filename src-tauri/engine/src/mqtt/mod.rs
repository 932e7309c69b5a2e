//! The MQTT client: sessions with brokers, how a connection is secured and tested, and what its errors mean in words.
//!
//! Everything here speaks to a broker that runs elsewhere (or to the embedded one as any client would). It knows nothing
//! of relays, queues and destinations.

pub mod address;
pub(crate) mod dial;
pub mod failure;
pub mod link;
pub(crate) mod own_id;
pub mod properties;
pub mod session;
pub mod test;
pub mod tls;
pub mod trust;
pub mod wire;
pub mod words;
