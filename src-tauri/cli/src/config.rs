//! Which configuration runs in which data folder: files are read here, and checked by the domain.

use crate::Failure;
use relayscope_domain::endpoint::{EndpointSettings, EndpointTls};
use relayscope_domain::import::{self, Imported};
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

/// What is to be run.
pub(crate) struct Plan {
    /// Data folder.
    pub(crate) data_dir: PathBuf,
    /// Whether the data key may lie in the keychain: in the app's own folder only, where the app put it.
    pub(crate) keychain: bool,
    /// The file's configuration, which replaces the folder's.
    pub(crate) imported: Option<Imported>,
    /// Whether the demo is started.
    pub(crate) demo: bool,
    /// How the file's relays listen for downlinks.
    pub(crate) endpoint: EndpointSettings,
}

/// Decides what runs where; reads and checks the file before anything is started. Without `config_path` the official
/// relay's variable for it counts, unless a folder or the demo was asked for.
pub(crate) fn plan(
    config_path: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    demo: bool,
    unsafe_mode: bool,
) -> Result<Plan, Failure> {
    let from_env = || std::env::var_os("TAGOIO__RELAY__CONFIG_PATH").map(PathBuf::from);
    let config_path = config_path.or_else(|| if demo || data_dir.is_some() { None } else { from_env() });
    let endpoint = endpoint(unsafe_mode);
    let Some(path) = config_path else {
        if unsafe_mode {
            return Err(Failure::usage(
                "--unsafe-mode belongs to --config-path; what the app has configured is changed in its settings.",
            ));
        }
        let keychain = data_dir.is_none() && !demo;
        let data_dir = match data_dir {
            Some(dir) => dir,
            None if demo => default_dir()?.join("headless").join("demo"),
            None => default_dir()?,
        };
        return Ok(Plan { data_dir, keychain, imported: None, demo, endpoint });
    };
    let imported = read(&path)?;
    let data_dir = match data_dir {
        Some(dir) => {
            if relayscope_engine::default_data_dir().is_some_and(|own| same(&own, &dir)) {
                return Err(Failure::usage(format!(
                    "{} is the app's own data folder, and --config-path would replace its configuration; use `relayscope-cli import`, or another --data-dir.",
                    dir.display()
                )));
            }
            dir
        }
        None => default_dir()?.join("headless").join(folder_name(&path)),
    };
    Ok(Plan { data_dir, keychain: false, imported: Some(imported), demo, endpoint })
}

/// In plain HTTP on 127.0.0.1; in the unsafe mode as the official relay's: HTTPS on every address, for everybody.
fn endpoint(unsafe_mode: bool) -> EndpointSettings {
    if !unsafe_mode {
        return EndpointSettings::default();
    }
    EndpointSettings {
        address: Ipv6Addr::UNSPECIFIED.into(),
        tls: EndpointTls::SelfSigned,
        unsafe_mode,
        ..EndpointSettings::default()
    }
}

/// Reads and checks a configuration file; every problem is a line of the failure.
pub(crate) fn read(path: &Path) -> Result<Imported, Failure> {
    let name = path.display().to_string();
    let text = read_text(path).map_err(|why| Failure::usage(format!("{name}: The file {why}.")))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let files = |file: &str| read_text(&folder.join(file));
    import::parse_with(&name, &text, &environment(), &files)
        .map_err(|problems| Failure { code: 2, lines: problems.iter().map(ToString::to_string).collect() })
}

fn read_text(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|_| "is no text in UTF-8".to_owned())
}

/// The variables that are texts; others cannot be ours.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The app's own data folder.
pub(crate) fn default_dir() -> Result<PathBuf, Failure> {
    relayscope_engine::default_data_dir()
        .ok_or_else(|| Failure::usage("This account has no home folder; name a data folder with --data-dir."))
}

fn same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// A folder name that stays the same for the same file: 12 hexadecimal digits of the FNV-1a hash of its full path.
fn folder_name(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let hash = full
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{:012x}", hash >> 16)
}
