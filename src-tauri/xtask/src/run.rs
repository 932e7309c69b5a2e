//! `cargo xtask run`: from a fresh clone to an open window.

use crate::shell::{cargo, sh};
use crate::{machine, page};

/// Builds and opens the app. Arguments but `--release` go to the app.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let release = args.iter().any(|arg| arg == "--release");
    let args: Vec<&str> = args.iter().map(String::as_str).filter(|arg| *arg != "--release").collect();
    let profile: &[&str] = if release { &["--release"] } else { &[] };
    if !machine::has_display() {
        eprintln!(
            "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set): the live feed follows in the terminal."
        );
        eprintln!("Building relayscope-cli; a first build takes some minutes.");
        let build = [&["build", "--package", "relayscope-cli"], profile].concat();
        sh(&mut cargo(&build))?;
        let watch =
            [&["run", "--quiet", "--package", "relayscope-cli"], profile, &["--", "watch", "--demo"], &args].concat();
        return sh(&mut cargo(&watch));
    }
    machine::ready_to_build()?;
    page::build()?;
    eprintln!("Building the app; a first build takes some minutes.");
    let build = [&["build", "--package", "relayscope"], profile].concat();
    sh(&mut cargo(&build))?;
    eprintln!("Opening the window.");
    let open = [&["run", "--quiet", "--package", "relayscope"], profile, &["--"], &args].concat();
    sh(&mut cargo(&open))
}
