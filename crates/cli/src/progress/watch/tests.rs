//! The page, as it is on terminals of several sizes, with and without colours, whatever peers say.

use std::time::Duration;

use kad::{PeerId, failure::FailureClass, network::Transport};
use monitor::watching::{NetworkView, PeerSeen, WatchFact, WatchNews};
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    style::Color,
};
use schema::{NatClass, Timestamp};

use super::{
    controls::Controls,
    line::line,
    page::{Page, Paint},
    picture::Picture,
};

/// 2026-11-21T12:00:00Z.
const NOON: Timestamp = Timestamp(1_795_262_400_000_000);

/// What peers call their programs: among them what turns a terminal upside down, if it reaches one.
const AGENTS: [&str; 5] = [
    "kubo/0.32.1/",
    "go-ipfs/0.8.0/48f94e2",
    "\x1b[2J\x1b]0;owned\x07evil\r\n\u{9b}31m",
    "\u{202e}txet\u{200b}漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字",
    "hermes",
];

fn after(seconds: u64) -> Timestamp {
    NOON.after(Duration::from_secs(seconds))
}

fn peer(number: u32) -> PeerId {
    let mut bytes = vec![0, 36, 8, 1, 18, 32];
    bytes.extend([7; 28]);
    bytes.extend((number * 7_919).to_be_bytes());
    PeerId::from_bytes(&bytes).unwrap()
}

/// A network of a hundred peers of which one in ten leaves, watched for ten minutes.
fn view() -> NetworkView {
    let mut view = NetworkView::new(NOON, 1000);
    let note = |view: &mut NetworkView, number, seconds, news| {
        view.note(&WatchFact { peer: peer(number), at: after(seconds), news });
    };
    let up = |number: u32| {
        WatchNews::Up(PeerSeen {
            rtt: Some(Duration::from_millis(u64::from(10 + number))),
            transport: Some(if number.is_multiple_of(3) { Transport::Tcp } else { Transport::Quic }),
            agent: Some(AGENTS[number as usize % AGENTS.len()].into()),
        })
    };
    for number in 0..100 {
        note(&mut view, number, u64::from(number) / 10, up(number));
    }
    for number in 100..120 {
        note(&mut view, number, 10, WatchNews::BehindNat(NatClass::RelayedOnly));
        note(&mut view, number + 100, 10, WatchNews::Failed(FailureClass::Timeout));
    }
    view.swept();
    for second in 11..600 {
        let number = u32::try_from(second).unwrap() % 100;
        if number.is_multiple_of(10) && second < 150 {
            note(&mut view, number, second, WatchNews::Failed(FailureClass::ConnectionRefused));
            note(&mut view, number, second, WatchNews::Gone);
            note(&mut view, number + 300, second, up(number + 302));
        } else if !number.is_multiple_of(10) {
            note(&mut view, number, second, up(number));
        }
        view.tick(after(second));
    }
    view
}

fn drawn(view: &NetworkView, (columns, rows): (u16, u16), controls: &mut Controls, paint: Paint) -> Buffer {
    let picture = Picture::of(view, after(600));
    let said = Some("a note of \x1b[31mthe program".to_owned());
    let page = Page { title: "ipfs", picture: &picture, view, said, paint };
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| page.draw(frame, controls)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content().chunks(buffer.area.width.into());
    let line =
        |row: &[ratatui::buffer::Cell]| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    rows.map(|row| line(row).trim_end().to_owned() + "\n").collect()
}

fn press(controls: &mut Controls, keys: &[KeyCode]) {
    for key in keys {
        controls.press(KeyEvent::new(*key, KeyModifiers::NONE));
    }
}

#[test]
fn a_page_fits_on_the_smallest_terminal() {
    let page = drawn(&view(), (80, 24), &mut Controls::default(), Paint::new(false));
    insta::assert_snapshot!(text(&page));
}

#[test]
fn a_page_uses_the_room_that_there_is() {
    let mut controls = Controls::default();
    press(&mut controls, &[KeyCode::Char('s'), KeyCode::Char('r'), KeyCode::PageDown]);
    let page = drawn(&view(), (140, 40), &mut controls, Paint::new(true));
    insta::assert_snapshot!(text(&page));
}

#[test]
fn a_list_is_what_was_searched_for() {
    let mut controls = Controls::default();
    press(&mut controls, &"/HERMES".chars().map(KeyCode::Char).collect::<Vec<_>>());
    let view = view();
    let page = text(&drawn(&view, (120, 40), &mut controls, Paint::new(false)));
    assert!(page.contains("search: HERMES_"), "{page}");
    let list: Vec<_> = page.lines().skip_while(|line| !line.starts_with("Peer ")).skip(1).collect();
    assert!(list.iter().filter(|line| line.starts_with('…')).all(|line| line.contains("hermes")), "{page}");
    press(&mut controls, &"nobody".chars().map(KeyCode::Char).collect::<Vec<_>>());
    assert!(text(&drawn(&view, (120, 40), &mut controls, Paint::new(false))).contains("no peers"));
}

#[test]
fn a_terminal_that_is_too_small_is_told_so() {
    for size in [(79, 24), (80, 23), (40, 3), (10, 1), (1, 1)] {
        let page = text(&drawn(&view(), size, &mut Controls::default(), Paint::new(true)));
        let said = format!("this terminal has {} columns", size.0);
        assert!(page.starts_with(&said) || size.0 < 40 && page.contains('…'), "{size:?}: {page}");
    }
}

/// Sizes change while one looks on, and so do lists: nothing is drawn outside, whatever is asked for.
#[test]
fn every_size_and_a_network_of_nobody_are_drawn() {
    let (full, empty) = (view(), NetworkView::new(NOON, 10));
    let mut controls = Controls::default();
    for size in (1..200_u16).step_by(7).zip((1..80).cycle()) {
        press(&mut controls, &[KeyCode::End]);
        for view in [&full, &empty] {
            drawn(view, size, &mut controls, Paint::new(true));
        }
    }
    let page = text(&drawn(&empty, (80, 24), &mut controls, Paint::new(true)));
    assert!(page.contains("none yet") && page.contains("no peers"), "{page}");
}

#[test]
fn sixteen_colours_suffice_and_none_do_as_well() {
    let view = view();
    let colours = |is_coloured| {
        let buffer = drawn(&view, (120, 40), &mut Controls::default(), Paint::new(is_coloured));
        buffer.content().iter().map(|cell| (cell.fg, cell.bg)).collect::<Vec<_>>()
    };
    assert!(colours(false).iter().all(|colours| *colours == (Color::Reset, Color::Reset)));
    let is_plain = |colour: &Color| !matches!(colour, Color::Rgb(..) | Color::Indexed(_));
    assert!(colours(true).iter().all(|(fg, bg)| is_plain(fg) && is_plain(bg)));
    assert!(colours(true).iter().any(|(fg, _)| *fg == Color::Green));
}

#[test]
fn nothing_that_a_peer_says_is_more_than_text() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let page = text(&drawn(&view(), size, &mut Controls::default(), Paint::new(true)));
        assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{page:?}");
        assert!(!page.contains(['\u{202e}', '\u{200b}']), "{page:?}");
        assert!(page.contains("\\u{1b}[2J"), "{page}");
    }
    let json = serde_json::to_string(&Picture::of(&view(), after(600))).unwrap();
    assert!(crate::output::escape_controls(&json).chars().all(|c| !c.is_control()));
}

#[test]
fn a_line_is_in_the_words_of_the_original() {
    assert_eq!(
        line(&view().counts(after(600))),
        "==== Total nodes active in run: 100, Total nodes left in run: 10, Total nodes seen today: 110, \
         Total nodes gone today: 10, Daily churn: 9.090909%===="
    );
}
