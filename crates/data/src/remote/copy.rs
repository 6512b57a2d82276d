//! The files of a finished data set, sent to an object store and fetched from there.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::try_join_all;
use object_store::path::Path as Key;
use object_store::{
    Attribute, Attributes, Error, GetOptions, MultipartUpload, PutMultipartOptions, PutOptions, PutPayload,
};
use sha2::{Digest as _, Sha256};

use super::home::Bucket;
use super::store::{Store, chunks, reason};
use super::wait::wait;
use crate::shard::{Home as _, Layout, Manifest, aside, hex, rename_durably, sum_of_file};
use crate::{Copied, DataError};

/// Size of the parts of a large object, in bytes; stores take at most 10,000 of them, all of one size.
const PART: usize = if cfg!(test) { 64 << 10 } else { 16 << 20 };
/// Parts that are on the way together.
const TOGETHER: usize = 4;
/// Where an object says its own sum.
const SUM: &str = "sha256";
/// The name that says whether a data set is whole.
const MANIFEST: &str = "manifest.json";

/// Copies a finished data set from a folder to a store, what is there with the same size and sum excepted. `progress` hears of
/// every file with its size and whether it was copied.
///
/// # Errors
/// If the folder holds no whole data set or a damaged one, or the store another one.
pub fn upload(
    folder: &Path,
    store: &Store,
    progress: &mut dyn FnMut(&str, u64, bool),
) -> Result<Copied, DataError> {
    let manifest = Manifest::read(folder)?;
    let bucket = Bucket::new(store.clone());
    if store.head(&store.key(MANIFEST))?.is_some() && bucket.manifest()? != manifest {
        return Err(DataError::invalid(Path::new(&store.uri()), "holds another data set"));
    }
    let parts = names_in(&folder.join("parts"))?;
    each(&files(&manifest, parts), progress, |file| bring(folder, store, file))
}

/// The same from a store to a folder.
///
/// # Errors
/// If the store holds no whole data set or a damaged one, or the folder another one.
pub fn download(
    store: &Store,
    folder: &Path,
    progress: &mut dyn FnMut(&str, u64, bool),
) -> Result<Copied, DataError> {
    let manifest = Bucket::new(store.clone()).manifest()?.checked(Path::new(&store.uri()))?;
    if Layout::new(folder).manifest().exists() && Manifest::read(folder)? != manifest {
        return Err(DataError::invalid(folder, "holds another data set"));
    }
    let listed = store.list(&store.key("parts"))?;
    let parts = listed.iter().filter_map(|(key, _)| key.filename()).map(str::to_owned).collect();
    each(&files(&manifest, parts), progress, |file| fetch(folder, store, file))
}

/// Copies files in their order and counts them.
fn each(
    files: &[File],
    progress: &mut dyn FnMut(&str, u64, bool),
    copy: impl Fn(&File) -> Result<(u64, bool), DataError>,
) -> Result<Copied, DataError> {
    let mut copied = Copied::default();
    for file in files {
        let (bytes, is_new) = copy(file)?;
        match is_new {
            true => (copied.files, copied.bytes) = (copied.files + 1, copied.bytes + bytes),
            false => copied.before += 1,
        }
        progress(&file.name, bytes, is_new);
    }
    Ok(copied)
}

/// A file of a data set.
struct File {
    /// Its name below the data set.
    name: String,
    /// Its sum, if the manifest says it.
    sha256: Option<String>,
}

/// All files of a data set in the order of copying: shards, their tables, states of parts, the table, the manifest.
fn files(manifest: &Manifest, parts: Vec<String>) -> Vec<File> {
    let known = |name: String, sum: &str| File { name, sha256: Some(sum.to_owned()) };
    let unknown = |name: String| File { name, sha256: None };
    let mut files = Vec::new();
    for shard in &manifest.shards {
        files.push(known(format!("shards/{}", shard.file), &shard.sha256));
        files.push(unknown(format!("shards/{}", sidecar_name(&shard.file))));
    }
    let is_state = |name: &String| name.ends_with(".json") || name.ends_with(".jsonl");
    files.extend(parts.into_iter().filter(is_state).map(|name| unknown(format!("parts/{name}"))));
    files.push(known("index.parquet".to_owned(), &manifest.index_sha256));
    files.push(unknown(MANIFEST.to_owned()));
    files
}

fn sidecar_name(shard: &str) -> String {
    format!("{}.parquet", shard.strip_suffix(".tar").unwrap_or(shard))
}

/// Names in a folder, sorted; none where it is absent.
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

/// Brings a file to the store unless it is there; gives its size and whether it was brought.
fn bring(folder: &Path, store: &Store, file: &File) -> Result<(u64, bool), DataError> {
    let (path, key) = (folder.join(&file.name), store.key(&file.name));
    let sum = sum_of_file(&path)?;
    let damaged = |found: &str| {
        let expected = file.sha256.as_deref().unwrap_or(&sum);
        DataError::invalid(&path, format!("damaged: expected SHA-256 {expected}, found {found}"))
    };
    if file.sha256.as_ref().is_some_and(|expected| *expected != sum) {
        return Err(damaged(&sum));
    }
    let size = fs_err::metadata(&path)?.len();
    if recorded(store, &key)?
        .is_some_and(|(there, recorded)| there == size && recorded.as_ref() == Some(&sum))
    {
        return Ok((size, false));
    }
    let sent = send(&path, store, &key, &sum)?;
    if sent != sum {
        // It was changed between the two readings; what was sent says the other sum and is sent anew next time.
        return Err(damaged(&sent));
    }
    match store.head(&key)? {
        Some(meta) if meta.size == size => Ok((size, true)),
        found => {
            let found = found.map_or("none".to_owned(), |meta| meta.size.to_string());
            let uri = PathBuf::from(store.uri_of(&key));
            Err(DataError::invalid(&uri, format!("expected {size} bytes after sending, found {found}")))
        }
    }
}

/// Size of an object and the sum it says of itself; `None` where there is no object.
fn recorded(store: &Store, key: &Key) -> Result<Option<(u64, Option<String>)>, DataError> {
    let (objects, asked) = (Arc::clone(&store.objects), key.clone());
    let options = GetOptions { head: true, ..GetOptions::default() };
    match wait(async move { objects.get_opts(&asked, options).await }) {
        Ok(found) => {
            let sum = found.attributes.get(&Attribute::Metadata(SUM.into())).map(|sum| sum.to_string());
            Ok(Some((found.meta.size, sum)))
        }
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(store.failed(key, &error)),
    }
}

/// Sends a file in one request or in parts; gives the sum of what was sent.
fn send(path: &Path, store: &Store, key: &Key, sum: &str) -> Result<String, DataError> {
    let attributes: Attributes = [(Attribute::Metadata(SUM.into()), sum.to_owned())].into_iter().collect();
    let mut file = fs_err::File::open(path)?;
    let mut hasher = Sha256::new();
    let first = next_part(&mut file, &mut hasher)?;
    let failed = |error: Error| store.failed(key, &error);
    let (objects, asked) = (Arc::clone(&store.objects), key.clone());
    if first.len() < PART {
        let options = PutOptions { attributes, ..PutOptions::default() };
        wait(async move { objects.put_opts(&asked, PutPayload::from(first), options).await })
            .map_err(failed)?;
        return Ok(hex(hasher));
    }
    let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
    let mut upload =
        wait(async move { objects.put_multipart_opts(&asked, options).await }).map_err(failed)?;
    let mut parts = vec![first];
    while !parts.is_empty() {
        upload = send_parts(upload, parts).map_err(failed)?;
        parts = match next_parts(&mut file, &mut hasher) {
            Ok(parts) => parts,
            Err(error) => {
                give_up(upload);
                return Err(error.into());
            }
        };
    }
    wait(async move { upload.complete().await }).map_err(failed)?;
    Ok(hex(hasher))
}

/// Sends parts side by side and gives the upload back; one that fails is taken back from the store.
fn send_parts(
    mut upload: Box<dyn MultipartUpload>,
    parts: Vec<Vec<u8>>,
) -> Result<Box<dyn MultipartUpload>, Error> {
    wait(async move {
        let sending: Vec<_> = parts.into_iter().map(|part| upload.put_part(PutPayload::from(part))).collect();
        match try_join_all(sending).await {
            Ok(_) => Ok(upload),
            Err(error) => {
                // Parts that stay cost money; where even this fails, the bucket's own rules clear them away.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    })
}

/// Takes parts back that were sent.
fn give_up(mut upload: Box<dyn MultipartUpload>) {
    let _ = wait(async move { upload.abort().await });
}

/// The next bytes of a file, fewer than [`PART`] only at its end.
fn next_part(file: &mut fs_err::File, hasher: &mut Sha256) -> std::io::Result<Vec<u8>> {
    let mut part = Vec::new();
    file.by_ref().take(PART as u64).read_to_end(&mut part)?;
    hasher.update(&part);
    Ok(part)
}

/// The next parts of a file that are sent together; none at its end.
fn next_parts(file: &mut fs_err::File, hasher: &mut Sha256) -> std::io::Result<Vec<Vec<u8>>> {
    let mut parts = Vec::new();
    while parts.len() < TOGETHER {
        let part = next_part(file, hasher)?;
        if part.is_empty() {
            break;
        }
        parts.push(part);
    }
    Ok(parts)
}

/// Brings a file from the store unless it is there; gives its size and whether it was brought.
fn fetch(folder: &Path, store: &Store, file: &File) -> Result<(u64, bool), DataError> {
    let (path, key) = (folder.join(&file.name), store.key(&file.name));
    let uri = PathBuf::from(store.uri_of(&key));
    let (size, said) =
        recorded(store, &key)?.ok_or_else(|| DataError::invalid(&uri, "there is no such object"))?;
    let expected = file.sha256.clone().or(said);
    if path.is_file() && fs_err::metadata(&path)?.len() == size && Some(sum_of_file(&path)?) == expected {
        return Ok((size, false));
    }
    fs_err::create_dir_all(path.parent().unwrap_or(folder))?;
    let partial = aside(&path);
    let mut out = fs_err::File::create(&partial)?;
    let mut hasher = Sha256::new();
    for some in chunks(0..size).chunks(2 * TOGETHER) {
        let pieces = store.pieces(&key, some).map_err(|error| DataError::invalid(&uri, reason(&error)))?;
        for piece in pieces {
            hasher.update(&piece);
            std::io::Write::write_all(&mut out, &piece)?;
        }
    }
    out.sync_all()?;
    drop(out);
    let found = hex(hasher);
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
    fn large_files_go_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::of(Arc::new(InMemory::new()), "memory://here", Key::from("set"));
        for size in [0, 5, PART, PART + 1, (TOGETHER + 2) * PART + 7] {
            let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            std::fs::write(folder.path().join("a.tar"), &bytes).unwrap();
            let file = File { name: "a.tar".to_owned(), sha256: None };
            let first = (size as u64, true);
            assert_eq!(bring(folder.path(), &store, &file).unwrap(), first);
            assert_eq!(bring(folder.path(), &store, &file).unwrap(), (size as u64, false));
            std::fs::remove_file(folder.path().join("a.tar")).unwrap();
            assert_eq!(fetch(folder.path(), &store, &file).unwrap(), first);
            assert_eq!(fetch(folder.path(), &store, &file).unwrap(), (size as u64, false));
            assert!(std::fs::read(folder.path().join("a.tar")).unwrap() == bytes, "{size} bytes");
        }
        let wrong = File { name: "a.tar".to_owned(), sha256: Some("00".to_owned()) };
        assert!(bring(folder.path(), &store, &wrong).unwrap_err().to_string().contains("damaged"));
    }
}
