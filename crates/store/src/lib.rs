//! Where rows are kept: one SQLite file, embedded, that any number of processes may read and write at once.
//!
//! [`Store`] opens a file and reads it as typed rows; [`Writer`] appends the rows of one crawl as they come, in batches,
//! on a thread of its own. What is read back equals what was written, with durations cut to whole microseconds.
//! The file's layout is `migrations/*.sql`, which also says how to read it with nothing but SQL.
//!
//! ```no_run
//! # use kadscope_store as store;
//! # async fn example(start: schema::CrawlStart, end: schema::CrawlEnd) -> Result<(), store::Error> {
//! let url: store::StoreUrl = "sqlite:crawls.sqlite".parse()?;
//! if let Some(store) = store::Store::open(&url)? {
//!     let writer = store.begin_crawl(&start)?;
//!     let rows = writer.sender(); // the crawl sends its rows here
//!     drop(rows);
//!     let totals = writer.finish(end).await?;
//!     println!("{} visits", totals.visits);
//! }
//! # Ok(()) }
//! ```

mod alive;
mod append;
mod cache;
mod codec;
mod crawls;
mod delete;
mod error;
mod intern;
mod limits;
mod migrate;
mod names;
mod open;
mod peers;
mod place;
mod read_only;
mod resolve;
mod store;
mod url;
mod visits;
mod writer;

pub use crawls::{CrawlInfo, Totals};
pub use error::Error;
pub use limits::Limits;
pub use peers::Peers;
pub use store::Store;
pub use url::StoreUrl;
pub use visits::{Neighbors, Visits};
pub use writer::Writer;
