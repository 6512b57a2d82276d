//! Copies the files of a finished data set to an object store and back.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::try_join_all;
use object_store::path::Path as Key;
use object_store::{
    Attribute, Attributes, Error, GetOptions, MultipartUpload, PutMultipartOptions, PutOptions, PutPayload,
};
use sha2::{Digest as _, Sha256};

use super::runtime::block_on;
use super::storage::RemoteStorage;
use super::store::{RemoteStore, chunks, error_message};
use crate::DataError;
use crate::shard::{Layout, Manifest, hex_digest, partial_path, rename_durably, sha256_file};
use crate::storage::{CopySummary, LocalStorage, Storage as _};

/// Bytes per part of a multipart upload. Stores accept at most 10,000 parts, all of the same size.
const PART_BYTES: usize = if cfg!(test) { 64 << 10 } else { 16 << 20 };
/// Number of parts that are uploaded at the same time.
const PARTS_IN_FLIGHT: usize = 4;
/// The attribute of an object with its SHA-256.
const SHA256_ATTRIBUTE: &str = "sha256";
/// The file that makes a folder a finished data set.
const MANIFEST: &str = "manifest.json";

/// Copies a finished data set from a folder to a store. Files that the store has with the same size and checksum are skipped.
/// `progress` is called with every file, its size and whether it was copied.
///
/// # Errors
/// If the data set is not finished or damaged, the store holds another data set, or a request fails.
pub fn upload(
    folder: &Path,
    store: &RemoteStore,
    progress: &mut dyn FnMut(&str, u64, bool),
) -> Result<CopySummary, DataError> {
    let manifest = local_manifest(folder)?;
    let bucket = RemoteStorage::new(store.clone());
    // Shards of two data sets in one folder could not be told apart.
    if store.head(&store.key(MANIFEST))?.is_some() && bucket.manifest()? != manifest {
        return Err(DataError::invalid(Path::new(&store.uri()), "holds another data set"));
    }
    let parts = names_in(&folder.join("parts"))?;
    copy_all(&files(&manifest, parts), progress, |file| upload_file(folder, store, file))
}

/// Copies a finished data set from a store to a folder, as [`upload`].
///
/// # Errors
/// If the data set is not finished or damaged, the folder holds another data set, or a request fails.
pub fn download(
    store: &RemoteStore,
    folder: &Path,
    progress: &mut dyn FnMut(&str, u64, bool),
) -> Result<CopySummary, DataError> {
    let manifest = RemoteStorage::new(store.clone()).manifest()?.checked(Path::new(&store.uri()))?;
    if Layout::new(folder).manifest().exists() && local_manifest(folder)? != manifest {
        return Err(DataError::invalid(folder, "holds another data set"));
    }
    let listed = store.list(&store.key("parts"))?;
    let parts = listed.iter().filter_map(|(key, _)| key.filename()).map(str::to_owned).collect();
    copy_all(&files(&manifest, parts), progress, |file| download_file(folder, store, file))
}

/// The manifest of a data set in a local folder.
fn local_manifest(folder: &Path) -> Result<Manifest, DataError> {
    LocalStorage::new(folder.to_owned()).manifest()?.checked(folder)
}

/// Copies files in order and counts them.
fn copy_all(
    files: &[DatasetFile],
    progress: &mut dyn FnMut(&str, u64, bool),
    copy: impl Fn(&DatasetFile) -> Result<(u64, bool), DataError>,
) -> Result<CopySummary, DataError> {
    let mut copied = CopySummary::default();
    for file in files {
        let (bytes, is_new) = copy(file)?;
        if is_new {
            copied.files += 1;
            copied.bytes += bytes;
        } else {
            copied.skipped += 1;
        }
        progress(&file.name, bytes, is_new);
    }
    Ok(copied)
}

/// A file of a data set.
struct DatasetFile {
    /// Its path relative to the data set.
    name: String,
    /// Its SHA-256, if the manifest has it.
    sha256: Option<String>,
}

/// All files of a data set in the order of copying: shards with their sidecars, states of partitions, index, manifest.
fn files(manifest: &Manifest, parts: Vec<String>) -> Vec<DatasetFile> {
    let known = |name: String, sum: &str| DatasetFile { name, sha256: Some(sum.to_owned()) };
    let unknown = |name: String| DatasetFile { name, sha256: None };
    let mut files = Vec::new();
    for shard in &manifest.shards {
        files.push(known(format!("shards/{}", shard.file), &shard.sha256));
        files.push(unknown(format!("shards/{}", sidecar_name(&shard.file))));
    }
    let is_state = |name: &String| name.ends_with(".json") || name.ends_with(".jsonl");
    files.extend(parts.into_iter().filter(is_state).map(|name| unknown(format!("parts/{name}"))));
    // The manifest is last: without it, an interrupted copy is not a data set.
    files.push(known("index.parquet".to_owned(), &manifest.index_sha256));
    files.push(unknown(MANIFEST.to_owned()));
    files
}

fn sidecar_name(shard: &str) -> String {
    format!("{}.parquet", shard.strip_suffix(".tar").unwrap_or(shard))
}

/// Names in a folder, sorted; empty if the folder does not exist.
fn names_in(folder: &Path) -> Result<Vec<String>, DataError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// Uploads a file unless the store has it. Returns its size and whether it was uploaded.
fn upload_file(folder: &Path, store: &RemoteStore, file: &DatasetFile) -> Result<(u64, bool), DataError> {
    let (path, key) = (folder.join(&file.name), store.key(&file.name));
    let sum = sha256_file(&path)?;
    let damaged = |found: &str| {
        let expected = file.sha256.as_deref().unwrap_or(&sum);
        DataError::invalid(&path, format!("damaged: expected SHA-256 {expected}, found {found}"))
    };
    if file.sha256.as_ref().is_some_and(|expected| *expected != sum) {
        return Err(damaged(&sum));
    }
    let size = fs_err::metadata(&path)?.len();
    if head_with_sha256(store, &key)?
        .is_some_and(|(there, recorded_sha256)| there == size && recorded_sha256.as_ref() == Some(&sum))
    {
        return Ok((size, false));
    }
    let sent = send(&path, store, &key, &sum)?;
    if sent != sum {
        // The file was changed between the two reads. The object has the attribute of the first, so the next run uploads it again.
        return Err(damaged(&sent));
    }
    match store.head(&key)? {
        Some(meta) if meta.size == size => Ok((size, true)),
        found => {
            let found = found.map_or("none".to_owned(), |meta| meta.size.to_string());
            let uri = PathBuf::from(store.uri_of(&key));
            Err(DataError::invalid(&uri, format!("expected {size} bytes after the upload, found {found}")))
        }
    }
}

/// Size of an object and its attribute with the SHA-256; `None` if it does not exist.
fn head_with_sha256(store: &RemoteStore, key: &Key) -> Result<Option<(u64, Option<String>)>, DataError> {
    let (objects, asked) = (Arc::clone(&store.objects), key.clone());
    let options = GetOptions { head: true, ..GetOptions::default() };
    match block_on(async move { objects.get_opts(&asked, options).await }) {
        Ok(found) => {
            let sum = found
                .attributes
                .get(&Attribute::Metadata(SHA256_ATTRIBUTE.into()))
                .map(|sum| sum.to_string());
            Ok(Some((found.meta.size, sum)))
        }
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(store.error(key, &error)),
    }
}

/// Uploads a file in one request or in parts. Returns the SHA-256 of the bytes that were sent.
fn send(path: &Path, store: &RemoteStore, key: &Key, sum: &str) -> Result<String, DataError> {
    let attributes: Attributes =
        [(Attribute::Metadata(SHA256_ATTRIBUTE.into()), sum.to_owned())].into_iter().collect();
    let mut file = fs_err::File::open(path)?;
    let mut hasher = Sha256::new();
    let first = next_part(&mut file, &mut hasher)?;
    let failed = |error: Error| store.error(key, &error);
    let (objects, asked) = (Arc::clone(&store.objects), key.clone());
    // Small files are uploaded in one request; multipart uploads take at least three.
    if first.len() < PART_BYTES {
        let options = PutOptions { attributes, ..PutOptions::default() };
        block_on(async move { objects.put_opts(&asked, PutPayload::from(first), options).await })
            .map_err(failed)?;
        return Ok(hex_digest(hasher));
    }
    let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
    let mut upload =
        block_on(async move { objects.put_multipart_opts(&asked, options).await }).map_err(failed)?;
    let mut parts = vec![first];
    while !parts.is_empty() {
        upload = send_parts(upload, parts).map_err(failed)?;
        parts = match next_parts(&mut file, &mut hasher) {
            Ok(parts) => parts,
            Err(error) => {
                abort_upload(upload);
                return Err(error.into());
            }
        };
    }
    block_on(async move { upload.complete().await }).map_err(failed)?;
    Ok(hex_digest(hasher))
}

/// Uploads parts concurrently and returns the upload; aborts it if a part fails.
fn send_parts(
    mut upload: Box<dyn MultipartUpload>,
    parts: Vec<Vec<u8>>,
) -> Result<Box<dyn MultipartUpload>, Error> {
    block_on(async move {
        let sending: Vec<_> = parts.into_iter().map(|part| upload.put_part(PutPayload::from(part))).collect();
        match try_join_all(sending).await {
            Ok(_) => Ok(upload),
            Err(error) => {
                // Parts that are left cost money. If this fails too, lifecycle rules of the bucket have to delete them.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    })
}

/// Aborts an upload, which deletes its parts.
fn abort_upload(mut upload: Box<dyn MultipartUpload>) {
    let _ = block_on(async move { upload.abort().await });
}

/// The next [`PART_BYTES`] bytes of a file; fewer only at its end.
fn next_part(file: &mut fs_err::File, hasher: &mut Sha256) -> std::io::Result<Vec<u8>> {
    let mut part = Vec::new();
    file.by_ref().take(PART_BYTES as u64).read_to_end(&mut part)?;
    hasher.update(&part);
    Ok(part)
}

/// The next parts of a file; none at its end.
fn next_parts(file: &mut fs_err::File, hasher: &mut Sha256) -> std::io::Result<Vec<Vec<u8>>> {
    let mut parts = Vec::new();
    while parts.len() < PARTS_IN_FLIGHT {
        let part = next_part(file, hasher)?;
        if part.is_empty() {
            break;
        }
        parts.push(part);
    }
    Ok(parts)
}

/// Downloads a file unless the folder has it. Returns its size and whether it was downloaded.
fn download_file(folder: &Path, store: &RemoteStore, file: &DatasetFile) -> Result<(u64, bool), DataError> {
    let (path, key) = (folder.join(&file.name), store.key(&file.name));
    let uri = PathBuf::from(store.uri_of(&key));
    let (size, sum) =
        head_with_sha256(store, &key)?.ok_or_else(|| DataError::invalid(&uri, "no such object"))?;
    let expected = file.sha256.clone().or(sum);
    if path.is_file() && fs_err::metadata(&path)?.len() == size && Some(sha256_file(&path)?) == expected {
        return Ok((size, false));
    }
    fs_err::create_dir_all(path.parent().unwrap_or(folder))?;
    let partial = partial_path(&path);
    let mut out = fs_err::File::create(&partial)?;
    let mut hasher = Sha256::new();
    for some in chunks(0..size).chunks(2 * PARTS_IN_FLIGHT) {
        let pieces =
            store.get_ranges(&key, some).map_err(|error| DataError::invalid(&uri, error_message(&error)))?;
        for piece in pieces {
            hasher.update(&piece);
            std::io::Write::write_all(&mut out, &piece)?;
        }
    }
    out.sync_all()?;
    drop(out);
    let found = hex_digest(hasher);
    if let Some(expected) = expected.filter(|expected| *expected != found) {
        fs_err::remove_file(&partial)?;
        return Err(DataError::invalid(&uri, format!("damaged: expected SHA-256 {expected}, found {found}")));
    }
    rename_durably(&partial, &path)?;
    Ok((size, true))
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[test]
    fn large_files_are_copied_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let store = RemoteStore::from_parts(Arc::new(InMemory::new()), "memory://here", Key::from("set"));
        for size in [0, 5, PART_BYTES, PART_BYTES + 1, (PARTS_IN_FLIGHT + 2) * PART_BYTES + 7] {
            let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            std::fs::write(folder.path().join("a.tar"), &bytes).unwrap();
            let file = DatasetFile { name: "a.tar".to_owned(), sha256: None };
            let first = (size as u64, true);
            assert_eq!(upload_file(folder.path(), &store, &file).unwrap(), first);
            assert_eq!(upload_file(folder.path(), &store, &file).unwrap(), (size as u64, false));
            std::fs::remove_file(folder.path().join("a.tar")).unwrap();
            assert_eq!(download_file(folder.path(), &store, &file).unwrap(), first);
            assert_eq!(download_file(folder.path(), &store, &file).unwrap(), (size as u64, false));
            assert!(std::fs::read(folder.path().join("a.tar")).unwrap() == bytes, "{size} bytes");
        }
        let wrong = DatasetFile { name: "a.tar".to_owned(), sha256: Some("00".to_owned()) };
        assert!(upload_file(folder.path(), &store, &wrong).unwrap_err().to_string().contains("damaged"));
    }
}
