//! Bindings: the most specific wins, the choice says why, problems have their fields.

use super::super::binding::{
    Binding, BindingDraft, Choice, DecoderDraft, DecoderKind, Why, check, choose, most_specific, specificity,
};
use super::super::schema::{ProtoFile, Source, compile};
use super::*;
use crate::id::{BindingId, SchemaId};
use crate::topic;
use std::cmp::Ordering;
use uuid::Uuid;

fn bound(at: u128, filter: &str, decoder: Decoder) -> Binding {
    Binding { id: BindingId(Uuid::from_u128(at)), filter: filter.to_owned(), decoder }
}

fn by(choice: &Choice) -> (&'static str, &str) {
    (choice.decoder.name(), &choice.words)
}

#[test]
fn the_most_specific_binding_wins_wherever_it_stands() {
    let filters = ["#", "+/#", "plant/#", "plant/+/temp", "plant/line1/+", "plant/line1/temp", "+/line1/temp"];
    let mut bindings: Vec<Binding> =
        filters.iter().enumerate().map(|(at, filter)| bound(at as u128, filter, Decoder::Hex)).collect();
    for _ in 0..bindings.len() {
        let won = |topic: &str| most_specific(&bindings, topic).map(|binding| binding.filter.as_str());
        assert_eq!(won("plant/line1/temp"), Some("plant/line1/temp"));
        assert_eq!(won("plant/line1/hum"), Some("plant/line1/+"));
        assert_eq!(won("plant/line2/temp"), Some("plant/+/temp"));
        assert_eq!(won("plant/line2/hum"), Some("plant/#"));
        assert_eq!(won("plant"), Some("plant/#"));
        assert_eq!(won("yard/line1/temp"), Some("+/line1/temp"));
        assert_eq!(won("yard"), Some("+/#"));
        assert_eq!(won("$SYS/uptime"), None);
        bindings.rotate_left(1);
    }
}

#[test]
fn a_filter_that_matches_more_is_never_the_more_specific() {
    let levels = ["+", "#", "a", "b", ""];
    let mut filters: Vec<String> = levels.iter().map(|one| (*one).to_owned()).collect();
    for one in levels {
        for two in levels {
            filters.push(format!("{one}/{two}"));
            filters.extend(levels.iter().map(|three| format!("{one}/{two}/{three}")));
        }
    }
    filters.retain(|filter| topic::check_filter(filter).is_ok());
    for one in &filters {
        for other in &filters {
            assert_eq!(specificity(one, other), specificity(other, one).reverse());
            if topic::overlap(one, other) {
                assert_eq!(specificity(one, other) == Ordering::Equal, one == other, "{one} and {other}");
            }
            if one != other && topic::covers(one, other) && !topic::covers(other, one) {
                assert_eq!(specificity(one, other), Ordering::Less, "{one} over {other}");
            }
        }
    }
}

#[test]
fn the_choice_says_why() {
    let bindings = [bound(1, "plant/+/temp", Decoder::Cbor), bound(2, "spBv1.0/x/#", Decoder::Text)];
    assert_eq!(by(&choose(Some(&Decoder::Hex), &bindings, "plant/a/temp", b"1")), ("hex", "chosen by you"));
    let choice = choose(None, &bindings, "plant/a/temp", b"1");
    assert_eq!(by(&choice), ("CBOR", "bound to plant/+/temp"));
    assert_eq!(choice.why, Why::Bound { id: bindings[0].id });
    let cases: [(&str, &[u8], (&str, &str)); 12] = [
        ("a", b" {\"a\":1}", ("JSON", "no rule: text is a valid JSON object")),
        ("a", b"[1]", ("JSON", "no rule: text is a valid JSON array")),
        ("a", b"21.5", ("JSON", "no rule: text is a number")),
        ("a", b"true", ("text", "no rule: shown as text")),
        ("a", b"{\"a\":1", ("text", "no rule: shown as text")),
        ("a", b"SGVsbG8=", ("text", "no rule: shown as text")),
        ("a", b"", ("text", "no rule: shown as text")),
        ("a", b"\x1f\x8b\x08\x00", ("hex", "no rule: not UTF-8, shown as hex")),
        ("spBv1.0/g/NDATA/n", b"{}", ("Sparkplug B", "no rule: the topic is one of Sparkplug B")),
        ("spBv1.0/STATE/h", b"{}", ("JSON", "no rule: text is a valid JSON object")),
        ("spBv1.0/x/NDATA/n", b"{}", ("text", "bound to spBv1.0/x/#")),
        ("$tip/s/push", b"[a:=1]", ("TagoTiP", "no rule: the topic is one of TagoTiP")),
    ];
    for (topic, payload, wanted) in cases {
        assert_eq!(by(&choose(None, &bindings, topic, payload)), wanted, "{topic}");
    }
}

fn draft(kind: DecoderKind) -> DecoderDraft {
    DecoderDraft { kind, schema: None, message: String::new(), inner: None }
}

#[test]
fn all_problems_of_a_binding_are_told() {
    let id = BindingId(Uuid::from_u128(9));
    let text = "syntax = \"proto3\"; package p; message M { int32 a = 1; }".to_owned();
    let schema = SchemaId(Uuid::from_u128(1));
    let mut schemas = Schemas::default();
    let source = Source::Proto { files: vec![ProtoFile { name: "m.proto".into(), text }] };
    schemas.insert(schema, compile(&source).unwrap());
    let others = [bound(1, "a/#", Decoder::Json)];
    let problems = |filter: &str, decoder: DecoderDraft| -> Vec<String> {
        let draft = BindingDraft { id: None, filter: filter.to_owned(), decoder };
        let problems = check(&draft, id, &others, &schemas).unwrap_err();
        problems.into_iter().map(|problem| format!("{}: {}", problem.field, problem.message)).collect()
    };
    assert_eq!(
        problems("", draft(DecoderKind::Protobuf)),
        ["filter: The filter is empty; enter at least one character.", "decoder.schema: Choose the schema."]
    );
    assert_eq!(problems("a/#", draft(DecoderKind::Json)), ["filter: Another binding has this filter already."]);
    assert_eq!(
        problems("$share/g/a", draft(DecoderKind::Json)),
        ["filter: Write the filter without $share/group/: messages arrive under their topic."]
    );
    let proto = |message: &str| DecoderDraft {
        schema: Some(schema),
        message: message.to_owned(),
        ..draft(DecoderKind::Protobuf)
    };
    let inside = DecoderDraft { inner: Some(Box::new(proto("p.N"))), ..draft(DecoderKind::Gzip) };
    assert_eq!(problems("b", inside), ["decoder.inner.message: The schema has no message type “p.N”."]);
    assert_eq!(problems("b", proto(" ")), ["decoder.message: Choose the message type."]);
    let mut deep = draft(DecoderKind::Text);
    for _ in 0..6 {
        deep = DecoderDraft { inner: Some(Box::new(deep)), ..draft(DecoderKind::Base64) };
    }
    assert_eq!(problems("b", deep).len(), 1);

    let good = BindingDraft { id: None, filter: "b/+".to_owned(), decoder: proto("p.M") };
    let binding = check(&good, id, &others, &schemas).unwrap();
    assert_eq!(binding.decoder, Decoder::Protobuf { schema, message: "p.M".to_owned() });
    let kept = serde_json::to_string(&binding).unwrap();
    assert_eq!(serde_json::from_str::<Binding>(&kept).unwrap(), binding);
}
