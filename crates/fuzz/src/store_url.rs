//! The names of stores and bellies: what is shown of one is read back, and shows no password.

use store::{BellyUrl, StoreUrl};

/// Stands in a password, and nowhere else.
const SECRET: &str = "hunter2";

/// Reads the text as the name of a store and of a belly, and as what follows the beginning of a password.
pub fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(url) = text.parse::<StoreUrl>() {
        let shown = url.to_string();
        let again = shown.parse::<StoreUrl>().map(|url| url.to_string());
        assert!(
            again.is_ok_and(|again| again == shown),
            "{text:?} is shown as {shown:?}, which is something else"
        );
    }
    if let Ok(url) = text.parse::<BellyUrl>() {
        let again = url.to_string().parse::<BellyUrl>().map(|url| url.to_string());
        assert!(
            again.is_ok_and(|again| again == url.to_string()),
            "{text:?} is shown as something else: {url}"
        );
    }
    if !text.contains(SECRET) {
        let url = format!("postgres://me:{SECRET}{text}").parse::<StoreUrl>();
        assert!(!format!("{url:?}").contains(SECRET), "{text:?} shows a password");
        assert!(url.is_ok_and(|url| !url.to_string().contains(SECRET)), "{text:?} shows a password");
    }
}
