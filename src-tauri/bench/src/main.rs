//! The benchmark's command line; everything else is in the library beside it.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    relayscope_bench::command::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("The benchmark reads CPU and memory from /proc and runs on Linux only.");
    ExitCode::from(2)
}
