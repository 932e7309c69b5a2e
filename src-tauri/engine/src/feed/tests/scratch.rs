//! Views that grow with what comes, against a filter that is run from scratch over all that is kept.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn seqs(feed: &Feed, view: u32) -> Vec<u64> {
    let total = feed.frame(view).unwrap().total as usize;
    (0..total).step_by(700).flat_map(|from| feed.rows(view, None, from, 700).unwrap().rows).map(|row| row.seq).collect()
}

/// What happens to a feed and its view.
#[derive(Clone, Debug)]
enum Step {
    Record(u8, u8, u16),
    Pause(bool),
    Filter(usize),
    Tick,
}

const LINES: [&str; 9] = [
    "",
    "kind:publish",
    "-kind:publish",
    "topic:a/#",
    "-topic:a/+ kind:publish",
    "size:>300",
    "x1",
    "client:c2",
    "kind:connect,disconnect",
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0u8..5, 0u8..4, 0u16..600).prop_map(|(kind, who, size)| Step::Record(kind, who, size)),
        1 => any::<bool>().prop_map(Step::Pause),
        1 => (0..LINES.len()).prop_map(Step::Filter),
        1 => Just(Step::Tick),
    ];
    vec(step, 1..400)
}

fn event(kind: u8, who: u8, size: u16) -> Event {
    let client = format!("c{who}");
    match kind {
        0 => connected(&client),
        1 => disconnected(&client),
        2 => note(&format!("x{who}")),
        kind => publish(&client, &format!("a/{}", if kind == 3 { "b" } else { "b/c" }), &vec![b'p'; size.into()], None),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// A budget of about fifty events, so that many are evicted.
    #[test]
    fn the_incremental_view_is_the_filter_run_from_scratch(steps in steps()) {
        let feed = Feed::new(40_000);
        let mut line = "";
        let views = [Look::Feed, Look::Topics, Look::Connections].map(|look| (open(&feed, None, line, look), look));
        let mut frozen = None;
        for step in steps {
            match step {
                Step::Record(kind, who, size) => drop(feed.record(event(kind, who, size))),
                Step::Pause(paused) => {
                    for (view, _) in views {
feed.pause(view, paused);
}
                    frozen = paused.then(|| frozen.unwrap_or(feed.usage().recorded + 1));
                }
                Step::Filter(at) => {
                    line = LINES[at];
                    for (view, look) in views {
open(&feed, Some(view), line, look);
}
                }
                Step::Tick => drop(feed.tick()),
            }
        }
        let filter = filter::compile(&parse(line).unwrap());
        let kept = feed.events();
        let shown = |event: &&Event| frozen.is_none_or(|at| event.seq < at);
        let mut wanted: Vec<&Event> = kept.iter().filter(|event| filter.selects(*event)).collect();
        let all = wanted.len();
        wanted.retain(shown);
        for (view, _) in views {
            let frame = feed.frame(view).unwrap();
            prop_assert_eq!((frame.total as usize, frame.waiting as usize), (wanted.len(), all - wanted.len()), "{}", line);
            prop_assert_eq!(seqs(&feed, view), wanted.iter().rev().map(|event| event.seq).collect::<Vec<_>>());
        }
        let mut by_topic: BTreeMap<String, u32> = BTreeMap::new();
        for event in &wanted {
            if let Kind::Publish { topic, .. } = &event.kind {
                *by_topic.entry(topic.to_string()).or_default() += 1;
            }
        }
        let mut found = BTreeMap::new();
        collect(&feed, views[1].0, None, &mut found);
        prop_assert_eq!(found, by_topic);
        let lives = feed.connections(&ConnectionsRequest { view: views[2].0, from: 0, count: 1_000 }).unwrap();
        prop_assert_eq!(lives.rows.iter().map(|life| life.rows as usize).sum::<usize>(), wanted.len());
        let mut rows: Vec<u64> = vec![];
        for life in &lives.rows {
            let request = ConnectionRowsRequest { view: views[2].0, connection: life.connection, from: 0, count: 1_000 };
            rows.extend(feed.connection_rows(&request).unwrap().rows.iter().map(|titled| titled.row.seq));
        }
        rows.sort_unstable();
        prop_assert_eq!(rows, wanted.iter().map(|event| event.seq).collect::<Vec<_>>());
    }
}

fn collect(feed: &Feed, view: u32, branch: Option<&str>, out: &mut BTreeMap<String, u32>) {
    for (topic, own, below) in topics(feed, view, branch, TopicOrder::Name) {
        assert!(below > 0, "an empty branch stays");
        if own > 0 {
            out.insert(topic.clone(), own);
        }
        if below > own {
            collect(feed, view, Some(&topic), out);
        }
    }
}
