//! What an answer says of caches on its way: whether one of them gave it, and since when it has had it.

use std::time::Duration;

use http::HttpIncoming;

/// The longest value that is kept of one header, in bytes; a longer one is cut.
pub const MAX_MARK_BYTES: usize = 128;

/// The headers of caches, as they came. An answer that a cache gave says how near the cache is, not how fast the service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheMarks {
    /// For how long a cache has had the answer (`Age`).
    pub age: Option<Duration>,
    /// What a cache says that it did (`X-Cache`): "Hit from cloudfront", "MISS".
    pub x_cache: Option<String>,
    /// At which place of `CloudFront`'s it was asked (`X-Amz-Cf-Pop`).
    pub pop: Option<String>,
    /// For how long the answer may be kept (`Cache-Control`).
    pub cache_control: Option<String>,
}

impl CacheMarks {
    pub(crate) fn of(incoming: &HttpIncoming) -> Self {
        Self::of_headers(|name| incoming.header(name))
    }

    /// From whatever has headers, by their names in lower case.
    pub fn of_headers<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let text = |name| header(name).map(|value| value.chars().take(MAX_MARK_BYTES).collect());
        Self {
            age: header("age").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs),
            x_cache: text("x-cache"),
            pop: text("x-amz-cf-pop"),
            cache_control: text("cache-control"),
        }
    }

    /// Whether a cache gave the answer; `None` if nothing says so.
    pub fn is_hit(&self) -> Option<bool> {
        let said = self.x_cache.as_ref().map(|said| said.to_ascii_lowercase().contains("hit"));
        said.or(self.age.map(|age| !age.is_zero()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(headers: &'static [(&str, &str)]) -> CacheMarks {
        CacheMarks::of_headers(|name| {
            headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
        })
    }

    #[test]
    fn caches_say_what_they_did() {
        assert_eq!(marks(&[]), CacheMarks::default());
        assert_eq!(marks(&[]).is_hit(), None);
        let hit = marks(&[("x-cache", "Hit from cloudfront"), ("age", "17"), ("x-amz-cf-pop", "FRA56-P4")]);
        assert_eq!((hit.is_hit(), hit.age), (Some(true), Some(Duration::from_secs(17))));
        assert_eq!(hit.pop.as_deref(), Some("FRA56-P4"));
        assert_eq!(marks(&[("x-cache", "Miss from cloudfront")]).is_hit(), Some(false));
        assert_eq!(marks(&[("age", "0")]).is_hit(), Some(false));
        assert_eq!(marks(&[("age", "1")]).is_hit(), Some(true));
    }
}
