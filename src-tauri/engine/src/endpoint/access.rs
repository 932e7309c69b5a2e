//! Who may ask: everybody, or who shows the token. Client certificates were checked by TLS before anything is read.
//!
//! The token stands in the header `Authorization: Bearer …` or, for those who can send no header, in the query as
//! `access_token` (RFC 6750 section 2.3).

use super::answer::{Answer, error};
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use hyper::http::request::Parts;
use relayscope_domain::secret::Secret;

/// `Ok`, or the refusal.
pub(super) fn check(token: Option<&Secret>, parts: &Parts) -> Result<(), Box<Answer>> {
    let Some(token) = token else { return Ok(()) };
    let shown = in_header(parts).or_else(|| in_query(parts));
    if shown.is_some_and(|shown| same(shown.as_bytes(), token.expose().as_bytes())) {
        return Ok(());
    }
    let words = match shown {
        None => "A token is asked for: send the header Authorization: Bearer with the endpoint's token.",
        Some(_) => "The token is not the endpoint's. Copy it again from Relayscope's settings.",
    };
    let mut refusal = error(StatusCode::UNAUTHORIZED, words);
    refusal.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Relayscope\""));
    Err(Box::new(refusal))
}

fn in_header(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn in_query(parts: &Parts) -> Option<&str> {
    parts.uri.query()?.split('&').find_map(|pair| pair.strip_prefix("access_token="))
}

/// Compares without telling by its time where the difference lies.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differs = one.iter().zip(other).fold(0, |differs, (one, other)| differs | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differs) == 0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn allowed(header: Option<&str>, uri: &str) -> bool {
        let mut request = hyper::Request::get(uri);
        if let Some(header) = header {
            request = request.header(AUTHORIZATION, header);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(Some(&Secret::new("abc-123")), &parts).is_ok()
    }

    #[test]
    fn the_token_is_found_where_it_may_stand_and_nowhere_else() {
        assert!(allowed(Some("Bearer abc-123"), "/publish") && allowed(Some("bearer  abc-123"), "/publish"));
        assert!(allowed(None, "/publish?access_token=abc-123") && allowed(None, "/auth?a=b&access_token=abc-123"));
        for header in ["abc-123", "Basic abc-123", "Bearer abc-12", "Bearer abc-1234", "Bearer ", ""] {
            assert!(!allowed(Some(header), "/publish"), "{header}");
        }
        assert!(!allowed(None, "/publish") && !allowed(None, "/publish?token=abc-123"));
        assert!(!allowed(Some("Bearer wrong"), "/publish?access_token=abc-123"), "the header counts first");
    }
}
