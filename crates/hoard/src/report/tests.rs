//! Numbers worked out by hand for each figure, and the page that is made of them.

mod closest;
mod holders;
mod made;
mod page;
