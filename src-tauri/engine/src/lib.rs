pub mod api { pub mod bindings; pub mod wire; 
use wire::*;
use relayscope_domain::{broker::BrokerDraft, relay::RelayDraft, settings::Settings, token::TokenDraft, topic::FilterCheck};
include!("/tmp/table.rs");
}
