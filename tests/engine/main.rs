//! Tests of the engine against real brokers, real HTTP servers and real folders: one binary, one module per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod connection_test;
mod lock;
mod secrets;
mod session_words;
mod support;
mod telemetry;
mod verify;
