//! Figures of every kind, good ones and such as nobody should make: drawn, kept as they were drawn, and read for what must hold of
//! every figure.

mod gallery;

use std::{collections::HashSet, fs, path::Path};

use self::gallery::{bad, good};
use crate::{Figure, Page, PageSection, PageTable, text};

/// A text of an SVG file, where it stands.
#[derive(Debug)]
struct Written {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    text: String,
}

/// The texts of a file that are not aslant.
fn written(svg: &str) -> Vec<Written> {
    let is_aslant = |rest: &&str| {
        let head = rest.split('>').next().unwrap();
        head.contains("rotate") && !is_upright(head)
    };
    svg.split("<text ").skip(1).filter(|rest| !is_aslant(rest)).map(of_text).collect()
}

fn is_upright(head: &str) -> bool {
    head.contains("rotate(-90 ")
}

fn of_text(rest: &str) -> Written {
    let (head, rest) = rest.split_once('>').unwrap();
    let text = rest.split("</text>").next().unwrap().to_owned();
    let attribute = |name: &str| head.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap();
    let (x, y): (f64, f64) = (attribute("x").parse().unwrap(), attribute("y").parse().unwrap());
    let class = attribute("class");
    let size = match class.split(' ').next().unwrap() {
        "title" => 15.0,
        "small" => 10.0,
        "tiny" => 9.0,
        _ => 11.0,
    };
    let width = text::width(
        &text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'"),
        size,
    );
    let left = match attribute("text-anchor") {
        "start" => x,
        "middle" => x - width / 2.0,
        _ => x - width,
    };
    // Letters without what hangs below the line.
    if is_upright(head) {
        return Written { left: x - size * 0.7, right: x, top: y, bottom: y + width, text };
    }
    Written { left, right: left + width, top: y - size * 0.7, bottom: y, text }
}

fn size(svg: &str) -> (f64, f64) {
    let numbers = svg.split("viewBox=\"0 0 ").nth(1).unwrap().split('"').next().unwrap();
    let (width, height) = numbers.split_once(' ').unwrap();
    (width.parse().unwrap(), height.parse().unwrap())
}

/// That no text lies on another one or out of the picture.
fn check(figure: &Figure) {
    let svg = figure.svg();
    let (width, height) = size(&svg);
    let texts = written(&svg);
    for (index, one) in texts.iter().enumerate() {
        let inside = one.left >= -0.5 && one.right <= width + 0.5 && one.top >= 0.0 && one.bottom <= height;
        assert!(inside, "{}: out of the picture: {} {one:?}", figure.name, one.text);
        for other in &texts[index + 1..] {
            let meet = one.left + 0.5 < other.right
                && other.left + 0.5 < one.right
                && one.top + 0.5 < other.bottom
                && other.top + 0.5 < one.bottom;
            assert!(!meet, "{}: {} lies on {}: {one:?} {other:?}", figure.name, one.text, other.text);
        }
    }
    for word in ["NaN", "inf", "<script", "href", "url(http"] {
        assert!(!svg.contains(word), "{}: {word}", figure.name);
    }
    assert!(balanced(&svg), "{}: its elements are not closed in order", figure.name);
}

/// Whether every element that is opened is closed, in order.
fn balanced(svg: &str) -> bool {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return false;
            }
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    open.is_empty()
}

#[test]
fn no_text_lies_on_other_text_or_out_of_the_picture() {
    for figure in good().iter().chain(&bad()) {
        check(figure);
    }
}

#[test]
fn a_figure_is_drawn_as_it_was_looked_at() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gallery");
    for figure in good() {
        let (path, svg) = (home.join(format!("{}.svg", figure.file_stem())), figure.svg());
        if std::env::var_os("KADSCOPE_WRITE").is_some() {
            fs::create_dir_all(&home).unwrap();
            fs::write(&path, &svg).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == svg,
            "{} is not what is drawn: KADSCOPE_WRITE=1 writes it anew, then look at it",
            path.display()
        );
    }
}

#[test]
fn what_is_not_drawn_is_said_with_the_reason() {
    let said = |name: &str| {
        let figure = bad().into_iter().find(|figure| figure.name == name).unwrap();
        let sentences = figure.not_drawn();
        for sentence in &sentences {
            // As the notes break it, word by word.
            assert!(figure.svg().contains(sentence.split(' ').nth(1).unwrap()), "{sentence}");
        }
        assert_eq!(figure.json()["not_drawn"].as_array().unwrap().len(), sentences.len());
        sentences
    };
    assert_eq!(said("no numbers"), ["3 values are no numbers that can be drawn, and are left out."]);
    assert_eq!(
        said("zero on a logarithmic axis"),
        ["2 values are not above zero, and have no place on a logarithmic axis."]
    );
    assert_eq!(said("forty series"), ["16 further series are drawn in grey: their names are in the data."]);
    assert_eq!(said("long names"), ["8 names are cut: they are whole in the data."]);
    assert_eq!(
        said("many narrow boxes"),
        ["Boxes without a number above stand on 20 to 100 each: the numbers are in the data."]
    );
    assert_eq!(
        said("boxes cut short"),
        [
            "12 further outliers are not drawn.",
            "2 boxes are open above: a quarter or more of what they stand on was cut short."
        ]
    );
    assert!(
        bad().iter().find(|figure| figure.name == "empty").unwrap().svg().contains("nothing was observed")
    );
}

/// Nothing that a stranger says can run, break the page or leave its field.
#[test]
fn a_name_from_a_stranger_is_text_and_nothing_else() {
    let figure = bad().into_iter().find(|figure| figure.name == "strangers").unwrap();
    for hostile in ["<script>", "<img", "]]>", "\u{0}", "\u{202e}"] {
        assert!(!figure.svg().contains(hostile), "{hostile:?}");
    }
    let mut section = PageSection::new("</h2><script>alert(1)</script>", 2);
    section.text.push("</p><script>".to_owned());
    let cell = "</td><script>alert(1)</script>".to_owned();
    let head = vec!["<b>".to_owned()];
    section.tables.push(PageTable {
        caption: "<i>".to_owned(),
        head,
        rows: vec![vec![cell]],
        numbers_from: 1,
    });
    section.figures.push(figure.clone());
    let page = Page { title: "</title><script>".to_owned(), preamble: Vec::new(), sections: vec![section] };
    assert!(!page.html().contains("<script") && !page.html().contains("<img"));
    assert!(!page.markdown("figures").contains("<script"));
    assert_eq!(figure.file_stem(), "strangers");
    let csv = figure.csv();
    assert!(csv.lines().all(|line| !line.contains(['\u{0}', '\u{202e}'])));
}

#[test]
fn a_page_asks_nothing_from_anywhere() {
    let mut section = PageSection::new("All", 2);
    section.figures = good();
    let page = Page {
        title: "Gallery".to_owned(),
        preamble: vec!["All kinds.".to_owned()],
        sections: vec![section],
    };
    let html = page.html();
    for loads in ["src=", "@import", "<link", "<script", "url(http", "//cdn"] {
        assert!(!html.contains(loads), "{loads}");
    }
    // The only addresses are names: of the namespace of SVG.
    assert!(
        html.split("http")
            .skip(1)
            .all(|rest| rest.starts_with("://www.w3.org/2000/svg") || rest.starts_with("-equiv"))
    );
    let ids: Vec<_> = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{ids:?}");
}

#[test]
fn every_number_is_in_the_data_once() {
    for figure in good() {
        let json = figure.json();
        assert_eq!(json["panels"].as_array().unwrap().len(), figure.panels.len());
        let numbers: usize = figure
            .panels
            .iter()
            .flat_map(|panel| &panel.series)
            .map(|series| series.datums().len() + series.cells().len() + series.boxes().len())
            .sum();
        assert!(figure.csv().lines().count() > numbers, "{}", figure.name);
    }
}
