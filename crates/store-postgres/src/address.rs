//! The address of a library on a database server.

use std::fmt;

use lexiform_store::StoreError;
use postgres::Config;
use url::Url;

/// The library of an address that names none.
const DEFAULT_LIBRARY: &str = "lexiform";
/// Longest name of a library: with a suffix, it is the name of an object of PostgreSQL, which has at most 63 bytes.
const MAX_NAME: usize = 40;

/// The address of a database with libraries, and the name of one of them: `postgres://user@host:port/database?library=NAME`.
///
/// Shown without its password, which may also be in the environment variable `PGPASSWORD`.
///
/// ```
/// use lexiform_store_postgres::PostgresAddress;
///
/// let address = PostgresAddress::parse("postgres://me:secret@db.example/models?library=parts")?;
/// assert_eq!(address.to_string(), "postgres://me@db.example/models?library=parts");
/// assert_eq!(address.library(), "parts");
/// # Ok::<(), lexiform_store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct PostgresAddress {
    url: Url,
    config: Config,
    library: String,
}

impl PostgresAddress {
    /// Whether a text is meant as an address of PostgreSQL.
    pub fn is_address(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Parses an address.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        // Not the text itself, which may contain a password.
        let refuse = |reason: String| StoreError::invalid("address of a library", reason);
        let mut url = Url::parse(text).map_err(|error| refuse(error.to_string()))?;
        if !Self::is_address(url.as_str()) || url.host_str().is_none_or(str::is_empty) {
            return Err(refuse("expected postgres://user@host:port/database".into()));
        }
        let mut library = DEFAULT_LIBRARY.to_owned();
        let mut others = Vec::new();
        for (key, value) in url.query_pairs() {
            match &*key {
                "library" => library = value.into_owned(),
                _ => others.push((key.into_owned(), value.into_owned())),
            }
        }
        check_name(&library).map_err(refuse)?;
        url.set_query(None);
        if !others.is_empty() {
            url.query_pairs_mut().extend_pairs(&others);
        }
        let mut config: Config =
            url.as_str().parse().map_err(|error: postgres::Error| refuse(reason(&error)))?;
        if config.get_user().is_none() {
            return Err(refuse("expected a user: postgres://user@host/database".into()));
        }
        if config.get_password().is_none()
            && let Ok(password) = std::env::var("PGPASSWORD")
        {
            config.password(password);
        }
        Ok(Self { url, config, library })
    }

    /// The name of the library.
    pub fn library(&self) -> &str {
        &self.library
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Host and port of the first server that the address names.
    pub(crate) fn host_and_port(&self) -> (String, u16) {
        (self.url.host_str().unwrap_or_default().to_owned(), self.url.port().unwrap_or(5432))
    }
}

/// Names are parts of names of tables and servers: no other characters, so that none needs quotes.
fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_valid = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= MAX_NAME
        && name.chars().all(is_plain)
        && !name.starts_with("pg_")
        && name != "public"
        && name != "information_schema";
    match is_valid {
        true => Ok(()),
        false => Err(format!(
            "library {name:?}: expected at most {MAX_NAME} lowercase letters, digits and _, a letter first"
        )),
    }
}

/// An error of the client with its causes, none of which contains a password.
pub(crate) fn reason(error: &postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        let detail = error.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
        return format!("{}{detail}", error.message());
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.url.clone();
        // Fails for addresses without a host only.
        let _ = shown.set_password(None);
        shown.set_query(None);
        if self.library != DEFAULT_LIBRARY {
            shown.query_pairs_mut().append_pair("library", &self.library);
        }
        f.write_str(shown.as_str())
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_passwords() {
        for (text, shown, library) in [
            ("postgres://me:hush@db/models", "postgres://me@db/models", "lexiform"),
            ("postgresql://me@db:7/m?library=a_1", "postgresql://me@db:7/m?library=a_1", "a_1"),
            ("postgres://me@db/m?password=hush&connect_timeout=3", "postgres://me@db/m", "lexiform"),
        ] {
            let address = PostgresAddress::parse(text).unwrap();
            assert_eq!((address.to_string().as_str(), address.library()), (shown, library));
            assert!(!format!("{address:?}").contains("hush"));
        }
    }

    #[test]
    fn invalid_addresses_are_refused_without_showing_them() {
        for text in [
            "postgres:///models",
            "postgres://me:hush@db/models?library=A",
            "postgres://me:hush@db/models?library=public",
            "postgres://me:hush@db/models?hush=1",
            "postgres://db/models",
            "mysql://me:hush@db/models",
        ] {
            let error = PostgresAddress::parse(text).unwrap_err().to_string();
            assert!(!error.contains("hush@"), "{error}");
        }
    }
}
