//! What is measured, and what is to be reached.

/// One operation, or many of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Save,
    Connect,
    Replace,
    Unit,
    BulkSave,
    BulkConnect,
    Books,
    Items,
}

impl Work {
    pub(crate) const ALL: [Self; 8] = [
        Self::Save,
        Self::Connect,
        Self::Replace,
        Self::Unit,
        Self::BulkSave,
        Self::BulkConnect,
        Self::Books,
        Self::Items,
    ];

    /// A short name, for keys, commands and `--only`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Save => "save",
            Self::Connect => "connect",
            Self::Replace => "replace",
            Self::Unit => "unit",
            Self::BulkSave => "bulk save",
            Self::BulkConnect => "bulk connect",
            Self::Books => "books",
            Self::Items => "items",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Save => "save a new node",
            Self::Connect => "connect on a `One` relationship",
            Self::Replace => "replace",
            Self::Unit => "a transaction of a save and a connect",
            Self::BulkSave => "1,000 saves in bulk",
            Self::BulkConnect => "1,000 connects in bulk",
            Self::Books => "read 1,000 books with their authors",
            Self::Items => "20,000 nodes to structs",
        }
    }

    /// Whether the time is that of many operations one after another, to be divided by how many.
    pub(crate) fn is_repeated(self) -> bool {
        matches!(
            self,
            Self::Save | Self::Connect | Self::Replace | Self::Unit
        )
    }

    /// neomodel has no connect in bulk: it loops, which is measured.
    pub(crate) fn is_offered_by_neomodel(self) -> bool {
        true
    }

    pub(crate) fn trips_to_reach(self) -> &'static str {
        match self {
            Self::Unit => "≤ 3",
            _ => "1",
        }
    }

    /// At most so many times the time of hand-written Cypher.
    pub(crate) fn ratio_to_reach(self) -> Option<f64> {
        match self {
            Self::BulkSave | Self::BulkConnect => Some(1.3),
            Self::Books => Some(1.2),
            Self::Items => Some(1.1),
            _ => None,
        }
    }
}

/// How much of each is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    repeated: usize,
    pub(crate) books: usize,
    pub(crate) items: usize,
}

impl Size {
    pub(crate) fn new(short: bool) -> Self {
        Self {
            repeated: if short { 10 } else { 100 },
            books: if short { 100 } else { 1_000 },
            items: if short { 1_000 } else { 20_000 },
        }
    }

    pub(crate) fn of(self, work: Work) -> usize {
        match work {
            _ if work.is_repeated() => self.repeated,
            Work::Items => self.items,
            _ => self.books,
        }
    }
}
