//! CONNACK: what it says, and that it comes first and once.

use crate::packet::{self, PINGREQ, Packet, Publish, id};
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!("MQTT-3.2.0-1", "MQTT-3.2.0-1", "CONNACK comes before anything else, queued messages too", before_all),
    case!("", "MQTT-3.2.0-2", "there is one CONNACK in a connection", once),
    case!("", "MQTT-3.2.2-1", "the reserved bits of CONNACK are 0", reserved_bits),
    case!("MQTT-3.2.2-1", "MQTT-3.2.2-2", "a clean start is told that there is no session", clean),
    case!("MQTT-3.2.2-2", "MQTT-3.2.2-3", "a session that was kept is told, and none as none", kept),
    case!("MQTT-3.2.2-3", "", "without a session to take up, session present is 0", none_kept),
    case!("MQTT-3.2.2-4", "MQTT-3.2.2-6", "a refusal says that there is no session", refusal_flags),
    case!("MQTT-3.2.2-5", "MQTT-3.2.2-7", "after a refusal the connection ends", refusal_closes),
    case!("", "MQTT-3.2.2-8", "the code of a refusal is one of those for CONNACK", refusal_code),
    case!("", "MQTT-3.1.2-28", "no response information for who asked for none", no_response_info),
    case!("", "MQTT-4.12.0-6", "who did not ask to authenticate by AUTH sees nothing of it", no_auth),
    case!("", "MQTT-4.9.0-1", "receive maximum, if told, is not 0", receive_maximum),
    case!("", "MQTT-3.14.0-1", "no DISCONNECT instead of a CONNACK", no_early_disconnect),
];

async fn before_all(scene: Scene) -> Check {
    let kept = scene.hello("kept").kept();
    let mut client = scene.enter(&kept).await?;
    client.subscribe(&scene.topic("a"), 1).await?;
    client.leave().await?;
    let mut publisher = scene.client("pub").await?;
    publisher.publish(Publish::new(scene.topic("a"), "waited", 1)).await?;
    let mut client = scene.open().await?;
    client.send([kept.bytes(), PINGREQ.to_vec()].concat()).await;
    let first = client.next().await?;
    ensure!(matches!(first, Packet::Connack { code: 0, .. }), "first came {first:?}");
    client.gets("waited").await.map(drop)
}

async fn once(scene: Scene) -> Check {
    let mut client = scene.client("once").await?;
    client.send(PINGREQ).await;
    let next = client.next().await?;
    ensure!(next == Packet::Pingresp, "after CONNACK came {next:?}");
    Ok(())
}

async fn reserved_bits(scene: Scene) -> Check {
    for connect in [scene.hello("bits"), scene.hello("bits").kept(), scene.hello("bits").kept()] {
        let (_, flags) = scene.open().await?.connect(&connect).await?;
        ensure!(flags & 0xfe == 0, "the flags are {flags:#04x}");
    }
    Ok(())
}

async fn clean(scene: Scene) -> Check {
    scene.enter(&scene.hello("clean").kept()).await?.leave().await?;
    let client = scene.client("clean").await?;
    ensure!(!client.session_present, "session present after a clean start");
    Ok(())
}

async fn kept(scene: Scene) -> Check {
    let first = scene.enter(&scene.hello("kept").kept()).await?;
    ensure!(!first.session_present, "session present in the first connection");
    first.leave().await?;
    let second = scene.enter(&scene.hello("kept").kept()).await?;
    ensure!(second.session_present, "the session was not found again");
    Ok(())
}

async fn none_kept(scene: Scene) -> Check {
    scene.client("none").await?.leave().await?;
    let client = scene.enter(&scene.hello("none").kept()).await?;
    ensure!(!client.session_present, "the session of a clean connection was kept");
    Ok(())
}

/// A refusal for a wrong password, where a session of the right owner lies.
async fn refusal(scene: &Scene) -> Check<(crate::client::Client, u8, u8)> {
    scene.enter(&scene.hello("owner").kept()).await?.leave().await?;
    let mut connect = scene.hello("owner").kept();
    connect.password = Some(b"wrong".to_vec());
    let mut client = scene.open().await?;
    let (code, flags) = client.connect(&connect).await?;
    ensure!(code != 0, "let in with a wrong password");
    Ok((client, code, flags))
}

async fn refusal_flags(scene: Scene) -> Check {
    let (_, _, flags) = refusal(&scene).await?;
    ensure!(flags == 0, "the flags are {flags}");
    Ok(())
}

async fn refusal_closes(scene: Scene) -> Check {
    let (mut client, _, _) = refusal(&scene).await?;
    client.closed().await.map(drop)
}

async fn refusal_code(scene: Scene) -> Check {
    let (_, code, _) = refusal(&scene).await?;
    let known = matches!(code, 0x80..=0x8a | 0x8c | 0x90 | 0x95 | 0x97 | 0x99..=0x9d | 0x9f);
    ensure!(known, "the code is {code:#04x}");
    Ok(())
}

async fn no_response_info(scene: Scene) -> Check {
    for connect in [scene.hello("a"), scene.hello("b").with(&packet::byte(id::RESPONSE_REQUEST, 0))] {
        let told = packet::all(&scene.enter(&connect).await?.server, id::RESPONSE_INFO)?;
        ensure!(told.is_empty(), "told {told:?}");
    }
    Ok(())
}

async fn no_auth(scene: Scene) -> Check {
    let mut client = scene.client("plain").await?;
    let told = packet::all(&client.server, id::AUTH_METHOD)?;
    ensure!(told.is_empty(), "told {told:?}");
    client.send(PINGREQ).await;
    let next = client.next().await?;
    ensure!(next == Packet::Pingresp, "after CONNACK came {next:?}");
    Ok(())
}

async fn receive_maximum(scene: Scene) -> Check {
    let told = packet::number(&scene.client("quota").await?.server, id::RECEIVE_MAXIMUM)?;
    ensure!(told != Some(0), "it is 0");
    Ok(())
}

async fn no_early_disconnect(scene: Scene) -> Check {
    let mut connect = scene.hello("early");
    connect.flip = 1;
    let mut client = scene.open().await?;
    client.send(connect.bytes()).await;
    let seen = client.closed().await?;
    ensure!(!seen.iter().any(|packet| matches!(packet, Packet::Disconnect { .. })), "{seen:?}");
    Ok(())
}
