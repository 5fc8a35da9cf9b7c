//! Many documents, a page at a time.

use serde::{Deserialize, Serialize};

use crate::{Document, Error, Filter, Path, Scalar};

/// The most documents on a page.
pub const MOST_PER_PAGE: u32 = 1_000;

/// Which documents, in which order, from where on.
#[derive(Debug, Clone)]
pub struct Query {
    /// Those that it matches.
    pub filter: Filter,
    /// By this field, then by id; without one, by id.
    pub sort: Option<Sort>,
    /// At most so many, 1 to [`MOST_PER_PAGE`].
    pub limit: u32,
    /// Behind this place; without one, from the beginning.
    pub after: Option<Cursor>,
}

/// An order of documents. The field has to hold a scalar wherever a page looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The field.
    pub path: Path,
    /// And which end comes first. It is the id's direction too.
    pub direction: Direction,
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The smallest.
    #[default]
    Ascending,
    /// The greatest.
    Descending,
}

/// The place of a document in an order: it stays where it is when others come and go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The value that was sorted by.
    pub value: Scalar,
    /// And the document's id.
    pub id: String,
}

/// Some documents, and where the next ones begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// In the order that was asked for.
    pub documents: Vec<Document>,
    /// `None` at the end.
    pub next: Option<Cursor>,
}

impl Query {
    /// The first hundred, by id.
    #[must_use]
    pub const fn new(filter: Filter) -> Self {
        Self {
            filter,
            sort: None,
            limit: 100,
            after: None,
        }
    }

    /// In the order of a field.
    #[must_use]
    pub fn sorted_by(mut self, path: &str, direction: Direction) -> Self {
        self.sort = Some(Sort {
            path: Path::from(path),
            direction,
        });
        self
    }

    /// At most so many.
    #[must_use]
    pub const fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Behind this place.
    #[must_use]
    pub fn after(mut self, after: Option<Cursor>) -> Self {
        self.after = after;
        self
    }

    pub(crate) fn direction(&self) -> Direction {
        self.sort
            .as_ref()
            .map(|sort| sort.direction)
            .unwrap_or_default()
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        self.filter.check()?;
        if let Some(sort) = &self.sort {
            sort.path.check()?;
        }
        if !(1..=MOST_PER_PAGE).contains(&self.limit) {
            return Err(Error::invalid("a page has 1 to 1,000 documents"));
        }
        self.after
            .as_ref()
            .map_or(Ok(()), |after| after.value.check())
    }

    /// Makes a page of one document more than asked for, where there is one.
    pub(crate) fn page(&self, mut found: Vec<Document>) -> Result<Page, Error> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let is_last = found.len() <= limit;
        found.truncate(limit);
        let places = found
            .iter()
            .map(|document| self.place(document))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Page {
            documents: found,
            next: places.into_iter().next_back().filter(|_| !is_last),
        })
    }

    fn place(&self, document: &Document) -> Result<Cursor, Error> {
        let value = match &self.sort {
            None => Scalar::Null,
            Some(sort) => match sort.path.value_in(&document.body)? {
                None => Scalar::Null,
                Some(value) => Scalar::of(value).ok_or_else(|| {
                    let path = &sort.path;
                    Error::invalid(format!("`{path}` of `{}` is no scalar", document.id))
                })?,
            },
        };
        Ok(Cursor {
            value,
            id: document.id.clone(),
        })
    }
}
