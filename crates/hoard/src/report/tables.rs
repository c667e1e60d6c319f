//! The numbers as tables for people.

use estimate::{ClusteredValue, CommonTime, Mean, Proportion, Quantile};
use figure::{PageTable, written};

use super::{
    counts::CountNumbers,
    numbers::{
        AgeNumbers, CrawlNumbers, HoardArmNumbers, HopCountNumbers, HopNumbers, InDegreeNumbers, KeySpacePart,
    },
};
use crate::{
    content::{AvailabilityNumbers, ContentSection},
    life::{ClockFit, LifeCurve, LifeGrouping, TtlClock, TtlNumbers},
    study::PassedOver,
};

/// What the arms are.
pub(super) fn arms(arms: &[HoardArmNumbers]) -> PageTable {
    let row = |arm: &HoardArmNumbers| {
        vec![
            arm.name.clone(),
            arm.strategy.map_or("–", schema::Strategy::name).to_owned(),
            arm.persistence.unwrap_or("–").to_owned(),
            arm.publisher_end.name().replace('_', " "),
            arm.k.to_string(),
            written::count(arm.keys),
        ]
    };
    table(
        "Arms: how their keys were published",
        &["arm", "strategy", "persistence", "publisher", "K", "keys"],
        (4, arms.iter().map(row).collect()),
    )
}

/// How rounds went.
pub(super) fn course(arms: &[HoardArmNumbers]) -> PageTable {
    let row = |arm: &HoardArmNumbers| {
        let ended = |name: &str| arm.course.ends.iter().find(|(end, _)| end.name() == name);
        let count = |name| ended(name).map_or_else(|| "0".to_owned(), |(_, count)| written::count(*count));
        let mut row = vec![arm.name.clone()];
        row.extend(["whole", "partial", "missed", "stopped"].map(count));
        row.extend(
            (0..4).map(|index| arm.course.lag_s.map_or_else(none, |lags| written::seconds(lags[index]))),
        );
        row
    };
    table(
        "Looks by how they ended, and by how much they began later than planned",
        &["arm", "whole", "partial", "missed", "stopped", "lag p50", "lag p90", "lag p99", "longest"],
        (1, arms.iter().map(row).collect()),
    )
}

/// What of the rows of a study was passed over, in words.
pub(super) fn passed_over(passed_over: &PassedOver) -> String {
    let PassedOver {
        missing_runs,
        cut_publications,
        repeated_keys,
        repeated_rounds,
        cut_rounds,
        unknown_keys,
        unknown_holders,
        before_publication,
        agents_beyond,
    } = *passed_over;
    let all = [
        (missing_runs, "runs that it continues and that are not kept"),
        (cut_publications, "publications that were cut"),
        (repeated_keys, "keys that two runs published"),
        (repeated_rounds, "rounds that two runs closed"),
        (cut_rounds, "rounds that were cut"),
        (unknown_keys, "rows of keys that nobody published"),
        (unknown_holders, "sights of who is no holder"),
        (before_publication, "rounds before the publication"),
        (agents_beyond, "sights whose program has no number"),
    ];
    let said = all.iter().filter(|(count, _)| *count > 0);
    let said: Vec<String> = said.map(|(count, what)| format!("{what}: {}", written::count(*count))).collect();
    format!("Passed over: {}.", said.join("; "))
}

/// To whom records were given.
pub(super) fn gifts(arms: &[HoardArmNumbers]) -> PageTable {
    let row = |arm: &HoardArmNumbers| {
        let publication = &arm.publication;
        vec![
            arm.name.clone(),
            publication.sent.n.to_string(),
            publication.to_nobody.to_string(),
            publication.gifts.map_or_else(none, share),
            median(&publication.sent),
            mean(publication.sent.mean),
            publication.read_back.as_ref().map_or_else(none, median),
            written::count(publication.distinct_holders),
        ]
    };
    table(
        "Holders of a key that were sent its record, and that gave it when it was read back",
        &[
            "arm",
            "keys",
            "to nobody",
            "gifts sent",
            "sent, median",
            "sent, mean",
            "read back, median",
            "different holders",
        ],
        (1, arms.iter().map(row).collect()),
    )
}

/// How long publications took.
pub(super) fn times(arms: &[HoardArmNumbers]) -> PageTable {
    let row = |arm: &HoardArmNumbers| {
        let took = &arm.publication.took;
        let n = took.first().map_or_else(none, |quantile| written::count(quantile.n));
        let failed = took.first().map_or_else(none, |quantile| written::count(quantile.censored));
        let mut row = vec![arm.name.clone(), n, failed];
        row.extend(took.iter().map(quantile_s));
        row
    };
    table(
        "Time of a publication: the quantiles of RFM 17",
        &["arm", "n", "failed", "p5", "p25", "p50", "p75", "p90"],
        (1, arms.iter().map(row).collect()),
    )
}

/// Lookups of the closest peers that found nobody, and those that found no holder.
pub(super) fn lookups(arms: &[HoardArmNumbers]) -> PageTable {
    let row = |arm: &HoardArmNumbers| {
        let found = || arm.ages.iter().filter_map(|age| age.in_degree.as_ref());
        let sum = |of: fn(&InDegreeNumbers) -> u64| written::count(found().map(of).sum());
        let at = |age: Option<&AgeNumbers>| {
            let overlap = age.and_then(|age| Some(&age.in_degree.as_ref()?.overlap));
            overlap.map_or_else(none, median)
        };
        let counted = || arm.ages.iter().filter(|age| age.in_degree.is_some());
        vec![
            arm.name.clone(),
            sum(|found| found.overlap.n + found.failed),
            sum(|found| found.failed),
            sum(|found| found.without_holder),
            at(counted().next()),
            at(counted().next_back()),
        ]
    };
    table(
        "Lookups of the closest peers: all, those that failed, those that found no holder; holders among the closest (medians)",
        &["arm", "lookups", "failed", "no holder", "in-degree at first", "in-degree at last"],
        (1, arms.iter().map(row).collect()),
    )
}

/// How much the closest peers differ without churn, and with it.
pub(super) fn noise(arms: &[HoardArmNumbers]) -> PageTable {
    let row = |arm: &HoardArmNumbers| {
        let noise = &arm.noise;
        vec![
            arm.name.clone(),
            written::count(noise.pairs),
            noise.apart_s.map_or_else(none, written::seconds),
            mean_share(noise.back_to_back),
            mean_share(noise.next_round),
            mean_share(noise.first_round),
        ]
    };
    table(
        "Share of the closest that is missing from the other of two lookups (means over keys)",
        &["arm", "pairs", "apart by", "of one round", "to the next round", "publication to first round"],
        (1, arms.iter().map(row).collect()),
    )
}

/// The closest peers beside those of a crawl.
pub(super) fn crawl(arms: &[HoardArmNumbers]) -> PageTable {
    let row = |arm: &HoardArmNumbers| {
        let Some(found) = &arm.against_crawl else { return vec![arm.name.clone()] };
        let CrawlNumbers { peers, apart_s, placed, recall, lookup_recall, unknown } = found;
        vec![
            arm.name.clone(),
            written::count(*peers),
            written::elapsed(*apart_s),
            mean(placed.mean),
            mean_share(recall.mean),
            mean_share(lookup_recall.mean),
            mean(unknown.mean),
        ]
    };
    table(
        "Beside the K closest of those that a crawl reached (means over keys); published so long after the middle of the crawl",
        &[
            "arm",
            "peers",
            "after",
            "holders among them",
            "share that was given",
            "share that lookups find",
            "holders not crawled",
        ],
        (1, arms.iter().map(row).collect()),
    )
}

/// How far lookups went.
pub(super) fn hops(arms: &[HoardArmNumbers]) -> PageTable {
    let of_arm = |arm: &HoardArmNumbers| {
        let hops = arm.hops.as_ref()?;
        let HopNumbers { contacted, depth, to_closest, .. } = hops;
        let of = |counts: &HopCountNumbers| [counts.median, counts.mean].map(clustered);
        let mut row = vec![arm.name.clone(), written::count(hops.lookups)];
        row.extend([depth, to_closest, contacted].into_iter().flat_map(of));
        Some(row)
    };
    table(
        "Lookups of the closest peers",
        &[
            "arm",
            "lookups",
            "depth, median",
            "mean",
            "to closest, median",
            "mean",
            "contacted, median",
            "mean",
        ],
        (1, arms.iter().filter_map(of_arm).collect()),
    )
}

/// The programs of holders.
pub(super) fn agents(arms: &[HoardArmNumbers]) -> PageTable {
    let rows = arms.iter().flat_map(|arm| {
        arm.agents.iter().map(|agent| {
            vec![
                arm.name.clone(),
                shortened(&agent.program),
                written::count(agent.share.hits),
                share(agent.share),
                written::count(agent.peers),
                median(&agent.per_key),
            ]
        })
    });
    table(
        "Holders by program",
        &["arm", "program", "holders", "share", "different peers", "per key, median"],
        (2, rows.collect()),
    )
}

/// Where keys lie.
pub(super) fn key_space(arms: &[HoardArmNumbers]) -> PageTable {
    let part = |part: Option<KeySpacePart>| {
        part.map_or_else(none, |part| {
            format!("{} at {}", written::count(part.keys), written::number(part.at))
        })
    };
    let row = |arm: &HoardArmNumbers| {
        let numbers = &arm.key_space;
        vec![
            arm.name.clone(),
            written::count(arm.keys),
            written::number(numbers.mean),
            part(numbers.fewest),
            part(numbers.most),
            numbers.uneven_by.map_or_else(none, written::percent),
            numbers.even_within.map_or_else(none, written::percent),
        ]
    };
    table(
        "Keys in 256 equal parts of the space, and how far they are from even at most; of keys drawn evenly 95 in 100 sets are within the last",
        &["arm", "keys", "mean", "fewest", "most", "uneven by", "even within"],
        (1, arms.iter().map(row).collect()),
    )
}

/// When programs drop records and addresses.
pub(super) fn times_to_live(times: &[TtlNumbers]) -> PageTable {
    table(
        "Times to live by program and clock: from when the record was sent, or from when the publisher hung up; a row by each where both fit",
        &["arm", "program", "what", "clock", "clearly", "n", "ended", "after", "most longer than"],
        (5, times.iter().flat_map(by_clocks).collect()),
    )
}

/// A row by the clock that fits best, and where the other one fits about as well, one by that, too.
fn by_clocks(found: &TtlNumbers) -> Vec<Vec<String>> {
    let time = |time: &CommonTime| {
        written::within(Some(time.value), [Some(time.low), Some(time.high)], written::elapsed)
    };
    let best = found.times_s.iter().map(time).collect();
    let is_other = |fit: &&ClockFit| found.is_clear == Some(false) && Some(fit.clock) != found.clock;
    let others = found.fits.iter().filter(is_other);
    let others = others.filter_map(|fit| Some((Some(fit.clock), vec![time(fit.time_s.as_ref()?)])));
    let row = |(clock, times): (Option<TtlClock>, Vec<String>)| {
        vec![
            found.arm.clone(),
            shortened(found.program.as_deref().unwrap_or("(all)")),
            found.aspect.name().to_owned(),
            clock.map_or_else(none, |clock| clock.name().to_owned()),
            found.is_clear.map_or_else(none, |is_clear| if is_clear { "yes" } else { "no" }.to_owned()),
            written::count(found.n),
            written::count(found.ended),
            if times.is_empty() { none() } else { times.join("; ") },
            found.longer_than_s.map_or_else(none, written::elapsed),
        ]
    };
    std::iter::once((found.clock, best)).chain(others).map(row).collect()
}

/// By when a quarter, half and three quarters had ended.
pub(super) fn lives(curves: &[LifeCurve]) -> PageTable {
    let row = |curve: &LifeCurve| {
        let by = if curve.by == LifeGrouping::All { "(all)".to_owned() } else { curve.group.clone() };
        let mut row = vec![curve.aspect.name().to_owned(), curve.arm.clone(), shortened(&by)];
        row.extend([curve.survival.n, curve.survival.censored].map(written::count));
        row.extend(curve.quantiles.iter().map(|quantile| {
            written::within(quantile.value, [quantile.low, quantile.high], written::elapsed)
        }));
        row
    };
    table(
        "How long what lasts, since publication: until a quarter, half and three quarters had ended",
        &["what", "arm", "holders", "n", "not ended", "a quarter", "half", "three quarters"],
        (3, curves.iter().map(row).collect()),
    )
}

/// The share of content that is available, by each definition.
pub(super) fn available(content: &ContentSection) -> PageTable {
    let row = |found: &AvailabilityNumbers| {
        vec![
            found.rule.name().replace('_', " "),
            written::count(found.keys),
            written::count(found.unknown),
            found.share.map_or_else(none, share),
            found.if_unknown_are_not.map_or_else(none, share),
            found.if_unknown_are.map_or_else(none, share),
        ]
    };
    table(
        "Content that is available at the last look at each key, by what that means",
        &["means", "keys", "unknown", "share", "if the unknown are not", "if the unknown are"],
        (1, content.available.iter().map(row).collect()),
    )
}

/// How often records of what others provide are provided again.
pub(super) fn provided_again(content: &ContentSection) -> PageTable {
    let again = &content.provided_again;
    let hours = |hours: Option<f64>| hours.map_or_else(none, |hours| written::elapsed(hours * 3600.0));
    let row = vec![
        written::count(again.events),
        written::count(again.newcomers),
        written::elapsed(again.watched_h * 3600.0),
        hours(again.every_h),
        hours(again.low_h),
        hours(again.high_h),
    ];
    table(
        "How often records are provided again, from who comes to have them",
        &["publications seen", "newcomers", "records watched for", "every", "at least", "at most"],
        (0, vec![row]),
    )
}

fn table(caption: &str, head: &[&str], (numbers_from, rows): (usize, Vec<Vec<String>>)) -> PageTable {
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    PageTable { caption: caption.to_owned(), head, rows, numbers_from }
}

fn none() -> String {
    "–".to_owned()
}

/// What strangers say of themselves can be of any length.
fn shortened(name: &str) -> String {
    const MOST: usize = 60;
    if name.chars().nth(MOST).is_some() {
        name.chars().take(MOST - 1).chain(['…']).collect()
    } else {
        name.to_owned()
    }
}

fn median(counts: &CountNumbers) -> String {
    counts
        .median
        .map_or_else(none, |median| written::within(median.value, [median.low, median.high], written::number))
}

fn mean(mean: Option<Mean>) -> String {
    mean.map_or_else(none, |mean| written::within(Some(mean.mean), [mean.low, mean.high], written::number))
}

fn clustered(value: Option<ClusteredValue>) -> String {
    value.map_or_else(none, |value| written::within(value.value, [value.low, value.high], written::number))
}

fn mean_share(mean: Option<Mean>) -> String {
    mean.map_or_else(none, |mean| {
        let ends = [mean.low, mean.high].map(|end| end.map(|end| end.clamp(0.0, 1.0)));
        written::within(Some(mean.mean), ends, written::percent)
    })
}

fn quantile_s(quantile: &Quantile) -> String {
    written::within(quantile.value, [quantile.low, quantile.high], written::seconds)
}

fn share(share: Proportion) -> String {
    written::within(Some(share.share), [Some(share.low), Some(share.high)], written::percent)
}
