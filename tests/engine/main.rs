//! Tests of the engine through its boundary: real brokers, real clients, real HTTP, real SQLite, on free ports and in
//! temporary folders.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod broker;
mod broker_load;
mod platform;
mod simulator;
mod support;
