//! Records without a query: all that a filter selects.

use lexiform_store::{Entry, Filter, ListRequest, StoreError, VectorStore};

use crate::{Answer, Error, Library};

/// Entries read from the store at a time.
const PAGE: usize = 4096;

/// All entries that a filter selects, in order of id.
///
/// # Errors
/// If the store cannot be read.
pub(crate) fn entries(store: &dyn VectorStore, filter: &Filter) -> Result<Vec<Entry>, StoreError> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let after = all.last().map(|entry| entry.id);
        let page = store.list(&ListRequest { filter: Some(filter.clone()), after, limit: PAGE })?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

impl Library {
    /// All records that a filter selects, sorted by path, with a score of 0: they are compared with nothing.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Answer>, Error> {
        let mut entries = entries(self.store(), filter)?;
        entries.sort_by(|a, b| a.payload.path.cmp(&b.payload.path));
        Ok(self.unranked(entries))
    }

    /// The first `count` records that a filter selects, in order of id, which needs no reading of all, with a score of 0.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn list_first(&self, filter: &Filter, count: usize) -> Result<Vec<Answer>, Error> {
        let request = ListRequest { filter: Some(filter.clone()), after: None, limit: count };
        Ok(self.unranked(self.store().list(&request)?))
    }

    /// Entries as answers in their order.
    fn unranked(&self, entries: Vec<Entry>) -> Vec<Answer> {
        let answer = |(i, Entry { id, payload, .. })| self.answer(i + 1, 0.0, (None, None), id, payload);
        entries.into_iter().enumerate().map(answer).collect()
    }
}
