//! The feed narrowed down while messages stream: by typing, by clicks, paused and resumed; and the column of times.

use crate::app::App;
use crate::desk::Desk;
use crate::mosquitto::Mosquitto;
use crate::screenshots::pictures;
use crate::sink::Sink;
use crate::steps::{begin_session, build_relay, build_relay_to};
use crate::wait::{PATIENCE, until};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

/// Opens the menu of a row that has a text, as the right mouse button does.
#[track_caller]
fn menu(app: &App<'_>, words: &str) {
    let row = format!(
        "[...document.querySelectorAll('[data-testid=feed-row]')].find((row) => row.innerText.includes('{words}'))"
    );
    let event = "new MouseEvent('contextmenu', {bubbles: true, cancelable: true, clientX: 400, clientY: 300})";
    until(PATIENCE, &format!("a row with {words:?}"), || {
        app.script(&format!("const row = {row}; row?.dispatchEvent({event}); done(row !== undefined)"))
            .as_bool()?
            .then_some(())
    });
    app.wait_for("menu-only-topic");
}

/// Waits until every row on the screen, and at least one, has a text.
#[track_caller]
fn wait_all(app: &App<'_>, id: &str, words: &str) {
    until(PATIENCE, &format!("only {words:?} in {id}"), || {
        let rows = app.session().elements(&format!("[data-testid='{id}']")).ok()?;
        let texts: Vec<String> = rows.iter().map(|row| row.text()).collect::<Result<_, _>>().ok()?;
        (!texts.is_empty() && texts.iter().all(|text| text.contains(words))).then_some(())
    });
}

#[test]
fn the_feed_is_filtered_paused_and_resumed_while_messages_stream() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    build_relay(&app, &mosquitto);
    app.click("nav-inspector");
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !enough.load(SeqCst) {
                for at in 0..10 {
                    mosquitto.publish_many(&format!("plant/{at}/telemetry/press"), 5);
                }
            }
        });
        // Ends the stream also when something below fails.
        let ended = Ended(&enough);
        app.fill("feed-search", "kind:publish topic:plant/7/#");
        wait_all(&app, "feed-row", "plant/7/telemetry/press");
        app.click("feed-pause");
        app.wait_text("feed-pause", "waiting");
        let first = "done(document.querySelector('[data-testid=feed-row]').dataset.seq)";
        let before = app.script(first);
        app.wait_text("feed-waiting", "events came since the pause");
        assert_eq!(app.script(first), before, "a paused list stands still");
        app.fill("feed-search", "kind:publish topic:plant/2/#");
        wait_all(&app, "feed-row", "plant/2/telemetry/press");
        app.wait_text("feed-pause", "Resume");
        app.click("feed-pause");
        until(PATIENCE, "the list to go on", || (app.script(first).as_str() != before.as_str()).then_some(()));
        app.fill("feed-search", "kind:publish topic:plant/5/#");
        wait_all(&app, "feed-row", "plant/5/telemetry/press");
        menu(&app, "plant/5/telemetry/press");
        app.click("menu-only-topic");
        until(PATIENCE, "the topic as the filter", || {
            let line = app.script("done(document.querySelector('[data-testid=feed-search]').value)");
            (line == "kind:publish topic:plant/5/telemetry/press").then_some(())
        });
        wait_all(&app, "feed-row", "plant/5/telemetry/press");
        drop(ended);
    });
}

struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn topics_and_clients_are_muted_by_click_and_the_column_of_times_is_kept() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    build_relay(&app, &mosquitto);
    app.click("nav-inspector");
    for (plant, value) in [("3", "noise"), ("4", "signal"), ("3", "noise")] {
        mosquitto.publish(&format!("plant/{plant}/telemetry/a"), value);
    }
    app.wait_text("feed-row", "signal");
    menu(&app, "noise");
    pictures(&app, "row-menu");
    app.click("menu-mute-topic");
    app.wait_text("muted", "topic plant/3/telemetry/a");
    let line = "done(document.querySelector('[data-testid=feed-search]').value)";
    assert_eq!(app.script(line), "-topic:plant/3/telemetry/a");
    until(PATIENCE, "the muted topic to go", || {
        let rows = app.script("done(document.querySelector('[data-testid=feed-list]').innerText)");
        let rows = rows.as_str()?.to_owned();
        (rows.contains("signal") && !rows.contains("noise")).then_some(())
    });
    app.click_text("feed-row", "signal");
    app.click("drawer-filter");
    app.click("menu-mute-client");
    until(PATIENCE, "two chips", || (app.session().elements("[data-testid='muted']").ok()?.len() == 2).then_some(()));
    pictures(&app, "muted");
    app.click_text("muted", "client");
    app.click_text("muted", "topic");
    app.wait_gone("muted");
    app.wait_text("feed-row", "noise");

    app.choose("time-column", "Since previous");
    // Two events of the same millisecond have nothing between them.
    let times =
        "done([...document.querySelectorAll('[data-testid=feed-row]')].map((row) => row.innerText[0]).join(''))";
    let shows = |what: &str| until(PATIENCE, what, || app.script(times).as_str()?.contains('+').then_some(()));
    shows("times since the event before");
    pictures(&app, "time-previous");
    app.choose("time-column", "Since start");
    shows("times since the start");
    drop(app);
    let app = App::open(&desk);
    app.click("nav-inspector");
    let chosen = app.wait_for("time-column");
    until(PATIENCE, "the column of times as it was", || (chosen.property("value") == Ok("start".into())).then_some(()));
}

#[test]
fn the_journey_of_a_message_shows_its_retry() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let token = "00000000-0000-0000-0000-0000000c0ffe";
    let sink = Sink::start(token);
    let app = App::open(&desk);
    build_relay_to(&app, &mosquitto, &sink.url(), token);
    app.click("nav-inspector");
    sink.refuse_next(1);
    mosquitto.publish("plant/3/telemetry/press-03", r#"{"temperature": 71.4}"#);
    app.wait_text("feed-row", "retry");
    app.wait_for_css("[data-testid='feed-row'][data-kind='delivered']", Duration::from_secs(30));
    let publish = app.wait_for_css("[data-testid='feed-row'][data-kind='publish']", PATIENCE);
    publish.click().expect("a click on the row");
    app.click("drawer-tab-journey");
    app.wait_text("journey-step", "POST 2");
    let steps = app.session().elements("[data-testid='journey-step']").expect("steps");
    let steps: Vec<String> = steps.iter().map(|step| step.text().expect("a step")).collect();
    let told = steps.join("\n");
    let place = |words: &str| told.find(words).unwrap_or_else(|| panic!("no {words:?} in {told}"));
    assert!(place("received") < place("POST 1") && place("POST 1") < place("503"), "{told}");
    assert!(place("503") < place("POST 2") && place("POST 2") < place("200"), "{told}");
    pictures(&app, "journey-retry");
    assert_eq!(sink.taken(), 1);
}

/// Topics of one branch.
const MANY: usize = 100_000;

#[test]
fn a_hundred_thousand_topics_are_scrolled_sorted_and_chosen_and_listed_to_the_oldest() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    mosquitto.retain("load/050000", "kept");
    let app = App::open(&desk);
    begin_session(&app, &mosquitto, "load/#");
    app.click("subscribe-save");
    app.wait_text("session-filter", "QoS 0");
    app.wait_text("feed-row", "kept");
    let others = (0..MANY).filter(|at| *at != 50_000).map(|at| format!("load/{at:06}"));
    mosquitto.publish_to_each(others, "1");
    app.click("look-topics");
    app.wait_for("topic-row");
    until(Duration::from_secs(60), "every topic to be counted", || {
        let row = app.wait_text("topic-row", "load");
        row.contains("100,000").then_some(())
    });
    app.click("topic-turn");
    app.wait_text("topic-row", "000007");
    let drawn = "done(document.querySelectorAll('[data-testid=topic-row]').length)";
    let scroll = |to: usize| {
        app.script(&format!("document.querySelector('[data-testid=topics]').scrollTop = {to} * 26; done()"));
    };
    scroll(50_000);
    let retained = app.wait_text("topic-row", "050000");
    assert!(retained.contains('R'), "{retained}");
    assert!(app.script(drawn).as_u64().is_some_and(|rows| rows < 100), "only what is on the screen is there");
    // Frames while the list is dragged from end to end.
    let frames = app.script(
        "const list = document.querySelector('[data-testid=topics]');
         const began = performance.now(); let frames = 0;
         const step = () => {
           frames++; list.scrollTop = (frames * 9973 % 100000) * 26;
           if (performance.now() - began < 2000) requestAnimationFrame(step); else done(frames / 2);
         };
         requestAnimationFrame(step)",
    );
    println!("frames a second while a branch of {MANY} topics is scrolled: {frames}");
    scroll(99_990);
    app.wait_text("topic-row", "099999");
    pictures(&app, "topics-100000");
    scroll(0);
    mosquitto.publish_to_each((0..20).map(|_| "load/077777".to_owned()), "2");
    app.click("topics-by-rate");
    let second = "[data-testid='topic-row'][data-topic='load/077777']";
    app.wait_for_css(second, PATIENCE);
    app.click("topics-by-name");
    app.wait_text("topic-row", "000007");
    app.click("topics-by-time");
    app.wait_for_css(second, PATIENCE);
    app.click("topics-by-name");
    app.wait_text("topic-row", "000007");
    app.script("document.querySelector('[data-topic=\"load/000007\"] [data-testid=topic-filter]').click(); done()");
    until(PATIENCE, "the branch as the filter", || {
        let line = app.script("done(document.querySelector('[data-testid=feed-search]').value)");
        (line == "topic:load/000007").then_some(())
    });
    until(PATIENCE, "one topic", || {
        let rows = app.session().elements("[data-testid='topic-row']").ok()?;
        (rows.len() == 1).then_some(())
    });

    // All events in one list: its end is the oldest, and keys go on from there.
    app.click("look-feed");
    app.fill("feed-search", "topic:load/# kind:publish");
    app.click("cap-all");
    let list = "const list = document.querySelector('[data-testid=feed-list]');";
    until(PATIENCE, "the oldest message", || {
        app.script(&format!("{list} list.scrollTop = list.scrollHeight; done()"));
        app.session().elements("[data-testid='feed-row']").ok()?.last()?.text().ok()?.contains("kept").then_some(())
    });
    assert!(app.script(drawn).as_u64() == Some(0) && !app.shows("feed-beyond"));
    app.session().elements("[data-testid='feed-row']").expect("rows").last().expect("a row").click().expect("a click");
    app.wait_for("drawer-meta");
    pictures(&app, "feed-oldest-of-100000");
    app.script(&format!("{list} list.focus(); done()"));
    app.session().press(&["k"]).expect("a key");
    until(PATIENCE, "the row above it", || {
        let rows = app.session().elements("[data-testid='feed-row']").ok()?;
        let above = rows.len().checked_sub(2)?;
        (rows[above].property("ariaSelected") == Ok("true".into())).then_some(())
    });
}
