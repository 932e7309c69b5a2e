//! CONNECT: its form, its flags, who is let in.

use crate::packet::{self, PINGREQ, Packet, Publish, id};
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!("MQTT-3.1.0-1", "MQTT-3.1.0-1", "the first packet is a CONNECT, or the connection ends", first),
    case!("MQTT-3.1.0-2", "MQTT-3.1.0-2", "a second CONNECT ends the connection", second),
    case!("MQTT-3.1.2-1", "MQTT-3.1.2-1", "another protocol name is not let in", protocol_name),
    case!("MQTT-3.1.2-2", "MQTT-3.1.2-2", "an unknown level is refused (3.1.1: with code 1) and closed", level),
    case!("MQTT-3.1.2-3", "MQTT-3.1.2-3", "the reserved flag of CONNECT is checked", reserved_flag),
    case!("MQTT-3.1.2-18", "MQTT-3.1.2-16", "no user name without its flag", username_without_flag),
    case!("MQTT-3.1.2-19", "MQTT-3.1.2-17", "with its flag, a user name is there", flag_without_username),
    case!("MQTT-3.1.2-20", "MQTT-3.1.2-18", "no password without its flag", password_without_flag),
    case!("MQTT-3.1.2-21", "MQTT-3.1.2-19", "with its flag, a password is there", flag_without_password),
    case!("MQTT-3.1.2-22", "", "a password needs a user name", password_alone),
    case!("MQTT-3.1.3-2", "MQTT-3.1.3-2", "the client id tells whose session it is", whose_session),
    case!("MQTT-3.1.3-3", "MQTT-3.1.3-3", "a client id is there, first in the payload", no_client_id),
    case!("MQTT-3.1.3-4", "MQTT-3.1.3-4", "the client id is UTF-8", client_id_text),
    case!("MQTT-3.1.3-5", "MQTT-3.1.3-5", "23 letters and digits make a good client id", client_id_letters),
    case!("MQTT-3.1.3-6", "MQTT-3.1.3-6", "an empty client id gets a unique one instead", empty_ids_are_two),
    case!("MQTT-3.1.3-8", "", "an empty client id with a kept session: code 2 and the end", empty_id_kept),
    case!("MQTT-3.1.3-9", "MQTT-3.1.3-8", "a client id that is refused ends the connection", refused_id),
    case!("", "MQTT-3.1.3-7", "the client id that was given stands in the CONNACK", assigned_id),
    case!("", "MQTT-3.2.2-16", "every client without an id is given another one", assigned_ids_differ),
    case!("MQTT-3.1.3-11", "MQTT-3.1.3-12", "the user name is UTF-8", username_text),
    case!("MQTT-3.1.4-1", "MQTT-3.1.4-1", "a CONNECT of the wrong form ends the connection", wrong_form),
    case!("", "MQTT-3.1.4-2", "a wrong password ends the connection", wrong_password),
    case!("MQTT-3.1.4-4", "MQTT-3.1.4-5", "a good CONNECT gets a CONNACK with code 0", accepted),
    case!("MQTT-3.1.4-5", "MQTT-3.1.4-6", "what follows a refused CONNECT is not looked at", after_refusal),
    case!("", "MQTT-2.2.2-1", "no properties means a length of 0, not nothing", no_property_length),
    case!("", "MQTT-1.5.7-1", "both halves of a user property are UTF-8", user_property_text),
    case!("", "MQTT-4.12.0-1", "an unknown way to authenticate ends the connection", unknown_method),
];

async fn first(scene: Scene) -> Check {
    let mut client = scene.open().await?;
    client.send(PINGREQ).await;
    let seen = client.closed().await?;
    ensure!(seen.is_empty(), "answered {seen:?}");
    Ok(())
}

async fn second(scene: Scene) -> Check {
    let mut client = scene.client("twice").await?;
    client.send(scene.hello("twice").bytes()).await;
    client.closed().await.map(drop)
}

async fn protocol_name(scene: Scene) -> Check {
    let mut connect = scene.hello("name");
    connect.protocol = b"MQTTX".to_vec();
    scene.refuses(connect.bytes()).await
}

async fn level(scene: Scene) -> Check {
    let mut connect = scene.hello("level");
    connect.level = 9;
    let mut client = scene.open().await?;
    client.send(connect.bytes()).await;
    let seen = client.closed().await?;
    if scene.v5() {
        let fine = match seen.first() {
            None | Some(Packet::Connack { code: 1 | 0x84, .. }) => true,
            Some(_) => false,
        };
        ensure!(fine, "answered {seen:?}");
    } else {
        let refused = |packet: &Packet| matches!(packet, Packet::Connack { code: 1, .. });
        ensure!(seen.len() == 1 && refused(&seen[0]), "before the end came {seen:?}");
    }
    Ok(())
}

async fn reserved_flag(scene: Scene) -> Check {
    let mut connect = scene.hello("flag");
    connect.flip = 1;
    scene.refuses(connect.bytes()).await
}

async fn username_without_flag(scene: Scene) -> Check {
    let mut connect = scene.hello("user");
    connect.flip = 0xc0;
    scene.refuses(connect.bytes()).await
}

async fn flag_without_username(scene: Scene) -> Check {
    let mut connect = scene.hello("user");
    (connect.username, connect.password, connect.flip) = (None, None, 0x80);
    scene.refuses(connect.bytes()).await
}

async fn password_without_flag(scene: Scene) -> Check {
    let mut connect = scene.hello("pass");
    connect.flip = 0x40;
    scene.refuses(connect.bytes()).await
}

async fn flag_without_password(scene: Scene) -> Check {
    let mut connect = scene.hello("pass");
    (connect.password, connect.flip) = (None, 0x40);
    scene.refuses(connect.bytes()).await
}

async fn password_alone(scene: Scene) -> Check {
    let mut connect = scene.hello("alone");
    connect.username = None;
    scene.refuses(connect.bytes()).await
}

async fn whose_session(scene: Scene) -> Check {
    let mut one = scene.enter(&scene.hello("one").kept()).await?;
    one.subscribe(&scene.topic("a"), 1).await?;
    one.leave().await?;
    let other = scene.enter(&scene.hello("other").kept()).await?;
    ensure!(!other.session_present, "another client id was given the session");
    let one = scene.enter(&scene.hello("one").kept()).await?;
    ensure!(one.session_present, "the session of the client id was not found");
    Ok(())
}

async fn no_client_id(scene: Scene) -> Check {
    let mut body = packet::text("MQTT");
    body.extend([scene.version.level(), 2, 0, 60]);
    body.extend(packet::properties(scene.version, &[]));
    scene.refuses(packet::frame(0x10, &body)).await
}

async fn client_id_text(scene: Scene) -> Check {
    let mut connect = scene.hello("text");
    connect.client = vec![b'a', 0xff, 0xfe];
    scene.refuses(connect.bytes()).await
}

async fn client_id_letters(scene: Scene) -> Check {
    // All letters and digits in ids of 23; the first character keeps the two versions apart.
    for letters in ["0123456789abcdefghijkl", "mnopqrstuvwxyzABCDEFGH", "IJKLMNOPQRSTUVWXYZ0123"] {
        let mut connect = scene.hello("");
        connect.client = format!("{}{letters}", scene.version.level()).into();
        let mut client = scene.enter(&connect).await?;
        client.ping().await?;
        client.leave().await?;
    }
    Ok(())
}

async fn empty_ids_are_two(scene: Scene) -> Check {
    let mut connect = scene.hello("");
    connect.client = vec![];
    let (mut one, mut other) = (scene.enter(&connect).await?, scene.enter(&connect).await?);
    one.ping().await?;
    other.ping().await
}

async fn empty_id_kept(scene: Scene) -> Check {
    let mut connect = scene.hello("").kept();
    connect.client = vec![];
    let mut client = scene.open().await?;
    let (code, _) = client.connect(&connect).await?;
    ensure!(code == 2, "answered with code {code}");
    client.closed().await.map(drop)
}

async fn refused_id(scene: Scene) -> Check {
    let mut connect = scene.hello("").kept();
    connect.client = vec![];
    if scene.v5() {
        // A broker may give an id here; one that does not must end the connection.
        let mut client = scene.open().await?;
        let (code, _) = client.connect(&connect).await?;
        return if code == 0 { client.ping().await } else { client.closed().await.map(drop) };
    }
    let mut client = scene.open().await?;
    client.send(connect.bytes()).await;
    let seen = client.closed().await?;
    let refused = matches!(seen[..], [Packet::Connack { code: 2, .. }]);
    ensure!(refused, "before the end came {seen:?}");
    Ok(())
}

async fn assigned_id(scene: Scene) -> Check {
    let mut connect = scene.hello("");
    connect.client = vec![];
    let client = scene.enter(&connect).await?;
    let given = packet::all(&client.server, id::ASSIGNED_CLIENT)?;
    ensure!(given.len() == 1 && !given[0].is_empty(), "given were {given:?}");
    Ok(())
}

async fn assigned_ids_differ(scene: Scene) -> Check {
    let mut connect = scene.hello("");
    connect.client = vec![];
    let (one, other) = (scene.enter(&connect).await?, scene.enter(&connect).await?);
    let ids = (packet::all(&one.server, id::ASSIGNED_CLIENT)?, packet::all(&other.server, id::ASSIGNED_CLIENT)?);
    ensure!(!ids.0.is_empty() && ids.0 != ids.1, "given were {ids:?}");
    Ok(())
}

async fn username_text(scene: Scene) -> Check {
    let mut connect = scene.hello("name");
    connect.username = Some(vec![0xc3, 0x28]);
    scene.refuses(connect.bytes()).await
}

async fn wrong_form(scene: Scene) -> Check {
    let mut bytes = scene.hello("form").bytes();
    // The packet ends five bytes before its password does.
    bytes[1] -= 5;
    bytes.truncate(bytes.len() - 5);
    scene.refuses(bytes).await
}

async fn wrong_password(scene: Scene) -> Check {
    let mut connect = scene.hello("wrong");
    connect.password = Some(b"wrong".to_vec());
    scene.refuses(connect.bytes()).await
}

async fn accepted(scene: Scene) -> Check {
    let mut client = scene.open().await?;
    let answer = client.connect(&scene.hello("good")).await?;
    ensure!(answer == (0, 0), "code and flags are {answer:?}");
    Ok(())
}

async fn after_refusal(scene: Scene) -> Check {
    let (mut publisher, mut watcher) = scene.pair().await?;
    let mut connect = scene.hello("refused");
    connect.password = Some(b"wrong".to_vec());
    let late = Publish::new(scene.topic("late"), "late", 0).bytes(scene.version);
    scene.refuses([connect.bytes(), late].concat()).await?;
    scene.fence(&mut publisher, &mut watcher).await
}

async fn no_property_length(scene: Scene) -> Check {
    let mut bytes = scene.hello("none").bytes();
    // After the fixed header: protocol name (6), level, flags, keep-alive (2).
    ensure!(bytes.remove(2 + 10) == 0, "the CONNECT of this test changed");
    bytes[1] -= 1;
    scene.refuses(bytes).await
}

async fn user_property_text(scene: Scene) -> Check {
    for pair in [(&[0xff_u8][..], &b"b"[..]), (b"a", &[0xff])] {
        let property = [vec![id::USER], packet::text(pair.0), packet::text(pair.1)].concat();
        scene.refuses(scene.hello("pair").with(&property).bytes()).await?;
    }
    Ok(())
}

async fn unknown_method(scene: Scene) -> Check {
    let connect = scene.hello("method").with(&packet::data(id::AUTH_METHOD, "SCRAM-OF-NOBODY"));
    scene.refuses(connect.bytes()).await
}
