//! What the tests stand on.

pub(crate) mod certs;
pub(crate) mod mosquitto;
pub(crate) mod scripted;
