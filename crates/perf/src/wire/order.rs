//! What is ordered: a JSON object whose keys may be written in any case, of which the last one counts, and of which unknown ones say
//! nothing.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use super::content::{Content, base64};

/// The key of content.
const KEY: &str = "Content";

/// Content to be published: a server hashes it, and keeps none of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvideOrder {
    /// The content. What is `null`, or not said at all, is content without a byte.
    pub content: Vec<u8>,
}

/// That what the path names is to be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrieveOrder;

/// A body that is no order: no JSON, no object, or content that is neither base64 nor a list of bytes.
#[derive(Debug, thiserror::Error)]
#[error("it is no order: {0}")]
pub struct BadOrder(#[from] serde_json::Error);

impl ProvideOrder {
    /// Reads the body of a request.
    pub fn read(body: &[u8]) -> Result<Self, BadOrder> {
        let Fields { content } = serde_json::from_slice::<Fields<Content>>(body)?;
        Ok(Self { content: content.0 })
    }

    /// The body of a request, as Go's scheduler writes it.
    pub fn body(&self) -> Vec<u8> {
        format!(r#"{{"{KEY}":"{}"}}"#, base64(&self.content)).into_bytes()
    }
}

impl RetrieveOrder {
    /// The body of a request, as Go's scheduler writes it.
    pub const BODY: &'static [u8] = b"{}";

    /// Reads the body of a request: any object says the same, and so does `null`.
    pub fn read(body: &[u8]) -> Result<Self, BadOrder> {
        serde_json::from_slice::<Fields<Ignored>>(body)?;
        Ok(Self)
    }
}

/// The fields of an order, with content of one kind.
#[derive(Default)]
struct Fields<C> {
    content: C,
}

/// Content of which nobody wants to know.
#[derive(Default)]
struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(from).map(|_| Self)
    }
}

impl<'de, C: Deserialize<'de> + Default> Deserialize<'de> for Fields<C> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(FieldsVisitor(Self::default()))
    }
}

struct FieldsVisitor<C>(Fields<C>);

impl<'de, C: Deserialize<'de>> Visitor<'de> for FieldsVisitor<C> {
    type Value = Fields<C>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<Fields<C>, E> {
        Ok(self.0)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Fields<C>, A::Error> {
        while let Some(Name { is_content }) = map.next_key()? {
            if is_content {
                self.0.content = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(self.0)
    }
}

/// A key, which need not be text.
struct Name {
    is_content: bool,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_bytes(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Name, E> {
        Ok(Name { is_content: name.eq_ignore_ascii_case(KEY.as_bytes()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(body: &str) -> Option<Vec<u8>> {
        ProvideOrder::read(body.as_bytes()).ok().map(|order| order.content)
    }

    #[test]
    fn content_is_base64_or_a_list_of_bytes() {
        for body in [
            r#"{"Content":"Z29sZA=="}"#,
            r#"{"Content":[103,111,108,100]}"#,
            r#" {"content" : "Z29sZA==" , "x":{"y":[1,2,{}]} } "#,
            r#"{"CONTENT":"","Content":"Z29sZA=="}"#,
            r#"{"Content":"Z29s\r\nZA=="}"#,
            r#"{"Con\u0074ent":"Z29sZB=="}"#,
            r#"{"Content":null,"x":"\ud800","Content":"Z29sZA=="}"#,
        ] {
            assert_eq!(content(body).as_deref(), Some(&b"gold"[..]), "{body}");
        }
        assert_eq!(ProvideOrder::read(b"{\"\xff\":\"\xff\"}").unwrap().content, b"");
        let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
        assert_eq!(content(&deep).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn what_says_no_content_says_empty_content() {
        let empty =
            ["{}", "null", r#"{"Content":null}"#, r#"{"Content":""}"#, r#"{"Content":[]}"#, r#"{"a":1}"#];
        for body in empty {
            assert_eq!(content(body).as_deref(), Some(&b""[..]), "{body}");
        }
        assert_eq!(content(r#"{"Content":"Z29sZA==","Content":""}"#).as_deref(), Some(&b""[..]));
        assert_eq!(content(r#"{"Content":[null,1]}"#).as_deref(), Some(&[0, 1][..]));
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for body in
            ["", "{", "[]", "[1]", "5", "-5", "true", "\"x\"", "{}x", "{} {}", "{'a':1}", "\u{feff}{}"]
        {
            assert_eq!(content(body), None, "{body}");
        }
        let wrong = [
            "5",
            "true",
            "{}",
            "[300]",
            "[-1]",
            "[1.0]",
            "[\"1\"]",
            "[[1]]",
            "\"_-8=\"",
            "\"Z29sZA\"",
            "\"Z29sZA=\"",
            "\"Z29sZA===\"",
            "\"Z29s=\"",
            "\"Z29 sZA==\"",
            "\"Z=29sZA=\"",
            "\"\\ud800\"",
            "5,\"Content\":\"\"",
        ];
        for said in wrong {
            assert_eq!(content(&format!(r#"{{"Content":{said}}}"#)), None, "{said}");
        }
    }

    #[test]
    fn a_retrieval_takes_any_object() {
        for body in ["{}", "null", r#"{"any":"thing"}"#, r#"{"Content":5}"#] {
            assert!(RetrieveOrder::read(body.as_bytes()).is_ok(), "{body}");
        }
        for body in ["", "{", "[]", "5", "\"x\"", "{}x"] {
            assert!(RetrieveOrder::read(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn an_order_is_written_as_go_does() {
        let order = ProvideOrder { content: b"gold".to_vec() };
        assert_eq!(order.body(), br#"{"Content":"Z29sZA=="}"#);
        assert_eq!(ProvideOrder::read(&order.body()).unwrap(), order);
        assert!(RetrieveOrder::read(RetrieveOrder::BODY).is_ok());
    }
}
