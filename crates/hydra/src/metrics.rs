//! What can be read of a hydra: under the names that hydra-booster's dashboards ask for, meaning what these say ([`INHERITED`]), and
//! under ours. `docs/metrics.md` lists both, and which of the old names are gone.
//!
//! Nothing is counted for their sake; numbers of single heads are shown on request alone, since each head makes series of its own.

mod belly;
mod delegated;
mod inherited;
mod load;
mod own;
mod prefetch;
mod source;

use http::Metric;
use kad::fabric::Member;

pub use self::inherited::INHERITED;
use self::source::Source;
use crate::HydraView;

/// How the metrics of a hydra are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricsTerms {
    /// The label `name` of what hydra-booster labels so: how whoever runs it calls it.
    pub name: String,
    /// Whether what heads have is shown for each of them.
    pub per_head: bool,
}

/// All metrics of a hydra: the inherited ones, and ours.
pub fn hydra_metrics<M: Member>(view: &HydraView<M>, terms: &MetricsTerms) -> (Vec<Metric>, Vec<Metric>) {
    let source = Source::new(view, terms);
    let mut inherited = inherited::metrics(&source);
    inherited.extend(prefetch::inherited(&source));
    let mut own = own::metrics(&source);
    own.extend(load::metrics(&source));
    own.extend(belly::metrics(&source));
    own.extend(prefetch::own(&source));
    own.extend(delegated::metrics(&source));
    (inherited, own)
}
