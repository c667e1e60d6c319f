//! The numbers on top of the page, in four lines that fit into 80 columns.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::{
    page::Paint,
    picture::{PaceRow, Picture},
};
use crate::render::text::{duration, grouped, percent};

/// The width of the names of lines.
const NAME_COLUMNS: usize = 7;

/// The lines.
pub(super) fn lines(picture: &Picture, paint: Paint) -> Vec<Line<'static>> {
    let counts = &picture.counts;
    let nat = percent(counts.behind_nat, counts.behind_nat + counts.active);
    let mut active = vec![
        said(grouped(counts.active), paint.good()),
        plain(format!("behind NAT {}{}", grouped(counts.behind_nat), in_brackets(&nat))),
        plain(format!("known {}", grouped(counts.known))),
    ];
    if counts.unconfirmed > 0 {
        active.push(said(format!("not yet seen again {}", grouped(counts.unconfirmed)), paint.odd()));
    }
    if counts.uncounted_looks > 0 {
        active.push(said("no room for all peers".to_owned(), paint.bad()));
    }
    let failed = counts.looks - counts.answered_looks - counts.nat_looks;
    let failed = percent(failed, counts.looks);
    let looks = format!("looks {}{}", grouped(counts.looks), in_brackets(&format_failed(&failed)));
    let run = vec![
        said(format!("arrived {}", grouped(counts.arrived_in_run)), paint.good()),
        said(format!("left {}", grouped(counts.left_in_run)), paint.bad()),
        plain(looks),
        plain(picture.pace.as_ref().map(pace).unwrap_or_default()),
    ];
    let churn = counts.daily_churn.map_or_else(|| "-".to_owned(), |churn| format!("{:.1} %", churn * 100.0));
    let stay = counts.mean_stay_s.map_or_else(|| "-".to_owned(), duration);
    let today = vec![
        plain(format!("seen {}", grouped(counts.seen_today))),
        plain(format!("arrived {}", grouped(counts.arrived_today))),
        plain(format!("gone {}", grouped(counts.gone_today))),
        plain(format!("churn {churn}")),
        plain(format!("mean stay {stay}")),
    ];
    vec![
        line("Active", active, paint),
        line("Run", run, paint),
        line("Today", today, paint),
        line("Trips", trips(picture), paint),
    ]
}

fn pace(pace: &PaceRow) -> String {
    format!(
        "{:.1} looks/s, +{:.1} -{:.1}/min",
        pace.looks_per_s, pace.arrivals_per_min, pace.departures_per_min
    )
}

/// Round trips, and by which transports peers that are up were reached.
fn trips(picture: &Picture) -> Vec<Span<'static>> {
    let counts = &picture.counts;
    let ms = |us: u32| format!("{:.0}", f64::from(us) / 1e3);
    let rtt = match counts.rtt {
        Some(rtt) => {
            format!("{} / {} / {} ms (10 %, half, 90 %)", ms(rtt.p10_us), ms(rtt.median_us), ms(rtt.p90_us))
        }
        None => "none measured yet".to_owned(),
    };
    let all = counts.transports.values().sum();
    let mut transports: Vec<_> = counts.transports.iter().collect();
    transports.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let transports: Vec<String> =
        transports.into_iter().map(|(name, count)| format!("{name} {}", percent(*count, all))).collect();
    vec![plain(rtt), plain(transports.join(", "))]
}

fn format_failed(failed: &str) -> String {
    if failed.is_empty() { String::new() } else { format!("{failed} failed") }
}

fn in_brackets(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

fn plain(text: String) -> Span<'static> {
    Span::raw(text)
}

fn said(text: String, style: Style) -> Span<'static> {
    Span::styled(text, style)
}

/// A name, and what there is to say of it, three columns apart.
fn line(name: &str, said: Vec<Span<'static>>, paint: Paint) -> Line<'static> {
    let mut spans = vec![Span::styled(format!("{name:NAME_COLUMNS$}"), paint.name())];
    for (index, part) in said.into_iter().filter(|part| !part.content.is_empty()).enumerate() {
        if index > 0 {
            spans.push(Span::raw("   "));
        }
        spans.push(part);
    }
    Line::from(spans)
}
