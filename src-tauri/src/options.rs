//! The command line of the desktop app. Pure: arguments and environment come in, a decision goes out.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

const HELP: &str = "Relayscope: MQTT relays to TagoIO, seen live.

Usage: relayscope [--data-dir DIR]

  --data-dir DIR   keep configuration, queue and logs in DIR
                   (also RELAYSCOPE_DATA_DIR; one running app per folder)
  --version        print the version
  --help           print this

The same engine without a window: relayscope-cli --help";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Options {
    /// Open the window.
    Open(Start),
    /// Print a text and end.
    Say(String),
}

/// What the window needs to know before it opens.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Data folder; the platform's own when nothing was said.
    pub data_dir: Option<PathBuf>,
}

impl Options {
    /// Reads arguments (without the program's name); `env` looks up an environment variable. Arguments win.
    pub fn parse(
        args: impl IntoIterator<Item = OsString>,
        env: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, String> {
        let mut start = Start { data_dir: env("RELAYSCOPE_DATA_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from) };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("--data-dir") => start.data_dir = Some(folder(args.next().as_deref())?),
                Some("--version" | "-V") => return Ok(Self::Say(format!("relayscope {}", env!("CARGO_PKG_VERSION")))),
                Some("--help" | "-h") => return Ok(Self::Say(HELP.to_owned())),
                Some(text) if text.starts_with("--data-dir=") => {
                    start.data_dir = Some(folder(text.strip_prefix("--data-dir=").map(OsStr::new))?);
                }
                _ => return Err(format!("unknown argument {}", arg.display())),
            }
        }
        Ok(Self::Open(start))
    }
}

fn folder(given: Option<&OsStr>) -> Result<PathBuf, String> {
    given.filter(|dir| !dir.is_empty()).map(PathBuf::from).ok_or_else(|| "--data-dir needs a folder".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &[&str], env: Option<&str>, expected: Result<Option<&str>, &str>) {
        let parsed = Options::parse(args.iter().map(OsString::from), |_| env.map(OsString::from));
        let expected =
            expected.map(|dir| Options::Open(Start { data_dir: dir.map(PathBuf::from) })).map_err(str::to_owned);
        assert_eq!(parsed, expected, "{args:?} {env:?}");
    }

    #[test]
    fn the_folder_comes_from_the_argument_then_the_environment() {
        check(&[], None, Ok(None));
        check(&[], Some(""), Ok(None));
        check(&[], Some("/e"), Ok(Some("/e")));
        check(&["--data-dir", "/a"], Some("/e"), Ok(Some("/a")));
        check(&["--data-dir=/a"], None, Ok(Some("/a")));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        check(&["--data-dir"], None, Err("--data-dir needs a folder"));
        check(&["--data-dir="], None, Err("--data-dir needs a folder"));
        check(&["--dta"], None, Err("unknown argument --dta"));
    }

    #[test]
    fn version_and_help_are_said() {
        for arg in ["--version", "--help"] {
            assert!(
                matches!(Options::parse([arg.into()], |_| None), Ok(Options::Say(text)) if text.contains("elayscope"))
            );
        }
    }
}
