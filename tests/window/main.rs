//! The real window, used as a person does: the built app on a private X server, clicked and typed into over WebDriver.
//!
//! Each test has its own desk (X server, home and data folder), its own app, and, where it needs one, its own
//! Mosquitto; all of it ends with the test. One window is open at a time. Needs Xvfb, WebKitWebDriver and Mosquitto
//! (`cargo xtask test` installs them on Debian and Ubuntu); elsewhere than on Linux there are no such drivers, and no
//! tests.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

mod app;
mod audit;
mod bench;
mod desk;
mod destination;
mod driver;
mod meter;
mod mosquitto;
mod process;
mod sink;
mod steps;
mod tap;
mod wait;

mod accessible;
mod beside;
mod build_by_clicking;
mod charts;
mod crowd;
mod downlink;
mod embedded;
mod filtering;
mod first_run;
mod history;
mod keyboard;
mod letters;
mod load;
mod measure;
mod outage;
mod payload;
mod policy;
mod publish;
mod recordings;
mod restart;
mod screenshots;
mod validation;
