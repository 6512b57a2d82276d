//! A token as text, `lxf_ID_SECRET`, and its hash.

use std::fmt::Write as _;
use std::io;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use sha2::{Digest as _, Sha256};

/// What all tokens start with, so that scanners for leaked secrets find them.
const PREFIX: &str = "lxf_";
/// Bytes of an id. It is not stored as a hash, but cannot be guessed either: nobody without a token makes the server hash.
const ID_BYTES: usize = 8;
/// Bytes of a secret.
const SECRET_BYTES: usize = 32;
/// Bytes of a salt, as RFC 9106 recommends.
const SALT_BYTES: usize = 16;

/// A new token.
pub(super) struct Generated {
    /// The text that its owner gets.
    pub text: String,
    pub id: String,
    /// Argon2id, in the PHC string format.
    pub hash: String,
}

/// A token nobody can guess.
///
/// # Errors
/// If the system has no random numbers.
pub(super) fn generate() -> io::Result<Generated> {
    let mut random = [0; ID_BYTES + SECRET_BYTES + SALT_BYTES];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let (id, rest) = random.split_at(ID_BYTES);
    let (secret, salt) = rest.split_at(SECRET_BYTES);
    let id = hex(id);
    let text = format!("{PREFIX}{id}_{}", hex(secret));
    let hash_error = |error: argon2::password_hash::Error| io::Error::other(error.to_string());
    let salt = SaltString::encode_b64(salt).map_err(hash_error)?;
    let hash = Argon2::default().hash_password(text.as_bytes(), &salt).map_err(hash_error)?.to_string();
    Ok(Generated { text, id, hash })
}

/// The id of a token, if it looks like one.
pub(super) fn id_of(token: &str) -> Option<&str> {
    let (id, secret) = token.strip_prefix(PREFIX)?.split_once('_')?;
    let is_hex = |text: &str, bytes: usize| {
        text.len() == 2 * bytes && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    (is_hex(id, ID_BYTES) && is_hex(secret, SECRET_BYTES)).then_some(id)
}

/// Whether a hash is one that [`is_hash_of`] can check.
pub(super) fn is_hash(hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| hash.hash.is_some())
}

/// Whether a hash is that of a token. Takes some 20 ms and 19 MiB, by design.
pub(super) fn is_hash_of(hash: &str, token: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(token.as_bytes(), &hash).is_ok())
}

/// A digest to compare and remember tokens by, which takes no time to compute.
pub(super) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_an_id_and_a_hash_that_fits_it_alone() {
        let (token, other) = (generate().unwrap(), generate().unwrap());
        assert_eq!(id_of(&token.text), Some(&token.id[..]));
        assert_ne!(token.text, other.text);
        assert!(token.hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", token.hash);
        assert!(is_hash(&token.hash) && is_hash_of(&token.hash, &token.text));
        assert!(!is_hash_of(&token.hash, &other.text) && !is_hash_of("", &token.text));
        for text in ["", "lxf_", "lxf_00_11", &token.text[4..], &token.text[..83], &token.text.to_uppercase()]
        {
            assert_eq!(id_of(text), None, "{text}");
        }
    }
}
