//! Object stores: S3 and compatible stores, Google Cloud Storage, Azure. They hold 3D files ([`RemoteFiles`]) or data sets, which
//! are read remotely.
//!
//! Retries and timeouts are those of the crate `object_store`. Credentials and endpoints come from the environment variables that
//! it documents: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT`, `GOOGLE_SERVICE_ACCOUNT`,
//! `AZURE_STORAGE_ACCOUNT_NAME`, `AZURE_STORAGE_ACCOUNT_KEY` and others. All functions block; the async runtime is internal.

mod copy;
mod dependencies;
mod files;
mod runtime;
mod storage;
mod store;

pub use self::copy::{download, upload};
pub use self::files::RemoteFiles;
pub(crate) use self::storage::RemoteStorage;
pub use self::store::RemoteStore;
