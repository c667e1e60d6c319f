//! What somebody at the terminal asks for: in which order the list is, which part of it is shown, and what is searched for.

use monitor::watching::{NodeOrder, NodeQuery};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The longest text that is searched for, in characters: a peer's id, and some.
const MAX_SEARCH: usize = 64;

/// What follows from a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// The page is to be drawn.
    Draw,
    /// All is seen.
    Leave,
    /// Ctrl-C.
    Interrupt,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Controls {
    order: NodeOrder,
    is_reversed: bool,
    search: String,
    /// Whether keys are letters of what is searched for.
    is_typing: bool,
    /// How many peers of the list come before the first that is shown.
    skip: usize,
    /// How many are shown, and how many there are, as the list was last drawn.
    shown: usize,
    matching: usize,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            order: NodeOrder::LastSeen,
            is_reversed: false,
            search: String::new(),
            is_typing: false,
            skip: 0,
            shown: 0,
            matching: 0,
        }
    }
}

impl Controls {
    /// A key was pressed.
    pub(super) fn press(&mut self, key: KeyEvent) -> Wish {
        if key.kind == KeyEventKind::Release {
            return Wish::Draw;
        }
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        if is_control && key.code == KeyCode::Char('c') {
            return Wish::Interrupt;
        }
        match key.code {
            KeyCode::Char(letter) if self.is_typing && !is_control => self.letter(letter),
            KeyCode::Backspace if self.is_typing => drop(self.search.pop()),
            KeyCode::Enter if self.is_typing => self.is_typing = false,
            KeyCode::Esc => (self.is_typing, self.search) = (false, String::new()),
            KeyCode::Char('q') => return Wish::Leave,
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Char('s') => (self.order, self.skip) = (self.order.next(), 0),
            KeyCode::Char('r') => (self.is_reversed, self.skip) = (!self.is_reversed, 0),
            KeyCode::Up | KeyCode::Char('k') => self.scroll(|skip, _| skip.saturating_sub(1)),
            KeyCode::Down | KeyCode::Char('j') => self.scroll(|skip, _| skip + 1),
            KeyCode::PageUp => self.scroll(usize::saturating_sub),
            KeyCode::PageDown => self.scroll(|skip, page| skip + page),
            KeyCode::Home => self.skip = 0,
            KeyCode::End => self.scroll(|_, _| usize::MAX),
            _ => {}
        }
        Wish::Draw
    }

    fn letter(&mut self, letter: char) {
        if self.search.chars().count() < MAX_SEARCH && !letter.is_control() {
            self.search.push(letter);
        }
        self.skip = 0;
    }

    fn scroll(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        self.skip = to(self.skip, self.shown.max(1)).min(self.matching.saturating_sub(self.shown));
    }

    /// The part of the list that is shown where there is room for so many peers.
    pub(super) fn query(&self, room: usize) -> NodeQuery<'_> {
        let Self { order, is_reversed, skip, .. } = *self;
        NodeQuery { order, is_reversed, search: &self.search, skip, take: room }
    }

    /// So many there are, of which there was room for so many: a list that became shorter is shown to its end.
    pub(super) fn drawn(&mut self, matching: usize, room: usize) -> bool {
        (self.matching, self.shown) = (matching, room);
        let last = matching.saturating_sub(room);
        let is_beyond = self.skip > last;
        self.skip = self.skip.min(last);
        is_beyond
    }

    /// What is searched for, if anything is or could be.
    pub(super) fn search(&self) -> Option<&str> {
        (self.is_typing || !self.search.is_empty()).then_some(&self.search)
    }

    pub(super) const fn is_typing(&self) -> bool {
        self.is_typing
    }

    /// The order in words, and the position of the first peer that is shown.
    pub(super) fn standing(&self) -> (String, usize) {
        let way = if self.is_reversed { ", reversed" } else { "" };
        (format!("{}{way}", self.order), self.skip)
    }
}

#[cfg(test)]
mod tests {
    use KeyCode::{Down, End, Home, PageDown, PageUp, Up};

    use super::*;

    fn pressed(controls: &mut Controls, code: KeyCode) -> Wish {
        controls.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn letters_are_a_search_or_commands() {
        let mut controls = Controls::default();
        assert_eq!(pressed(&mut controls, KeyCode::Char('q')), Wish::Leave);
        for letter in "/qs\u{1b}x".chars() {
            assert_eq!(pressed(&mut controls, KeyCode::Char(letter)), Wish::Draw);
        }
        pressed(&mut controls, KeyCode::Backspace);
        assert_eq!((controls.search(), controls.is_typing()), (Some("qs"), true));
        pressed(&mut controls, KeyCode::Enter);
        assert_eq!(pressed(&mut controls, KeyCode::Char('q')), Wish::Leave);
        pressed(&mut controls, KeyCode::Esc);
        assert_eq!(controls.search(), None);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(controls.press(interrupt), Wish::Interrupt);
        pressed(&mut controls, KeyCode::Char('/'));
        assert_eq!(controls.press(interrupt), Wish::Interrupt, "while somebody types as well");
        for _ in 0..1000 {
            pressed(&mut controls, KeyCode::Char('a'));
        }
        assert_eq!(controls.search().map(str::len), Some(MAX_SEARCH));
    }

    #[test]
    fn a_list_is_scrolled_within_its_ends() {
        let mut controls = Controls::default();
        assert!(!controls.drawn(100, 10));
        let mut at = |code| {
            pressed(&mut controls, code);
            controls.standing().1
        };
        assert_eq!(
            [Up, Down, PageDown, Up, End, Down, PageUp, Home].map(&mut at),
            [0, 1, 11, 10, 90, 90, 80, 0]
        );
        at(End);
        assert!(controls.drawn(15, 10), "it became shorter");
        assert_eq!(controls.standing(), ("last_seen".to_owned(), 5));
    }
}
