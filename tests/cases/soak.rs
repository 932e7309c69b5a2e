//! Messages flow for a long time while one fault after the other, chosen by a seed, strikes.

use crate::process::Remote;
use crate::scene::{Scene, Traffic};
use crate::support::pause;
use crate::support::sink::Reply;
use crate::table::{lengths, long, words};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::time::{Duration, Instant};

/// Chooses the faults of a long run again.
const SEED: &str = "RELAYSCOPE_SOAK_SEED";

const FAULTS: &[&str] =
    &["refuses", "503", "429", "cuts", "slow", "broker restart", "kill -9", "one topic 500", "silent"];

/// Strikes, lasts, and is gone again.
async fn strike(scene: &mut Scene, fault: &str, lasts: Duration) {
    match fault {
        "refuses" => scene.sink.go_away().await,
        "503" => scene.sink.rule(|_| Reply::Answer(503, "maintenance", vec![])),
        "429" => scene.sink.rule(|_| Reply::Answer(429, "Too many requests", vec![("retry-after", "1")])),
        "cuts" => scene.sink.rule(|_| if rand::random_ratio(1, 100) { Reply::Cut } else { Reply::Take }),
        "slow" => scene.sink.rule(|_| Reply::Late(Duration::from_millis(50))),
        "one topic 500" => scene.sink.rule(|topic| match topic {
            "load/7" => Reply::Answer(500, "parser failed", vec![]),
            _ => Reply::Take,
        }),
        "silent" => scene.sink.rule(|_| Reply::Silence),
        "broker restart" => scene.broker.stop(),
        "kill -9" => scene.relay.process.kill().await,
        other => panic!("no such fault: {other}"),
    }
    pause(lasts).await;
    match fault {
        "refuses" => scene.sink.come_back().await,
        "broker restart" => scene.broker.start_again(),
        "kill -9" => scene.relay = Remote::start(scene.folder.path(), &[]).await,
        _ => scene.sink.rule(|_| Reply::Take),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_faults_one_after_the_other_lose_nothing() {
    let name = "soak with random faults";
    for length in lengths(name) {
        let given = std::env::var(SEED).ok().map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or_else(|| if long() { rand::random_range(0..1_000_000) } else { 7 });
        println!("seed {seed}: {SEED}={seed} chooses the same faults again");
        let mut chance = StdRng::seed_from_u64(seed);
        let mut scene = Scene::start().await;
        scene.sink.only_count();
        let every = Duration::from_millis(if long() { 20_000 } else { 1_000 });
        let traffic = Traffic::lasting(length).ones();
        let publishing = traffic.start(&scene.broker);
        let began = Instant::now();
        let mut struck = 0;
        while began.elapsed() + every < length {
            let next = Instant::now() + every;
            // Silence takes the time-out of a request to get over: too long for the short run.
            let fault = FAULTS[chance.random_range(0..FAULTS.len() - usize::from(!long()))];
            let lasts = every.mul_f64(chance.random_range(0.1..0.6));
            println!("{:>6.1} s: {fault} for {:.1} s", began.elapsed().as_secs_f64(), lasts.as_secs_f64());
            strike(&mut scene, fault, lasts).await;
            struck += 1;
            pause(next.saturating_duration_since(Instant::now())).await;
        }
        let mut healed = scene.heals().await;
        publishing.await.unwrap();
        healed.note = format!("seed {seed}, {struck} faults");
        let messages = traffic.messages();
        scene.ends(name, &words(length), traffic, healed, messages).await;
    }
}
