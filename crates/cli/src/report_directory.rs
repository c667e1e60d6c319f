//! A report as a directory: numbers, page, Markdown and figures. It is there as a whole or not at all.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use figure::Page;
use serde_json::Value;

use crate::exit::Failed;

/// This program with its version, which a report says.
pub(crate) const MADE_BY: &str = concat!("kadscope ", env!("CARGO_PKG_VERSION"));

/// Where figures stand in it.
const FIGURES: &str = "figures";

/// What else stands in it.
const FILES: [&str; 3] = ["report.json", "index.html", "README.md"];

/// Refuses a place where something else is than a report, before anything is computed.
pub(crate) fn admit(dir: &Path) -> Result<(), Failed> {
    let failed =
        |problem: String| Failed::usage(format!("cannot write the report to {}: {problem}", dir.display()));
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error.to_string())),
    };
    for entry in entries {
        let name = entry.map_err(|error| failed(error.to_string()))?.file_name();
        let is_ours = FILES.iter().chain([&FIGURES]).any(|known| name == **known);
        if !is_ours {
            return Err(failed(format!("{} is there, which is no part of a report", name.display())));
        }
    }
    Ok(())
}

/// Writes it beside its place, and then puts it there. A report that stood there goes away once the new one is whole.
pub(crate) fn write(dir: &Path, page: &Page, numbers: &Value) -> Result<(), Failed> {
    admit(dir)?;
    let beside = |suffix: &str| beside(dir, suffix);
    let (new, old) = (beside("new")?, beside("old")?);
    let written = fill(&new, page, numbers).and_then(|()| {
        let had_one = dir.exists();
        if had_one {
            fs::rename(dir, &old)?;
        }
        fs::rename(&new, dir).inspect_err(|_| {
            if had_one {
                // The first error is the one that is told.
                drop(fs::rename(&old, dir));
            }
        })?;
        if had_one { fs::remove_dir_all(&old) } else { Ok(()) }
    });
    written.map_err(|error| {
        drop(fs::remove_dir_all(&new));
        Failed::usage(format!("cannot write the report to {}: {error}", dir.display()))
    })
}

/// A name in the same directory, so that a rename is enough; whatever a killed one left there is of nobody.
fn beside(dir: &Path, suffix: &str) -> Result<PathBuf, Failed> {
    let Some(name) = dir.file_name() else {
        return Err(Failed::usage(format!("{} is no directory that a report can replace", dir.display())));
    };
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{suffix}-{}", std::process::id()));
    Ok(dir.with_file_name(hidden))
}

fn fill(dir: &Path, page: &Page, numbers: &Value) -> io::Result<()> {
    let figures = dir.join(FIGURES);
    fs::create_dir_all(&figures)?;
    let pretty =
        |value: &Value| serde_json::to_string_pretty(value).map_err(io::Error::other).map(|text| text + "\n");
    let [json, html, readme] = FILES.map(|name| dir.join(name));
    fs::write(json, pretty(numbers)?)?;
    fs::write(html, page.html())?;
    fs::write(readme, page.markdown(FIGURES))?;
    for figure in page.figures() {
        let file = |extension: &str| figures.join(format!("{}.{extension}", figure.file_stem()));
        fs::write(file("svg"), figure.svg())?;
        fs::write(file("csv"), figure.csv())?;
        fs::write(file("json"), pretty(&figure.json())?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use figure::{Axis, AxisScale, Figure, PageSection, Panel};

    use super::*;

    fn page() -> Page {
        let axis = || Axis::new("", "", AxisScale::Linear);
        let panel = Panel { title: String::new(), x: axis(), y: axis(), series: vec![], references: vec![] };
        let mut section = PageSection::new("One", 2);
        section.figures.push(Figure::of("a figure", "A", panel));
        Page { title: "T".to_owned(), preamble: vec![], sections: vec![section] }
    }

    #[test]
    fn a_report_is_whole_and_replaces_a_report_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("week");
        for number in [1, 2] {
            write(&dir, &page(), &serde_json::json!({ "number": number })).unwrap();
            let json = fs::read_to_string(dir.join("report.json")).unwrap();
            assert!(json.contains(&format!("\"number\": {number}")));
            for file in [
                "index.html",
                "README.md",
                "figures/a-figure.svg",
                "figures/a-figure.csv",
                "figures/a-figure.json",
            ] {
                assert!(dir.join(file).is_file(), "{file}");
            }
        }
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left beside it");
        fs::write(dir.join("thesis.tex"), "mine").unwrap();
        let refused = write(&dir, &page(), &Value::Null).unwrap_err().to_string();
        assert!(refused.contains("thesis.tex"), "{refused}");
        assert_eq!(fs::read_to_string(dir.join("thesis.tex")).unwrap(), "mine");
        let file = home.path().join("file");
        fs::write(&file, "mine").unwrap();
        assert!(admit(&file).is_err());
    }
}
