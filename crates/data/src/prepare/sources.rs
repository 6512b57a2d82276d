//! Several sources as one: files of this machine and of object stores.

use super::{Asset, Fetched, Listing, LocalFiles, Source};
use crate::DataError;
use crate::address::Address;
#[cfg(feature = "cloud")]
use crate::remote::RemoteFiles;

/// What the arguments of `prepare` name.
#[derive(Debug)]
pub struct Sources {
    local: Option<LocalFiles>,
    #[cfg(feature = "cloud")]
    remote: Option<RemoteFiles>,
}

impl Sources {
    /// Paths and `file://` addresses as [`LocalFiles::new`] takes them; addresses of object stores (`s3://bucket/folder`,
    /// `gs://`, `az://`) mean the 3D files below them, or the one they name.
    ///
    /// # Errors
    /// If a path does not exist or a store cannot be used; [`DataError::NoCloud`] where this build reads none.
    pub fn open(sources: &[String]) -> Result<Self, DataError> {
        let (mut here, mut stores) = (Vec::new(), Vec::new());
        for source in sources {
            match Address::of(source)? {
                Address::Here(_) => here.push(source.clone()),
                Address::Store(address) => stores.push(address),
            }
        }
        let local = if here.is_empty() { None } else { Some(LocalFiles::new(&here)?) };
        Self::with_stores(local, &stores)
    }

    #[cfg(feature = "cloud")]
    fn with_stores(local: Option<LocalFiles>, stores: &[String]) -> Result<Self, DataError> {
        if stores.is_empty() {
            return Ok(Self { local, remote: None });
        }
        let stores: Vec<_> =
            stores.iter().map(|uri| crate::remote::Store::open(uri)).collect::<Result<_, _>>()?;
        let several = stores.len() > 1 || local.is_some();
        let remote = Some(RemoteFiles::new(stores, several));
        Ok(Self { local: local.map(LocalFiles::among_others), remote })
    }

    #[cfg(not(feature = "cloud"))]
    fn with_stores(local: Option<LocalFiles>, stores: &[String]) -> Result<Self, DataError> {
        match stores.first() {
            Some(address) => Err(DataError::NoCloud { address: address.clone() }),
            None => Ok(Self { local }),
        }
    }
}

impl Source for Sources {
    fn list(&self) -> Result<Listing, DataError> {
        let listing = self.local.as_ref().map(Source::list).transpose()?.unwrap_or_default();
        #[cfg(feature = "cloud")]
        if let Some(remote) = &self.remote {
            let Listing { mut assets, mut unreadable, facts } = listing;
            let more = remote.list()?;
            assets.extend(more.assets);
            unreadable.extend(more.unreadable);
            return Ok(Listing { assets, unreadable, facts });
        }
        Ok(listing)
    }

    fn fetch(&self, asset: &Asset) -> Result<Fetched, String> {
        #[cfg(feature = "cloud")]
        if let Some(remote) = self.remote.as_ref().filter(|_| crate::is_remote(&asset.location)) {
            return remote.fetch(asset);
        }
        self.local.as_ref().ok_or("is no file of this machine")?.fetch(asset)
    }

    fn ahead(&self) -> usize {
        #[cfg(feature = "cloud")]
        if let Some(remote) = &self.remote {
            return remote.ahead();
        }
        0
    }
}
