//! `POST /publish`: a downlink from TagoIO to the broker of a relay. `200` is the broker's own word.

use super::answer::{Answer, error, fixed, later, not_found};
use super::desk::{Desk, parse, unfit};
use super::properties::Properties;
use crate::mqtt::session::{Publication, Standing, Unpublished};
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use relayscope_domain::message::Qos;
use relayscope_domain::topic;
use serde::Deserialize;
use std::borrow::Cow;
use tokio::sync::oneshot;

#[derive(Deserialize)]
struct PublishRequest<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    qos: u8,
    retain: bool,
    #[serde(default)]
    relay_id: Option<String>,
    #[serde(default)]
    encoding: Option<String>,
    #[serde(default)]
    properties: Option<Properties>,
}

pub(super) async fn publish(desk: &Desk, headers: &HeaderMap, body: Bytes) -> Answer {
    match asked(desk, headers, &body) {
        Ok(answer) => {
            drop(body);
            told(desk, answer).await
        }
        Err(refusal) => *refusal,
    }
}

type Told = oneshot::Receiver<Result<(), Unpublished>>;

/// Checks a request and hands it to the relay's session.
fn asked(desk: &Desk, headers: &HeaderMap, body: &Bytes) -> Result<Told, Box<Answer>> {
    let request: PublishRequest<'_> = parse(headers, body)?;
    let place = desk.place(request.relay_id.as_deref()).ok_or_else(not_found)?;
    topic::check_topic(&request.topic).map_err(unfit)?;
    let qos = Qos::try_from(request.qos).map_err(|_| unfit("qos is 0, 1 or 2."))?;
    let payload = decode(&request.message, request.encoding.as_deref()).map_err(unfit)?;
    let properties = match &request.properties {
        Some(properties) => {
            properties.check(&payload).map_err(unfit)?;
            properties.encoded()
        }
        None => Bytes::new(),
    };
    let handles = desk.handles(place).ok_or_else(away)?;
    if handles.session.borrow().standing != Standing::Connected {
        return Err(away().into());
    }
    let (done, told) = oneshot::channel();
    let publication =
        Publication { topic: request.topic.into_owned(), payload, qos, retain: request.retain, properties, done };
    handles.publish(publication).map_err(|_| away())?;
    Ok(told)
}

/// Waits for the broker's word. Who stops waiting withdraws what was not sent yet: its `done` is closed.
async fn told(desk: &Desk, told: Told) -> Answer {
    match tokio::time::timeout(desk.patience, told).await {
        Ok(Ok(Ok(()))) => fixed(StatusCode::OK, r#"{"status":"Message published"}"#),
        Ok(Ok(Err(Unpublished::Away(reason)))) => later(StatusCode::SERVICE_UNAVAILABLE, reason),
        Ok(Ok(Err(Unpublished::Refused { code, why }))) => refused(code, &why),
        Ok(Err(_)) => away(),
        Err(_) => error(
            StatusCode::GATEWAY_TIMEOUT,
            format!(
                "The broker did not acknowledge the message within {} s. If it was not sent yet, it is withdrawn; if it was, it may still be published.",
                desk.patience.as_secs()
            ),
        ),
    }
}

/// The broker's refusal. Only where it is a matter of the moment is the caller asked to come again.
fn refused(code: Option<u8>, why: &str) -> Answer {
    // Reason codes: MQTT 5.0 section 3.4.2.1.
    let status = match code {
        // Not authorized; administrative action.
        Some(0x87 | 0x98) => StatusCode::FORBIDDEN,
        // Packet identifier in use: not the message's fault.
        Some(0x91) => return later(StatusCode::SERVICE_UNAVAILABLE, format!("The broker did not take it: {why}.")),
        // What is wrong is the message: topic name, size, payload format, retain, QoS. Or it was not even sent.
        Some(0x90 | 0x95 | 0x99 | 0x9a | 0x9b) => StatusCode::UNPROCESSABLE_ENTITY,
        None => return unfit(why),
        // Quota exceeded, and those that say no more than no.
        Some(_) => StatusCode::CONFLICT,
    };
    let advice = match status {
        StatusCode::FORBIDDEN => "Let the relay's user publish on this topic in the broker's rules.",
        _ => "Sent again as it is, it will be refused again.",
    };
    error(status, format!("The broker refused the message: {why}. {advice}"))
}

fn away() -> Answer {
    later(StatusCode::SERVICE_UNAVAILABLE, "The relay is not connected to its broker.")
}

/// The bytes of a message: text, or bytes written as Base64 or hexadecimal. A copy, so that what is kept of a message is
/// never more than the message.
fn decode(message: &str, encoding: Option<&str>) -> Result<Bytes, String> {
    use base64::Engine as _;
    match encoding {
        None | Some("text") => Ok(Bytes::copy_from_slice(message.as_bytes())),
        Some("base64") => base64::engine::general_purpose::STANDARD
            .decode(message)
            .map(Bytes::from)
            .map_err(|e| format!("message is not valid Base64: {e}.")),
        Some("hex") => {
            hex(message).map(Bytes::from).ok_or_else(|| "message is not hexadecimal: two digits a byte.".into())
        }
        Some(other) => {
            let other: String = other.chars().take(40).collect();
            Err(format!("encoding “{other}” is not known; it is text, base64 or hex."))
        }
    }
}

fn hex(message: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = message.as_bytes().as_chunks::<2>();
    rest.is_empty().then_some(())?;
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_for_ever_is_not_asked_for_again() {
        for (code, status) in
            [(Some(0x87), 403), (Some(0x90), 422), (Some(0x99), 422), (Some(0x97), 409), (Some(0x80), 409), (None, 422)]
        {
            let answer = refused(code, "why");
            assert_eq!((answer.status().as_u16(), answer.headers().get("retry-after")), (status, None), "{code:?}");
        }
        assert_eq!(refused(Some(0x91), "why").status(), 503);
    }

    #[test]
    fn messages_decode() {
        let bytes = |message, encoding| decode(message, encoding).map(|bytes| bytes.to_vec());
        assert_eq!(bytes("é", None), Ok("é".as_bytes().to_vec()));
        assert_eq!(bytes("/wA=", Some("base64")), Ok(vec![0xff, 0]));
        assert_eq!(bytes("fF00", Some("hex")), Ok(vec![0xff, 0]));
        for (message, encoding) in
            [("f", "hex"), ("zz", "hex"), ("éa", "hex"), ("+1", "hex"), ("?", "base64"), ("a", "utf-16")]
        {
            assert!(decode(message, Some(encoding)).is_err(), "{message} {encoding}");
        }
    }
}
