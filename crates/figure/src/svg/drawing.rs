//! The marks of SVG that figures are made of, as text.

use std::fmt::Write as _;

use crate::text;

/// A rectangle in pixels; down is more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

/// On which side of its point a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// What was drawn so far.
#[derive(Debug, Default)]
pub(super) struct Drawing(String);

impl Area {
    pub(super) const fn new(left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self { left, top, right, bottom }
    }

    /// Between two corners, whichever they are.
    pub(super) const fn between([x, y]: [f64; 2], [other_x, other_y]: [f64; 2]) -> Self {
        Self::new(x.min(other_x), y.min(other_y), x.max(other_x), y.max(other_y))
    }

    pub(super) const fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) const fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

impl Anchor {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A length in tenths of a pixel.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

impl Drawing {
    pub(super) fn finished(self) -> String {
        self.0
    }

    pub(super) fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    pub(super) fn rect(&mut self, class: &str, area: Area) {
        self.rect_with(class, area, "", "");
    }

    /// With further attributes, and what a pointer is told that rests there.
    pub(super) fn rect_with(&mut self, class: &str, area: Area, attributes: &str, hint: &str) {
        let (left, top) = (px(area.left), px(area.top));
        let (width, height) = (px(area.width().max(0.0)), px(area.height().max(0.0)));
        self.mark(
            "rect",
            &format!(
                "class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"{attributes}"
            ),
            hint,
        );
    }

    pub(super) fn line(&mut self, class: &str, [x, y]: [f64; 2], [other_x, other_y]: [f64; 2]) {
        let (x1, y1, x2, y2) = (px(x), px(y), px(other_x), px(other_y));
        self.mark("line", &format!("class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\""), "");
    }

    pub(super) fn path(&mut self, class: &str, commands: &str, attributes: &str) {
        if !commands.is_empty() {
            self.mark("path", &format!("class=\"{class}\" d=\"{commands}\"{attributes}"), "");
        }
    }

    /// A small mark around a point; which shape, by the number of its series.
    pub(super) fn marker(&mut self, class: &str, [x, y]: [f64; 2], (shape, size): (usize, f64), hint: &str) {
        let (left, right, top, bottom) = (px(x - size), px(x + size), px(y - size), px(y + size));
        let far = size * 1.2;
        let commands = match shape % 4 {
            0 => {
                let circle =
                    format!("class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{}\"", px(x), px(y), px(size));
                return self.mark("circle", &circle, hint);
            }
            1 => format!("M{left} {top}H{right}V{bottom}H{left}Z"),
            2 => format!("M{} {}L{} {bottom}H{}Z", px(x), px(y - far), px(x + far), px(x - far)),
            _ => {
                let points = [[x, y - far], [x + far, y], [x, y + far], [x - far, y]];
                let points = points.map(|[x, y]| format!("{} {}", px(x), px(y)));
                format!("M{}Z", points.join("L"))
            }
        };
        self.mark("path", &format!("class=\"{class}\" d=\"{commands}\""), hint);
    }

    pub(super) fn text(&mut self, class: &str, at: [f64; 2], anchor: Anchor, text: &str) {
        self.text_with(class, at, (anchor, 0.0, ""), text);
    }

    /// A text turned by so many degrees, with further attributes.
    pub(super) fn text_with(
        &mut self,
        class: &str,
        [x, y]: [f64; 2],
        (anchor, degrees, attributes): (Anchor, f64, &str),
        text: &str,
    ) {
        let (x, y, anchor, text) = (px(x), px(y), anchor.name(), text::escaped(text));
        let turn = if degrees == 0.0 {
            String::new()
        } else {
            format!(" transform=\"rotate({} {x} {y})\"", px(degrees))
        };
        // A string takes whatever is written.
        _ = writeln!(
            self.0,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\"{turn}{attributes}>{text}</text>"
        );
    }

    fn mark(&mut self, name: &str, attributes: &str, hint: &str) {
        // A string takes whatever is written.
        _ = if hint.is_empty() {
            writeln!(self.0, "<{name} {attributes}/>")
        } else {
            writeln!(self.0, "<{name} {attributes}><title>{}</title></{name}>", text::escaped(hint))
        };
    }
}
