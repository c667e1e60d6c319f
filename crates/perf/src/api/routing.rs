//! Which path and method mean what, as Go's `ServeMux` decides it: what it redirects, allows and does not find. Pure.

use http::axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};

use super::answering::{empty, refusal};

/// Every route, with its methods as they stand in `Allow`, sorted.
pub const API_ROUTES: [(&str, &[&str]); 3] =
    [("/provide", &["POST"]), ("/readiness", &["GET", "HEAD"]), ("/retrieve/{cid}", &["POST"])];

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Provide,
    /// With the CID, as it was written.
    Retrieve(String),
    Readiness,
}

/// What a request asks; else what it is answered.
pub(super) fn asked(method: &Method, path: &str, query: Option<&str>) -> Result<Asked, Response> {
    let clean = cleaned(path);
    if clean != path {
        return Err(redirect(&clean, query));
    }
    let (asked, allowed) = match path.strip_prefix("/retrieve/") {
        Some(text) if !text.is_empty() && !text.contains('/') => {
            let bad = || refusal(StatusCode::BAD_REQUEST, "the path has an escape that is none");
            (Asked::Retrieve(unescaped(text).ok_or_else(bad)?), &API_ROUTES[2])
        }
        _ if path == "/provide" => (Asked::Provide, &API_ROUTES[0]),
        _ if path == "/readiness" => (Asked::Readiness, &API_ROUTES[1]),
        _ => return Err(refusal(StatusCode::NOT_FOUND, "404 page not found")),
    };
    if allowed.1.contains(&method.as_str()) {
        return Ok(asked);
    }
    let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    if let Ok(methods) = HeaderValue::from_str(&allowed.1.join(", ")) {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    Err(response)
}

/// A path without empty parts, `.` and `..`; a slash at its end stays (Go, `cleanPath`).
fn cleaned(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let is_folder = path.ends_with('/') && !parts.is_empty();
    format!("/{}{}", parts.join("/"), if is_folder { "/" } else { "" })
}

/// To another path, by the same method.
fn redirect(path: &str, query: Option<&str>) -> Response {
    let mut response = empty(StatusCode::TEMPORARY_REDIRECT);
    let place = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// A part of a path without its escapes; `None` if one is none, or if what comes of them is no text.
fn unescaped(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit(digits[0])? << 4 | digit(digits[1])?);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_does() {
        for (path, clean) in [
            ("/provide", "/provide"),
            ("//provide", "/provide"),
            ("/provide/", "/provide/"),
            ("/./provide", "/provide"),
            ("/x/../provide", "/provide"),
            ("/../provide", "/provide"),
            ("/", "/"),
            ("//", "/"),
            ("/retrieve//Qm", "/retrieve/Qm"),
            ("/..", "/"),
        ] {
            assert_eq!(cleaned(path), clean, "{path}");
        }
    }

    #[test]
    fn escapes_are_read_and_what_is_none_is_refused() {
        assert_eq!(unescaped("%51mc%2f+").as_deref(), Some("Qmc/+"));
        for wrong in ["%", "%5", "%zz", "%ff", "%+1"] {
            assert_eq!(unescaped(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_asked_is_found_and_the_rest_refused() {
        let of = |method: Method, path: &str| {
            asked(&method, path, Some("a=b")).map_err(|response| {
                let said = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
                let said = said(header::ALLOW).or_else(|| said(header::LOCATION)).unwrap_or_default();
                (response.status().as_u16(), said.to_owned())
            })
        };
        let refused = |status, said: &str| Err((status, said.to_owned()));
        assert_eq!(of(Method::POST, "/provide"), Ok(Asked::Provide));
        assert_eq!(of(Method::POST, "/retrieve/%51m"), Ok(Asked::Retrieve("Qm".to_owned())));
        assert_eq!(of(Method::HEAD, "/readiness"), Ok(Asked::Readiness));
        assert_eq!(of(Method::OPTIONS, "/readiness"), refused(405, "GET, HEAD"));
        assert_eq!(of(Method::GET, "/retrieve/Qm"), refused(405, "POST"));
        assert_eq!(of(Method::POST, "//provide"), refused(307, "/provide?a=b"));
        for path in ["/", "/provide/", "/retrieve", "/retrieve/", "/retrieve/a/b", "/readiness/", "/metrics"]
        {
            assert_eq!(of(Method::POST, path), refused(404, ""), "{path}");
        }
        assert_eq!(of(Method::POST, "/retrieve/%zz"), refused(400, ""));
    }
}
