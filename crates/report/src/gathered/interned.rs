//! Texts by numbers: the same text has one number.

use std::{collections::HashMap, sync::Arc};

/// Texts in the order in which they were first met.
#[derive(Debug, Default)]
pub(super) struct Interned {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Interned {
    pub(super) fn number(&mut self, text: &Arc<str>) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(Arc::clone(text));
        self.numbers.insert(Arc::clone(text), number);
        number
    }

    pub(super) fn into_texts(self) -> Vec<Arc<str>> {
        self.texts
    }
}
