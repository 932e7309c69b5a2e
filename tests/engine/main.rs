//! Tests of the engine through its boundary: real brokers, real clients, real HTTP, real SQLite, on free ports and in
//! temporary folders. One binary, one module per subject.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod broker;
mod broker_crowd;
mod broker_front;
mod broker_kept;
mod broker_kept_moves;
mod broker_listeners;
mod broker_load;
mod broker_rules;
mod captures;
mod charts;
mod connection_test;
mod decoders;
mod disk;
mod dressed;
mod embedded;
mod endpoint;
mod endpoint_access;
mod endpoint_limits;
mod endpoint_load;
mod faults;
mod front;
mod front_limits;
mod front_malformed;
mod front_transports;
mod history;
mod inspect;
mod keychain;
mod letters;
mod link;
mod lock;
mod platform;
mod profile;
mod queue;
mod recordings;
mod relay;
mod replay;
mod rules;
mod salvage;
mod secrets;
mod session_words;
mod simulator;
mod store;
#[allow(dead_code, reason = "shared with tests/cases")]
mod support;
mod tap;
mod telemetry;
mod verify;
