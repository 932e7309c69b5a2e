//! The file that `relayscope-cli init` writes.

/// A commented file in the official shape. The official relay can read it too.
pub const SAMPLE: &str = r##"# Relayscope reads the same file as TagoIO's own MQTT relay.
# Any setting can also come from the environment, which then counts instead of this file:
#   TAGOIO__RELAY__NETWORK_TOKEN=…   TAGOIO__RELAY__MQTT__ADDRESS=…   TAGOIO__RELAY__MQTT__SUBSCRIBE__1=…

[relay]
# In TagoIO: Integrations, your network, Tokens.
network_token = "Your-Network-Token"
# In TagoIO: Devices, Authorization. It begins with "at".
authorization_token = "Your-Authorization-Token"
# Where your profile lives: https://api.tago.io, https://api.us-e1.tago.io or https://api.eu-w1.tago.io
tagoio_url = "https://api.tago.io"
# Messages from TagoIO to devices come in at http://127.0.0.1:<this port>/publish
downlink_port = 3001

[relay.mqtt]
# Your broker: host name or address only.
address = "localhost"
port = 1883
tls_enabled = false
# Every client of a broker needs an id of its own: two with the same id push each other out.
client_id = "tagoio-relay"
# username = "my-username"
# password = "my-password"
# What is passed on to TagoIO. # stands for any number of levels, + for one.
subscribe = ["/tago/#"]

# With tls_enabled = true: PEM texts between ''' and ''', or paths of files beside this one.
# Without broker_tls_ca the certificate authorities of this computer are trusted.
# broker_tls_ca = "ca.crt"
# broker_tls_cert = "client.crt"
# broker_tls_key = "client.key"

# Only Relayscope reads this table; every line is optional.
# [relay.relayscope]
# name = "TagoIO relay"
# version = "3.1.1"            # or "5"
# transport = "tcp"            # or "tls", "ws", "wss"
# qos = { "/tago/#" = 1 }      # 0 or 2 for a filter; 1 is what all others get
"##;
