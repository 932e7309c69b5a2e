//! Sealed values and their key. The keychain itself is not asked: a test must not write into a person's.

use relayscope_domain::secret::Secret;
use relayscope_domain::token::{TokenKind, check_value};
use relayscope_engine::secrets::{KeyLocation, SecretError, Vault, generate_token};
use tempfile::TempDir;

fn open(folder: &TempDir) -> Vault {
    let (vault, location) = Vault::open(folder.path(), false, None).unwrap();
    assert_eq!(location, KeyLocation::File);
    vault
}

#[test]
fn a_sealed_value_opens_in_its_row_only() {
    let folder = TempDir::new().unwrap();
    let vault = open(&folder);
    for value in ["", "s3cret", "pässwörd 🔑", &"x".repeat(10_000)] {
        let secret = Secret::new(value);
        let sealed = vault.seal(&secret, b"row-1").unwrap();
        assert!(vault.open_sealed(&sealed, b"row-1").unwrap() == secret);
        assert!(matches!(vault.open_sealed(&sealed, b"row-2"), Err(SecretError::Open)));
        assert!(value.is_empty() || !sealed.windows(value.len()).any(|part| part == value.as_bytes()));
        assert_ne!(sealed, vault.seal(&secret, b"row-1").unwrap(), "each sealing has its own nonce");
    }
}

#[test]
fn damaged_values_are_refused() {
    let folder = TempDir::new().unwrap();
    let vault = open(&folder);
    let sealed = vault.seal(&Secret::new("s3cret"), b"row").unwrap();
    for at in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1;
        assert!(vault.open_sealed(&damaged, b"row").is_err(), "byte {at}");
        assert!(vault.open_sealed(&sealed[..at], b"row").is_err(), "cut at {at}");
    }
}

#[test]
fn the_key_lasts_and_another_folder_has_another() {
    let folder = TempDir::new().unwrap();
    let sealed = open(&folder).seal(&Secret::new("s3cret"), b"row").unwrap();
    let (again, _) = Vault::open(folder.path(), false, Some(KeyLocation::File)).unwrap();
    assert_eq!(again.open_sealed(&sealed, b"row").unwrap().expose(), "s3cret");
    // A key that is there is taken although nothing is recorded: the record may have been lost with the database.
    assert!(open(&folder).open_sealed(&sealed, b"row").is_ok());
    let other = TempDir::new().unwrap();
    assert!(open(&other).open_sealed(&sealed, b"row").is_err());
}

#[test]
fn a_recorded_key_is_never_made_anew() {
    let folder = TempDir::new().unwrap();
    let error = Vault::open(folder.path(), false, Some(KeyLocation::File)).unwrap_err();
    assert!(matches!(error, SecretError::FileLost(_)), "{error}");
    assert!(error.to_string().contains("Put it back"), "{error}");
    let error = Vault::open(folder.path(), false, Some(KeyLocation::Keychain)).unwrap_err();
    assert!(matches!(error, SecretError::KeychainNotAllowed), "{error}");
    assert!(!folder.path().join("key").exists());
}

#[test]
fn a_file_that_is_no_key_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("key"), "not a key\n").unwrap();
    for recorded in [None, Some(KeyLocation::File)] {
        let error = Vault::open(folder.path(), false, recorded).unwrap_err();
        assert!(matches!(error, SecretError::FileUnfit(..)), "{error}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("key")).unwrap(), "not a key\n");
}

#[cfg(unix)]
#[test]
fn the_key_file_is_private_and_repaired_and_never_a_link() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    drop(open(&folder));
    assert_eq!(mode(), 0o600);
    assert!(!folder.path().join("key.new").exists());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let vault = open(&folder);
    assert_eq!(mode(), 0o600);
    assert!(vault.location_words().contains("readable by you only"));

    let linked = TempDir::new().unwrap();
    std::os::unix::fs::symlink(&path, linked.path().join("key")).unwrap();
    let error = Vault::open(linked.path(), false, Some(KeyLocation::File)).unwrap_err();
    assert!(error.to_string().contains("link"), "{error}");
}

#[test]
fn generated_tokens_pass_the_check_of_their_kind() {
    for kind in [TokenKind::Network, TokenKind::Authorization, TokenKind::Device] {
        let token = generate_token(kind);
        assert_eq!(check_value(kind, token.expose()), Ok(()));
        assert!(token != generate_token(kind));
    }
    let authorization = generate_token(TokenKind::Authorization);
    assert!(authorization.expose().starts_with("at") && authorization.expose().len() == 34);
    assert_eq!(generate_token(TokenKind::Network).expose().len(), 36);
}

#[test]
fn locations_are_recorded_and_read_back() {
    for location in [KeyLocation::Keychain, KeyLocation::File] {
        assert_eq!(KeyLocation::parse(location.as_str()), Some(location));
    }
    assert_eq!(KeyLocation::parse("elsewhere"), None);
}

/// The keychain of Linux is reached over D-Bus, whose address a test can point elsewhere: for a process of its own.
#[cfg(target_os = "linux")]
mod keychain {
    use super::*;
    use std::process::Command;
    use std::time::{Duration, Instant};

    const FOLDER: &str = "RELAYSCOPE_TEST_FOLDER";

    fn child(bus: &std::path::Path, folder: &TempDir) -> std::process::Output {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "secrets::keychain::child_opens_the_vault", "--ignored", "--nocapture"])
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", bus.display()))
            .env(FOLDER, folder.path())
            .output()
            .unwrap()
    }

    /// Run by the tests below, in a process of its own.
    #[test]
    #[ignore = "a part of other tests"]
    fn child_opens_the_vault() {
        let Some(folder) = std::env::var_os(FOLDER) else { return };
        let folder = std::path::PathBuf::from(folder);
        let (_, location) = Vault::open(&folder, true, None).unwrap();
        assert_eq!(location, KeyLocation::File);
        std::fs::remove_file(folder.join("key")).unwrap();
        if std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|bus| bus.to_string_lossy().contains("nowhere")) {
            let error = Vault::open(&folder, true, Some(KeyLocation::Keychain)).unwrap_err();
            assert!(matches!(error, SecretError::KeychainUnreachable(_)), "{error}");
            assert!(!folder.join("key").exists(), "no key is made when one is recorded");
        }
    }

    #[test]
    fn without_a_keychain_the_key_goes_to_a_file() {
        let folder = TempDir::new().unwrap();
        let output = child(&folder.path().join("nowhere"), &folder);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn a_keychain_that_hangs_does_not_hang_the_start() {
        let folder = TempDir::new().unwrap();
        let bus = folder.path().join("bus");
        // Accepts, and never says a word.
        let _black_hole = std::os::unix::net::UnixListener::bind(&bus).unwrap();
        let begun = Instant::now();
        let output = child(&bus, &folder);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!((Duration::from_secs(2)..Duration::from_secs(8)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }
}
