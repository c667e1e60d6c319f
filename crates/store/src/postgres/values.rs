//! Values that the driver knows only by features which bring whole libraries: moments, keys, labels of enums.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use schema::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::copy::{since_1970, since_2000};

type Failed = Box<dyn Error + Sync + Send>;

/// A `timestamptz`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl<'a> FromSql<'a> for Moment {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Failed> {
        Ok(Self(since_1970(i64::from_be_bytes(raw.try_into()?))))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }
}

impl ToSql for Moment {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
        out.put_i64(since_2000(self.0));
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

/// By which the database knows a value: a short text, or the first half of a SHA-256 as a `uuid`, the type of 16 bytes. Both are
/// on their way what they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) Box<[u8]>);

impl Key {
    /// Of something that may be long.
    pub(crate) fn hash(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).iter().take(16).copied().collect())
    }
}

impl<'a> FromSql<'a> for Key {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Failed> {
        Ok(Self(raw.into()))
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::UUID | Type::TEXT)
    }
}

impl ToSql for Key {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::UUID | Type::TEXT)
    }

    to_sql_checked!();
}

/// The label of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label(pub(crate) String);

impl<'a> FromSql<'a> for Label {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Failed> {
        Ok(Self(str::from_utf8(raw)?.to_owned()))
    }

    fn accepts(kind: &Type) -> bool {
        matches!(kind.kind(), tokio_postgres::types::Kind::Enum(_))
    }
}
