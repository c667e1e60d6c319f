//! The page: every figure that is documented, whatever the study.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use schema::{HolderAnswer, run::RunState};

use super::made::{arm, key, large, round, study};
use crate::{
    report::{HoardSection, ReportOrder},
    study::Study,
};

fn section(study: &Study) -> HoardSection {
    HoardSection::of(study, &ReportOrder::default())
}

fn figure_names(section: &HoardSection) -> BTreeSet<String> {
    section.page("x").figures().map(figure::Figure::file_stem).collect()
}

/// Four arms, with agents apart: everything that there is to be drawn.
fn everything() -> HoardSection {
    let mut study = large((&[("k15", 15), ("k20", 20), ("k25", 25), ("k40", 40)], 8), (35, 180.0));
    study.arms[0].publisher_end = schema::PublisherEnd::Foreign;
    HoardSection::of(&study, &ReportOrder { apart: Some("hydra".to_owned()), ..ReportOrder::default() })
}

#[test]
fn every_figure_is_documented_and_every_documented_one_is_drawn() {
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hoard.md")).unwrap();
    let part = docs.split("\n## Figures\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = part.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert_eq!(documented, figure_names(&everything()));
}

/// The page of a study like RFM 17.1's, as it was read and looked at.
#[test]
fn the_page_is_as_it_was_looked_at() {
    let page = section(&large((&[("closed", 20)], 40), (16, 180.0))).page("Provider records");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/README.snapshot");
    if std::env::var_os("KADSCOPE_WRITE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, page.markdown("figures")).unwrap();
    }
    if let Some(dir) = std::env::var_os("KADSCOPE_SHOW") {
        let dir = Path::new(&dir);
        fs::write(dir.join("everything.html"), everything().page("Everything").html()).unwrap();
        for figure in page.figures().chain(everything().page("x").figures()) {
            fs::write(dir.join(format!("{}-{}.svg", figure.file_stem(), figure.panels.len())), figure.svg())
                .unwrap();
        }
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page.markdown("figures"),
        "KADSCOPE_WRITE=1 writes {} anew, then look at it",
        path.display()
    );
    assert_eq!(
        page.html(),
        section(&large((&[("closed", 20)], 40), (16, 180.0))).page("Provider records").html()
    );
}

#[test]
fn nothing_one_key_one_round_and_a_study_under_way_are_pages_that_say_so() {
    let said = |study: &Study, what: &str| {
        let html = section(study).page("x").html();
        assert!(html.contains(what), "{what}");
    };
    said(&Study::default(), "No key was published");
    said(&study(vec![arm(0, "k4", 4)], vec![]), "No key was published");
    let mut one = study(vec![arm(0, "k4", 4)], vec![key(0, 1, 0..4)]);
    said(&one, "It is one key");
    said(&one, "No round was done yet");
    round(&mut one.keys[0], 1, 180.0, &[HolderAnswer::WithAddresses; 4]);
    said(&one, "There is one round");
    for (state, what) in
        [(RunState::Running, "The study goes on"), (RunState::Interrupted, "was stopped before its end")]
    {
        let section = HoardSection { state: Some(state), ..section(&one) };
        assert!(section.page("x").html().contains(what));
    }
    said(&study(vec![arm(0, "k4", 4)], vec![key(0, 1, [])]), "1 key in 1 arm");
}

/// What strangers say of themselves is text, and no more of it than there is room for.
#[test]
fn agents_of_strangers_are_text_and_nothing_else() {
    let hostile = [
        "<script>alert(1)</script>/1".to_owned(),
        "\"><img src=x onerror=alert(1)>".to_owned(),
        "../../etc/passwd".to_owned(),
        "x".repeat(10_000),
        "=HYPERLINK(\"x\")\u{202e}\u{0}".to_owned(),
        "|a|b|\n\n# heading".to_owned(),
    ];
    let mut one = study(vec![arm(0, "<b>arm</b>", 6)], vec![key(0, 1, 0..6)]);
    for (holder, agent) in one.keys[0].holders.iter_mut().zip(&hostile) {
        holder.agent = Some(Arc::from(&**agent));
    }
    round(&mut one.keys[0], 1, 180.0, &[HolderAnswer::WithAddresses; 6]);
    let page = section(&one).page("x");
    let html = page.html();
    for word in ["<script", "<img", "<b>", "\u{202e}", "\u{0}"] {
        assert!(!html.contains(word), "{word:?}");
    }
    assert!(!page.markdown("figures").contains("\n# heading"));
    assert!(!html.contains(&"x".repeat(1000)), "a name of 10,000 characters is cut where it is shown");
    for figure in page.figures() {
        assert!(figure.file_stem().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    }
}
