//! Every fault a relay meets, as a named test: a real process, a real Mosquitto, and an HTTP server that fails on demand.
//! Each ends with 0 lost, 0 out of order per topic, and a ledger that balances. The lengths stand in `table`; with
//! `RELAYSCOPE_LONG` set the same tests run the long ones (`cargo xtask long`). Linux only where namespaces are needed.
#![cfg(unix)]
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]
#![allow(clippy::print_stdout, reason = "a process of its own answers on its standard output")]

mod backlog;
mod broker;
mod clock;
mod disk;
mod kill;
mod namespace;
mod network;
mod platform;
mod power;
mod process;
mod scene;
mod share;
mod soak;
#[path = "../engine/support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests of the engine")]
mod support;
mod table;
