//! Local files and object stores as one source.

use crate::DataError;
use crate::address::Address;
#[cfg(feature = "cloud")]
use crate::remote::RemoteFiles;
use crate::source::{Asset, Fetched, Listing, LocalFiles, Source};

/// The sources that the arguments of `lexiform data prepare` name.
#[derive(Debug)]
pub struct Sources {
    local: Option<LocalFiles>,
    #[cfg(feature = "cloud")]
    remote: Option<RemoteFiles>,
}

impl Sources {
    /// Accepts paths and `file://` addresses as [`LocalFiles::new`]. An address of an object store (`s3://bucket/folder`, `gs://`,
    /// `az://`) stands for the 3D files below it, or for the file that it names.
    ///
    /// # Errors
    /// If a path does not exist or a store cannot be used; [`DataError::NoCloud`] if this build cannot read object stores.
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
        self.local.as_ref().ok_or("not a local file")?.fetch(asset)
    }

    fn ahead(&self) -> usize {
        #[cfg(feature = "cloud")]
        if let Some(remote) = &self.remote {
            return remote.ahead();
        }
        0
    }
}
