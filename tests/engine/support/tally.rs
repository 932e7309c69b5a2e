//! What became of numbered messages: lost, twice, out of order. Counts as they arrive and keeps one bit a message, so
//! that millions can be judged. Knows nothing of how they arrive.

use std::collections::HashMap;

/// Numbers seen, by topic. Values are `something-number:rest`, numbers from 0; others are not judged.
#[derive(Default)]
pub(crate) struct Tally(HashMap<String, Lane>);

#[derive(Default)]
struct Lane {
    seen: Vec<u64>,
    distinct: usize,
    twice: usize,
    // Came for the first time after one with a higher number.
    late: usize,
    highest: Option<usize>,
}

/// What became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) messages: usize,
    pub(crate) lost: usize,
    pub(crate) twice: usize,
    pub(crate) out_of_order: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, topic: &str, value: &str) {
        let number = value.split_once(':').and_then(|(head, _)| head.rsplit_once('-')?.1.parse::<usize>().ok());
        let Some(number) = number else { return };
        if !self.0.contains_key(topic) {
            self.0.insert(topic.to_owned(), Lane::default());
        }
        let lane = self.0.get_mut(topic).unwrap();
        let (word, bit) = (number / 64, 1 << (number % 64));
        if lane.seen.len() <= word {
            lane.seen.resize(word + 1, 0);
        }
        if lane.seen[word] & bit != 0 {
            lane.twice += 1;
            return;
        }
        lane.seen[word] |= bit;
        lane.distinct += 1;
        if lane.highest.is_some_and(|highest| number < highest) {
            lane.late += 1;
        } else {
            lane.highest = Some(number);
        }
    }

    /// Judges `topics` × `each` messages.
    pub(crate) fn verdict(&self, topics: usize, each: usize) -> Verdict {
        let messages = topics * each;
        let (mut distinct, mut twice, mut out_of_order) = (0, 0, 0);
        for (topic, lane) in &self.0 {
            assert!(lane.highest.is_none_or(|highest| highest < each), "{topic}: a number that was never published");
            distinct += lane.distinct;
            twice += lane.twice;
            out_of_order += lane.late;
        }
        assert!(self.0.len() <= topics, "{} topics, published were {topics}", self.0.len());
        Verdict { messages, lost: messages - distinct, twice, out_of_order }
    }
}

#[test]
fn a_gap_a_repetition_and_a_late_one_are_told_apart() {
    let mut tally = Tally::default();
    for number in [0, 1, 3, 2, 3, 6] {
        tally.add("load/1", &format!("1-{number}:xx"));
    }
    let expected = Verdict { messages: 14, lost: 9, twice: 1, out_of_order: 1 };
    assert_eq!(tally.verdict(2, 7), expected);
}
