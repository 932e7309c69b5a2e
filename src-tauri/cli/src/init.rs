//! `init`: the sample file, written once and never over another.

use crate::{Failure, say};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// The official relay's name for its file.
pub(crate) const FILE_NAME: &str = ".tagoio-mqtt-relay.toml";

/// Writes the sample to `path`; readable by its owner only, because secrets go into it.
pub(crate) fn init(path: &Path) -> Result<(), Failure> {
    let path = if path.is_dir() { path.join(FILE_NAME) } else { path.to_owned() };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&path).and_then(|mut file| file.write_all(relayscope_domain::import::SAMPLE.as_bytes()));
    match written {
        Ok(()) => {
            let path = path.display();
            say(&format!(
                "Wrote {path}. Put your tokens and your broker in, then: relayscope-cli start --config-path {path}"
            ));
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Failure::usage(format!("{} exists already and was left as it is.", path.display())))
        }
        Err(error) => Err(Failure::usage(format!("{} cannot be written: {error}.", path.display()))),
    }
}
