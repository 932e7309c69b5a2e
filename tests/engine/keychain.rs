//! The data key in a real keychain: a gnome-keyring of the test's own, on a bus of its own, with its files in a temporary
//! folder. Nobody's own keychain is touched. Each scene is a process of its own, because a process connects to the
//! keychain once. Skipped, and said so, where gnome-keyring or D-Bus is not installed.

use crate::support::wait_until;
use relayscope_domain::secret::Secret;
use relayscope_engine::secrets::{KeyLocation, SecretError, Vault};
use relayscope_engine::{Engine, EngineConfig};
use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SCENE: &str = "RELAYSCOPE_TEST_SCENE";
const FOLDER: &str = "RELAYSCOPE_TEST_FOLDER";
const ROW: &[u8] = b"row";

/// A home with a keychain in it, and a data folder.
struct Home(TempDir);

impl Home {
    /// `None`, and said so, where there is nothing to test with.
    fn new() -> Option<Self> {
        for tool in ["dbus-run-session", "dbus-send", "gnome-keyring-daemon"] {
            if Command::new(tool).arg("--version").output().is_err() {
                eprintln!("SKIPPED: {tool} is not installed, so there is no keychain to test with");
                return None;
            }
        }
        let home = TempDir::with_prefix("relayscope-keychain-").unwrap();
        for part in ["data", "run"] {
            DirBuilder::new().mode(0o700).create(home.path().join(part)).unwrap();
        }
        Some(Self(home))
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// Plays a scene in a process of its own, on a new bus.
    fn play(&self, scene: &str) {
        let output = Command::new("dbus-run-session")
            .arg("--")
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "keychain::a_scene", "--ignored", "--nocapture"])
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env("HOME", self.0.path())
            .env("XDG_DATA_HOME", self.0.path().join("share"))
            .env("XDG_RUNTIME_DIR", self.0.path().join("run"))
            .env("GSETTINGS_BACKEND", "memory")
            .env(SCENE, scene)
            .env(FOLDER, self.data())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "scene {scene}: {said}");
    }
}

/// A running gnome-keyring.
struct Keyring(Child);

impl Keyring {
    /// Unlocked, as after logging in.
    fn unlocked() -> Self {
        Self::start(Some("a password"))
    }

    /// There, but nobody has unlocked it.
    fn locked() -> Self {
        Self::start(None)
    }

    fn start(password: Option<&str>) -> Self {
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]).stdin(Stdio::piped()).stdout(Stdio::null());
        command.args(password.map(|_| "--unlock"));
        let mut child = command.spawn().unwrap();
        // To its end: the password is what stands before the end of the input.
        child.stdin.take().unwrap().write_all(password.unwrap_or_default().as_bytes()).unwrap();
        wait_until("the keychain on the bus", || {
            let asked = Command::new("dbus-send")
                .args([
                    "--session",
                    "--print-reply",
                    "--dest=org.freedesktop.DBus",
                    "/",
                    "org.freedesktop.DBus.NameHasOwner",
                ])
                .arg("string:org.freedesktop.secrets")
                .output()
                .unwrap();
            String::from_utf8_lossy(&asked.stdout).contains("boolean true").then_some(())
        });
        Self(child)
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Run by the tests below.
#[test]
#[ignore = "a part of other tests"]
fn a_scene() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    match std::env::var(SCENE).unwrap().as_str() {
        "first start" => first_start(&folder),
        "second start" => second_start(&folder),
        "key deleted" => key_deleted(&folder),
        "locked" => locked(&folder),
        "locked at the first start" => locked_at_the_first_start(&folder),
        "engine" => tokio::runtime::Runtime::new().unwrap().block_on(engine_twice(&folder)),
        other => panic!("no scene is called {other}"),
    }
}

fn sealed(folder: &Path) -> PathBuf {
    folder.with_file_name("sealed")
}

fn first_start(folder: &Path) {
    let _keyring = Keyring::unlocked();
    let (vault, location) = Vault::open(folder, true, None).unwrap();
    assert_eq!((location, vault.location_words().as_str()), (KeyLocation::Keychain, "in the system's keychain"));
    std::fs::write(sealed(folder), vault.seal(&Secret::new("s3cret"), ROW).unwrap()).unwrap();
    // Started again before the place was recorded: the same key, not a second one.
    let (again, location) = Vault::open(folder, true, None).unwrap();
    assert_eq!(location, KeyLocation::Keychain);
    assert!(opens(&again, folder));
}

fn opens(vault: &Vault, folder: &Path) -> bool {
    vault.open_sealed(&std::fs::read(sealed(folder)).unwrap(), ROW).is_ok_and(|secret| secret.expose() == "s3cret")
}

fn second_start(folder: &Path) {
    let _keyring = Keyring::unlocked();
    let (vault, location) = Vault::open(folder, true, Some(KeyLocation::Keychain)).unwrap();
    assert_eq!(location, KeyLocation::Keychain);
    assert!(opens(&vault, folder));
    // Another folder has another key.
    let other = TempDir::new().unwrap();
    let (vault, _) = Vault::open(other.path(), true, None).unwrap();
    assert!(!opens(&vault, folder));
}

fn key_deleted(folder: &Path) {
    // Somebody threw the keychain away.
    std::fs::remove_dir_all(folder.with_file_name("share")).unwrap();
    let _keyring = Keyring::unlocked();
    for _ in 0..2 {
        let error = Vault::open(folder, true, Some(KeyLocation::Keychain)).unwrap_err();
        assert!(matches!(&error, SecretError::KeychainLost(of) if of == folder), "{error}");
        let words = error.to_string();
        assert!(words.contains("no longer in the system's keychain") && words.contains("enter the secrets again"));
    }
}

fn locked(folder: &Path) {
    let _keyring = Keyring::locked();
    let begun = Instant::now();
    let error = Vault::open(folder, true, Some(KeyLocation::Keychain)).unwrap_err();
    eprintln!("{error} ({:?})", begun.elapsed());
    assert!(matches!(error, SecretError::KeychainUnreachable(_)), "{error}");
    assert!(error.to_string().contains("Unlock the keychain and start again"), "{error}");
}

fn locked_at_the_first_start(folder: &Path) {
    let _keyring = Keyring::locked();
    let (vault, location) = Vault::open(folder, true, None).unwrap();
    assert_eq!(location, KeyLocation::File);
    assert!(vault.location_words().contains("readable by you only"));
}

async fn engine_twice(folder: &Path) {
    use relayscope_engine::api;
    let _keyring = Keyring::unlocked();
    let start = async || {
        let config = EngineConfig { data_dir: folder.to_owned(), keychain: true, idle: false };
        Engine::start(config).await
    };
    let stop = async |engine: Engine| engine.shutdown(Duration::from_secs(20)).await;
    let engine = start().await.unwrap();
    let draft = serde_json::json!({
        "id": null, "name": "Plant", "kind": "network", "region": {"kind": "local"},
        "value": {"kind": "generate"}, "serial": "", "permission": "full",
    });
    let token = api::call(&engine, "tokens.save", draft).await.unwrap();
    let id = &token["token"]["id"];
    let shown = api::call(&engine, "tokens.reveal", serde_json::json!({"id": id})).await.unwrap();
    stop(engine).await;
    let engine = start().await.unwrap();
    assert_eq!(api::call(&engine, "tokens.reveal", serde_json::json!({"id": id})).await.unwrap(), shown);
    stop(engine).await;
    assert!(!folder.join("key").exists());
}

#[test]
fn the_key_goes_into_the_keychain_and_comes_back() {
    let Some(home) = Home::new() else { return };
    home.play("first start");
    assert!(!home.data().join("key").exists());
    home.play("second start");
    assert!(!home.data().join("key").exists());
}

#[test]
fn a_key_that_is_no_longer_in_the_keychain_is_told_and_never_made_anew() {
    let Some(home) = Home::new() else { return };
    home.play("first start");
    home.play("key deleted");
    assert!(!home.data().join("key").exists());
}

#[test]
fn a_locked_keychain_is_told_and_no_key_is_made() {
    let Some(home) = Home::new() else { return };
    home.play("first start");
    home.play("locked");
    assert!(!home.data().join("key").exists());
    // Unlocked again, everything is as it was.
    home.play("second start");
}

#[test]
fn a_keychain_that_is_locked_at_the_first_start_leaves_the_key_to_a_file() {
    let Some(home) = Home::new() else { return };
    // It is there, with something in it, so that it must be unlocked and not made.
    home.play("first start");
    std::fs::remove_file(home.0.path().join("sealed")).unwrap();
    home.play("locked at the first start");
    assert!(home.data().join("key").exists());
}

#[test]
fn an_engine_keeps_its_secrets_under_the_keychains_key() {
    let Some(home) = Home::new() else { return };
    home.play("engine");
}
