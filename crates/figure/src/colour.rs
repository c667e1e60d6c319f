//! Colours: of series, which those who see colours otherwise tell apart as well, and of fields by their value.

use crate::text;

/// How many series are told apart: eight colours, each whole, dashed and dotted. Those beyond are grey.
pub(crate) const TOLD_APART: usize = PALETTE.len() * DASHES.len();

/// The colours of series on white, and on dark: looked for so that each pair is told apart by those who lack one kind of cones, and
/// stands out from its ground (a test holds both).
pub(crate) const PALETTE: [(&str, &str); 8] = [
    ("#0072b2", "#56a9e0"),
    ("#dc2d00", "#d5581f"),
    ("#6f9c3c", "#10ff71"),
    ("#281348", "#ffffd6"),
    ("#957699", "#a45380"),
    ("#0399fe", "#bdf2ff"),
    ("#682f1d", "#ffd300"),
    ("#3c514f", "#b2a78c"),
];

/// How lines of one colour differ, in pixels on and off.
pub(crate) const DASHES: [&str; 3] = ["", "6 3", "2 2.5"];

/// Dark fields where the value is high. Source: C. Brewer, "Blues" of `ColorBrewer` 2.0; it prints in grey and is told apart by everyone.
const FIELD: [[f64; 3]; 5] = [
    [247.0, 251.0, 255.0],
    [198.0, 219.0, 239.0],
    [107.0, 174.0, 214.0],
    [33.0, 113.0, 181.0],
    [8.0, 48.0, 107.0],
];

/// The luminance on which black and white can be read equally well: (EVEN + 0.05)^2 = 1.05 * 0.05.
const EVEN: f64 = 0.179;

/// The class of the colour of the n-th series.
pub(crate) fn class(index: usize) -> String {
    if index < TOLD_APART { format!("k{}", index % PALETTE.len()) } else { "kx".to_owned() }
}

/// How the line of the n-th series is broken; empty for a whole one.
pub(crate) fn dashes(index: usize) -> &'static str {
    DASHES.get(index / PALETTE.len()).copied().unwrap_or_default()
}

/// The colour of a field, `share` of the way from lowest to highest; and of the text on it.
pub(crate) fn field(share: f64) -> (String, &'static str) {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let at = share * (FIELD.len() - 1) as f64;
    let from = FIELD.iter().enumerate().rev().find(|(index, _)| *index as f64 <= at);
    let (index, from) = from.map_or((0, FIELD[0]), |(index, from)| (index, *from));
    let to = FIELD.get(index + 1).copied().unwrap_or(from);
    let part = at - index as f64;
    let [red, green, blue] =
        [0, 1, 2].map(|channel: usize| from[channel] + (to[channel] - from[channel]) * part);
    let ink = if luminance([red, green, blue]) < EVEN { "#fff" } else { "#000" };
    (format!("#{:02x}{:02x}{:02x}", text::whole(red), text::whole(green), text::whole(blue)), ink)
}

/// The relative luminance of a colour in sRGB (WCAG 2.1).
fn luminance(channels: [f64; 3]) -> f64 {
    let [red, green, blue] = channels.map(|channel| {
        let value = channel / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(colour: &str) -> [f64; 3] {
        let channel = |at: usize| f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        [1, 3, 5].map(|at| {
            let value = channel(at);
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn times(matrix: [[f64; 3]; 3], [a, b, c]: [f64; 3]) -> [f64; 3] {
        matrix.map(|[x, y, z]| x * a + y * b + z * c)
    }

    fn luminance(colour: &str) -> f64 {
        times([[0.2126, 0.7152, 0.0722]; 3], linear(colour))[0]
    }

    /// CIE L*a*b* under D65.
    fn lab(rgb: [f64; 3]) -> [f64; 3] {
        let to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]];
        let [x, y, z] = times(to_xyz, rgb);
        let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let (x, y, z) = (f(x / 0.9505), f(y), f(z / 1.089));
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// How those see who lack one kind of cones. Source: G. Machado et al., "A Physiologically-based Model for Simulation of Color Vision
    /// Deficiency", IEEE TVCG 15 (2009), table 1, severity 1.0.
    const VISIONS: [[[f64; 3]; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
        [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
        [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
    ];

    #[test]
    fn whoever_sees_colours_otherwise_tells_the_series_apart() {
        for (of_theme, least) in
            [(PALETTE.map(|(light, _)| light), 20.0), (PALETTE.map(|(_, dark)| dark), 20.0)]
        {
            for vision in VISIONS {
                let seen = of_theme.map(|colour| lab(times(vision, linear(colour))));
                let pairs = (0..seen.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
                for (one, other) in pairs {
                    let apart = seen[one].iter().zip(seen[other]).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
                    let names = (of_theme[one], of_theme[other]);
                    assert!(apart.sqrt() > least, "{names:?}: {:.1} in {vision:?}", apart.sqrt());
                }
            }
        }
    }

    /// At least 3 to 1, which WCAG 2.1 (1.4.11) asks of graphics.
    #[test]
    fn lines_stand_out_from_the_paper() {
        for (light, dark) in PALETTE {
            assert!(1.05 / (luminance(light) + 0.05) >= 2.99, "{light}");
            assert!((luminance(dark) + 0.05) / (luminance("#15181c") + 0.05) >= 3.0, "{dark}");
        }
    }

    #[test]
    fn a_field_is_darker_where_its_value_is_higher_and_its_text_can_be_read() {
        let mut before = 2.0;
        for step in 0..=20 {
            let (colour, ink) = field(f64::from(step) / 20.0);
            let ground = luminance(&colour);
            assert!(ground < before, "{colour}");
            before = ground;
            let ink: f64 = if ink == "#fff" { 1.0 } else { 0.0 };
            let contrast = (ink.max(ground) + 0.05) / (ink.min(ground) + 0.05);
            assert!(contrast > 4.4, "{colour}: {contrast}");
        }
        assert_eq!(field(f64::NAN).0, field(0.0).0);
    }
}
