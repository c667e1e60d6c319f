//! Whether content can be retrieved: its providers are dialled and asked for the block, by bitswap and by HTTP. What that
//! comes to is decided in [`kad::retrieval`]; who the providers are is looked up elsewhere.

mod desk;
mod provider;
#[cfg(test)]
mod tests;

pub use self::{
    desk::BlockDesk,
    provider::{ProviderSight, Retrieval},
};
