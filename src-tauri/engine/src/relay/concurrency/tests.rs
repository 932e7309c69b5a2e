//! How many requests a simulated destination is sent at once.

use super::*;

/// A destination that answers in `alone` at best and `rate` times a second at most, asked as often as the limit allows.
struct Simulated {
    at_once: Concurrency,
    now: Instant,
    alone: f64,
    rate: f64,
}

impl Simulated {
    fn new(alone: f64, rate: f64) -> Self {
        Self { at_once: Concurrency::new(2_000), now: Instant::now(), alone, rate }
    }

    /// The least and the largest limit within these seconds, the moments in which few requests are made left out.
    fn run(&mut self, seconds: f64) -> (usize, usize) {
        let end = self.now + Duration::from_secs_f64(seconds);
        let (mut least, mut largest) = (usize::MAX, 0);
        while self.now < end {
            let limit = self.at_once.limit() as f64;
            let took = self.alone.max(limit / self.rate);
            self.now += Duration::from_secs_f64((1.0 / self.rate).max(took / limit));
            self.at_once.answered(Duration::from_secs_f64(took), true, self.now);
            if self.at_once.back.is_none() {
                least = least.min(self.at_once.limit());
                largest = largest.max(self.at_once.limit());
            }
        }
        (least, largest)
    }
}

#[test]
fn it_grows_while_wanted_and_is_cut_once_a_moment() {
    let now = Instant::now();
    let mut at_once = Concurrency::new(500);
    assert_eq!(at_once.limit(), 16);
    for _ in 0..100 {
        at_once.answered(Duration::from_millis(50), false, now);
    }
    assert_eq!(at_once.limit(), 16, "nobody waited");
    for _ in 0..1_000 {
        at_once.answered(Duration::from_millis(50), true, now);
    }
    assert_eq!(at_once.limit(), 500);
    at_once.overloaded(now);
    at_once.overloaded(now);
    assert_eq!(at_once.limit(), 250);
    for _ in 0..249 {
        at_once.answered(Duration::from_millis(50), true, now);
    }
    assert_eq!(at_once.limit(), 250, "carefully after a cut");
    at_once.answered(Duration::from_millis(50), true, now);
    at_once.answered(Duration::from_millis(50), true, now);
    assert_eq!(at_once.limit(), 251);
    assert_eq!(Concurrency::new(4).limit(), 4);
}

#[test]
fn answers_that_grow_slower_hold_it_back() {
    let now = Instant::now();
    let mut at_once = Concurrency::new(2_000);
    for step in 0..2_000u64 {
        // Each request more makes all slower: the other side has no more to give.
        at_once.answered(Duration::from_micros(500 + 100 * at_once.limit() as u64), true, now);
        assert!(at_once.limit() < 260, "{step}");
    }
}

#[test]
fn it_stays_at_what_the_destination_can_do() {
    // 18,000 a second in 5 ms each: 90 at once are enough, and with 252 all take twice as long and 4 ms.
    let mut simulated = Simulated::new(0.005, 18_000.0);
    let (_, largest) = simulated.run(1.0);
    assert!(largest < 500, "{largest} at the start");
    let (least, largest) = simulated.run(120.0);
    assert!(least >= 90 && largest <= 280, "{least} to {largest}");
}

#[test]
fn a_distant_destination_gets_as_many_as_it_needs() {
    let mut simulated = Simulated::new(0.05, 20_000.0);
    simulated.run(1.0);
    let (least, _) = simulated.run(60.0);
    assert!(least >= 1_000, "{least}");
}

#[test]
fn a_route_that_became_longer_is_learnt() {
    let mut simulated = Simulated::new(0.005, 18_000.0);
    simulated.run(15.0);
    simulated.alone = 0.1;
    simulated.run(60.0);
    let (least, _) = simulated.run(60.0);
    assert!(least >= 500, "{least}");
}
