//! What the parts of an engine share: its databases, the feed, what runs, and the way to pages. Cheap to clone, and the same
//! for all who hold it; it decides nothing.

use crate::api::wire::Frame;
use crate::feed::Feed;
use crate::feed::history::History;
use crate::queue::Queue;
use crate::runtime::Runtime;
use crate::store::Store;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::broadcast;

/// What the supervisor, its units and the status reach.
#[derive(Clone)]
pub(crate) struct World {
    /// The folder of all files.
    pub(crate) data_dir: PathBuf,
    pub(crate) store: Store,
    pub(crate) queue: Queue,
    pub(crate) feed: Feed,
    pub(crate) history: History,
    /// Connections of what is asked besides a relay's own requests.
    pub(crate) http: reqwest::Client,
    pub(crate) runtime: Arc<Runtime>,
    /// What is pushed to pages; [`crate::Engine`] says who sends and receives.
    pub(crate) frames: broadcast::Sender<Frame>,
}
