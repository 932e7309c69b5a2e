//! Conformance of MQTT brokers: OASIS 3.1.1 and 5.0 statement by statement, with a client of raw bytes.
#![cfg(unix)]
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the tables are the result")]

mod brokers;
mod cases;
mod client;
mod clients;
mod deviations;
mod malformed;
mod packet;
mod suite;
#[path = "../engine/support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests of the engine")]
mod support;
