//! What has to be on the machine besides Rust: system packages, Node.js, rustfmt and clippy.

use crate::shell::{cargo, npm, output, sh};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Debian and Ubuntu packages to build the window.
const BUILD: &[&str] = &["libwebkit2gtk-4.1-dev", "pkg-config", "gcc"];
/// Debian and Ubuntu packages the tests use besides. Mosquitto's package also starts a system service on port 1883; the
/// tests start their own on free ports and do not touch it.
const TEST: &[&str] = &[
    "xvfb",
    "xauth",
    "webkit2gtk-driver",
    "mosquitto",
    "mosquitto-clients",
    "tshark",
    "dbus",
    "gnome-keyring",
    "libfaketime",
    "python3-venv",
];
/// Oldest Node.js the page's tools run on.
const NODE: (u32, u32) = (20, 19);

/// Makes sure that the window can be built.
pub(crate) fn ready_to_build() -> Result<(), String> {
    node()?;
    system(BUILD)
}

/// Makes sure that everything can be tested.
pub(crate) fn ready_to_test() -> Result<(), String> {
    components()?;
    node()?;
    system(&[BUILD, TEST].concat())
}

/// Whether windows can be opened here.
pub(crate) fn has_display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn node() -> Result<(), String> {
    let wanted = format!("Node.js {}.{} or newer is needed (https://nodejs.org)", NODE.0, NODE.1);
    let found =
        output(Command::new("node").arg("--version")).ok_or_else(|| format!("{wanted}; there is none on the path"))?;
    if version(&found).is_none_or(|version| version < NODE) {
        return Err(format!("{wanted}; this is {found}"));
    }
    output(&mut npm(&["--version"])).map(drop).ok_or_else(|| "npm is needed; it comes with Node.js".to_owned())
}

/// `v20.19.4` → `(20, 19)`
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim_start_matches('v').split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

fn components() -> Result<(), String> {
    for component in ["fmt", "clippy"] {
        if output(&mut cargo(&[component, "--version"])).is_none() {
            return Err(format!("cargo {component} is missing: rustup component add rustfmt clippy"));
        }
    }
    Ok(())
}

/// Installs missing packages on Debian and Ubuntu; elsewhere on Linux, says what is missing.
fn system(packages: &[&str]) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    if !Path::new("/usr/bin/dpkg-query").exists() {
        return elsewhere();
    }
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("Installing system packages: {}", missing.join(" "));
    if !has_package_lists() {
        apt(&["update"])?;
    }
    let install = [&["install", "-y", "--no-install-recommends"], missing.as_slice()].concat();
    // Lists of yesterday may name versions that are gone; one refresh mends that.
    apt(&install).or_else(|_| apt(&["update"]).and_then(|()| apt(&install)))
}

fn installed(package: &str) -> bool {
    output(Command::new("dpkg-query").args(["-W", "-f=${Status}", package]))
        .is_some_and(|status| status == "install ok installed")
}

fn has_package_lists() -> bool {
    let Ok(lists) = fs::read_dir("/var/lib/apt/lists") else { return false };
    lists.flatten().any(|list| list.file_name().to_string_lossy().contains("_Packages"))
}

fn apt(args: &[&str]) -> Result<(), String> {
    let root = output(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    let mut command = Command::new(if root { "env" } else { "sudo" });
    if !root {
        command.arg("env");
    }
    sh(command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(args))
}

fn elsewhere() -> Result<(), String> {
    if output(Command::new("pkg-config").args(["--exists", "webkit2gtk-4.1"])).is_some() {
        return Ok(());
    }
    Err("WebKitGTK 4.1 with its headers and pkg-config are needed. Fedora: dnf install webkit2gtk4.1-devel gcc pkgconf. \
         Arch: pacman -S webkit2gtk-4.1 base-devel"
        .into())
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn node_versions_are_compared_as_numbers() {
        assert_eq!(version("v20.19.4"), Some((20, 19)));
        assert!(version("v9.99.0") < Some((20, 19)));
        assert_eq!(version("none"), None);
    }
}
