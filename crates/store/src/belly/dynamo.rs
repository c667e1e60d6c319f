//! The belly in tables of `DynamoDB`: those that hydra-booster had, as they are.
//!
//! Every call is one request over HTTP, signed by hand: AWS's own library for Rust takes longer to build than all else here. A request
//! counts as a statement, so the ceiling of statements is one of requests. Expired records are deleted by `DynamoDB` itself, some
//! time after; none that has expired is read.

#[cfg(feature = "dynamodb")]
mod aws;
#[cfg(feature = "dynamodb")]
mod backend;
#[cfg(feature = "dynamodb")]
mod calls;
#[cfg(feature = "dynamodb")]
mod item;
#[cfg(feature = "dynamodb")]
mod places;
#[cfg(feature = "dynamodb")]
mod tables;
mod url;
#[cfg(feature = "dynamodb")]
mod values;
mod variables;

#[cfg(feature = "dynamodb")]
pub(super) use self::backend::DynamoBelly;
#[cfg(feature = "dynamodb")]
pub use self::{
    aws::{AwsCredentials, AwsFailure, AwsProfiles},
    item::DynamoItem,
};
pub use self::{url::DynamoUrl, variables::AwsVariables};
