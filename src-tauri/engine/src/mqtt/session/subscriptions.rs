//! Which SUBSCRIBE packets a session's filters make, so that a message that several filters match comes once.

use super::super::link::Limits;
use relayscope_domain::message::Qos;
use relayscope_domain::topic::{covers, overlap};
use std::num::NonZeroU32;
use std::sync::Arc;

// Filters in one SUBSCRIBE packet, and bytes of them when the broker sets no lower limit.
const FILTERS: usize = 50;
const BYTES: usize = 8 * 1024;

/// A filter and the QoS asked for.
pub(super) type Filter = (Arc<str>, Qos);

/// One SUBSCRIBE packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subscribe {
    pub(super) filters: Vec<Filter>,
    /// MQTT 5 only: lets copies of one message be told apart from two messages.
    pub(super) identifier: Option<NonZeroU32>,
}

/// A filter that is not subscribed to, because `by` brings all its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Covered {
    pub(super) filter: Filter,
    pub(super) by: Arc<str>,
}

/// Divides filters into those to subscribe to and those that another covers with at least the same QoS.
pub(super) fn divide(filters: &[Filter]) -> (Vec<Filter>, Vec<Covered>) {
    let (mut wanted, mut covered) = (vec![], vec![]);
    for (at, (filter, qos)) in filters.iter().enumerate() {
        let by = filters.iter().enumerate().find(|(other_at, (other, other_qos))| {
            let both_ways = || covers(filter, other) && qos >= other_qos;
            // Of two that are the same the first stays.
            *other_at != at && covers(other, filter) && other_qos >= qos && (*other_at < at || !both_ways())
        });
        match by {
            Some((_, (by, _))) => covered.push(Covered { filter: (filter.clone(), *qos), by: by.clone() }),
            None => wanted.push((filter.clone(), *qos)),
        }
    }
    // What covers may be covered itself: name the one that is subscribed to.
    for one in &mut covered {
        let stays = wanted.iter().find(|(filter, qos)| covers(filter, &one.filter.0) && *qos >= one.filter.1);
        if let Some((filter, _)) = stays {
            one.by = filter.clone();
        }
    }
    (wanted, covered)
}

/// The packets that subscribe to what [`divide`] left. Filters that overlap get identifiers of their own where the broker
/// knows them.
pub(super) fn packets(wanted: &[Filter], limits: Option<&Limits>) -> Vec<Subscribe> {
    let identifiers = limits.is_some_and(|limits| limits.identifiers);
    let bytes = limits.and_then(|limits| limits.packet_bytes).map_or(BYTES, |most| BYTES.min(most as usize));
    let mut out: Vec<Subscribe> = vec![];
    let (mut together, mut room): (Vec<Filter>, usize) = (vec![], 0);
    let mut alone = vec![];
    for (at, (filter, qos)) in wanted.iter().enumerate() {
        let overlaps = || wanted.iter().enumerate().any(|(other, (name, _))| other != at && overlap(name, filter));
        if identifiers && overlaps() {
            let identifier = u32::try_from(at + 1).ok().and_then(NonZeroU32::new);
            alone.push(Subscribe { filters: vec![(filter.clone(), *qos)], identifier });
            continue;
        }
        // 3: length and options of the filter; 16: the packet's own head.
        let size = filter.len() + 3;
        if !together.is_empty() && (together.len() == FILTERS || room + size + 16 > bytes) {
            out.push(Subscribe { filters: std::mem::take(&mut together), identifier: None });
            room = 0;
        }
        room += size;
        together.push((filter.clone(), *qos));
    }
    if !together.is_empty() {
        out.push(Subscribe { filters: together, identifier: None });
    }
    out.extend(alone);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};

    fn filters(given: &[(&str, Qos)]) -> Vec<Filter> {
        given.iter().map(|(filter, qos)| ((*filter).into(), *qos)).collect()
    }

    fn names(filters: &[Filter]) -> Vec<&str> {
        filters.iter().map(|(filter, _)| &**filter).collect()
    }

    #[test]
    fn covered_filters_are_left_out() {
        let given = filters(&[
            ("plant/1/temp", AtLeastOnce),
            ("plant/+/temp", AtLeastOnce),
            ("plant/#", AtLeastOnce),
            ("plant/2/alarm", ExactlyOnce),
            ("plant/#", AtMostOnce),
            ("$share/g/plant/#", AtLeastOnce),
            ("other", AtMostOnce),
            ("other", AtMostOnce),
        ]);
        let (wanted, covered) = divide(&given);
        assert_eq!(names(&wanted), ["plant/#", "plant/2/alarm", "$share/g/plant/#", "other"]);
        let by: Vec<(&str, &str)> = covered.iter().map(|one| (&*one.filter.0, &*one.by)).collect();
        let expected =
            [("plant/1/temp", "plant/#"), ("plant/+/temp", "plant/#"), ("plant/#", "plant/#"), ("other", "other")];
        assert_eq!(by, expected);
    }

    #[test]
    fn overlapping_filters_get_identifiers_where_there_are_any() {
        let wanted = filters(&[("a/+", AtLeastOnce), ("+/b", AtLeastOnce), ("c", AtLeastOnce)]);
        let plain = packets(&wanted, None);
        assert_eq!((plain.len(), plain[0].filters.len()), (1, 3));
        let limits = Limits { identifiers: true, ..Limits::unknown() };
        let told_apart = packets(&wanted, Some(&limits));
        let ids: Vec<_> =
            told_apart.iter().map(|one| (one.identifier.map(NonZeroU32::get), names(&one.filters))).collect();
        assert_eq!(ids, [(None, vec!["c"]), (Some(1), vec!["a/+"]), (Some(2), vec!["+/b"])]);
    }

    #[test]
    fn many_filters_make_packets_that_the_broker_takes() {
        let many: Vec<Filter> = (0..500).map(|at| (format!("line/{at}/+").into(), AtLeastOnce)).collect();
        assert_eq!(packets(&many, None).len(), 10);
        let limits = Limits { packet_bytes: Some(200), ..Limits::unknown() };
        let small = packets(&many, Some(&limits));
        assert_eq!(small.iter().map(|one| one.filters.len()).sum::<usize>(), 500);
        let sizes = small.iter().map(|one| one.filters.iter().map(|(filter, _)| filter.len() + 3).sum::<usize>());
        assert!(sizes.max().unwrap() <= 184);
    }
}
