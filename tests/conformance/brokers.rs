//! The suite against the brokers we know. What fails must be known, and what is known must fail.

use super::deviations::{Deviation, EMBEDDED, MOSQUITTO};
use super::packet::Version;
use super::suite::{Target, Verdict, failed, run, table};
use crate::cases;
use crate::support::broker::{FULL, Rig};
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::tap::tap_before;
use std::collections::{BTreeMap, BTreeSet};

/// Prints the results and fails when they are others than the list of deviations says.
fn judge(target: &Target, verdicts: &[Verdict], known: &[Deviation]) {
    println!("{}", table(target, verdicts));
    let failed = failed(verdicts);
    let known: BTreeMap<(Version, &str), &str> =
        known.iter().map(|(version, id, reason)| ((*version, *id), *reason)).collect();
    let new: Vec<_> = failed.iter().filter(|(key, _)| !known.contains_key(*key)).collect();
    let mended: Vec<_> = known.keys().filter(|key| !failed.contains_key(*key)).collect();
    assert!(new.is_empty(), "{}: these fail and are not among the known deviations: {new:#?}", target.name);
    assert!(mended.is_empty(), "{}: these are known deviations and pass: {mended:#?}", target.name);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_broker() {
    let rig = Rig::start().await;
    let target = Target { name: "Embedded broker", addr: rig.addr(), username: "Token", password: FULL };
    judge(&target, &run(&target).await, EMBEDDED);
    rig.broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mosquitto() {
    let broker = Mosquitto::start(&Setup { login: Some(("Token", FULL)), ..Setup::default() });
    let addr = format!("127.0.0.1:{}", broker.port).parse().unwrap();
    let target = Target { name: "Mosquitto", addr, username: "Token", password: FULL };
    judge(&target, &run(&target).await, MOSQUITTO);
}

/// A tap changes nothing: what a broker does, clients behind it see.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mosquitto_behind_a_tap() {
    let broker = Mosquitto::start(&Setup { login: Some(("Token", FULL)), ..Setup::default() });
    let tap = tap_before(broker.port).await;
    let addr = tap.at().address;
    let target = Target { name: "Mosquitto behind a tap", addr, username: "Token", password: FULL };
    judge(&target, &run(&target).await, MOSQUITTO);
    tap.stop().await;
}

#[test]
fn every_statement_is_there_once_and_there_are_many() {
    let mut seen = BTreeSet::new();
    for case in cases::all() {
        for (version, id) in [(Version::V3, case.v3), (Version::V5, case.v5)] {
            assert!(id.is_empty() || seen.insert((version, id)), "{} {id} is there twice", version.name());
        }
    }
    let count = |version| seen.iter().filter(|(of, _)| *of == version).count();
    println!("{} statements of 3.1.1, {} of 5.0", count(Version::V3), count(Version::V5));
    assert!(seen.len() >= 120, "{} statements", seen.len());
}
