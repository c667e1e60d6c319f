//! Moments as options give them.

use schema::Timestamp;

/// A day or a moment of UTC.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is no time: 2026-11-23 and 2026-11-23T12:00:00Z are");
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let time = humantime::parse_rfc3339(&whole).map_err(|_| wrong())?;
    let since_epoch = time.duration_since(std::time::UNIX_EPOCH).map_err(|_| wrong())?;
    i64::try_from(since_epoch.as_micros()).map(Timestamp).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_are_times_and_nothing_else_is() {
        assert_eq!(moment("2026-11-23"), Ok(Timestamp(1_795_392_000_000_000)));
        assert_eq!(moment("2026-11-23T00:00:01.5Z"), Ok(Timestamp(1_795_392_001_500_000)));
        for wrong in ["", "yesterday", "2026-13-01", "2026-11-23 12:00", "1969-12-31", "23.11.2026"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
