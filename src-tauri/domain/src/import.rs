//! The official relay's configuration file (`.tagoio-mqtt-relay.toml`), read as it is found in the wild.
