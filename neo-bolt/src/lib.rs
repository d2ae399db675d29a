//! Async Bolt driver.
