//! A process that is killed between commit and acknowledgement, or between a delivery and its settlement, may deliver
//! twice; it never loses, and the order of a topic holds.

use crate::harness::{Request, Running, cli, configured, mosquitto, platform};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

const MESSAGES: usize = 1_500;
const KILLS: usize = 3;

/// `mosquitto_pub`, fed with a number every two milliseconds by a thread.
fn publish_numbers(port: u16) -> std::process::Child {
    let mut child = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1", "-t", "/tago/killed", "-l"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("mosquitto_pub is installed");
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    std::thread::spawn(move || {
        for number in 0..MESSAGES {
            writeln!(stdin, "{number}").expect("mosquitto_pub reads");
            pause_between_messages();
        }
    });
    child
}

fn pause_between_messages() {
    std::thread::sleep(Duration::from_millis(2));
}

/// Numbers that arrived, until there are `count` different ones.
fn until_arrived(requests: &Receiver<Request>, numbers: &mut Vec<usize>, count: usize) {
    let end = Instant::now() + Duration::from_secs(60);
    while numbers.iter().max().is_none_or(|highest| highest + 1 < count) {
        let left = end.saturating_duration_since(Instant::now());
        let request = requests.recv_timeout(left).unwrap_or_else(|_| panic!("{} of {count} arrived", numbers.len()));
        numbers.push(request.body[0]["value"].as_str().expect("a text").parse().expect("a number"));
    }
}

#[test]
fn a_killed_process_loses_nothing_and_keeps_the_order() {
    let home = tempfile::tempdir().expect("a folder");
    let (_broker, port) = mosquitto();
    let (url, requests) = platform();
    let config = configured(home.path(), port, &url);
    let start = || {
        let mut relay = Running::spawn(cli(home.path(), &["start", "--config-path", &config.display().to_string()]));
        relay.until_it_runs();
        relay
    };
    let mut relay = start();
    until_subscribed(port, &requests);
    let mut publisher = publish_numbers(port);
    let mut numbers = vec![];
    for kill in 1..=KILLS {
        until_arrived(&requests, &mut numbers, kill * MESSAGES / (KILLS + 2));
        // Dropping it is `kill -9`.
        drop(relay);
        relay = start();
    }
    until_arrived(&requests, &mut numbers, MESSAGES);
    assert!(publisher.wait().expect("it ends").success());
    let mut highest = None;
    let mut twice = 0;
    for number in numbers {
        match highest {
            Some(high) if number <= high => twice += 1,
            _ => {
                assert_eq!(number, highest.map_or(0, |high| high + 1), "a gap or out of order");
                highest = Some(number);
            }
        }
    }
    println!("{twice} of {MESSAGES} came twice after {KILLS} kills");
    drop(relay);
}

/// Publishes until a message comes through: from then on the subscription is there.
fn until_subscribed(port: u16, requests: &Receiver<Request>) {
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end {
        let published = Command::new("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-t", "/tago/first", "-m", "0"])
            .status();
        assert!(published.expect("mosquitto_pub is installed").success());
        if requests.recv_timeout(Duration::from_millis(300)).is_ok() {
            // Others of this kind may still come: they are told apart by being through before the numbers begin.
            while requests.recv_timeout(Duration::from_millis(300)).is_ok() {}
            return;
        }
    }
    panic!("nothing comes through");
}
