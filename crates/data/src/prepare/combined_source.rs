//! Local files and object stores as one source.

use crate::DataError;
use crate::location::Location;
#[cfg(feature = "cloud")]
use crate::remote::RemoteFiles;
use crate::source::{Asset, AssetSource, FetchedAsset, LocalFiles, SourceListing};

/// The sources that the arguments of `lexiform data prepare` name.
#[derive(Debug)]
pub struct CombinedSource {
    local: Option<LocalFiles>,
    #[cfg(feature = "cloud")]
    remote: Option<RemoteFiles>,
}

impl CombinedSource {
    /// Accepts paths and `file://` addresses as [`LocalFiles::new`]. An address of an object store (`s3://bucket/folder`, `gs://`,
    /// `az://`) stands for the 3D files below it, or for the file that it names.
    ///
    /// # Errors
    /// If a path does not exist or a store cannot be used; [`DataError::CloudDisabled`] if this build cannot read object stores.
    pub fn open(sources: &[String]) -> Result<Self, DataError> {
        let (mut here, mut stores) = (Vec::new(), Vec::new());
        for source in sources {
            match Location::parse(source)? {
                Location::Local(_) => here.push(source.clone()),
                Location::Remote(address) => stores.push(address),
            }
        }
        let local = if here.is_empty() { None } else { Some(LocalFiles::new(&here)?) };
        Self::with_remote(local, &stores)
    }

    #[cfg(feature = "cloud")]
    fn with_remote(local: Option<LocalFiles>, stores: &[String]) -> Result<Self, DataError> {
        if stores.is_empty() {
            return Ok(Self { local, remote: None });
        }
        let stores: Vec<_> =
            stores.iter().map(|uri| crate::remote::RemoteStore::open(uri)).collect::<Result<_, _>>()?;
        let prefix_root_name = stores.len() > 1 || local.is_some();
        let remote = Some(RemoteFiles::new(stores, prefix_root_name));
        Ok(Self { local: local.map(LocalFiles::with_root_name), remote })
    }

    #[cfg(not(feature = "cloud"))]
    fn with_remote(local: Option<LocalFiles>, stores: &[String]) -> Result<Self, DataError> {
        match stores.first() {
            Some(address) => Err(DataError::CloudDisabled { address: address.clone() }),
            None => Ok(Self { local }),
        }
    }
}

impl AssetSource for CombinedSource {
    fn list(&self) -> Result<SourceListing, DataError> {
        let listing = self.local.as_ref().map(AssetSource::list).transpose()?.unwrap_or_default();
        #[cfg(feature = "cloud")]
        if let Some(remote) = &self.remote {
            let SourceListing { mut assets, mut unreadable, annotations } = listing;
            let more = remote.list()?;
            assets.extend(more.assets);
            unreadable.extend(more.unreadable);
            return Ok(SourceListing { assets, unreadable, annotations });
        }
        Ok(listing)
    }

    fn fetch(&self, asset: &Asset) -> Result<FetchedAsset, String> {
        #[cfg(feature = "cloud")]
        if let Some(remote) = self.remote.as_ref().filter(|_| crate::is_remote(&asset.location)) {
            return remote.fetch(asset);
        }
        self.local.as_ref().ok_or("not a local file")?.fetch(asset)
    }

    fn prefetch(&self) -> usize {
        #[cfg(feature = "cloud")]
        if let Some(remote) = &self.remote {
            return remote.prefetch();
        }
        0
    }
}
