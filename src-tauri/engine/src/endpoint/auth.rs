//! Routes for mosquitto-go-auth's HTTP backend: a device may connect to the user's own broker with its device token, and
//! use the topics that the rule allows.

use super::answer::{Answer, fixed};
use super::cache::Answers;
use super::desk::{Desk, parse};
use crate::destination::verify::{self, Said};
use crate::fingerprint::Fingerprint;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use relayscope_domain::endpoint::{Acl, AclRequest, allows};
use relayscope_domain::secret::Secret;
use serde::Deserialize;

/// What TagoIO said of tokens lately: a token's own id and that of its network, by token and address.
#[derive(Default)]
pub(super) struct Logins(Answers<(String, String)>);

// The plugin sends a user name too; any is taken, as at TagoIO.
#[derive(Deserialize)]
struct Login {
    password: String,
}

// Fields that are missing allow nothing; without a rule none is looked at.
#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    username: String,
    #[serde(default)]
    clientid: String,
    topic: String,
    acc: u8,
}

fn answer(allowed: bool) -> Answer {
    if allowed { fixed(StatusCode::OK, r#"{"ok":true}"#) } else { fixed(StatusCode::UNAUTHORIZED, r#"{"ok":false}"#) }
}

/// Whether the password is a device token of the network of a relay behind this port; TagoIO is asked.
pub(super) async fn auth(desk: &Desk, headers: &HeaderMap, body: Bytes) -> Answer {
    let password = match parse::<Login>(headers, &body) {
        Ok(login) => Secret::new(login.password),
        Err(refusal) => return *refusal,
    };
    for place in &desk.places {
        let (Some(url), Some(network_token)) = (&place.relay.url, &place.relay.network_token) else { continue };
        let Some((network, _)) = ids(desk, url, network_token).await else { continue };
        let device = ids(desk, url, &password).await;
        if !network.is_empty() && device.is_some_and(|(_, of)| of == network) {
            return answer(true);
        }
    }
    answer(false)
}

/// What TagoIO says of a token, now or a moment ago.
async fn ids(desk: &Desk, url: &str, token: &Secret) -> Option<(String, String)> {
    let key = Fingerprint::of(format!("{url}\0{}", token.expose()).as_bytes());
    if let Some(known) = desk.logins.0.get(&key) {
        return known;
    }
    let found = match verify::ids(&desk.reach.http, url, token).await {
        Said::Ids(own, network) => Some((own, network)),
        Said::Refused => None,
        // Not a no: asked again next time.
        Said::Nothing => return None,
    };
    desk.logins.0.put(key, found.clone());
    found
}

/// Whether the rule allows a topic; without a rule every topic is allowed to those who could connect, as in the official
/// relay.
pub(super) fn acl(desk: &Desk, headers: &HeaderMap, body: Bytes) -> Answer {
    let rule = &desk.settings().acl;
    if *rule == Acl::All {
        return answer(true);
    }
    match parse::<Wish>(headers, &body) {
        Ok(Wish { username, clientid, topic, acc }) => {
            answer(allows(rule, &AclRequest { user: &username, client: &clientid, topic: &topic, access: acc }))
        }
        Err(refusal) => *refusal,
    }
}
