//! The partitions of tables that are divided by month: made when a row of a month is first written.

use std::collections::BTreeSet;

use schema::{Table, Timestamp};
use tokio_postgres::{Client, types::Type};

use super::migrate::LOCKS;

/// Where the months begin and end that have a partition of their own; what is before or after has one each. So however wrong a
/// clock is, there is a bound on the partitions.
pub(crate) const ENDS: (&str, &str) = ("2000-01-01 00:00:00+00", "2100-01-01 00:00:00+00");

/// The second half of the lock that whoever adds a partition holds.
const LOCK: i32 = -1;

const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// A month: year, and 1 to 12.
type Month = (i64, i64);

/// The partitions that are known to be there.
#[derive(Debug, Default)]
pub(crate) struct Months(BTreeSet<(&'static str, Month)>);

impl Months {
    /// Makes the partitions for rows of `table` that begin at `times`.
    pub(crate) async fn make(
        &mut self,
        sql: &mut Client,
        table: &'static Table,
        times: impl Iterator<Item = Timestamp>,
    ) -> Result<(), tokio_postgres::Error> {
        let months: BTreeSet<_> = times.filter_map(month).collect();
        for month in months {
            if !self.0.contains(&(table.name, month)) {
                make(sql, table, month).await?;
                self.0.insert((table.name, month));
            }
        }
        Ok(())
    }
}

/// The name of a partition.
pub(crate) fn name(table: &Table, (year, month): Month) -> String {
    format!("{}_{year}_{month:02}", table.name)
}

/// Makes a partition. It is made beside its table and then put to it, which does not disturb who writes or reads.
async fn make(sql: &mut Client, table: &Table, (year, month): Month) -> Result<(), tokio_postgres::Error> {
    let (data, name) = (table.name, name(table, (year, month)));
    let transaction = sql.transaction().await?;
    let lock = "SELECT pg_advisory_xact_lock($1, $2)";
    transaction.query_typed(lock, &[(&LOCKS, Type::INT4), (&LOCK, Type::INT4)]).await?;
    let there = "SELECT to_regclass($1) IS NOT NULL";
    if transaction.query_typed_one(there, &[(&name, Type::TEXT)]).await?.try_get(0)? {
        return Ok(());
    }
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let statements = format!(
        "CREATE TABLE {name} (LIKE {data} INCLUDING ALL);
         ALTER TABLE {data} ATTACH PARTITION {name} FOR VALUES
             FROM ('{year}-{month:02}-01 00:00:00+00') TO ('{next_year}-{next_month:02}-01 00:00:00+00')"
    );
    transaction.batch_execute(&statements).await?;
    transaction.commit().await
}

/// Whether a partition of this name is that of a month which ended before a moment.
pub(crate) fn is_over(table: &Table, partition: &str, before: Timestamp) -> bool {
    // The month of the moment itself has not ended.
    let Some(now) = month(before) else { return false };
    let bare = partition.rsplit('.').next().unwrap_or(partition);
    let parts = bare.strip_prefix(table.name).and_then(|rest| rest.strip_prefix('_')?.split_once('_'));
    parts
        .and_then(|(year, month)| Some((year.parse().ok()?, month.parse().ok()?)))
        .is_some_and(|month: Month| month < now)
}

/// The month of a moment; `None` for those without a partition of their own.
fn month(time: Timestamp) -> Option<Month> {
    // Days since 0000-03-01, so that a leap day is the last of its year.
    let days = time.0.div_euclid(DAY_US) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (2000..2100).contains(&year).then_some((year, month))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        for (us, expected) in [
            (946_684_799_999_999, None),
            (946_684_800_000_000, Some((2000, 1))),
            (951_868_799_999_999, Some((2000, 2))),
            (951_868_800_000_000, Some((2000, 3))),
            (1_795_000_000_000_000, Some((2026, 11))),
            (4_102_444_799_999_999, Some((2099, 12))),
            (4_102_444_800_000_000, None),
            (i64::MIN, None),
            (i64::MAX, None),
        ] {
            assert_eq!(month(Timestamp(us)), expected, "{us}");
        }
    }
}
