//! A publication: what is said before it, who has the record, and what is said while it is served.

use std::time::Duration;

use kad::Contact;

use super::text::{counted, duration, escaped};
use crate::{
    command::{HolderRow, Publication},
    output::Style,
};

/// What is said before records are published that nobody will stand for.
pub(crate) fn left_behind() -> String {
    "note: peers keep a record for up to 48 hours, and nobody will answer at the provider's address once this command ends; \
     --serve-for TIME stays there for a while"
        .to_owned()
}

/// What is to be agreed to.
pub(crate) fn publication(count: usize, network: &str) -> String {
    let records = counted(count as u64, "record", "records");
    format!("give {records} each to 20 strangers of the network {}", escaped(network))
}

/// What is said while the provider stays.
pub(crate) fn serving(own: &Contact, time: Duration) -> String {
    let mut lines = vec![format!("serving as {} for {}", own.peer, duration(time.as_secs_f64()))];
    lines.extend(own.addrs.iter().map(|addr| format!("  {addr}")));
    lines.join("\n")
}

/// What came of a publication.
pub(crate) fn provide(provided: &Publication, style: Style) -> String {
    let mut lines = vec![style.bold(&format!("{} is provided by", escaped(&provided.key)))];
    lines.push(format!("  {}", provided.provider));
    lines.extend(provided.addresses.iter().map(|addr| format!("    {addr}")));
    lines.push(format!("{}:", headline(provided)));
    let row = |(number, holder): (usize, &HolderRow)| {
        format!("{:>4}  {:<52}  {}", number + 1, holder.peer, came(holder, style))
    };
    lines.extend(provided.holders.iter().enumerate().map(row));
    lines.join("\n") + "\n\n"
}

fn headline(provided: &Publication) -> String {
    let sent = counted(provided.sent as u64, "peer was", "peers were");
    let has = match provided.have_record {
        None => String::new(),
        Some(1) => ", 1 of them has it".to_owned(),
        Some(count) => format!(", {count} of them have it"),
    };
    format!("{sent} sent the record in {}{has}", duration(provided.duration_s))
}

fn came(holder: &HolderRow, style: Style) -> String {
    match (holder.error, holder.has_record, holder.with_addresses) {
        (Some(error), ..) => style.red(error),
        (None, None, _) => style.dim("sent"),
        (None, Some(false), _) => style.red("has no record"),
        (None, Some(true), Some(false)) => style.red("has it, without addresses"),
        (None, Some(true), _) => style.green("has it"),
    }
}
