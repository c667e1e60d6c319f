//! Figures of every kind: such as one would show, and such as nobody should make.

use crate::{
    Axis, AxisScale, BoxPlot, Datum, Figure, FigureWidth, HeatCell, Panel, ReferenceLine, Series, SeriesData,
};

const REGIONS: [&str; 7] =
    ["af-south-1", "ap-south-1", "ap-southeast-2", "eu-central-1", "sa-east-1", "us-east-2", "us-west-1"];
const FLEETS: [&str; 4] = ["default", "optprov", "fullrt", "sweep"];

fn panel(x: Axis, y: Axis, series: Vec<Series>) -> Panel {
    Panel { title: String::new(), x, y, series, references: Vec::new() }
}

fn refer(is_upright: bool, at: f64, label: &str) -> ReferenceLine {
    ReferenceLine { is_upright, at, label: label.to_owned() }
}

/// A distribution with a median, and a band that narrows towards its ends.
fn distribution(median: f64, spread: f64) -> Vec<Datum> {
    let points = (0..=60).map(|step| {
        let share = f64::from(step) / 60.0;
        let at = median * ((share * 0.98 + 0.01) / (0.99 - share * 0.98)).powf(spread);
        let half = 0.09 * (share * (1.0 - share)).sqrt();
        Datum::new(at, share).within((share - half).max(0.0), (share + half).min(1.0)).of(120)
    });
    [Datum::new(0.0, 0.0)].into_iter().chain(points).collect()
}

fn curves() -> Figure {
    let panels = FLEETS.iter().enumerate().map(|(fleet, name)| {
        let series = REGIONS.iter().enumerate().map(|(region, name)| {
            let curve = distribution(0.1 * (region + 1) as f64 * (1.0 + fleet as f64 * 0.4), 0.35);
            Series::new(*name, SeriesData::Steps { curve, censored_at: vec![2.0] }).of(120)
        });
        let x = Axis::new("time until the first provider", "s", AxisScale::Log).within(0.02, 20.0);
        let y = Axis::new("lookups that had ended", "", AxisScale::Share);
        Panel { title: (*name).to_owned(), ..panel(x, y, series.collect()) }
    });
    Figure {
        name: "curves in panels".to_owned(),
        title: "Lookups by region and fleet".to_owned(),
        subtitle: "Seven regions, 23 to 29 November 2026; bands are 95 % intervals; ticks are lookups that were cut short".to_owned(),
        columns: 2,
        panels: panels.collect(),
        ..Figure::of("", "", panel(Axis::of_categories("", [""; 0]), Axis::of_categories("", [""; 0]), vec![]))
    }
}

fn survival() -> Figure {
    let curve = |rate: f64| -> Vec<Datum> {
        let points = (0..=48).map(|hour| {
            let (hour, left) = (f64::from(hour), (-rate * f64::from(hour)).exp());
            Datum::new(hour, left).within((left - 0.05).max(0.0), (left + 0.05).min(1.0))
        });
        points.collect()
    };
    let steps =
        |rate: f64| SeriesData::Steps { curve: curve(rate), censored_at: vec![10.0, 22.0, 36.0, 48.0] };
    let series = vec![Series::new("kubo", steps(0.01)).of(1840), Series::new("others", steps(0.05)).of(412)];
    let x = Axis::new("since it was published", "h", AxisScale::Linear);
    let mut panel = panel(x, Axis::new("records that are kept", "", AxisScale::Share), series);
    panel.references = vec![
        refer(true, 22.0, "published again"),
        refer(true, 24.0, "addresses end"),
        refer(false, 0.5, "half"),
    ];
    Figure { width: FigureWidth::Column, ..Figure::of("survival", "How long records are kept", panel) }
}

fn over_time() -> Figure {
    let day = 1_764_028_800.0;
    let line = |level: f64| -> Vec<Datum> {
        let points = (0..84).map(|step| {
            let wave = level + level * 0.1 * (f64::from(step) / 6.0).sin();
            let value = if step == 40 { f64::NAN } else { wave };
            Datum::new(day + f64::from(step) * 7200.0, value).within(wave * 0.95, wave * 1.06)
        });
        points.collect()
    };
    let series = vec![
        Series::new("crawled", SeriesData::Line(line(9200.0))),
        Series::new("dialable", SeriesData::Line(line(6100.0))),
        Series::new("undialable", SeriesData::Line(line(3100.0))),
    ];
    let x = Axis::new("", "", AxisScale::Time);
    Figure::of(
        "lines over time",
        "Peers in each crawl",
        panel(x, Axis::new("peers", "", AxisScale::Linear), series),
    )
}

fn bars() -> Figure {
    let of = |level: f64| {
        let bars = (0..5).map(|index| {
            let value = level / f64::from(index + 1);
            Datum::new(f64::from(index), value).within(value * 0.8, value * 1.25).of(400)
        });
        SeriesData::Bars(bars.collect())
    };
    let x = Axis::of_categories("", ["not found", "timed out", "failed", "unreachable", "unready"]);
    let series =
        FLEETS.iter().enumerate().map(|(index, name)| Series::new(*name, of(0.04 / (index + 1) as f64)));
    let y = Axis::new("share of attempts", "", AxisScale::Share);
    Figure::of("bars in groups", "Errors by outcome", panel(x, y, series.collect()))
}

fn stacked() -> Figure {
    let names = ["China", "United States", "Germany", "Netherlands", "Côte d'Ivoire", "Rest"];
    let of = |level: f64| {
        SeriesData::StackedBars(
            (0..6).map(|index| Datum::new(f64::from(index), level * f64::from(7 - index))).collect(),
        )
    };
    let series = vec![
        Series::new("online", of(300.0)),
        Series::new("offline", of(120.0)),
        Series::new("came and went", of(60.0)),
    ];
    let y = Axis::of_categories("", names);
    Figure {
        width: FigureWidth::Column,
        ..Figure::of(
            "stacked and lying",
            "Peers by country",
            panel(Axis::new("peers", "", AxisScale::Linear), y, series),
        )
    }
}

fn boxes() -> Figure {
    let days = ["11-23", "11-24", "11-25", "11-26", "11-27", "11-28", "11-29"];
    let of = |level: f64| {
        let plots = (0..7).map(|day| {
            let median = level * (1.0 + f64::from(day) * 0.06);
            BoxPlot {
                at: f64::from(day),
                n: 1234 - 150 * u64::try_from(day).unwrap(),
                censored: 2,
                low: Some(median * 0.3),
                q1: Some(median * 0.7),
                median: Some(median),
                q3: Some(median * 1.6),
                high: Some(median * 2.9),
                outliers: vec![median * 4.0, median * 5.0, median * 9.0],
                outliers_left_out: 0,
            }
        });
        SeriesData::Boxes(plots.collect())
    };
    let series = FLEETS.iter().zip([8.0, 0.9, 0.5, 2.0]).map(|(name, level)| Series::new(*name, of(level)));
    let y = Axis::new("time of a publication", "s", AxisScale::Log);
    let mut panel = panel(Axis::of_categories("", days), y, series.collect());
    panel.references.push(refer(false, 60.0, "deadline"));
    Figure {
        subtitle: "Boxes: quartiles; whiskers: to 1.5 times their distance; above: how many each stands on"
            .to_owned(),
        ..Figure::of("boxes a day", "Publications a day", panel)
    }
}

fn matrix() -> Figure {
    let mut cells = Vec::new();
    for column in 0..4 {
        for row in 0..4 {
            let value = if (column, row) == (2, 1) {
                f64::NAN
            } else {
                0.4 + 0.13 * column as f64 + 0.05 * row as f64
            };
            cells.push(HeatCell {
                column,
                row,
                value,
                low: Some(value * 0.9),
                high: Some(value * 1.1),
                n: Some(240),
            });
        }
    }
    let colours = Axis::new("median", "s", AxisScale::Linear);
    let series = vec![Series::new("median", SeriesData::Heat { cells, colours })];
    let (x, y) = (Axis::of_categories("publisher", FLEETS), Axis::of_categories("retriever", FLEETS));
    Figure::of("matrix", "Who finds what whom published", panel(x, y, series))
}

fn quantiles() -> Figure {
    let of = |level: f64| {
        let dots = (0..4).map(|index| {
            let value = level * (1.0 + f64::from(index));
            Datum::new(f64::from(index), value).within(value * 0.8, value * 1.3).of(900)
        });
        SeriesData::Dots(dots.collect())
    };
    let series = vec![Series::new("p50", of(0.3)), Series::new("p90", of(1.1)), Series::new("p99", of(4.0))];
    let x = Axis::new("time", "s", AxisScale::Log);
    Figure::of(
        "values with whiskers",
        "Quantiles by fleet",
        panel(x, Axis::of_categories("", FLEETS), series),
    )
}

/// Boxes at ages, every so many minutes: the level falls, and so does the number they stand on.
fn boxes_at(rounds: u32, minutes: f64, level: f64) -> SeriesData {
    let plots = (0..rounds).map(|round| {
        let median = (level * (1.0 - f64::from(round) / f64::from(rounds * 2))).round();
        BoxPlot {
            at: f64::from(round) * minutes * 60.0,
            n: u64::from(100 - round / 3),
            censored: 0,
            low: Some(median - 4.0),
            q1: Some(median - 2.0),
            median: Some(median),
            q3: Some(median + 1.0),
            high: Some(median + 3.0),
            outliers: vec![median - 7.0],
            outliers_left_out: 0,
        }
    });
    SeriesData::Boxes(plots.collect())
}

/// Such as stand close together in one place and far from each other elsewhere.
fn uneven_boxes() -> SeriesData {
    let SeriesData::Boxes(mut boxes) = boxes_at(60, 1.0, 15.0) else { return SeriesData::Boxes(vec![]) };
    let places = (0..30).map(f64::from).chain((1..=30).map(|step| 100.0 * f64::from(step)));
    boxes.iter_mut().zip(places).for_each(|(plot, at)| plot.at = at * 60.0);
    SeriesData::Boxes(boxes)
}

fn age() -> Axis {
    Axis::new("age of the record", "", AxisScale::Elapsed)
}

fn boxes_over_time() -> Figure {
    let series = vec![Series::new("holders", boxes_at(35, 3.0, 18.0)).of(100)];
    let mut panel = panel(age(), Axis::new("holders that give the record", "", AxisScale::Linear), series);
    panel.references.push(refer(true, 900.0, "15 min after the disconnect"));
    Figure::of("boxes over time", "Holders with the record, round by round", panel)
}

fn boxes_of_arms() -> Figure {
    let of_arm = |(index, name): (usize, &&str)| Panel {
        title: (*name).to_owned(),
        ..panel(
            age(),
            Axis::new("active holders", "", AxisScale::Linear),
            vec![Series::new("active", boxes_at(72, 30.0, 15.0 + 5.0 * index as f64))],
        )
    };
    let panels = ["k15", "k20", "k25", "k40"].iter().enumerate().map(of_arm).collect();
    Figure {
        panels,
        ..Figure::of("boxes of arms over time", "Active holders by arm", panel(age(), age(), vec![]))
    }
}

fn arms_beside() -> Figure {
    let series = FLEETS
        .iter()
        .zip([18.0, 16.0, 14.0, 12.0])
        .map(|(name, level)| Series::new(*name, boxes_at(17, 3.0, level)));
    let y = Axis::new("holders", "", AxisScale::Linear);
    Figure::of("boxes of arms beside each other", "Holders by strategy", panel(age(), y, series.collect()))
}

fn shares_over_time() -> Figure {
    let of_arm = |name: &&str| {
        let share = |of: fn(f64) -> f64| {
            let bars = (0..35)
                .map(|round| Datum::new(f64::from(round) * 180.0, of(f64::from(round) / 34.0)).of(100));
            SeriesData::StackedBars(bars.collect())
        };
        let series = vec![
            Series::new("id and addresses", share(|at| (1.0 - at * 1.5).max(0.0))),
            Series::new("id alone", share(|at| 0.95 - (1.0 - at * 1.5).max(0.0) * 0.95)),
            Series::new("nothing", share(|at| 0.05 * (1.0 - (1.0 - at * 1.5).max(0.0)))),
        ];
        let y = Axis::new("share of lookups", "", AxisScale::Share);
        Panel { title: (*name).to_owned(), ..panel(age(), y, series) }
    };
    let panels = FLEETS.iter().map(of_arm).collect();
    Figure {
        columns: 2,
        panels,
        ..Figure::of("shares over time", "What a lookup gives", panel(age(), age(), vec![]))
    }
}

/// Such as one would show.
pub(super) fn good() -> Vec<Figure> {
    vec![
        curves(),
        survival(),
        over_time(),
        bars(),
        stacked(),
        boxes(),
        matrix(),
        quantiles(),
        boxes_over_time(),
        boxes_of_arms(),
        arms_beside(),
        shares_over_time(),
    ]
}

/// Such as nobody should make.
pub(super) fn bad() -> Vec<Figure> {
    let mut all = of_bad_values();
    all.extend(of_bad_words());
    all.extend(of_too_much());
    all
}

fn linear() -> Axis {
    Axis::new("value", "", AxisScale::Linear)
}

fn line(values: &[f64]) -> SeriesData {
    SeriesData::Line(values.iter().enumerate().map(|(at, value)| Datum::new(at as f64, *value)).collect())
}

fn columns(count: u32, value: f64) -> SeriesData {
    SeriesData::Bars((0..count).map(|index| Datum::new(f64::from(index), value)).collect())
}

fn alone(name: &str, data: SeriesData) -> Figure {
    Figure::of(name, name, panel(linear(), linear(), vec![Series::new("one", data)]))
}

fn of_bad_values() -> Vec<Figure> {
    let of_zero = Panel {
        y: Axis::new("value", "", AxisScale::Log),
        ..alone("", line(&[0.0, -1.0, 3.0])).panels.remove(0)
    };
    let cut = |at| BoxPlot {
        at,
        n: 9,
        censored: 4,
        low: Some(1.0),
        q1: Some(2.0),
        median: None,
        q3: None,
        high: None,
        outliers: vec![],
        outliers_left_out: 6,
    };
    let boxes = vec![Series::new("x", SeriesData::Boxes(vec![cut(0.0), cut(1.0)]))];
    let empty = Panel { title: "a panel".to_owned(), ..panel(linear(), linear(), vec![]) };
    vec![
        Figure::of("empty", "Nothing", empty),
        Figure { panels: vec![], ..alone("no panels", line(&[])) },
        alone("one point", line(&[5.0])),
        alone("one value", line(&[5.0, 5.0, 5.0])),
        alone("no numbers", line(&[f64::NAN, 1.0, f64::INFINITY, f64::NAN, 2.0])),
        alone("huge", line(&[-1e308, 1e308, 1e-308])),
        Figure::of("zero on a logarithmic axis", "Zero", of_zero),
        Figure::of("boxes cut short", "Cut", panel(Axis::of_categories("", ["a", "b"]), linear(), boxes)),
    ]
}

fn of_bad_words() -> Vec<Figure> {
    let long = |index: u32| format!("go-ipfs/0.{index}.0-dev/with-a-very-long-suffix-that-nobody-asked-for");
    let names: Vec<_> = (0..8).map(long).collect();
    let bars = || vec![Series::new("x", columns(8, 3.0))];
    let words =
        "A title of many words which goes on and on, since whoever wrote it did not know when to stop. "
            .repeat(3);
    let hostile =
        ["<script>alert(1)</script>", "]]><img src=x>", "\u{0}\u{202e}evil", "=HYPERLINK(\"x\")", "a\r\nb"];
    let strange = vec![Series::new(hostile[0], columns(5, 2.0))];
    let (standing, lying) = (Axis::of_categories("", names.clone()), Axis::of_categories("", names));
    let lying = Figure::of("long and lying", "Long", panel(linear(), lying, bars()));
    let of_words = Figure {
        notes: vec![words.clone()],
        subtitle: words.clone(),
        ..alone("many words", line(&[1.0, 2.0]))
    };
    let of_a_word = Figure { title: "x".repeat(400), ..alone("one long word", line(&[1.0, 2.0])) };
    vec![
        Figure::of("long names", "Long", panel(standing, linear(), bars())),
        Figure { width: FigureWidth::Column, ..lying },
        Figure { title: words, ..of_words },
        Figure { width: FigureWidth::Column, ..of_a_word },
        Figure::of(
            "strangers",
            hostile[0],
            panel(Axis::of_categories(hostile[1], hostile), linear(), strange),
        ),
    ]
}

fn of_too_much() -> Vec<Figure> {
    let level = |index: u32| line(&[f64::from(index), f64::from(index) * 2.0]);
    let many = (0..40).map(|index| Series::new(format!("series {index}"), level(index)));
    let days = Axis::of_categories("", (0..90).map(|day| format!("day {day}")));
    let of_days = vec![Series::new("a", columns(90, 1.0)), Series::new("b", columns(90, 2.0))];
    let at = |index: u32| 1.0 + f64::from(index) * 0.01;
    let lines =
        (0..6).map(|index| refer(index % 2 == 0, at(index), "a line of reference that has much to say"));
    let crowded = Panel { references: lines.collect(), ..alone("", line(&[0.0, 2.0, 1.0])).panels.remove(0) };
    vec![
        Figure::of("forty series", "Forty", panel(linear(), linear(), many.collect())),
        Figure::of("ninety days", "Days", panel(days, linear(), of_days)),
        Figure::of("crowded lines", "Lines", crowded),
        Figure::of(
            "many narrow boxes",
            "Boxes",
            panel(age(), linear(), vec![Series::new("one", boxes_at(241, 20.0, 15.0))]),
        ),
        Figure::of(
            "boxes out of step",
            "Boxes",
            panel(age(), linear(), vec![Series::new("one", uneven_boxes())]),
        ),
    ]
}
