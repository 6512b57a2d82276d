//! Downloading from a Hugging Face hub: released weights into its cache, and files of data sets. The only network access of this
//! crate.
//!
//! The layout of the cache is that of the hub's own client (`blobs/<etag>`, `snapshots/<commit>/<file>`, `refs/main`), so that
//! files are shared with other tools. An interrupted download is resumed, and sizes and SHA-256 checksums that the hub states
//! are verified.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use ureq::RequestBuilder;
use ureq::typestate::WithoutBody;

use crate::error::ModelError;
use crate::registry::{self, MODELS};
use crate::weights::{WeightsError, sharded};

/// Server of the hub, unless `HF_ENDPOINT` is set.
const ENDPOINT: &str = "https://huggingface.co";
/// Characters of paths that are escaped in addresses.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Most pages of a list of files, of a thousand each.
const MAX_PAGES: usize = 1000;
/// Bytes between two reports of progress.
const PROGRESS_BYTES: u64 = 1 << 20;

/// Progress of a download.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Bytes downloaded.
    pub downloaded: u64,
    /// Size of the file in bytes, if the server states it.
    pub total: Option<u64>,
}

/// Metadata of a file on the server.
struct RemoteFile {
    url: String,
    commit: String,
    etag: String,
    size: Option<u64>,
}

/// Downloads the weights of a named model, and the files required next to them, unless they are in the cache; returns the path
/// of the weights.
///
/// # Errors
/// [`ModelError::UnknownModel`], [`ModelError::ManualDownload`] if only people can download it, or [`ModelError::Download`].
pub fn pull(name: &str, mut on_progress: impl FnMut(Progress)) -> Result<PathBuf, ModelError> {
    let Some(model) = MODELS.iter().find(|model| model.name == name) else {
        let known = MODELS.map(|model| model.name).join(", ");
        return Err(ModelError::UnknownModel { name: name.to_owned(), known });
    };
    let Some((folder, repository, file)) = model.origin.hub_location() else {
        return match model.origin {
            registry::Origin::ManualDownload { .. } => {
                Err(ModelError::ManualDownload { name: name.to_owned(), address: model.origin.describe() })
            }
            _ => {
                Err(ModelError::Download { resource: name.to_owned(), message: "it is built in".to_owned() })
            }
        };
    };
    let weights = fetch(&folder, &repository, file, None, &mut on_progress)?;
    // At the same revision as the weights.
    let inside = weights.strip_prefix(folder.join("snapshots")).unwrap_or(&weights);
    let revision = inside.components().next().map(|first| first.as_os_str().to_string_lossy().into_owned());
    // An index lists the files with the weights.
    let shards = if sharded::is_index(&weights) { sharded::read_index(&weights)? } else { BTreeMap::new() };
    for file in shards.keys().map(String::as_str).chain(model.sidecar_files.iter().copied()) {
        fetch(&folder, &repository, file, revision.as_deref(), &mut on_progress)?;
    }
    Ok(weights)
}

/// Returns a file of a repository at `revision`, or at the newest one, from the cache or by downloading it.
fn fetch(
    folder: &Path,
    repository: &str,
    file: &str,
    revision: Option<&str>,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, ModelError> {
    let here = match revision {
        Some(revision) => {
            Some(folder.join("snapshots").join(revision).join(file)).filter(|path| path.is_file())
        }
        None => registry::cached_file(folder, file),
    };
    if let Some(path) = here {
        return Ok(path);
    }
    let remote = head_request(repository, file, revision)?;
    let blob = folder.join("blobs").join(&remote.etag);
    let io = |error: std::io::Error| ModelError::Weights(WeightsError::Io(error));
    fs::create_dir_all(folder.join("blobs")).map_err(io)?;
    if !blob.is_file() {
        download(&remote, &blob.with_extension("incomplete"), &blob, on_progress)?;
    }
    let path = link_snapshot(folder, revision.unwrap_or(&remote.commit), &remote.etag, file).map_err(io)?;
    if revision.is_none() {
        fs::create_dir_all(folder.join("refs")).map_err(io)?;
        fs::write(folder.join("refs").join("main"), &remote.commit).map_err(io)?;
    }
    Ok(path)
}

fn agent(redirects: u32) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(redirects)
        .max_redirects_will_error(false)
        .timeout_connect(Some(std::time::Duration::from_secs(15)))
        .build()
        .new_agent()
}

fn failed(resource: &str, message: impl std::fmt::Display) -> ModelError {
    ModelError::Download { resource: resource.to_owned(), message: message.to_string() }
}

fn endpoint() -> String {
    let given = std::env::var("HF_ENDPOINT").ok().filter(|e| !e.is_empty());
    given.unwrap_or_else(|| ENDPOINT.to_owned()).trim_end_matches('/').to_owned()
}

/// The request with the user's token, if there is one.
fn authorized(request: RequestBuilder<WithoutBody>) -> RequestBuilder<WithoutBody> {
    match std::env::var("HF_TOKEN").ok().filter(|token| !token.is_empty()) {
        Some(token) => request.header("Authorization", format!("Bearer {token}")),
        None => request,
    }
}

fn escaped(path: &str) -> PercentEncode<'_> {
    utf8_percent_encode(path, ESCAPED)
}

fn head_request(repository: &str, file: &str, revision: Option<&str>) -> Result<RemoteFile, ModelError> {
    let (endpoint, revision) = (endpoint(), revision.unwrap_or("main"));
    let url = format!("{endpoint}/{}/resolve/{revision}/{}", escaped(repository), escaped(file));
    // No redirects: the hub's headers are on its own answer, not on that of the storage it redirects to.
    let response = authorized(agent(0).head(&url)).call().map_err(|e| failed(&url, e))?;
    let status = response.status();
    if !(status.is_success() || status.is_redirection()) {
        return Err(failed(&url, format!("the server answered {status}")));
    }
    let header = |names: &[&str]| {
        let values = names.iter().filter_map(|name| response.headers().get(*name)?.to_str().ok());
        values.map(|v| v.trim_start_matches("W/").trim_matches('"').to_owned()).next()
    };
    // The server's answer becomes a file name in the cache, so it must not contain separators.
    let plain = |text: String| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-').then_some(text);
    let missing = |resource: &str| failed(&url, format!("the answer has no usable {resource}"));
    let commit = header(&["x-repo-commit"]).and_then(plain).ok_or_else(|| missing("x-repo-commit"))?;
    let etag = header(&["x-linked-etag", "etag"]).and_then(plain).ok_or_else(|| missing("etag"))?;
    let size = header(&["x-linked-size", "content-length"]).and_then(|text| text.parse().ok());
    Ok(RemoteFile { url, commit, etag, size })
}

/// Downloads to `partial`, resuming an earlier download, verifies it and renames it to `target`.
fn download(
    remote: &RemoteFile,
    partial: &Path,
    target: &Path,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<(), ModelError> {
    let io = |error: std::io::Error| failed(&remote.url, error);
    let mut downloaded = fs::metadata(partial).map_or(0, |m| m.len());
    // More than the whole file cannot be its beginning, and the server would refuse to send what comes after it.
    if remote.size.is_some_and(|size| downloaded > size) {
        fs::remove_file(partial).map_err(io)?;
        downloaded = 0;
    }
    // A process that was killed between the last byte and the new name left everything.
    let is_complete = downloaded > 0 && remote.size == Some(downloaded);
    if !is_complete {
        receive(remote, partial, downloaded, on_progress)?;
    }
    verify_checksum(remote, partial)?;
    fs::rename(partial, target).map_err(io)
}

/// Appends what is missing of a file after its first `downloaded` bytes.
fn receive(
    remote: &RemoteFile,
    partial: &Path,
    mut downloaded: u64,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<(), ModelError> {
    let io = |error: std::io::Error| failed(&remote.url, error);
    let mut request = authorized(agent(10).get(&remote.url));
    if downloaded > 0 {
        request = request.header("Range", format!("bytes={downloaded}-"));
    }
    let response = request.call().map_err(|e| failed(&remote.url, e))?;
    let mut file = match response.status().as_u16() {
        206 => fs::OpenOptions::new().append(true).open(partial).map_err(io)?,
        200 => {
            downloaded = 0;
            fs::File::create(partial).map_err(io)?
        }
        status => return Err(failed(&remote.url, format!("the server answered {status}"))),
    };
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut reported = downloaded;
    loop {
        let interrupted = |error| failed(&remote.url, format!("{error}; run the command again to resume"));
        let n = body.read(&mut buffer).map_err(interrupted)?;
        if n == 0 {
            break;
        }
        file.write_all(&buffer[..n]).map_err(io)?;
        downloaded += n as u64;
        if downloaded - reported >= PROGRESS_BYTES {
            reported = downloaded;
            on_progress(Progress { downloaded, total: remote.size });
        }
    }
    if let Some(size) = remote.size.filter(|size| *size != downloaded) {
        return Err(failed(
            &remote.url,
            format!("{downloaded} of {size} bytes received; run the command again to resume"),
        ));
    }
    file.sync_all().map_err(io)?;
    on_progress(Progress { downloaded, total: remote.size });
    Ok(())
}

/// Compares a file with the SHA-256 in its etag. Small files, which the hub keeps in git, have another kind of etag.
fn verify_checksum(remote: &RemoteFile, file: &Path) -> Result<(), ModelError> {
    let is_sha256 = remote.etag.len() == 64 && remote.etag.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_sha256 {
        return Ok(());
    }
    let io = |error: std::io::Error| failed(&remote.url, error);
    let mut reader = fs::File::open(file).map_err(io)?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let n = reader.read(&mut buffer).map_err(io)?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
    }
    let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if found == remote.etag.to_ascii_lowercase() {
        return Ok(());
    }
    // Resuming a damaged file would never repair it.
    fs::remove_file(file).map_err(io)?;
    let expected = &remote.etag;
    Err(failed(&remote.url, format!("expected SHA-256 {expected}, found {found}; run the command again")))
}

/// Downloads a file of a repository to `target`, unless a file of the stated size is there; returns whether it was downloaded.
/// Until it is complete, it is called `target.<etag>.incomplete`. `repository` is `owner/name`, or `datasets/owner/name`.
///
/// # Errors
/// [`ModelError::Download`].
pub fn fetch_file(
    repository: &str,
    file: &str,
    target: &Path,
    mut on_progress: impl FnMut(Progress),
) -> Result<bool, ModelError> {
    let remote = head_request(repository, file, None)?;
    let here = fs::metadata(target).ok().filter(std::fs::Metadata::is_file).map(|found| found.len());
    match (here, remote.size) {
        (Some(_), None) => return Ok(false),
        (Some(found), Some(size)) if found == size => return Ok(false),
        (Some(found), Some(size)) => {
            let message = format!("{} has {found} bytes, expected {size}; move it away", target.display());
            return Err(failed(&remote.url, message));
        }
        (None, _) => {}
    }
    let io = |error: std::io::Error| failed(&remote.url, error);
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(io)?;
    let mut partial = target.as_os_str().to_owned();
    // With the etag, as in the cache: the beginning of another version must not be continued.
    partial.push(format!(".{}.incomplete", remote.etag));
    download(&remote, Path::new(&partial), target, &mut on_progress)?;
    Ok(true)
}

/// Files of a repository below a folder, or all if it is empty. `repository` is `owner/name`, or `datasets/owner/name`.
///
/// # Errors
/// [`ModelError::Download`].
pub fn list_files(repository: &str, folder: &str) -> Result<Vec<String>, ModelError> {
    let kind = if repository.starts_with("datasets/") { "" } else { "models/" };
    let [repository, folder] = [repository, folder].map(escaped);
    let mut url = format!("{}/api/{kind}{repository}/tree/main/{folder}?recursive=true", endpoint());
    let mut files = Vec::new();
    for _page in 0..MAX_PAGES {
        let mut response = authorized(agent(10).get(&url)).call().map_err(|e| failed(&url, e))?;
        if !response.status().is_success() {
            return Err(failed(&url, format!("the server answered {}", response.status())));
        }
        let next = response.headers().get("link").and_then(|link| next_page(link.to_str().ok()?));
        let text = response.body_mut().read_to_string().map_err(|e| failed(&url, e))?;
        let entries: Vec<TreeEntry> = serde_json::from_str(&text).map_err(|e| failed(&url, e))?;
        // The names become paths on this machine.
        let plain = |path: &String| !path.split('/').any(|part| part.is_empty() || part == "..");
        files.extend(entries.into_iter().filter(|e| e.kind == "file").map(|e| e.path).filter(plain));
        match next {
            Some(next) => url = next,
            None => return Ok(files),
        }
    }
    Err(failed(&url, format!("more than {MAX_PAGES} pages of files")))
}

/// A file or folder in an answer of the hub.
#[derive(Deserialize)]
struct TreeEntry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
}

/// The address in `<…>; rel="next"`.
fn next_page(link: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    Some(next.split_once('<')?.1.split_once('>')?.0.to_owned())
}

/// Links `snapshots/<commit>/<file>` to the blob.
fn link_snapshot(folder: &Path, commit: &str, etag: &str, file: &str) -> std::io::Result<PathBuf> {
    let path = folder.join("snapshots").join(commit).join(file);
    if let Some(inside) = path.parent() {
        fs::create_dir_all(inside)?;
    }
    if !path.exists() {
        // One step up for the commit, one for `snapshots`, one for each folder inside.
        #[cfg(unix)]
        let up = "../".repeat(2 + file.matches('/').count());
        #[cfg(unix)]
        std::os::unix::fs::symlink(Path::new(&up).join("blobs").join(etag), &path)?;
        #[cfg(not(unix))]
        fs::copy(folder.join("blobs").join(etag), &path)?;
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_escaped_but_for_folders() {
        assert_eq!(escaped("datasets/o/n-1.0_a~").to_string(), "datasets/o/n-1.0_a~");
        assert_eq!(escaped("a b/c#d?e%f+ü.bin").to_string(), "a%20b/c%23d%3Fe%25f%2B%C3%BC.bin");
    }
}
