//! Topics and topic filters: what is valid, and what matches what (MQTT 5.0 section 4.7; 3.1.1 section 4.7).

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The longest topic or filter MQTT can carry, in UTF-8 bytes (MQTT 5.0 section 1.5.4).
pub const MAX_TOPIC_BYTES: usize = 65_535;

/// What the relay form shows under a filter while it is typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FilterCheck {
    /// What is wrong, or nothing.
    pub problem: Option<String>,
    /// Topics that this filter matches.
    pub matches: Vec<String>,
    /// Near misses that it does not match.
    pub misses: Vec<String>,
}

fn valid_text(text: &str, what: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("{what} is empty; enter at least one character."));
    }
    if text.len() > MAX_TOPIC_BYTES {
        return Err(format!("{what} has {} bytes; MQTT allows {MAX_TOPIC_BYTES}.", text.len()));
    }
    if text.contains('\0') {
        return Err(format!("{what} contains the character U+0000, which MQTT forbids."));
    }
    Ok(())
}

/// Checks a topic that something is published to (MQTT-3.3.2-2, MQTT-4.7.3-1).
pub fn check_topic(topic: &str) -> Result<(), String> {
    valid_text(topic, "The topic")?;
    match topic.find(['+', '#']) {
        Some(at) => {
            Err(format!("The topic contains the wildcard “{}”; wildcards are for filters only.", &topic[at..=at]))
        }
        None => Ok(()),
    }
}

/// Checks a topic filter, `$share/group/filter` included (MQTT-4.7.1-1, MQTT-4.7.1-2, MQTT 5.0 section 4.8.2).
pub fn check_filter(filter: &str) -> Result<(), String> {
    valid_text(filter, "The filter")?;
    let plain = if filter == "$share" || filter.starts_with("$share/") {
        let Some((group, rest)) = filter["$share".len()..].strip_prefix('/').and_then(|rest| rest.split_once('/'))
        else {
            return Err("A shared subscription is written $share/group/filter.".into());
        };
        if group.is_empty() || group.contains(['+', '#']) {
            return Err("The group of a shared subscription has at least one character and no wildcard.".into());
        }
        if rest.is_empty() {
            return Err("After $share/group/ stands the filter itself.".into());
        }
        rest
    } else {
        filter
    };
    let last = plain.split('/').count() - 1;
    for (at, level) in plain.split('/').enumerate() {
        if level.contains('#') && level != "#" {
            return Err(format!("“{level}”: the wildcard # must stand alone in its level, as in plant/#."));
        }
        if level == "#" && at != last {
            return Err("The wildcard # must be the last level, as in plant/#.".into());
        }
        if level.contains('+') && level != "+" {
            return Err(format!("“{level}”: the wildcard + must stand alone in its level, as in plant/+/temp."));
        }
    }
    Ok(())
}

/// Whether `filter` matches `topic` (MQTT 5.0 section 4.7). A shared subscription matches as its inner filter.
pub fn matches(filter: &str, topic: &str) -> bool {
    let filter = match filter.strip_prefix("$share/") {
        Some(rest) => rest.split_once('/').map_or("", |(_, inner)| inner),
        None => filter,
    };
    // MQTT-4.7.2-1: a wildcard in the first level does not reach topics that begin with $.
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        if wanted == "#" {
            return true;
        }
        match levels.next() {
            Some(level) if wanted == "+" || wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// Whether a filter names no level at all, as `#`, `+/#` and `$share/g/#` do: what a broker has, comes.
pub fn takes_everything(filter: &str) -> bool {
    let plain = match filter.strip_prefix("$share/") {
        Some(rest) => rest.split_once('/').map_or("", |(_, inner)| inner),
        None => filter,
    };
    plain.ends_with('#') && plain.split('/').all(|level| level == "+" || level == "#")
}

/// Whether `filter` matches every topic that `other` matches. A shared subscription neither covers nor is covered: its
/// messages go to one member of its group only.
pub fn covers(filter: &str, other: &str) -> bool {
    if is_shared(filter) || is_shared(other) {
        return false;
    }
    // MQTT-4.7.2-1: a wildcard in the first level does not reach topics that begin with $.
    if other.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    // The same topics, and comparable level by level.
    let other = if other == "#" { "+/#" } else { other };
    let mut narrow = other.split('/');
    for wanted in filter.split('/') {
        match (wanted, narrow.next()) {
            ("#", _) => return true,
            ("+", Some(level)) if level != "#" => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    narrow.next().is_none()
}

/// Whether some topic matches both filters. Shared subscriptions overlap with nothing, for the same reason as in
/// [`covers`].
pub fn overlap(one: &str, other: &str) -> bool {
    if is_shared(one) || is_shared(other) {
        return false;
    }
    let wild = |filter: &str| filter.starts_with(['+', '#']);
    if (one.starts_with('$') && wild(other)) || (other.starts_with('$') && wild(one)) {
        return false;
    }
    let (mut left, mut right) = (one.split('/'), other.split('/'));
    loop {
        match (left.next(), right.next()) {
            (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
            (Some(a), Some(b)) if a == b || a == "+" || b == "+" => {}
            _ => return false,
        }
    }
}

fn is_shared(filter: &str) -> bool {
    filter.starts_with("$share/")
}

/// Examples for the relay form: what a valid filter matches, and what it just misses.
pub fn explain(filter: &str) -> FilterCheck {
    if let Err(problem) = check_filter(filter) {
        return FilterCheck { problem: Some(problem), matches: vec![], misses: vec![] };
    }
    let inner = filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/')).map_or(filter, |(_, inner)| inner);
    let fill = |deep: &str| -> String {
        let levels: Vec<&str> = inner
            .split('/')
            .filter_map(|level| match level {
                "+" => Some("sensor-07"),
                "#" if deep.is_empty() => None,
                "#" => Some(deep),
                other => Some(other),
            })
            .collect();
        levels.join("/")
    };
    let mut candidates = vec![fill("temp"), fill("line-2/temp"), fill("")];
    candidates.retain(|topic| !topic.is_empty());
    candidates.dedup();
    let mut misses =
        vec![format!("{}/more", fill("temp")), format!("other/{}", fill("temp")), "$SYS/uptime".to_owned()];
    misses.retain(|topic| !matches(filter, topic));
    misses.truncate(2);
    let mut found: Vec<String> = vec![];
    for topic in candidates {
        if matches(filter, &topic) && !found.contains(&topic) {
            found.push(topic);
        }
    }
    FilterCheck { problem: None, matches: found, misses }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether a topic matches, level by level, in the words of MQTT 5.0 section 4.7.1: “#” stands for the parent level
    /// and any number of child levels (4.7.1.2), “+” for exactly one level (4.7.1.3), and a filter that begins with a
    /// wildcard does not match a topic that begins with “$” (4.7.2).
    fn reference(filter: &[&str], topic: &[&str]) -> bool {
        fn levels(filter: &[&str], topic: &[&str]) -> bool {
            match (filter, topic) {
                (["#"], _) => true,
                ([], []) => true,
                ([], _) | (_, []) => filter == ["#"],
                ([wanted, filter @ ..], [level, topic @ ..]) => {
                    (*wanted == "+" || wanted == level) && levels(filter, topic)
                }
            }
        }
        let by_wildcard = matches!(filter.first(), Some(&("#" | "+")));
        let reserved = topic.first().is_some_and(|level| level.starts_with('$'));
        !(by_wildcard && reserved) && levels(filter, topic)
    }

    fn level() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["", "a", "b", "ab", "$a", "é", "A"])
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn filters_match_as_a_reference_does(
            mut filter in prop::collection::vec(prop_oneof![2 => level(), 1 => Just("+")], 1..5),
            all in any::<bool>(),
            topic in prop::collection::vec(level(), 1..5),
        ) {
            if all {
                filter.push("#");
            }
            prop_assume!(filter != [""] && topic != [""]);
            let (written, name) = (filter.join("/"), topic.join("/"));
            prop_assert_eq!(matches(&written, &name), reference(&filter, &topic), "{} against {}", written, name);
        }
    }

    #[test]
    fn filters_match_as_the_specification_says() {
        let cases = [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/#", "sport", true),
            ("#", "sport", true),
            ("#", "$SYS/uptime", false),
            ("+/monitor/Clients", "$SYS/monitor/Clients", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("home/+/temperature", "home/kitchen/temperature", true),
            ("home/+/temperature", "home/office/ac/temperature", false),
            ("$share/g/a/+", "a/b", true),
            ("a", "A", false),
        ];
        for (filter, topic, expected) in cases {
            assert_eq!(matches(filter, topic), expected, "{filter} against {topic}");
        }
    }

    const FILTERS: [&str; 18] = [
        "#", "+", "a", "a/#", "a/+", "a/b", "a/+/c", "a/b/c", "a/b/#", "+/b", "+/+", "+/b/#", "/", "/+", "$SYS/#",
        "$SYS/+", "$SYS/a", "+/#",
    ];

    /// Topics of up to three levels, of everything that the filters tell apart.
    fn topics() -> Vec<String> {
        let levels = ["", "a", "b", "c", "x", "$SYS"];
        let mut out: Vec<String> = vec![];
        for one in levels {
            out.push(one.to_owned());
            for two in levels {
                out.push(format!("{one}/{two}"));
                out.extend(levels.map(|three| format!("{one}/{two}/{three}")));
            }
        }
        out.retain(|topic| !topic.is_empty());
        out
    }

    #[test]
    fn covering_and_overlapping_are_what_matching_says() {
        let topics = topics();
        for one in FILTERS {
            for other in FILTERS {
                let both = topics.iter().any(|topic| matches(one, topic) && matches(other, topic));
                assert_eq!(overlap(one, other), both, "{one} and {other}");
                let all = topics.iter().all(|topic| !matches(other, topic) || matches(one, topic));
                assert_eq!(covers(one, other), all, "{one} over {other}");
            }
        }
        for (one, other) in [("$share/g/a", "a"), ("#", "$share/g/a"), ("$share/g/a", "$share/g/a")] {
            assert!(!covers(one, other) && !overlap(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn filters_without_a_named_level_take_everything() {
        for (filter, all) in [
            ("#", true),
            ("+/#", true),
            ("+/+/#", true),
            ("$share/g/#", true),
            ("+", false),
            ("/#", false),
            ("plant/#", false),
            ("$SYS/#", false),
        ] {
            assert_eq!(takes_everything(filter), all, "{filter}");
        }
    }

    #[test]
    fn malformed_filters_are_refused() {
        for bad in
            ["", "a/#/b", "a#", "a/b+", "+a", "$share", "$share/", "$share/g", "$share/g/", "$share/+/a", "a\0b", "##"]
        {
            assert!(check_filter(bad).is_err(), "{bad:?} passed");
        }
        for good in ["#", "+", "a/+/b/#", "/", "$share/g/#", "a b", "é/+"] {
            assert_eq!(check_filter(good), Ok(()), "{good:?}");
        }
        assert!(check_filter(&"x".repeat(MAX_TOPIC_BYTES + 1)).is_err());
        assert!(check_topic("a/+").is_err() && check_topic("").is_err() && check_topic("a/b").is_ok());
    }

    #[test]
    fn examples_are_true() {
        for filter in ["plant/+/temp", "#", "a", "a/#", "$share/g/plant/+", "+/+/x/#", "/"] {
            let check = explain(filter);
            assert!(check.problem.is_none() && !check.matches.is_empty(), "{filter}: {check:?}");
            assert!(check.matches.iter().all(|topic| matches(filter, topic)), "{check:?}");
            assert!(check.misses.iter().all(|topic| !matches(filter, topic)), "{check:?}");
        }
    }
}
