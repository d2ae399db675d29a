//! How many of a driver's connections go to servers that pass on what others have to do.
//!
//! Only where all do (the hint `ssr.enabled` of Bolt 5.8) may the driver go by what it remembers
//! of home databases: whoever is asked by mistake sends the request on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// See the module's description.
#[derive(Debug, Default)]
pub(crate) struct Census {
    routing: AtomicUsize,
    others: AtomicUsize,
    has_counted: AtomicBool,
}

/// One connection that was counted, for as long as it is there.
#[derive(Debug)]
pub(crate) struct Enumerated {
    census: Arc<Census>,
    routes_by_itself: bool,
}

impl Census {
    pub(crate) fn count(self: &Arc<Self>, routes_by_itself: bool) -> Enumerated {
        let one = Enumerated {
            census: Arc::clone(self),
            routes_by_itself,
        };
        one.counter().fetch_add(1, Ordering::Relaxed);
        self.has_counted.store(true, Ordering::Relaxed);
        one
    }

    /// Whether a connection was ever opened: scheme and port are right then.
    pub(crate) fn has_counted(&self) -> bool {
        self.has_counted.load(Ordering::Relaxed)
    }

    /// Whether all servers route by themselves, as far as is known.
    pub(crate) fn all_route_by_themselves(&self) -> bool {
        self.routing.load(Ordering::Relaxed) > 0 && self.others.load(Ordering::Relaxed) == 0
    }
}

impl Enumerated {
    pub(crate) fn routes_by_itself(&self) -> bool {
        self.routes_by_itself
    }

    fn counter(&self) -> &AtomicUsize {
        if self.routes_by_itself {
            &self.census.routing
        } else {
            &self.census.others
        }
    }
}

impl Drop for Enumerated {
    fn drop(&mut self) {
        self.counter().fetch_sub(1, Ordering::Relaxed);
    }
}
