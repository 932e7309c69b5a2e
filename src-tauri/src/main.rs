//! The desktop app's entry: reads the command line, prepares the environment, opens the window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use relayscope_window::{Options, environment};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    // SAFETY: the first statement of the program; no other thread runs yet.
    unsafe { environment::prepare() };
    match Options::parse(std::env::args_os().skip(1), |name| std::env::var_os(name)) {
        Ok(Options::Open(start)) => relayscope_window::run(start),
        Ok(Options::Say(text)) => say(&mut std::io::stdout(), &text, ExitCode::SUCCESS),
        Err(problem) => {
            say(&mut std::io::stderr(), &format!("relayscope: {problem}\nTry relayscope --help."), ExitCode::from(2))
        }
    }
}

/// Writes a text for whoever started the program from a terminal; without one there is nobody to tell.
fn say(to: &mut dyn Write, text: &str, code: ExitCode) -> ExitCode {
    let _ = writeln!(to, "{text}");
    code
}
