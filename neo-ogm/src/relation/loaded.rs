//! What a query has loaded into a relationship field.

use std::sync::Arc;

use super::Related;

/// Related nodes, behind a pointer that does not show the compiler what it points to.
///
/// With plain fields, the compiler would follow every chain of relationships through a model to
/// see whether a node may travel between threads, and give up at some dozen node types ("overflow
/// evaluating the requirement"). Nothing changes what was loaded, so clones share it.
pub(super) enum Loaded<T, R> {
    /// The database has none; nothing is allocated to say so.
    Nothing,
    /// The nodes.
    Some(Arc<dyn Contents<T, R> + Send + Sync>),
}

/// A list of related nodes, however it is kept.
pub(super) trait Contents<T, R> {
    fn get(&self) -> &[Related<T, R>];

    /// The list itself, where nobody shares it.
    fn into_list(self: Arc<Self>) -> Option<Vec<Related<T, R>>>;
}

/// A single node needs no list of its own.
impl<T, R> Contents<T, R> for Related<T, R> {
    fn get(&self) -> &[Related<T, R>] {
        std::slice::from_ref(self)
    }

    fn into_list(self: Arc<Self>) -> Option<Vec<Self>> {
        Arc::try_unwrap(self).ok().map(|only| vec![only])
    }
}

impl<T, R> Contents<T, R> for Vec<Related<T, R>> {
    fn get(&self) -> &[Related<T, R>] {
        self
    }

    fn into_list(self: Arc<Self>) -> Option<Self> {
        Arc::try_unwrap(self).ok()
    }
}

impl<T, R> Loaded<T, R>
where
    T: Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    /// What a program has put together itself.
    pub(super) fn given(list: Vec<Related<T, R>>) -> Self {
        match list.is_empty() {
            true => Self::Nothing,
            false => Self::Some(Arc::new(list)),
        }
    }

    /// As many nodes as `len` says, which a peer may have made up.
    pub(super) fn read<E>(
        len: usize,
        mut next: impl FnMut(usize) -> Result<Related<T, R>, E>,
    ) -> Result<Self, E> {
        Ok(match len {
            0 => Self::Nothing,
            1 => Self::Some(Arc::new(next(0)?)),
            _ => {
                let mut related = Vec::with_capacity(len.min(1024));
                for index in 0..len {
                    related.push(next(index)?);
                }
                Self::Some(Arc::new(related))
            }
        })
    }
}

impl<T, R> Loaded<T, R> {
    pub(super) fn get(&self) -> &[Related<T, R>] {
        match self {
            Self::Nothing => &[],
            Self::Some(contents) => contents.get(),
        }
    }
}

impl<T: Clone, R: Clone> Loaded<T, R> {
    /// The list, copied only where somebody shares it.
    pub(super) fn into_list(self) -> Vec<Related<T, R>> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Some(contents) => {
                // A handle that another thread gives back meanwhile leads to a copy, no more.
                let copy = (Arc::strong_count(&contents) > 1).then(|| contents.get().to_vec());
                copy.or_else(|| contents.into_list()).unwrap_or_default()
            }
        }
    }
}

impl<T, R> Clone for Loaded<T, R> {
    fn clone(&self) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Some(contents) => Self::Some(Arc::clone(contents)),
        }
    }
}

impl<T: PartialEq, R: PartialEq> PartialEq for Loaded<T, R> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(numbers: &[i32]) -> Loaded<i32, ()> {
        let read = Loaded::read(numbers.len(), |index| {
            let node = numbers[index];
            Ok::<_, ()>(Related::new(node, ()))
        });
        read.unwrap()
    }

    #[test]
    fn what_was_read_is_there() {
        for numbers in [&[][..], &[1], &[1, 2, 3]] {
            let nodes = loaded(numbers);
            let found: Vec<i32> = nodes.get().iter().map(|related| related.node).collect();
            assert_eq!(found, numbers);
            assert!(nodes == nodes.clone() && nodes != loaded(&[4]));
        }
        let failing: Result<Loaded<i32, ()>, i32> = Loaded::read(usize::MAX, |_| Err(7));
        assert_eq!(failing.err(), Some(7));
    }
}
