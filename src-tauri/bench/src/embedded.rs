//! The engine's embedded broker behind its front, in a process of its own.

use crate::mqtt::{TOKEN, USERNAME};
use crate::{Outcome, process};
use relayscope_domain::broker::Embedded;
use relayscope_domain::id::TokenId;
use relayscope_domain::token::Permission;
use relayscope_engine::broker::{Account, Accounts, BrokerConfig, EmbeddedBroker};
use relayscope_engine::feed::Feed;
use relayscope_engine::fingerprint::Fingerprint;
use std::io::Read;

/// What the broker does.
#[derive(Clone, clap::Args)]
pub struct Run {
    /// Bytes of the feed, MiB.
    #[arg(long, default_value_t = 64)]
    pub feed: usize,
}

/// Prints the port it listens on, and ends with its standard input.
pub fn run(run: &Run) -> Outcome<()> {
    process::more_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| format!("No threads for the broker: {error}."))?;
    let settings = Embedded { port: 0, ..Embedded::default() };
    let config = BrokerConfig::forgetful("bench", settings, Feed::new(run.feed << 20), accounts()?);
    let broker = runtime
        .block_on(EmbeddedBroker::start(config))
        .map_err(|error| format!("The embedded broker does not start: {error}."))?;
    println!("{}", broker.addr().port());
    // Ends when whoever measures it closes the stream; nothing is said on it.
    let _ = std::io::stdin().read_to_end(&mut vec![]);
    runtime.block_on(broker.stop());
    Ok(())
}

fn accounts() -> Outcome<Accounts> {
    let accounts = Accounts::default();
    let account = Account {
        token_id: TokenId(TOKEN.parse().map_err(|error| format!("{TOKEN}: {error}."))?),
        name: USERNAME.to_owned(),
        serial: None,
        permission: Permission::Full,
        expires_at: None,
        last5: TOKEN[TOKEN.len() - 5..].to_owned(),
    };
    accounts.replace([(Fingerprint::of(TOKEN.as_bytes()), account)]);
    Ok(accounts)
}
