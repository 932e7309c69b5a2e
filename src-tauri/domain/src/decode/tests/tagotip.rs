//! TagoTiP: push, pull and ack bodies, and mistakes.

use super::super::path;
use super::*;

fn read(topic: &str, body: &str) -> Result<Decoded, DecodeError> {
    let (schemas, aliases) = (Schemas::default(), Aliases::default());
    let context = Context { topic, schemas: &schemas, aliases: &aliases, limits: Limits::default() };
    let decoded = decode(&Decoder::Tagotip, body.as_bytes(), &context);
    if let Ok(decoded) = &decoded {
        sound(decoded, &Limits::default(), body.len());
    }
    decoded
}

#[test]
fn a_push_is_read() {
    let body = r"!42|^grp[temp:=32.5#C@1694567890000^g2{src=dht,a=b};on?=true;s=a\;b;pos@=40.7,-74,10]";
    let push = read("$tip/sn1/push", body).unwrap();
    assert_eq!((at(&push, "$.counter"), at(&push, "$.group")), ("42", "grp"));
    assert_eq!(path::number(&push.root, "$.variables.temp"), Some(32.5));
    assert_eq!(note(&push, "$.variables.temp"), "number, C");
    assert_eq!(at(&push, "$.variables.temp.unit"), "C");
    assert_eq!(note(&push, "$.variables.temp.time"), "2023-09-13T01:18:10.000Z");
    assert_eq!((at(&push, "$.variables.temp.group"), at(&push, "$.variables.temp.metadata.src")), ("g2", "dht"));
    assert_eq!((at(&push, "$.variables.on"), at(&push, "$.variables.s")), ("true", "a;b"));
    assert_eq!(at(&push, "$.variables.pos"), "40.7, -74, 10 m");
    let range = path::find(&push.root, "$.variables.temp.metadata.src").unwrap().range.unwrap();
    assert_eq!(&body[range.start as usize..range.end as usize], "dht");
    assert_eq!(at(&read("$tip/sn1/push", ">x48656c6c6f").unwrap(), "$.passthrough"), "48656c6c6f");
    assert_eq!(at(&read("$tip/sn1/push", ">bSGVsbG8=").unwrap(), "$.passthrough"), "48656c6c6f");
}

#[test]
fn pull_and_ack_are_read() {
    let pull = read("$tip/sn1/pull", "[temp;hum]").unwrap();
    assert_eq!((at(&pull, "$.variables[0]"), at(&pull, "$.variables[1]")), ("temp", "hum"));
    let ack = read("$tip/sn1/ack", "!7|OK|3").unwrap();
    assert_eq!((at(&ack, "$.counter"), at(&ack, "$.status"), at(&ack, "$.count")), ("7", "OK", "3"));
    assert_eq!(at(&read("$tip/sn1/ack", "CMD|reboot").unwrap(), "$.command"), "reboot");
    assert_eq!(at(&read("$tip/sn1/ack", "ERR|invalid_payload").unwrap(), "$.error"), "invalid_payload");
}

#[test]
fn mistakes_have_a_place() {
    for (topic, body) in [
        ("$tip/s/push", ""),
        ("$tip/s/push", "[]"),
        ("$tip/s/push", "[a]"),
        ("$tip/s/push", "!9[a:=1]"),
        ("$tip/s/push", "!x|[a:=1]"),
        ("$tip/s/push", ">x123"),
        ("$tip/s/pull", "[a"),
        ("$tip/s/ack", "MAYBE"),
    ] {
        let error = read(topic, body).unwrap_err();
        assert!(error.at.is_some_and(|at| at <= body.len() as u64), "{error:?}");
    }
    let error = read("$tip/s/push", "[ok:=1;bad:=x]").unwrap_err();
    assert!(error.message.starts_with("At byte ") && error.message.contains("invalid"), "{}", error.message);
    assert!(read("$tips/s/push", "x").unwrap_err().message.contains("encrypted"));
    assert!(read("$tip/s/push", &"x".repeat(20_000)).unwrap_err().message.contains("16,384"));
}
