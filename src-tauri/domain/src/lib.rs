//! Relayscope's pure rules: what a broker, a token, a relay and a message are, what is valid, and what follows from what.
//!
//! This crate neither awaits, nor reads a clock, nor does input or output: time and randomness come in as arguments.
//! It knows nothing of sockets, SQLite, Tauri or the page. The types that derive [`ts_rs::TS`] are also the page's types.

pub mod broker;
pub mod chart;
pub mod decode;
pub mod delivery;
pub mod endpoint;
pub mod fault;
pub mod filter;
pub mod findings;
pub mod id;
pub mod import;
pub mod listener;
pub mod mapping;
pub mod message;
pub mod problem;
pub mod publish;
pub mod relay;
pub mod secret;
pub mod settings;
pub mod tap;
pub mod token;
pub mod topic;
