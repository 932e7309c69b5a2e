//! Many clients that do nothing: each has one subscription, and stays.

use crate::mqtt::{self, Level};
use crate::publisher::open;
use crate::{Outcome, process};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How many.
#[derive(Clone, clap::Args)]
pub struct Crowd {
    /// Port of the broker.
    #[arg(long)]
    pub broker_port: u16,
    /// Clients.
    #[arg(long)]
    pub clients: u32,
}

/// Says `ready` once all are subscribed, and ends with its standard input.
pub fn run(crowd: &Crowd) -> Outcome<()> {
    process::more_files();
    let all: io::Result<Vec<TcpStream>> = (0..crowd.clients).map(|number| idle(crowd.broker_port, number)).collect();
    let all = all.map_err(|error| format!("A client of the crowd failed: {error}."))?;
    println!("ready");
    let _ = io::stdin().read_to_end(&mut vec![]);
    drop(all);
    Ok(())
}

fn idle(port: u16, number: u32) -> io::Result<TcpStream> {
    let mut stream = open(port, Level::V4, &format!("bench-idle-{number}"), true)?;
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
