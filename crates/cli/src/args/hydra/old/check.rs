//! What old flags say together.

use super::said::SaidAll;

/// The default of the low water mark. Source: hydra-booster, `main.go`; so is the next.
const LOW_WATER: i64 = 1200;

/// The default of the high water mark.
const HIGH_WATER: i64 = 1800;

/// Refuses what cannot be together, and lets go of what another flag decides.
pub(super) fn together(said: &mut SaidAll) -> Result<(), String> {
    if let (Some(seed), Some(idgen)) = (said.of("random-seed"), said.of("idgen-addr"))
        && !seed.value.is_empty()
        && !idgen.value.is_empty()
    {
        return Err(format!(
            "{} and {} should not be set both: ids come from a seed, or from another hydra",
            idgen.by, seed.by
        ));
    }
    let number =
        |name| said.of(name).map(|said| Ok::<_, String>((said.by.clone(), said.whole()?))).transpose();
    let (low, high) = (number("connmgr-low-water")?, number("connmgr-high-water")?);
    let of = |mark: &Option<(String, i64)>, default| mark.as_ref().map_or(default, |(_, value)| *value);
    if of(&low, LOW_WATER) > of(&high, HIGH_WATER) && (low.is_some() || high.is_some()) {
        let by = [&low, &high].into_iter().flatten().map(|(by, value)| format!("{by}={value}"));
        return Err(format!(
            "{}: the low water mark ({}) is above the high one ({}), so connections would be closed while more are wanted",
            by.collect::<Vec<_>>().join(" and "),
            of(&low, LOW_WATER),
            of(&high, HIGH_WATER)
        ));
    }
    if said.is_on("mem")? {
        said.forget("db");
        said.forget("provider-store");
    } else if said.of("provider-store").is_some_and(|said| said.value.starts_with("dynamodb")) {
        // Providers are most of what a hydra keeps: values go where they are.
        said.forget("db");
    }
    Ok(())
}
