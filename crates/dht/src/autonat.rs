//! `AutoNAT` over a network: dialling peers back that ask for it, and asking others to dial a peer of ours back.
//!
//! Whom to dial, how often, and what answers mean is decided in [`kad::autonat`]; here it is dialled, said and awaited.

mod answered;
mod asked;
mod checks;
mod numbers;
mod servers;
#[cfg(test)]
mod tests;

pub use self::{
    answered::DialBacks,
    asked::{Inquiry, ask_to_dial_back},
    checks::{AddressChecks, OwnAddress},
    numbers::NumberDesk,
};
