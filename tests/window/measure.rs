//! What the README says of start-up and memory. Run it with `cargo xtask measure`.

use crate::app::{App, binary};
use crate::desk::Desk;
use crate::process::{Process, family, name, proportional};
use crate::wait::pause;
use std::time::{Duration, Instant};

const STARTS: usize = 5;

#[test]
#[ignore = "measures the release app: cargo xtask measure"]
fn measure() {
    let desk = Desk::new();
    let mut times: Vec<Duration> = (0..STARTS).map(|_| start(&desk)).collect();
    times.sort();
    println!("\n| start to usable window ({STARTS} starts) | ms |\n|---|---:|");
    println!("| first start of the day aside: median | {} |", times[STARTS / 2].as_millis());
    println!("| slowest | {} |", times[STARTS - 1].as_millis());

    let app = Process::start(desk.command(&binary()).arg("--data-dir").arg(desk.data_dir()));
    pause(Duration::from_secs(15));
    println!("\n| memory at rest (proportional set size) | MiB |\n|---|---:|");
    let mut sum = 0;
    for process in family(app.id()) {
        let size = proportional(process);
        sum += size;
        println!("| {} | {} |", name(process), size / 1024);
    }
    println!("| sum | {} |\n", sum / 1024);
}

/// From the request to start the program until its page answers, the driver's own part included.
fn start(desk: &Desk) -> Duration {
    let begun = Instant::now();
    let app = App::launch(desk, &[]);
    app.wait_for("nav-overview");
    begun.elapsed()
}
