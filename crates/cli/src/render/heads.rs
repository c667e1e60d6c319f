//! What heads over one belly answer, for people, with the truth beside it.

use super::text::counted;
use crate::{
    command::{HeadAnswer, SharedRecord},
    output::Style,
};

/// What each head answers, and where the network finds them.
pub(crate) fn heads(shown: &SharedRecord, style: Style) -> String {
    let peers = counted(shown.peers.into(), "peer", "peers");
    let heads = counted(shown.answers.len() as u64 + 1, "head", "heads");
    let mut text = format!(
        "{heads} in a network of {peers}\nA record was given to head 0, {}, and to nobody else.\n\n",
        shown.given_to
    );
    text.extend(shown.answers.iter().map(|answer| of_answer(answer, style)));
    let share = format!("{} found, {} in truth", shown.heads_found, shown.heads_true);
    let is_right = shown.heads_found == shown.heads_true;
    let share = if is_right { style.green(&share) } else { style.red(&share) };
    text + &format!(
        "\nHeads among the 20 peers closest to the record's key, by a lookup of the network: {share}\n"
    )
}

fn of_answer(answer: &HeadAnswer, style: Style) -> String {
    let said = match (answer.has_record, answer.with_addresses) {
        (true, true) => style.green("has it, with its provider's addresses"),
        (true, false) => style.red("has it, without addresses"),
        (false, _) => style.red("does not have it"),
    };
    format!("  head {}  {}  {said}  ({:.1} ms)\n", answer.index, style.bold(&answer.peer_id), answer.took_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_stand_beside_the_truth() {
        let answer = |index: u64, has_record, with_addresses| HeadAnswer {
            index,
            peer_id: format!("12D3KooWExample{index}"),
            has_record,
            with_addresses,
            took_ms: 1.25,
        };
        let shown = SharedRecord {
            peers: 60,
            given_to: "12D3KooWExample0".to_owned(),
            answers: vec![answer(1, true, true), answer(2, true, false), answer(3, false, false)],
            heads_found: 1,
            heads_true: 2,
        };
        insta::assert_snapshot!(heads(&shown, Style::plain()));
    }
}
