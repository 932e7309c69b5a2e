//! Client ids beside the one of a saved connection, for tests and looks: two clients with one id push each other out.

/// What a 3.1.1 broker must accept (MQTT-3.1.3-5); some accept no more.
const SHORT_ID: usize = 23;

/// The connection's id with a suffix, and no longer than every broker accepts if the connection's was not.
pub(crate) fn own_id(base: &str, purpose: &str, random: u16) -> String {
    let suffix = format!("-{purpose}-{random:04x}");
    let base = if base.is_empty() { "relayscope" } else { base };
    let room = if base.len() <= SHORT_ID { SHORT_ID } else { u16::MAX.into() } - suffix.len();
    let mut end = base.len().min(room);
    while !base.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &base[..end])
}

#[cfg(test)]
mod tests {
    use super::own_id;

    #[test]
    fn the_id_is_its_own_and_no_longer_than_needed() {
        for (form, expected) in [
            ("plant-7", "plant-7-test-00ff"),
            ("", "relayscope-test-00ff"),
            ("relayscope-12345678", "relayscope-12-test-00ff"),
            ("a-client-id-that-is-longer-than-23", "a-client-id-that-is-longer-than-23-test-00ff"),
            ("éééééééé", "éééééé-test-00ff"),
        ] {
            assert_eq!(own_id(form, "test", 0xff), expected);
        }
        assert!(own_id(&"x".repeat(65_535), "test", 1).len() <= 65_535);
    }
}
