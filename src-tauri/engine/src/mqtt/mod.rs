//! The MQTT client: sessions with brokers that are not ours, their TLS, their words, and the connection test.
//! Knows nothing of relays, queues or TagoIO.

pub mod link;
pub mod session;
pub mod test;
pub mod tls;
pub mod words;
