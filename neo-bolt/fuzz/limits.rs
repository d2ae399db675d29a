//! Keeps account of memory: what is allocated must stay in proportion to what was received.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// So much may be in use, whatever the input: buffers, a runtime.
const FREE: usize = 1 << 20;
/// So much more for each byte of input. A `NULL` takes one byte on the wire and a `Value` in
/// memory, in a list that has twice the room that it needs, for each of a few readings.
const PER_BYTE: usize = 2048;

/// Runs a target, and panics where it takes memory out of proportion.
pub fn limited(data: &[u8], target: fn(&[u8])) {
    let before = IN_USE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    target(data);
    let grown = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    let limit = FREE + PER_BYTE * data.len();
    assert!(grown <= limit, "{} bytes of input took {grown} bytes of memory", data.len());
}

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

fn grew(bytes: usize) {
    let now = IN_USE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(now, Ordering::Relaxed);
}

// SAFETY: everything is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grew(size);
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
