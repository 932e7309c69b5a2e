//! `cargo xtask …`: sets up the machine, builds, runs and checks. No dependencies, so that it is there in seconds.
//!
//! Every step says what it does before it does it. What is missing is installed where that is possible (Debian and
//! Ubuntu packages, the page's npm packages) and named clearly where it is not.

mod bench;
mod clients;
mod fuzz;
mod long;
mod machine;
mod page;
mod run;
mod shell;
mod test;

use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
cargo xtask run [--release] [arguments of the app]   build and open the window (without a display: the live feed in the terminal)
cargo xtask test                                     every check: format, page, clippy, all tests
cargo xtask long [name] [--soak-seconds N] [--seed N] every fault case at full length, as a table (hours)
cargo xtask fuzz [seconds]                           each fuzz target for some time, 60 s without a number
cargo xtask clients                                  install the MQTT clients the tests use, in target/clients
cargo xtask bindings                                 write ui/src/bindings/api.ts from the command table
cargo xtask measure                                  start-up time and memory of the release app
cargo xtask measure load                             how its window bears 10,000 and 50,000 messages a second (3 minutes)
cargo xtask measure crowd                            the same for a broker inside with 1,000 clients, a message a second each
cargo xtask measure beside                           a relay without and with 10,000 messages a second in the inspector (3 minutes)
cargo xtask bench [--help]                           relays side by side: throughput, latency, faults, with the machine's limits
cargo xtask bench inspect                            the engine with an ad-hoc session and no page
cargo xtask bench feed                               the inspector's feed: events a second, filters over a million, memory
cargo xtask screenshots                              pictures of every place, in target/screenshots and the README's";

fn main() -> ExitCode {
    let started = Instant::now();
    let mut args = std::env::args().skip(1);
    let command = args.next();
    let rest: Vec<String> = args.collect();
    let outcome = match command.as_deref() {
        Some("run") => run::run(&rest),
        Some("test") => test::all(),
        Some("long") => long::long(&rest),
        Some("fuzz") => fuzz::fuzz(&rest),
        Some("clients") => machine::ready_to_test().and_then(|()| clients::install()),
        Some("bindings") => test::bindings(),
        Some("measure") => test::measure(&rest),
        Some("bench") => bench::run(&rest),
        Some("screenshots") => test::screenshots(),
        Some("help" | "--help" | "-h") => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => {
            eprintln!("xtask: done after {}", shell::seconds(started.elapsed()));
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}
