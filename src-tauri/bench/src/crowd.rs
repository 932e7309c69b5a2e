//! Many clients with one subscription each, that stay: idle, or with a message a second for a while.

use crate::mqtt::{self, Level, TOKEN};
use crate::publisher::open_with;
use crate::{Outcome, payload, process};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// How many, and what they do.
#[derive(Clone, clap::Args)]
pub struct Crowd {
    /// Port of the broker.
    #[arg(long)]
    pub broker_port: u16,
    /// Clients.
    #[arg(long)]
    pub clients: u32,
    /// For so many seconds each publishes once a second at QoS 0, and then says goodbye; 0: they only stay.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=3_600))]
    pub seconds: u32,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 100)]
    pub size: usize,
    /// Their password.
    #[arg(long, default_value = TOKEN)]
    pub token: String,
}

/// Says `ready` once all are subscribed. Idle clients end with the standard input; others with their last message.
pub fn run(crowd: &Crowd) -> Outcome<()> {
    process::more_files();
    let all: io::Result<Vec<TcpStream>> = (0..crowd.clients).map(|number| client(crowd, number)).collect();
    let failed = |error: io::Error| format!("A client of the crowd failed: {error}.");
    let mut all = all.map_err(failed)?;
    println!("ready");
    if crowd.seconds == 0 {
        let _ = io::stdin().read_to_end(&mut vec![]);
    } else {
        publish(crowd, &mut all).map_err(failed)?;
    }
    drop(all);
    Ok(())
}

fn client(crowd: &Crowd, number: u32) -> io::Result<TcpStream> {
    let mut stream = open_with(crowd.broker_port, Level::V4, &format!("bench-crowd-{number}"), true, &crowd.token)?;
    let mut out = Vec::new();
    mqtt::subscribe(&mut out, Level::V4, &format!("idle/{number}"), 0);
    stream.write_all(&out)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    if answer[0] != 0x90 || answer[4] >= 0x80 {
        return Err(io::Error::other("the broker refused a subscription"));
    }
    Ok(stream)
}

/// Every client publishes at its own moment of each second; ends when the broker has read everything.
fn publish(crowd: &Crowd, all: &mut [TcpStream]) -> io::Result<()> {
    let apart = Duration::from_secs(1) / crowd.clients.max(1);
    let content = vec![b'x'; crowd.size];
    let begun = Instant::now();
    let mut out = Vec::new();
    for second in 0..crowd.seconds {
        for (number, stream) in (0_u32..).zip(all.iter_mut()) {
            let due = begun + Duration::from_secs(second.into()) + apart * number;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            out.clear();
            mqtt::publish_head(&mut out, Level::V4, payload::topic(number).as_bytes(), 0, 0, content.len());
            out.extend_from_slice(&content);
            stream.write_all(&out)?;
        }
    }
    for stream in all {
        stream.write_all(&mqtt::DISCONNECT)?;
        // The broker closes once it has read that.
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.read_to_end(&mut vec![])?;
    }
    Ok(())
}
