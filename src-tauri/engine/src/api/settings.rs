//! Commands about the app itself.

use super::wire::*;
use crate::Engine;
use crate::configuration::ChangeError;
use crate::feed::unix_millis;
use relayscope_domain::problem::Problems;
use relayscope_domain::settings::Settings;
use relayscope_domain::token::Region;

pub(super) async fn info(engine: &Engine, (): Nothing) -> Result<AppInfo, ApiError> {
    let settings = engine.store.settings().await?;
    let empty = engine.store.brokers().await?.is_empty() && engine.store.relays().await?.is_empty();
    let mut notices = engine.notices.clone();
    notices.extend(engine.runtime.platform().iter().flat_map(|platform| platform.notices()).cloned());
    Ok(AppInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_dir: engine.data_dir.display().to_string(),
        log_dir: engine.data_dir.join("logs").display().to_string(),
        key_location: engine.key_location.clone(),
        started_at: unix_millis(engine.started_at),
        first_run: empty && !settings.welcomed,
        notices,
    })
}

pub(super) async fn blank(engine: &Engine, (): Nothing) -> Result<Blank, ApiError> {
    Ok(Blank {
        broker: engine.blank_broker(),
        relay: engine.blank_relay(),
        token: engine.blank_token(),
        tap: engine.blank_tap(),
    })
}

pub(super) async fn regions(_engine: &Engine, (): Nothing) -> Result<Vec<RegionChoice>, ApiError> {
    let known = [Region::UsE1, Region::EuW1, Region::Classic, Region::Local];
    let choice = |region: Region| RegionChoice { words: region.words(), url: region.url(), region };
    let own = RegionChoice { region: Region::Own { url: String::new() }, words: "own address".into(), url: None };
    Ok(known.into_iter().map(choice).chain([own]).collect())
}

pub(super) async fn get(engine: &Engine, (): Nothing) -> Result<SettingsView, ApiError> {
    Ok(SettingsView { settings: engine.store.settings().await?, info: info(engine, ()).await? })
}

pub(super) async fn save(engine: &Engine, settings: Settings) -> Result<SettingsView, ApiError> {
    let mut problems = Problems::default();
    if !(16..=4_096).contains(&settings.feed_megabytes) {
        problems.add("feedMegabytes", "The memory budget is a whole number from 16 to 4096 megabytes.");
    }
    if !(1..=256).contains(&settings.packet_megabytes) {
        problems.add("packetMegabytes", "The largest packet is a whole number from 1 to 256 megabytes.");
    }
    if !(10..=1_000_000).contains(&settings.history.megabytes) {
        problems.add("history.megabytes", "The history's budget is a whole number from 10 to 1000000 megabytes.");
    }
    if !(1..=3_650).contains(&settings.history.days) {
        problems.add("history.days", "The history is kept for a whole number of days from 1 to 3650.");
    }
    if !problems.is_empty() {
        return Err(ChangeError::Invalid(problems.into_vec()).into());
    }
    engine.store.save_settings(&settings).await?;
    engine.feed.set_budget(settings.feed_bytes());
    get(engine, ()).await
}

impl Engine {
    /// The doors of the first run were passed.
    pub(super) async fn welcome(&self) -> Result<(), ApiError> {
        let settings = self.store.settings().await?;
        if !settings.welcomed {
            self.store.save_settings(&Settings { welcomed: true, ..settings }).await?;
        }
        Ok(())
    }
}
