//! What a study would be, and what came of one, for people.

use figure::written;
use hoard::{
    Burden, HoardPlan, HoardSummary, RoundTimes,
    content::{AvailabilityNumbers, ContentSection},
};

use super::text::{bytes, counted, duration, escaped, grouped};

/// What is to be agreed to before records are given to strangers.
pub(crate) fn study_publication(burden: &Burden, network: &str) -> String {
    let records = match burden.records {
        Some(records) => counted(records, "record", "records"),
        None => format!("records, up to {} at a time,", grouped(burden.records_at_once)),
    };
    let kept = duration(burden.kept_s as f64);
    format!("give {records} to strangers of the network {}, who keep each for up to {kept}", escaped(network))
}

/// A study before it begins.
pub(crate) fn planned(plan: &HoardPlan, burden: &Burden) -> String {
    let mut lines = vec![match plan.preset {
        Some(preset) => format!("The plan {preset}, with what was said beside it"),
        None => "A plan of your own".to_owned(),
    }];
    let keys = match plan.keys_per_arm() {
        Some(count) => counted(count.into(), "key", "keys"),
        None => "keys on and on".to_owned(),
    };
    let whose = match (plan.keys.is_foreign(), plan.disjoint, plan.arms.len()) {
        (true, ..) => "that others provide",
        (_, _, 1) => "of ours",
        (_, true, _) => "for each arm",
        (_, false, _) => "that all arms publish",
    };
    lines.push(format!("  keys       {keys} {whose}, seed {}", plan.seed));
    for arm in &plan.arms {
        lines.push(format!(
            "  arm        {}: {} to {}, {} persistence, publisher {}",
            escaped(&arm.name),
            arm.strategy,
            counted(arm.k.into(), "peer", "peers"),
            arm.persistence,
            arm.end
        ));
    }
    lines.push(format!("  rounds     {}", rounds(plan)));
    lines.push(format!("  lookups    {}", lookups(plan)));
    if let Some(all) = plan.rounds_in_all() {
        lines.push(format!("  in all     {} of {}", counted(all, "round", "rounds"), keys));
    }
    lines.push(match burden.takes_s {
        Some(seconds) => format!("  it takes   {}", duration(seconds)),
        None => "  it takes   until it is stopped".to_owned(),
    });
    lines.push(String::new());
    lines.extend(burden_lines(burden));
    lines.join("\n")
}

/// What a study came to.
pub(crate) fn studied(summary: &HoardSummary, run: &str) -> String {
    let rounds = [
        (summary.partial_rounds, "cut short by their time"),
        (summary.missed_rounds, "missed"),
        (summary.stopped_rounds, "stopped"),
    ];
    let others = rounds.iter().filter(|(count, _)| *count > 0);
    let others: Vec<_> = others.map(|(count, what)| format!(", {} {what}", grouped(*count))).collect();
    let others = others.concat();
    let failed = match summary.failed_keys {
        0 => String::new(),
        count => format!(", {} of them with nobody", grouped(count)),
    };
    let late = |seconds: f64| duration(seconds);
    [
        format!(
            "The study is {} after {}",
            summary.end,
            duration(summary.ended_at.since(summary.began_at).as_secs_f64())
        ),
        format!("  keys       {}{failed}", grouped(summary.keys)),
        format!("  rounds     {} whole{others}", grouped(summary.whole_rounds)),
        format!(
            "  late by    {} (median), {} (99 %), {} at most",
            late(summary.lag_p50_s),
            late(summary.lag_p99_s),
            late(summary.lag_max_s)
        ),
        format!("  figures    kadscope hoard report --run {run}"),
        String::new(),
    ]
    .join("\n")
}

/// What of others' keys is available, a line for each definition.
pub(crate) fn available(content: &ContentSection) -> String {
    let of_rule = |found: &AvailabilityNumbers| {
        let share = found.share.map_or_else(
            || "nobody knows".to_owned(),
            |share| written::within(Some(share.share), [Some(share.low), Some(share.high)], written::percent),
        );
        let unknown = match found.unknown {
            0 => String::new(),
            unknown => format!(", unknown of {}", counted(unknown, "key", "keys")),
        };
        format!("  {:<11}{share} of {}{unknown}\n", found.rule.name(), counted(found.keys, "key", "keys"))
    };
    let lines: String = content.available.iter().map(of_rule).collect();
    format!("What is available of “{}” (95 % intervals):\n{lines}", escaped(&content.frame.words))
}

fn rounds(plan: &HoardPlan) -> String {
    match &plan.rounds {
        RoundTimes::Regular { every, span, dense } => format!(
            "every {} for {}{}, {} of a key",
            duration(every.as_secs_f64()),
            duration(span.as_secs_f64()),
            if *dense { ", closer where programs forget" } else { "" },
            grouped(plan.rounds.len())
        ),
        RoundTimes::First { every, span, .. } => format!(
            "at once, and every {} for {}, {} of a key",
            duration(every.as_secs_f64()),
            duration(span.as_secs_f64()),
            grouped(plan.rounds.len())
        ),
        RoundTimes::Listed { at } => {
            let ages: Vec<_> = at.iter().map(|age| duration(age.as_secs_f64())).collect();
            format!("at the ages {}", ages.join(", "))
        }
    }
}

fn lookups(plan: &HoardPlan) -> String {
    let set = &plan.lookups;
    let count = set.count.map(|count| format!("{count} providers"));
    let named = [
        set.closest.then(|| "the closest peers".to_owned()),
        set.first.then(|| "the first provider".to_owned()),
        count,
        set.exhaustive.then(|| "all providers".to_owned()),
    ];
    let named: Vec<_> = named.into_iter().flatten().collect();
    if named.is_empty() {
        return "none: holders are asked alone".to_owned();
    }
    format!("{}; {} each at most", named.join(", "), duration(set.patience.as_secs_f64()))
}

/// What it is a burden to others: an estimate.
fn burden_lines(burden: &Burden) -> Vec<String> {
    let kept = duration(burden.kept_s as f64);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates; counts are not negative"
    )]
    let rounded = |number: f64| number.round() as u64;
    let mut lines = vec![
        "Of others it takes, as an estimate".to_owned(),
        match burden.records {
            Some(0) => "  records    none: nothing is published".to_owned(),
            Some(all) => format!(
                "  records    {} on strangers' disks, {} at a time; each is kept for up to {kept}",
                grouped(all),
                grouped(burden.records_at_once)
            ),
            None => format!(
                "  records    up to {} at a time; each is kept for up to {kept}",
                grouped(burden.records_at_once)
            ),
        },
        format!(
            "  an hour    {} dials, {} requests, {}",
            grouped(rounded(burden.dials_per_hour)),
            grouped(rounded(burden.requests_per_hour)),
            bytes(rounded(burden.bytes_per_hour))
        ),
    ];
    if let (Some(servers), Some(records), Some(asked)) =
        (burden.servers, burden.records_per_server, burden.asked_per_server_and_hour)
    {
        lines.push(format!(
            "  a server   of {}: {records:.1} records at a time, asked {asked:.1} times an hour",
            grouped(servers)
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use hoard::Preset;

    use super::*;

    #[test]
    fn a_plan_says_what_it_is_and_what_it_takes_of_others() {
        let plan = Preset::Rfm17.plan();
        let text = planned(&plan, &Burden::of(&plan, Some(10_000)));
        for said in [
            "The plan rfm17",
            "10,000 keys for each arm",
            "k40: default to 40 peers",
            "every 30 min 00 s for 36 h 00 min",
            "1,000,000 on strangers' disks",
            "of 10,000: 100.0 records",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }

    #[test]
    fn who_is_asked_hears_how_many_records_it_is_about() {
        let burden = Burden::of(&Preset::Rfm17_1.plan(), None);
        let asked = study_publication(&burden, "amino");
        assert_eq!(
            asked,
            "give 2,000 records to strangers of the network amino, who keep each for up to 48 h 00 min"
        );
    }
}
