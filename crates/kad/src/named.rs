//! Closed names: enums whose variants have one stable name each. It is stored, counted and printed, so it never changes its
//! meaning, and it is written in one place.

/// Defines an enum whose variants have one stable `snake_case` name each: [`ALL`], `name`, `from_name` and `Display` follow from
/// it, and with `serde` behind the enum's name serialisation too (whoever writes that depends on serde).
///
/// ```
/// # use kadscope_kad as kad;
/// kad::named! {
///     /// How it went.
///     pub enum Fate {
///         /// Well.
///         Well = "well",
///         /// Badly.
///         NotWell = "not_well",
///     }
/// }
/// assert_eq!(Fate::from_name("not_well"), Some(Fate::NotWell));
/// assert_eq!(Fate::ALL.iter().map(|fate| fate.name()).collect::<Vec<_>>(), ["well", "not_well"]);
/// ```
///
/// [`ALL`]: crate::failure::Phase::ALL
#[macro_export]
macro_rules! named {
    ($(#[$meta:meta])* $vis:vis enum $name:ident: serde { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $crate::named! { $(#[$meta])* $vis enum $name { $($(#[$doc])* $variant = $text,)+ } }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <String as serde::Deserialize>::deserialize(deserializer)?;
                let unknown = || serde::de::Error::unknown_variant(&name, &[$($text),+]);
                Self::from_name(&name).ok_or_else(unknown)
            }
        }
    };
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every variant, in the order of declaration.
            $vis const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name that is stored and printed.
            $vis const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The variant of that name; `None` for a name that is not one of ours.
            $vis fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    crate::named! {
        /// With names for serde.
        #[derive(Default)]
        enum Weather: serde {
            /// Nothing falls.
            #[default]
            Dry = "dry",
            /// Frozen water falls.
            HailStorm = "hail_storm",
        }
    }

    #[test]
    fn serde_writes_and_reads_the_names() {
        let all = serde_json::to_string(Weather::ALL).unwrap();
        assert_eq!(all, r#"["dry","hail_storm"]"#);
        assert_eq!(serde_json::from_str::<Vec<Weather>>(&all).unwrap(), Weather::ALL);
        let unknown = serde_json::from_str::<Weather>("\"fog\"").unwrap_err().to_string();
        assert!(unknown.starts_with("unknown variant `fog`, expected `dry` or `hail_storm`"), "{unknown}");
        assert_eq!(Weather::default(), Weather::Dry);
    }
}
