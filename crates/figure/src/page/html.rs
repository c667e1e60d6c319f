//! A page as one HTML file: no script, no font and no picture from anywhere, readable in light, dark and print.

use std::fmt::Write as _;

use crate::{Page, PageSection, PageTable, text};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 Helvetica,Arial,'Liberation Sans',sans-serif;margin:0 auto;padding:1.2rem;max-width:60rem;color:#1a1a1a;background:#fff}\
h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.25rem;margin-top:2.2rem;border-bottom:1px solid #dedede}h3{font-size:1.05rem}\
figure{margin:1.2rem 0;overflow-x:auto}svg.kf{max-width:100%;height:auto;display:block}\
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;margin:.8rem 0}\
caption{text-align:left;padding-bottom:.3rem;color:#5c5c5c}\
th,td{padding:.18rem .6rem;text-align:left;border-bottom:1px solid #dedede;white-space:nowrap}\
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums}\
nav ol{columns:2;font-size:.9rem}a{color:#0072b2}.data{font-size:.8rem;color:#5c5c5c}\
@media (max-width:40rem){nav ol{columns:1}body{padding:.7rem}}\
@media screen and (prefers-color-scheme:dark){body{color:#e8e8e8;background:#15181c}h2,th,td{border-color:#343a41}\
caption,.data{color:#a8adb3}a{color:#56a9e0}}\
@media print{nav{display:none}figure,tr{break-inside:avoid}body{max-width:none;font-size:11pt}}";

/// Nothing may be loaded or run, whatever got into the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

pub(super) fn file(page: &Page) -> String {
    let title = text::escaped(&page.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"{POLICY}\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    page.preamble.iter().for_each(|line| paragraph(&mut out, line));
    contents(&mut out, &page.sections);
    for (index, section) in page.sections.iter().enumerate() {
        of_section(&mut out, section, index);
    }
    out + "</main>\n</body>\n</html>\n"
}

fn contents(out: &mut String, sections: &[PageSection]) {
    out.push_str("<nav aria-label=\"Contents\"><ol>\n");
    for (index, section) in sections.iter().enumerate().filter(|(_, section)| section.level <= 2) {
        // A string takes whatever is written.
        _ = writeln!(out, "<li><a href=\"#s{index}\">{}</a></li>", text::escaped(&section.title));
    }
    out.push_str("</ol></nav>\n");
}

fn of_section(out: &mut String, section: &PageSection, index: usize) {
    let level = section.level.clamp(2, 6);
    _ = writeln!(out, "<h{level} id=\"s{index}\">{}</h{level}>", text::escaped(&section.title));
    section.text.iter().for_each(|line| paragraph(out, line));
    section.tables.iter().for_each(|table| of_table(out, table));
    for figure in &section.figures {
        let stem = figure.file_stem();
        _ = writeln!(
            out,
            "<figure>\n{}<figcaption class=\"data\">Data: <a href=\"figures/{stem}.csv\">CSV</a>, \
             <a href=\"figures/{stem}.json\">JSON</a>, <a href=\"figures/{stem}.svg\">SVG</a></figcaption>\n</figure>",
            figure.svg()
        );
    }
}

fn paragraph(out: &mut String, line: &str) {
    _ = writeln!(out, "<p>{}</p>", text::escaped(line));
}

fn of_table(out: &mut String, table: &PageTable) {
    let class = |column: usize| if column >= table.numbers_from { " class=\"n\"" } else { "" };
    _ = write!(
        out,
        "<div class=\"wide\"><table>\n<caption>{}</caption>\n<thead><tr>",
        text::escaped(&table.caption)
    );
    for (column, name) in table.head.iter().enumerate() {
        _ = write!(out, "<th scope=\"col\"{}>{}</th>", class(column), text::escaped(name));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            _ = write!(out, "<td{}>{}</td>", class(column), text::escaped(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}
