//! The scenarios that are in the program itself.

/// Name and text of each built-in scenario.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("demo", include_str!("../../../../scenarios/demo.toml")),
    ("healthy", include_str!("../../../../scenarios/healthy.toml")),
    ("faults", include_str!("../../../../scenarios/faults.toml")),
    ("third-dead", include_str!("../../../../scenarios/third-dead.toml")),
    ("half-dead", include_str!("../../../../scenarios/half-dead.toml")),
    ("delays", include_str!("../../../../scenarios/delays.toml")),
    ("churn", include_str!("../../../../scenarios/churn.toml")),
    ("seven-regions", include_str!("../../../../scenarios/seven-regions.toml")),
    ("forgetful", include_str!("../../../../scenarios/forgetful.toml")),
    ("rfm17-1-2022", include_str!("../../../../scenarios/rfm17-1-2022.toml")),
    ("rfm17-1-2023", include_str!("../../../../scenarios/rfm17-1-2023.toml")),
    ("world", include_str!("../../../../scenarios/world.toml")),
];
