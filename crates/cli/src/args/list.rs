//! Values that list several, after commas: blanks around them and a comma at the end are a person's, and say nothing.

use std::ffi::{OsStr, OsString};

use clap::{
    Arg, Command, Error,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use serde::Serialize;

/// What one value lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

/// Reads each entry by the parser of one.
#[derive(Debug, Clone)]
pub(crate) struct ListParser<P>(pub(crate) P);

impl<P: TypedValueParser> TypedValueParser for ListParser<P> {
    type Value = List<P::Value>;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Self::Value, Error> {
        entries(value)
            .iter()
            .map(|entry| self.0.parse_ref(command, arg, entry))
            .collect::<Result<_, _>>()
            .map(List)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}

/// Reads one of a closed list of names.
pub(crate) fn named<T: Copy + Clone + Send + Sync + 'static>(
    all: &'static [T],
    name: impl Fn(T) -> &'static str,
    from_name: impl Fn(&str) -> Option<T> + Clone + Send + Sync + 'static,
) -> impl TypedValueParser<Value = T> {
    let names: Vec<_> = all.iter().map(|&one| name(one)).collect();
    PossibleValuesParser::new(names).try_map(move |text| from_name(&text).ok_or("no such name"))
}

/// The entries of a value. One that is empty altogether stays, for the parser to refuse.
pub(super) fn entries(value: &OsStr) -> Vec<OsString> {
    let Some(text) = value.to_str() else { return vec![value.to_owned()] };
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let entries: Vec<OsString> = entries.map(OsString::from).collect();
    if entries.is_empty() { vec![OsString::new()] } else { entries }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_a_last_comma_say_nothing() {
        for text in ["a,b", " a , b,", "a,,b ", "a,\tb,\n"] {
            assert_eq!(entries(OsStr::new(text)), ["a", "b"], "{text:?}");
        }
        assert_eq!(entries(OsStr::new(" ,")), [""]);
    }
}
