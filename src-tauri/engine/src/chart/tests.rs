//! Numbers of payloads become lines: history and what comes later, of one topic and of many.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::feed::event::samples;
use relayscope_domain::filter::SourceKind;

fn event(topic: &str, payload: &[u8]) -> Event {
    Event::now(&"Plant".into(), &"press".into(), None, samples::publish(topic, payload))
}

fn feed(messages: &[(&str, &[u8])]) -> Feed {
    let feed = Feed::new(16 << 20);
    for (topic, payload) in messages {
        feed.record(event(topic, payload));
    }
    feed
}

fn all(chart: &Chart, feed: &Feed) -> Vec<ChartSeries> {
    while !chart.has_read(feed.usage().recorded) {
        chart.look(feed);
    }
    chart.points(ChartSpan::All, 600, None, feed).series
}

fn drawn(line: &ChartLine) -> Vec<f64> {
    line.values.iter().flatten().copied().collect()
}

#[test]
fn a_picked_number_has_its_history_and_goes_on() {
    let feed = feed(&[
        ("plant/1", b"{\"temp\": 20.5, \"on\": true}"),
        ("plant/2", b"{\"temp\": 99}"),
        ("plant/1", b"{\"temp\": 21.5, \"on\": false}"),
        ("plant/1", b"{\"humidity\": 40}"),
        ("plant/1", b"broken"),
    ]);
    let chart = Chart::default();
    let picked = feed.after(0, 1).0.remove(0);
    chart.pick(&picked, "$.temp", None).unwrap();
    chart.pick(&picked, "$.temp", None).unwrap();
    chart.pick(&picked, "$.on", None).unwrap();
    let series = all(&chart, &feed);
    assert_eq!(series.len(), 2, "what is charted already is not charted twice");
    assert_eq!(drawn(&series[0].lines[0]), [20.5, 21.5]);
    assert_eq!(drawn(&series[1].lines[0]), [1.0, 0.0], "switches are 1 and 0");
    assert_eq!((series[0].read, series[0].without), (1.0, 2));
    assert!(series[0].why.as_ref().unwrap().starts_with("There is no $.temp in the payload"), "{:?}", series[0].why);

    feed.record(event("plant/1", b"{\"temp\": \"22.5\"}"));
    let mut elsewhere = event("plant/1", b"{\"temp\": 7}");
    elsewhere.source = "Other".into();
    feed.record(elsewhere);
    assert_eq!(chart.look(&feed), 5);
    let series = all(&chart, &feed);
    assert_eq!(
        (series[0].lines[0].last, series[0].lines[0].count),
        (22.5, 3),
        "numbers as texts count, other places do not"
    );
    assert_eq!(series[0].lines[0].range, Some([20.5, 22.5]));

    chart.remove(Some(series[1].number), None);
    assert_eq!(all(&chart, &feed).len(), 1);
    chart.remove(None, None);
    assert!(chart.is_empty());
}

#[test]
fn only_what_is_new_is_given_to_who_has_the_rest() {
    let feed = feed(&[("t", b"1")]);
    let chart = Chart::default();
    chart.pick(&feed.after(0, 1).0[0], "$", None).unwrap();
    chart.look(&feed);
    let first = chart.points(ChartSpan::Last { seconds: 60 }, 600, None, &feed);
    let known = Some(ChartKnown { revision: first.revision, step: first.step, settled: first.until + 1 });
    feed.record(event("t", b"2"));
    chart.look(&feed);
    let part = chart.points(ChartSpan::Last { seconds: 60 }, 600, known, &feed);
    assert_eq!((part.since, part.revision), (first.until + 1, first.revision));
    let whole = chart.points(ChartSpan::Last { seconds: 300 }, 600, known, &feed);
    assert_eq!((whole.since, drawn(&whole.series[0].lines[0])), (whole.from, vec![1.0, 2.0]), "another step");
    let mut late = event("t", b"3");
    late.at -= Duration::from_secs(20);
    feed.record(late);
    chart.look(&feed);
    let whole = chart.points(ChartSpan::Last { seconds: 60 }, 600, known, &feed);
    assert_eq!((whole.since, drawn(&whole.series[0].lines[0])), (whole.from, vec![3.0, 1.0, 2.0]), "one that is late");
}

#[test]
fn a_filter_has_a_line_for_each_topic_as_far_as_there_is_room() {
    let feed = Feed::new(16 << 20);
    for topic in 0..20 {
        feed.record(event(&format!("plant/{topic}"), b"1.5"));
        let mut other = event(&format!("plant/{topic}"), b"1.5");
        other.source = "Tap".into();
        feed.record(other);
    }
    let chart = Chart::default();
    chart.add("plant/+", "$").unwrap();
    let series = all(&chart, &feed);
    assert_eq!((series[0].lines.len(), series[0].more), (LINES, true));
    assert!(series[0].lines.iter().all(|line| line.count == 1), "a topic counts where it was seen first");
    assert!(matches!(chart.add("other", "$"), Err(ChartError::Full)));
    chart.remove(Some(series[0].number), Some(series[0].lines[3].number));
    let left = all(&chart, &feed);
    assert_eq!(left[0].lines.len(), LINES - 1);
    feed.record(event("plant/3", b"2"));
    assert!(all(&chart, &feed)[0].lines.iter().all(|line| line.topic != "plant/3"), "what was left out stays out");
}

/// Topic, payload, decoder chosen, path, and the number there.
type Case<'a> = (&'a str, &'a [u8], Option<Decoder>, &'a str, f64);

#[test]
fn every_decoder_that_gives_numbers_is_charted() {
    let births = [0x12, 0x0c, 0x0a, 0x04, b'T', b'e', b'm', b'p', 0x10, 0x02, 0x20, 0x03, 0x50, 0x07, 0x18, 0x00];
    let messages: &[Case<'_>] = &[
        ("bare", b" 21.5\n", None, "$", 21.5),
        ("text", b"21.5", Some(Decoder::Text), "$", 21.5),
        ("json", b"{\"a\":[{\"b c\":-2e3}]}", None, "$.a[0][\"b c\"]", -2_000.0),
        ("cbor", &[0xa1, 0x61, b't', 0xf9, 0x4d, 0x60], Some(Decoder::Cbor), "$.t", 21.5),
        ("msgpack", &[0x81, 0xa1, b't', 0x2a], Some(Decoder::MessagePack), "$.t", 42.0),
        ("spBv1.0/G/NBIRTH/E", &births, None, "$.metrics.Temp", 7.0),
    ];
    for (topic, payload, decoder, path, value) in messages {
        let feed = feed(&[(topic, payload)]);
        let chart = Chart::default();
        chart.pick(&feed.after(0, 1).0[0], path, decoder.clone()).unwrap();
        let series = all(&chart, &feed);
        assert_eq!(series[0].why, None, "{topic}");
        assert_eq!(drawn(&series[0].lines[0]), [*value], "{topic}");
    }
    // What a birth told names the metrics of data that has aliases only.
    let data = [0x12, 0x04, 0x10, 0x02, 0x50, 0x09];
    let feed = feed(&[("spBv1.0/G/NBIRTH/E", &births), ("spBv1.0/G/NDATA/E", &data)]);
    let chart = Chart::default();
    chart.pick(&feed.after(1, 1).0[0], "$.metrics.Temp", None).unwrap();
    assert_eq!(drawn(&all(&chart, &feed)[0].lines[0]), [9.0]);
}

#[test]
fn values_of_a_part_of_time_are_written_as_rows() {
    let feed = feed(&[("plant/1", b"1.5"), ("plant/1", b"-2")]);
    let chart = Chart::default();
    let picked = feed.after(0, 1).0.remove(0);
    assert_eq!(picked.origin, SourceKind::App);
    chart.pick(&picked, "$", None).unwrap();
    all(&chart, &feed);
    let mut out = vec![];
    assert_eq!(chart.export(ChartSpan::All, &mut out).unwrap(), 2);
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[0], "at,source,topic,path,value");
    assert!(lines[1].ends_with("Z,Plant,plant/1,$,1.5") && lines[2].ends_with(",$,-2"), "{text}");
    assert_eq!(chart.export(ChartSpan::Between { from: 0, until: 1 }, &mut vec![]).unwrap(), 0);
}
