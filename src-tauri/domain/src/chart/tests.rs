//! Points in order, bounded; least and greatest values survive; gaps and scales.
#![allow(clippy::unwrap_used)]

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn track(points: &[(i64, f64)]) -> Track {
    let mut track = Track::default();
    for (at, value) in points {
        track.add(Point { at: *at, value: *value });
    }
    track
}

/// Least and greatest value of every span, by its number.
fn spans(points: impl Iterator<Item = Point>, step: i64) -> std::collections::BTreeMap<i64, (f64, f64)> {
    let mut spans = std::collections::BTreeMap::new();
    for point in points {
        let range = spans.entry(point.at.div_euclid(step)).or_insert((point.value, point.value));
        *range = (range.0.min(point.value), range.1.max(point.value));
    }
    spans
}

fn values(drawn: &[Drawn]) -> impl Iterator<Item = Point> {
    drawn.iter().filter_map(|drawn| Some(Point { at: drawn.at, value: drawn.value? }))
}

#[test]
fn a_step_divides_a_time_into_as_many_spans_as_wanted_or_a_little_fewer() {
    assert_eq!(step(60_000_000, 1_000), 65_536);
    assert_eq!(step(0, 0), 1);
    assert_eq!(step(i64::MAX, 1), 1 << 62);
}

#[test]
fn points_stand_in_the_order_of_time_and_late_ones_are_told() {
    let mut track = track(&[(10, 1.0), (20, 2.0)]);
    assert!(track.add(Point { at: 15, value: 3.0 }));
    assert!(!track.add(Point { at: 20, value: 4.0 }));
    let order: Vec<i64> = track.points(i64::MIN, i64::MAX).map(|point| point.at).collect();
    assert_eq!(order, [10, 15, 20, 20]);
    assert_eq!((track.count(), track.range()), (4, Some((1.0, 4.0))));
    assert_eq!(track.last().unwrap().value, 4.0);
}

#[test]
fn a_spike_of_one_point_among_a_million_survives_in_bounded_memory() {
    let mut track = Track::default();
    for at in 0..1_000_000 {
        let value = if at == 123_456 { 900.0 } else { f64::from(at % 7) };
        track.add(Point { at: i64::from(at) * 1_000, value });
        assert!(track.points.len() <= MOST);
    }
    let drawn = track.draw(0, i64::MAX, step(1_000_000_000, 600));
    assert!(drawn.len() <= 1_202, "{}", drawn.len());
    let spike = values(&drawn).find(|point| point.value == 900.0).unwrap();
    assert_eq!(spike.at, 123_456_000, "where it stood");
    assert_eq!(track.count(), 1_000_000);
}

#[test]
fn silence_is_a_gap_and_a_slower_rhythm_is_none() {
    let second = 1_000_000;
    let mut points: Vec<(i64, f64)> = (0..20).map(|at| (at * second, 1.0)).collect();
    points.extend((0..20).map(|at| ((120 + at) * second, 1.0)));
    let drawn = track(&points).draw(0, i64::MAX, 1);
    let gaps: Vec<i64> = drawn.iter().filter(|drawn| drawn.value.is_none()).map(|drawn| drawn.at).collect();
    assert_eq!(gaps, [120 * second - 1]);
    let slow: Vec<(i64, f64)> = (0..20).map(|at| (at * 600 * second, 1.0)).collect();
    assert!(track(&slow).draw(0, i64::MAX, 1).iter().all(|drawn| drawn.value.is_some()));
    let coarse = track(&points).draw(0, i64::MAX, 128 * second);
    assert!(coarse.iter().all(|drawn| drawn.value.is_some()), "what a step hides is no gap");
    // The part that is asked for later knows what came before.
    let part = track(&points).draw(120 * second, i64::MAX, 1);
    assert_eq!(part[1], Drawn { at: 120 * second - 1, value: None });
}

#[test]
fn lines_reach_the_edges_of_what_is_looked_at() {
    let points: Vec<(i64, f64)> = (0..10).map(|at| (at * 10, at as f64)).collect();
    let drawn = track(&points).draw(25, 55, 1);
    let ats: Vec<i64> = drawn.iter().map(|drawn| drawn.at).collect();
    assert_eq!(ats, [20, 30, 40, 50, 60]);
    assert!(track(&[]).draw(0, 10, 1).is_empty());
}

#[test]
fn values_of_one_size_share_a_scale_and_others_do_not() {
    let of = |ranges: &[(f64, f64)]| scales(&ranges.iter().map(|range| Some(*range)).collect::<Vec<_>>());
    assert_eq!(of(&[(20.0, 30.0), (18.0, 45.0)]), [0, 0], "two temperatures");
    assert_eq!(of(&[(20.0, 30.0), (1_011.0, 1_015.0), (21.0, 26.0)]), [0, 1, 0], "and a pressure");
    assert_eq!(of(&[(20.0, 30.0), (25.0, 25.0)]), [0, 0], "a set point");
    assert_eq!(of(&[(0.0, 1.0), (0.0, 1_480.0)]), [0, 1], "a switch and a speed");
    assert_eq!(scales(&[None, Some((1.0, 2.0))]), [0, 0]);
}

proptest! {
    #[test]
    fn least_and_greatest_of_every_span_are_drawn(
        points in vec((0i64..50_000, -100i32..100), 1..400),
        shift in 0u32..14,
    ) {
        let points: Vec<(i64, f64)> = points.into_iter().map(|(at, value)| (at, f64::from(value))).collect();
        let track = track(&points);
        let step = 1i64 << shift;
        let drawn = track.draw(i64::MIN, i64::MAX, step);
        let all = points.iter().map(|(at, value)| Point { at: *at, value: *value });
        prop_assert_eq!(spans(values(&drawn), step), spans(all, step));
        prop_assert!(drawn.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }

    #[test]
    fn thinning_changes_no_span_that_is_not_finer(
        steps in vec((0i64..1_000, -1_000i32..1_000), 65..400),
    ) {
        let mut at = 0;
        let mut track = Track::bounded(64);
        let points: Vec<(i64, f64)> = steps.into_iter().map(|(step, value)| {
            at += step;
            (at, f64::from(value))
        }).collect();
        for (at, value) in &points {
            track.add(Point { at: *at, value: *value });
        }
        prop_assert!(track.grain > 0 && track.points.len() < points.len());
        let all = points.iter().map(|(at, value)| Point { at: *at, value: *value });
        for step in [track.grain, track.grain * 8] {
            let drawn = track.draw(i64::MIN, i64::MAX, step);
            prop_assert_eq!(spans(values(&drawn), step), spans(all.clone(), step));
        }
    }
}
