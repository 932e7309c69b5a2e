//! Sealed values: passwords, keys and tokens as they lie in the database, and the data key that opens them.
//!
//! The data key is 32 random bytes, in the operating system's keychain or in `<data folder>/key` with mode 0600. Where it
//! lies is recorded in the database by the caller. Once it is recorded, a missing key is an error and never a reason to
//! make a new one: that would turn every stored secret into noise. A sealed value is bound to its row, so that values
//! can't be swapped. Nothing here knows what a value means.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use rand::TryRngCore;
use relayscope_domain::secret::Secret;
use relayscope_domain::token::TokenKind;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// Where the data key lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyLocation {
    /// In the operating system's keychain.
    Keychain,
    /// In the file `key` of the data folder.
    File,
}

impl KeyLocation {
    /// As it is recorded in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::File => "file",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Keychain, Self::File].into_iter().find(|location| location.as_str() == text)
    }
}

/// Why secrets can't be kept or read. Each is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The key is in the keychain, and the keychain does not answer.
    #[error(
        "The key of the stored secrets is in the system's keychain, which can't be reached ({0}). Unlock the keychain and start again."
    )]
    KeychainUnreachable(String),
    /// The keychain answers, and has no key.
    #[error(
        "The key of the stored secrets is no longer in the system's keychain. If this data folder ({0}) was moved or copied, start from its old place; \
         if the key is lost, choose a new data folder and enter the secrets again."
    )]
    KeychainLost(PathBuf),
    /// The key is in the keychain, which this start does not allow.
    #[error("The key of the stored secrets is in the system's keychain. Start with the keychain allowed.")]
    KeychainNotAllowed,
    /// The key file is gone.
    #[error(
        "The key file {0} is missing, so the stored secrets can't be read. Put it back from a backup, or choose a new data folder and enter the secrets again."
    )]
    FileLost(PathBuf),
    /// The key file is not a plain file, or not a key.
    #[error("The key file {0} can't be used: {1}.")]
    FileUnfit(PathBuf, &'static str),
    /// Reading or writing the key file failed.
    #[error("failed to use the key file {0}")]
    File(PathBuf, #[source] io::Error),
    /// The system gives no random bytes.
    #[error("failed to get random bytes from the system: {0}")]
    Random(String),
    /// Sealing failed.
    #[error("failed to seal a secret")]
    Seal,
    /// The value was sealed under another key or for another row, or is damaged.
    #[error("A stored secret can't be read: it was sealed with another key, or is damaged. Enter it again.")]
    Open,
}

/// Seals and opens secrets.
pub struct Vault {
    cipher: XChaCha20Poly1305,
    location: KeyLocation,
    file: PathBuf,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("location", &self.location).finish_non_exhaustive()
    }
}

const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;
const SERVICE: &str = "relayscope";
const KEYCHAIN_PATIENCE: Duration = Duration::from_secs(3);
/// Somebody reads the question "allow access to the keychain?" and answers it.
const KEYCHAIN_PATIENCE_RECORDED: Duration = Duration::from_secs(30);

type Key = [u8; 32];

impl Vault {
    /// Opens the vault of a data folder. `recorded` is where the database says the key lies; `None` means that nothing
    /// was sealed yet, and only then may a new key be made. The caller records the location that is returned.
    ///
    /// Blocks for up to three seconds while the keychain is asked (thirty when the key is recorded there, because the
    /// system may ask the person first).
    pub fn open(
        data_dir: &Path,
        allow_keychain: bool,
        recorded: Option<KeyLocation>,
    ) -> Result<(Self, KeyLocation), SecretError> {
        let file = data_dir.join("key");
        let (key, location) = match recorded {
            Some(KeyLocation::File) => {
                (read_file(&file)?.ok_or_else(|| SecretError::FileLost(file.clone()))?, KeyLocation::File)
            }
            Some(KeyLocation::Keychain) if !allow_keychain => return Err(SecretError::KeychainNotAllowed),
            Some(KeyLocation::Keychain) => {
                let user = keychain_user(data_dir);
                let found = with_time_out(KEYCHAIN_PATIENCE_RECORDED, move || keychain_get(&user));
                let key = found
                    .map_err(SecretError::KeychainUnreachable)?
                    .ok_or_else(|| SecretError::KeychainLost(data_dir.to_owned()))?;
                (key, KeyLocation::Keychain)
            }
            None => first_key(data_dir, &file, allow_keychain)?,
        };
        Ok((Self { cipher: XChaCha20Poly1305::new((&key).into()), location, file }, location))
    }

    /// Seals a secret for the row that `aad` names: `[version][nonce, 24 bytes][ciphertext and tag]`.
    pub fn seal(&self, secret: &Secret, aad: &[u8]) -> Result<Vec<u8>, SecretError> {
        let nonce: [u8; NONCE] = random()?;
        let payload = Payload { msg: secret.expose().as_bytes(), aad: &bound(aad) };
        let text = self.cipher.encrypt(XNonce::from_slice(&nonce), payload).map_err(|_| SecretError::Seal)?;
        let mut sealed = Vec::with_capacity(1 + NONCE + text.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made for the same row.
    pub fn open_sealed(&self, sealed: &[u8], aad: &[u8]) -> Result<Secret, SecretError> {
        let (&version, rest) = sealed.split_first().ok_or(SecretError::Open)?;
        if version != VERSION || rest.len() < NONCE + TAG {
            return Err(SecretError::Open);
        }
        let (nonce, text) = rest.split_at(NONCE);
        let payload = Payload { msg: text, aad: &bound(aad) };
        let plain = self.cipher.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| SecretError::Open)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| SecretError::Open)
    }

    /// Where the key lies, for the settings page.
    pub fn location_words(&self) -> String {
        match self.location {
            KeyLocation::Keychain => "in the system's keychain".to_owned(),
            KeyLocation::File if cfg!(unix) => format!("in the file {} (readable by you only)", self.file.display()),
            KeyLocation::File => format!("in the file {}", self.file.display()),
        }
    }
}

/// A new token: a UUID for networks and devices, `at` and 32 hexadecimal digits for authorizations, as TagoIO's are.
pub fn generate_token(kind: TokenKind) -> Secret {
    let random = uuid::Uuid::new_v4();
    match kind {
        TokenKind::Network | TokenKind::Device => Secret::new(random.hyphenated().to_string()),
        TokenKind::Authorization => Secret::new(format!("at{}", random.simple())),
    }
}

fn bound(aad: &[u8]) -> Vec<u8> {
    [&[VERSION], aad].concat()
}

fn random<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| SecretError::Random(error.to_string()))?;
    Ok(bytes)
}

/// Nothing was sealed yet: takes a key that is there, else makes one, in the keychain if it answers.
fn first_key(data_dir: &Path, file: &Path, allow_keychain: bool) -> Result<(Key, KeyLocation), SecretError> {
    if let Some(key) = read_file(file)? {
        return Ok((key, KeyLocation::File));
    }
    if allow_keychain {
        let user = keychain_user(data_dir);
        let fresh: Key = random()?;
        match with_time_out(KEYCHAIN_PATIENCE, move || keychain_get_or_set(&user, fresh)) {
            Ok(key) => return Ok((key, KeyLocation::Keychain)),
            Err(reason) => tracing::info!(%reason, "The keychain can't be used; the data key goes to a file."),
        }
    }
    let key = random()?;
    write_file(file, &key)?;
    Ok((key, KeyLocation::File))
}

/// The entry's user: the data folder, hashed, so that each folder has its own key and the keychain shows no path.
fn keychain_user(data_dir: &Path) -> String {
    let path = fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, path.as_os_str().as_encoded_bytes()).simple().to_string()
}

/// Runs a keychain call on a thread of its own. One that never returns is left behind: it holds nothing of ours.
fn with_time_out<T: Send + 'static>(
    patience: Duration,
    call: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    // One answer, sent once; when nobody waits any more it is dropped.
    let (answer, wait) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("keychain".into())
        .spawn(move || drop(answer.send(call())))
        .map_err(|error| error.to_string())?;
    match wait.recv_timeout(patience) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err("no answer in time".to_owned()),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err("the keychain failed".to_owned()),
    }
}

/// The first call in a process connects to the keychain; whether that worked holds for the life of the process.
fn keychain_entry(user: &str) -> Result<keyring::v1::Entry, String> {
    // Asked first, because `new` says only that there is no store, and not why.
    keyring::v1::Entry::store_status().as_ref().map_err(|error| error.to_string())?;
    keyring::v1::Entry::new(SERVICE, user).map_err(|error| error.to_string())
}

fn keychain_get(user: &str) -> Result<Option<Key>, String> {
    match keychain_entry(user)?.get_password() {
        Ok(text) => from_hex(&text).map(Some).ok_or_else(|| "its entry is not a key".to_owned()),
        Err(keyring::v1::Error::NoEntry) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn keychain_get_or_set(user: &str, fresh: Key) -> Result<Key, String> {
    if let Some(key) = keychain_get(user)? {
        return Ok(key);
    }
    keychain_entry(user)?.set_password(&to_hex(&fresh)).map_err(|error| error.to_string())?;
    // Some keychains accept and forget.
    match keychain_get(user)? {
        Some(key) if key == fresh => Ok(key),
        _ => Err("it did not keep the key".to_owned()),
    }
}

fn to_hex(key: &Key) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Key> {
    let text = text.trim();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut key = [0; 32];
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}

fn read_file(path: &Path) -> Result<Option<Key>, SecretError> {
    let failed = |error| SecretError::File(path.to_owned(), error);
    let named = match fs::symlink_metadata(path) {
        Ok(named) => named,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if !named.is_file() {
        return Err(SecretError::FileUnfit(path.to_owned(), "it is a link or no plain file; put the key itself there"));
    }
    let mut file = fs::File::open(path).map_err(failed)?;
    let opened = file.metadata().map_err(failed)?;
    check_and_repair(path, &named, &opened, &file)?;
    let mut text = String::new();
    // A key is 64 digits and a line end; anything longer is something else.
    Read::take(&mut file, 80).read_to_string(&mut text).map_err(failed)?;
    let key = from_hex(&text)
        .ok_or_else(|| SecretError::FileUnfit(path.to_owned(), "it holds no key; put it back from a backup"))?;
    Ok(Some(key))
}

#[cfg(unix)]
fn check_and_repair(
    path: &Path,
    named: &fs::Metadata,
    opened: &fs::Metadata,
    file: &fs::File,
) -> Result<(), SecretError> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    if (named.dev(), named.ino()) != (opened.dev(), opened.ino()) {
        return Err(SecretError::FileUnfit(path.to_owned(), "it was exchanged while it was opened"));
    }
    if opened.permissions().mode() & 0o077 != 0 {
        tracing::warn!("Others could read the key file; its mode is set back to 0600.");
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .map_err(|error| SecretError::File(path.to_owned(), error))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_and_repair(_: &Path, _: &fs::Metadata, _: &fs::Metadata, _: &fs::File) -> Result<(), SecretError> {
    Ok(())
}

/// Writes beside and renames, so that a crash leaves either no key or a whole one.
fn write_file(path: &Path, key: &Key) -> Result<(), SecretError> {
    let failed = |error| SecretError::File(path.to_owned(), error);
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).map_err(failed)?;
    writeln!(file, "{}", to_hex(key)).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)?;
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_keys_survive_the_round_trip() {
        let key: Key = random().unwrap();
        assert_eq!(from_hex(&format!("{}\n", to_hex(&key))), Some(key));
        for bad in ["", "00", &"g".repeat(64), &"é".repeat(32), &"0".repeat(65)] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_call_that_hangs_is_given_up() {
        let (_keep, never) = mpsc::channel::<()>();
        let begun = std::time::Instant::now();
        let result = with_time_out(Duration::from_millis(50), move || never.recv().map_err(|error| error.to_string()));
        assert_eq!(result, Err("no answer in time".to_owned()));
        assert!(begun.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn a_call_that_panics_is_an_error() {
        assert!(
            with_time_out(Duration::from_secs(5), || -> Result<(), String> { std::panic::resume_unwind(Box::new(())) })
                .is_err()
        );
    }
}
