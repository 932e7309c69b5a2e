//! What the app uses while something goes on: processor time and memory of its page and of itself.

use crate::app::App;
use crate::process::{cpu, family, name, proportional};
use serde_json::Value;
use std::time::{Duration, Instant};

/// What was used before.
pub(crate) struct Meter {
    processes: Vec<(u32, Duration)>,
    begun: Instant,
}

impl Meter {
    pub(crate) fn begin(app: &App<'_>) -> Self {
        let processes = family(app.process()).into_iter().map(|id| (id, cpu(id))).collect();
        Self { processes, begun: Instant::now() }
    }

    /// Percent of a core since the beginning, and MiB now: the page's and the app's own.
    pub(crate) fn words(&self) -> String {
        let lasted = self.begun.elapsed().as_secs_f64();
        let [page, own] = ["WebKitWeb", "relayscope"].map(|wanted| {
            let of = self.processes.iter().filter(|(id, _)| name(*id).starts_with(wanted));
            of.fold((0.0, 0), |(spent, size), (id, before)| {
                (spent + cpu(*id).saturating_sub(*before).as_secs_f64(), size + proportional(*id))
            })
        });
        let share = |spent: f64| spent / lasted * 100.0;
        format!("{:.0}, {:.0} | {}, {}", share(page.0), share(own.0), page.1 / 1_024, own.1 / 1_024)
    }
}

/// The engine's answer to one of the page's commands.
#[track_caller]
pub(crate) fn ask(app: &App<'_>, name: &str, body: &Value) -> Value {
    let answer = app.script(&format!(
        "window.__TAURI_INTERNALS__.invoke('rpc', {{ name: '{name}', body: {body} }})
            .then(done, (error) => done({{ failed: error }}))"
    ));
    assert!(answer.get("failed").is_none(), "{name}: {answer}");
    answer
}
