//! Object stores: S3 and what speaks like it, Google Cloud Storage, Azure. Sources of 3D files ([`RemoteFiles`]) and homes of
//! data sets, which are read where they lie.
//!
//! Retries and timeouts are those of the crate `object_store`; credentials and endpoints come from the variables it knows:
//! `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT`, `GOOGLE_SERVICE_ACCOUNT`,
//! `AZURE_STORAGE_ACCOUNT_NAME`, `AZURE_STORAGE_ACCOUNT_KEY` and so on. Callers are blocked while they wait; the runtime is
//! seen by nobody.

mod beside;
mod copy;
mod files;
mod home;
mod store;
mod wait;

pub use self::copy::{download, upload};
pub use self::files::RemoteFiles;
pub(crate) use self::home::Bucket;
pub use self::store::Store;
