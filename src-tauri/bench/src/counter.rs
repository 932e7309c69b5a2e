//! A subscriber that only counts: how fast the broker hands out, and what reached it of what a relay sent down.

use crate::mqtt::{self, Level};
use crate::publisher::open;
use crate::tally::{Seen, Tally};
use crate::{Outcome, clock};
use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::time::Duration;

/// What is counted.
#[derive(Clone, clap::Args)]
pub struct Count {
    /// Port of the broker.
    #[arg(long)]
    pub broker_port: u16,
    /// Filter to subscribe to.
    #[arg(long)]
    pub filter: String,
    /// 0 or 1.
    #[arg(long)]
    pub qos: u8,
    /// Number of the run.
    #[arg(long)]
    pub run: u32,
    /// Topics of the run.
    #[arg(long)]
    pub topics: u32,
    /// Bytes of a payload.
    #[arg(long)]
    pub size: usize,
    /// Ends after so many different messages, or when nothing came for three seconds.
    #[arg(long)]
    pub messages: u64,
}

/// What was counted.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct Counted {
    /// The figures.
    pub seen: Seen,
    /// Numbers of topic 0 that did not come, at most 10,000.
    pub missing: Vec<u32>,
}

/// Says `ready` once subscribed, and [`Counted`] at the end.
pub fn run(count: &Count) -> Outcome<()> {
    let counted = follow(count).map_err(|error| format!("The counting subscriber failed: {error}."))?;
    println!("{}", serde_json::to_string(&counted).map_err(|error| error.to_string())?);
    Ok(())
}

fn follow(count: &Count) -> io::Result<Counted> {
    let mut stream = open(count.broker_port, Level::V5, &format!("bench-counter-{}", count.run), true)?;
    let mut out = Vec::new();
    mqtt::subscribe(&mut out, Level::V5, &count.filter, count.qos);
    stream.write_all(&out)?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut tally = Tally::new(count.run, count.topics, count.size);
    let (mut buffer, mut chunk) = (BytesMut::new(), vec![0; 256 * 1024]);
    let mut heard = clock::now();
    let mut subscribed = false;
    while tally.seen().distinct < count.messages {
        let read = match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // Before the first message the others are still starting.
                let patience = if tally.seen().distinct == 0 { 60.0 } else { 3.0 };
                if clock::seconds(clock::now() - heard) > patience {
                    break;
                }
                continue;
            }
            Err(error) => return Err(error),
        };
        heard = clock::now();
        buffer.extend_from_slice(&chunk[..read]);
        out.clear();
        while let Some(packet) = mqtt::next(&mut buffer)? {
            if mqtt::subscribed(&packet) && !subscribed {
                subscribed = true;
                println!("ready");
            } else if packet.first >> 4 == 3
                && let Some(message) = mqtt::publish(&packet, Level::V5)
            {
                tally.body(&message.payload);
                if message.id > 0 {
                    mqtt::puback(&mut out, message.id);
                }
            }
        }
        stream.write_all(&out)?;
    }
    let missing = tally.missing(u32::try_from(count.messages).unwrap_or(u32::MAX), 10_000);
    Ok(Counted { seen: tally.seen(), missing })
}
