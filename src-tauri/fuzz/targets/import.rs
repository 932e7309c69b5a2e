//! Any text as a configuration file: it is taken or refused with problems, each in words; what is taken can be shown, and
//! no text makes it panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relayscope_domain::import;

fuzz_target!(|text: &str| {
    // Lines such as `#TAGOIO__RELAY__MQTT__PORT=1` are variables of the environment as well.
    let variables = text.lines().filter_map(|line| line.strip_prefix("#TAGOIO__")?.split_once('='));
    let environment: Vec<_> = variables.map(|(name, value)| (format!("TAGOIO__{name}"), value.to_owned())).collect();
    // A file beside the configuration that holds the configuration, or is not there.
    let files = |name: &str| if name.len() % 2 == 0 { Ok(text.to_owned()) } else { Err("is not there".to_owned()) };
    match import::parse_with("fuzzed.toml", text, &environment, &files) {
        Ok(imported) => assert!(!import::preview_lines(&imported).is_empty()),
        Err(problems) => {
            assert!(!problems.is_empty());
            problems.iter().for_each(|problem| assert!(!problem.to_string().is_empty()));
        }
    }
});
