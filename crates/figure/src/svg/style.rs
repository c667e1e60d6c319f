//! How a figure looks: on white, on paper, and on dark where the reader's system is dark.

use std::fmt::Write as _;

use super::{BODY, SMALL, TITLE};
use crate::colour::PALETTE;

/// Ink, faint ink, lines of the grid, paper: on white, and on dark.
const INKS: [(&str, &str, &str); 4] = [
    ("ink", "#1a1a1a", "#e8e8e8"),
    ("faint", "#5c5c5c", "#a8adb3"),
    ("rule", "#dedede", "#343a41"),
    ("paper", "#ffffff", "#15181c"),
];

/// The style sheet of every figure: the same for all, so that many can stand in one page.
pub(super) fn sheet() -> String {
    let mut sheet = format!(
        ".kf text{{font-family:Helvetica,Arial,'Liberation Sans',sans-serif;font-size:{BODY}px;stroke:none}}\
         .kf .title{{font-size:{TITLE}px;font-weight:bold}}.kf .strong{{font-weight:bold}}.kf .small{{font-size:{SMALL}px}}\
         .kf .tiny{{font-size:9px}}.kf .num{{font-variant-numeric:tabular-nums}}\
         .kf .curve{{fill:none;stroke-width:1.7;stroke-linejoin:round}}.kf .band{{stroke:none;fill-opacity:.16}}.kf .sheer{{fill-opacity:.06}}\
         .kf .thin{{fill:none;stroke-width:1}}.kf .thick{{fill:none;stroke-width:2.2}}\
         .kf .body{{stroke-width:1;fill-opacity:.3}}.kf .bar{{stroke:none;fill-opacity:.85}}.kf .pale{{stroke:none;fill-opacity:.45}}\
         .kf .dot{{stroke:none}}.kf .open{{stroke-dasharray:3 2;fill-opacity:.12}}\
         .kf .refer{{fill:none;stroke-width:1;stroke-dasharray:5 3}}.kf .halo{{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}}\
         .kf .none{{fill:none}}"
    );
    colours(&mut sheet, |light, _| light);
    sheet += "@media screen and (prefers-color-scheme:dark){";
    colours(&mut sheet, |_, dark| dark);
    sheet += "}";
    sheet
}

/// The rules that name colours.
fn colours(sheet: &mut String, choose: impl Fn(&'static str, &'static str) -> &'static str) {
    let [ink, faint, rule, paper] = INKS.map(|(_, light, dark)| choose(light, dark));
    // A string takes whatever is written.
    _ = write!(
        sheet,
        ".kf .ink{{fill:{ink}}}.kf .faint{{fill:{faint}}}.kf .paper{{fill:{paper}}}.kf .void{{fill:{rule}}}\
         .kf .rule{{stroke:{rule}}}.kf .axis{{stroke:{faint}}}.kf .refer{{stroke:{ink}}}.kf text.halo{{stroke:{paper}}}\
         .kf .kx{{fill:{faint};stroke:{faint}}}.kf .curve,.kf .thin,.kf .thick,.kf .refer{{fill:none}}"
    );
    for (index, (light, dark)) in PALETTE.into_iter().enumerate() {
        let colour = choose(light, dark);
        _ = write!(sheet, ".kf .k{index}{{fill:{colour};stroke:{colour}}}");
    }
    // What was said of kinds is said once more behind the colours, which would fill and outline everything.
    *sheet += ".kf .curve,.kf .thin,.kf .thick{fill:none}.kf .band,.kf .bar,.kf .pale,.kf .dot{stroke:none}";
}
