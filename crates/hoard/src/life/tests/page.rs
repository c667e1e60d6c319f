//! The tables of states, as the page on studies has them, row by row.

use std::{collections::BTreeSet, fmt::Debug};

use schema::Whereabouts;

use super::super::{HolderChange, HolderPresence, HolderRecord, LifeAspect, LifeGrouping, Saying, TtlClock};

const PAGE: &str = include_str!("../../../../../docs/methodology/hoard.md");

/// The rows of the table below a line, as the names in each of their cells.
fn rows(after: &str) -> Vec<Vec<Vec<&'static str>>> {
    let (_, table) = PAGE.split_once(after).unwrap_or_else(|| panic!("the page has no `{after}`"));
    let lines = table.lines().skip_while(|line| !line.starts_with("|--")).skip(1);
    lines
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            line.trim_matches('|')
                .split(" | ")
                .map(|cell| cell.split('`').skip(1).step_by(2).collect())
                .collect()
        })
        .collect()
}

/// Goes through a table: each of the states in the first cell, and each of what is seen in the second, leads to the third with the change in
/// the fourth; an empty third is the state itself.
fn holds<S: Copy + Debug + PartialEq, L: Copy + Debug>(
    after: &str,
    (states, state): (&[S], impl Fn(&str) -> Option<S>),
    (looks, look): (&[L], impl Fn(&str) -> Option<L>),
    then: impl Fn(S, L) -> (S, Option<HolderChange>),
) {
    let mut told = BTreeSet::new();
    for row in rows(after) {
        let [from, seen, to, change] = &row[..] else { panic!("{row:?}") };
        for (from, seen) in from.iter().flat_map(|from| seen.iter().map(move |seen| (from, seen))) {
            let (one, look) = (state(from).unwrap(), look(seen).unwrap());
            let next = to.first().map_or(one, |to| state(to).unwrap());
            let change = change.first().map(|change| HolderChange::from_name(change).unwrap());
            assert_eq!(then(one, look), (next, change), "{row:?}: {from}, {seen}");
            assert!(told.insert((*from, *seen)), "{from}, {seen} stands twice");
        }
    }
    assert_eq!(told.len(), states.len() * looks.len(), "the table has a row for each state and what is seen");
}

#[test]
fn what_is_known_of_a_record_changes_as_the_table_says() {
    holds(
        "### What is known of the record",
        (HolderRecord::ALL, HolderRecord::from_name),
        (Saying::ALL, Saying::from_name),
        HolderRecord::then,
    );
}

#[test]
fn where_a_holder_is_changes_as_the_table_says() {
    holds(
        "### What is known of where it is",
        (HolderPresence::ALL, HolderPresence::from_name),
        (Whereabouts::ALL, Whereabouts::from_name),
        HolderPresence::then,
    );
}

#[test]
fn every_name_of_a_life_is_defined_in_a_row() {
    let mut names: Vec<&str> = HolderRecord::ALL.iter().map(|name| name.name()).collect();
    names.extend(HolderPresence::ALL.iter().map(|name| name.name()));
    names.extend(HolderChange::ALL.iter().map(|name| name.name()));
    names.extend(Saying::ALL.iter().map(|name| name.name()));
    names.extend(LifeAspect::ALL.iter().map(|name| name.name()));
    names.extend(TtlClock::ALL.iter().map(|name| name.name()));
    names.extend(LifeGrouping::ALL.iter().map(|name| name.name()));
    names.extend(estimate::NoCommonTime::ALL.iter().map(|name| name.name()));
    for name in names {
        assert!(PAGE.contains(&format!("\n| `{name}` |")), "{name}");
    }
}
