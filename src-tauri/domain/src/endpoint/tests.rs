//! Tests of the endpoint's rules.

use super::*;
use crate::secret::SecretDraft;

fn draft() -> EndpointDraft {
    EndpointDraft::of(&EndpointSettings::default())
}

fn fields(draft: &EndpointDraft) -> Vec<String> {
    check(draft, 0, false).err().unwrap_or_default().into_iter().map(|problem| problem.field).collect()
}

#[test]
fn the_defaults_are_in_order_and_come_back() {
    assert_eq!(check(&draft(), 0, false), Ok(EndpointSettings::default()));
    assert!(EndpointSettings::default().is_loopback() && listens_on_loopback(&draft()));
}

#[test]
fn beyond_this_computer_tls_and_access_are_wanted() {
    for (listen, address) in [(Listen::All, ""), (Listen::Address, "192.168.1.20"), (Listen::Address, "::")] {
        let bare = EndpointDraft { listen, address: address.into(), ..draft() };
        assert_eq!(fields(&bare), ["tls", "access"], "{address}");
        let half = EndpointDraft { tls: EndpointTls::SelfSigned, ..bare.clone() };
        assert_eq!(fields(&half), ["access"]);
        let token = EndpointDraft { access: EndpointAccess::Bearer, ..bare.clone() };
        assert_eq!(fields(&token), ["tls"]);
        let whole = EndpointDraft { access: EndpointAccess::Bearer, ..half };
        assert!(fields(&whole).is_empty());
        let insisting = EndpointDraft { unsafe_mode: true, ..bare };
        assert!(check(&insisting, 0, false).is_ok_and(|settings| settings.is_unsafe()));
    }
    let own = EndpointDraft { listen: Listen::Address, address: "127.0.0.9".into(), ..draft() };
    assert!(fields(&own).is_empty(), "another loopback address");
    let harmless = EndpointDraft { unsafe_mode: true, ..draft() };
    assert!(check(&harmless, 0, false).is_ok_and(|settings| !settings.is_unsafe()));
}

#[test]
fn every_problem_is_shown_at_its_field() {
    let bad = EndpointDraft {
        listen: Listen::Address,
        address: "plant.example".into(),
        public: "ftp://x".into(),
        tls: EndpointTls::Own,
        access: EndpointAccess::ClientCertificate,
        token: SecretDraft::Set { value: "short".into() },
        rate: "0".into(),
        connections: "many".into(),
        patience: "121".into(),
        acl: AclDraft { mode: AclMode::Patterns, patterns: vec![] },
        ..draft()
    };
    let all = [
        "address",
        "public",
        "certificate",
        "key",
        "clientCa",
        "token",
        "rate",
        "connections",
        "patience",
        "acl.patterns",
    ];
    assert_eq!(fields(&bad), all);
    let plain = EndpointDraft { access: EndpointAccess::ClientCertificate, ..draft() };
    assert_eq!(fields(&plain), ["access", "clientCa"]);
}

#[test]
fn public_names_are_hosts_or_whole_urls() {
    for good in [
        "",
        "plant.example",
        "203.0.113.7",
        "::1",
        "https://a.example",
        "http://a.example:8080/relay/",
        "https://[::1]:3001",
    ] {
        assert_eq!(check_public(good), Ok(()), "{good}");
    }
    for bad in [
        "plant.example:3001",
        "https://",
        "https://a b",
        "https://a.example/publish",
        "https://a.example:0",
        "https://u@a.example",
        "https://a.example?x",
    ] {
        assert!(check_public(bad).is_err(), "{bad}");
    }
}

#[test]
fn urls_name_what_others_reach() {
    let own: IpAddr = Ipv4Addr::new(192, 168, 1, 20).into();
    let url = |settings: EndpointSettings| settings.base_url(3001, own);
    assert_eq!(url(EndpointSettings::default()), "http://127.0.0.1:3001");
    let all = EndpointSettings {
        address: std::net::Ipv6Addr::UNSPECIFIED.into(),
        tls: EndpointTls::Own,
        ..Default::default()
    };
    assert_eq!(url(all.clone()), "https://192.168.1.20:3001");
    assert_eq!(url(EndpointSettings { public: "plant.example".into(), ..all.clone() }), "https://plant.example:3001");
    assert_eq!(url(EndpointSettings { public: "::1".into(), ..all.clone() }), "https://[::1]:3001");
    assert_eq!(url(EndpointSettings { public: "https://t.example/".into(), ..all }), "https://t.example");
}

fn patterns(list: &[(&str, AclAccess)]) -> Acl {
    let pattern = |(pattern, access): &(&str, AclAccess)| AclPattern { pattern: (*pattern).into(), access: *access };
    Acl::Patterns { patterns: list.iter().map(pattern).collect() }
}

#[test]
fn patterns_allow_what_they_say() {
    let acl = patterns(&[
        ("devices/%u/#", AclAccess::ReadWrite),
        ("status/%c", AclAccess::Write),
        ("public/+/news", AclAccess::Read),
    ]);
    let ask = |user, client, topic, access| allows(&acl, &AclRequest { user, client, topic, access });
    assert!(ask("pump", "c1", "devices/pump/temp", 1) && ask("pump", "c1", "devices/pump/temp", 2));
    assert!(ask("pump", "c1", "devices/pump/temp", 3) && ask("pump", "c1", "devices/pump/#", 4));
    assert!(ask("pump", "c1", "$share/g/devices/pump/+", 4));
    assert!(!ask("pump", "c1", "devices/other/temp", 1) && !ask("pump", "c1", "devices/+/temp", 4));
    assert!(!ask("pump", "c1", "#", 4) && !ask("pump", "c1", "devices/#", 4));
    assert!(ask("", "c1", "status/c1", 2) && !ask("", "c1", "status/c1", 1) && !ask("", "c1", "status/c1", 3));
    assert!(ask("", "", "public/a/news", 1) && ask("", "", "public/+/news", 4) && !ask("", "", "public/a/news", 2));
    assert!(!ask("pump", "c1", "devices/pump/temp", 0) && !ask("pump", "c1", "devices/pump/temp", 5));
    for sly in ["+", "#", "pump/..", "", "a/b"] {
        assert!(!ask(sly, "c1", "devices/pump/temp", 1), "{sly}");
        assert!(!ask(sly, sly, "devices/+/temp", 4), "{sly}");
    }
    assert!(!ask("%c", "pump", "devices/pump/temp", 1), "a name is no placeholder");
    assert!(allows(&Acl::All, &AclRequest { user: "", client: "", topic: "", access: 9 }));
}

#[test]
fn bad_patterns_are_named_one_by_one() {
    let list = [
        ("a/%u/#", AclAccess::Read),
        ("a/#/b", AclAccess::Read),
        ("%x", AclAccess::Read),
        ("", AclAccess::Read),
        ("$share/g/a", AclAccess::Read),
        ("100%", AclAccess::Read),
    ];
    let Acl::Patterns { patterns } = patterns(&list) else { return };
    let draft = EndpointDraft { acl: AclDraft { mode: AclMode::Patterns, patterns }, ..draft() };
    let wanted: Vec<String> = (1..6).map(|at| format!("acl.patterns.{at}.pattern")).collect();
    assert_eq!(fields(&draft), wanted);
}
