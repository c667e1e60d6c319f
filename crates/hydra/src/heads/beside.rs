//! Who provides a key by what the belly says and by what a service of delegated routing says, each asked when the strategy says so.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use store::{ProvidersHeld, Reading};

use super::state::HydraState;
use crate::delegated::{Delegated, FindFailure, keep_found};

/// How long what a service says is kept, as what a lookup found is: it is not asked for the key again meanwhile.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// Who provides a key; `None` if neither can say. What the service knows is in the belly from then on, as something that was
/// fetched.
pub(super) async fn providers(
    state: &HydraState,
    delegated: &Delegated,
    (key, reading): (&[u8], Reading<Arc<ProvidersHeld>>),
) -> Option<Arc<ProvidersHeld>> {
    let nobody = OnceLock::new();
    let of_belly = async {
        let held = match reading {
            Reading::Known(held) => held,
            Reading::Unread(unread) => unread.await?,
            Reading::Shed(failure) => return Err(failure.into()),
        };
        if held.is_empty(state.now()) {
            nobody.get_or_init(|| held);
            return Ok(None);
        }
        Ok::<_, FindFailure>(Some(held))
    };
    let found = delegated.find_beside(key, of_belly).await;
    if let Some(Ok(answer)) = &found.delegated
        && answer.has_somebody()
    {
        keep_found(&state.belly, key, answer, LIFETIME, state.now());
        if let Some(held) = state.belly.cached_providers(key, state.now()) {
            return Some(held);
        }
    }
    found.belly.ok().flatten().or_else(|| nobody.into_inner())
}
