//! What rmqtt fits to each connection, with one correction: a client is given one and a half times its keep-alive
//! (MQTT-3.1.2-24 of 3.1.1, 3.1.2-22 of 5.0), also a short one, up to the next whole second.

use async_trait::async_trait;
use rmqtt::Result;
use rmqtt::codec::types::Publish;
use rmqtt::fitter::{DefaultFitter, Fitter, FitterManager};
use rmqtt::types::{ConnectInfo, Disconnect, FitterType, Id, ListenerConfig};
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;
use std::time::Duration;

/// Makes the fitter of each connection.
pub(super) struct Fitting;

impl FitterManager for Fitting {
    fn create(&self, info: Arc<ConnectInfo>, id: Id, listen: ListenerConfig) -> FitterType {
        Arc::new(Exact(DefaultFitter::new(info, id, listen)))
    }
}

struct Exact(DefaultFitter);

#[async_trait]
impl Fitter for Exact {
    fn keep_alive(&self, seconds: &mut u16) -> Result<u16> {
        self.0.keep_alive(seconds)?;
        Ok(u16::try_from((u32::from(*seconds) * 3).div_ceil(2)).unwrap_or(u16::MAX))
    }

    fn max_mqueue_len(&self) -> usize {
        self.0.max_mqueue_len()
    }

    fn mqueue_rate_limit(&self) -> (NonZeroU32, Duration) {
        self.0.mqueue_rate_limit()
    }

    fn max_inflight(&self) -> NonZeroU16 {
        self.0.max_inflight()
    }

    fn session_expiry_interval(&self, goodbye: Option<&Disconnect>) -> Duration {
        self.0.session_expiry_interval(goodbye)
    }

    fn message_expiry_interval(&self, publish: &Publish) -> Duration {
        self.0.message_expiry_interval(publish)
    }

    fn max_client_topic_aliases(&self) -> u16 {
        self.0.max_client_topic_aliases()
    }

    fn max_server_topic_aliases(&self) -> u16 {
        self.0.max_server_topic_aliases()
    }
}
