//! A benchmark that drives any MQTT relay with the same work: a real Mosquitto, a publisher and an HTTP sink as processes
//! of their own, and the relay that an adapter describes between them. The limits of the machine are measured beside it.

#![cfg(target_os = "linux")]

pub mod adapter;
pub mod bed;
pub mod broker;
pub mod clock;
pub mod command;
pub mod counter;
pub mod crowd;
pub mod embedded;
pub mod front;
pub mod histogram;
pub mod http;
pub mod limits;
pub mod looker;
pub mod mqtt;
pub mod null;
pub mod payload;
pub mod posts;
pub mod process;
pub mod publisher;
pub mod report;
pub mod scenarios;
pub mod sink;
pub mod tally;

/// A sentence for the person who runs the benchmark.
pub type Problem = String;

/// What can fail here fails with a sentence.
pub type Outcome<T> = Result<T, Problem>;
