//! What any service of AWS wants to know: who asks (`chain`), and a signature of what is asked (`signing`).

mod chain;
mod container;
mod credentials;
mod instance;
mod place;
mod profile;
mod signing;
mod web_identity;

pub(super) use self::{
    chain::CredentialChain,
    place::{Place, Said, Service},
    signing::{Signing, signed},
};
pub use self::{
    credentials::{AwsCredentials, AwsFailure},
    profile::AwsProfiles,
};
