//! Where messages go: TagoIO's HTTP API, and what its answers mean.

pub mod http;
pub mod verify;
