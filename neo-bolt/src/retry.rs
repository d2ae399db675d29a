//! When a transaction that failed is tried again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How long to wait between attempts, and for how long to go on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// The wait before the second attempt; 1 s unless said otherwise.
    pub initial_delay: Duration,
    /// What each wait is multiplied by for the next; 2.
    pub multiplier: f64,
    /// The share of each wait that is left to chance, either way; 0.2.
    pub jitter: f64,
    /// No attempt begins later than this after the first; 30 s.
    pub max_retry_time: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            initial_delay: Duration::from_secs(1),
            multiplier: 2.0,
            jitter: 0.2,
            max_retry_time: Duration::from_secs(30),
        }
    }
}

/// The waits of one operation. Pure: the time passed and the chance are handed in.
#[derive(Debug)]
pub(crate) struct Backoff {
    policy: RetryPolicy,
    next: Duration,
    attempts: u32,
}

impl Backoff {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            next: policy.initial_delay,
            attempts: 1,
        }
    }

    /// Which attempt runs, from 1.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempts
    }

    /// How long to wait before the next attempt, or `None` where the time is up. `chance` lies
    /// between 0 and 1.
    pub(crate) fn next(&mut self, elapsed: Duration, chance: f64) -> Option<Duration> {
        if elapsed >= self.policy.max_retry_time {
            return None;
        }
        let factor = 1.0 + self.policy.jitter * (2.0 * chance - 1.0);
        let left = self.policy.max_retry_time.saturating_sub(elapsed);
        let delay = times(self.next, factor.max(0.0)).min(left);
        self.next = times(self.next, self.policy.multiplier.max(1.0));
        self.attempts = self.attempts.saturating_add(1);
        Some(delay)
    }
}

/// A duration times a number that is not negative; what is beyond all measure is the longest wait.
fn times(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

/// A number between 0 and 1 that is good enough to keep clients from retrying in step.
pub(crate) fn chance() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 11;
    #[allow(clippy::cast_precision_loss)] // 53 bits fit
    let number = bits as f64;
    number / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let mut backoff = Backoff::new(RetryPolicy::default());
        let second = Duration::from_secs(1);
        assert_eq!(backoff.next(Duration::ZERO, 0.5), Some(second));
        assert_eq!(backoff.next(second, 1.0), Some(Duration::from_millis(2400)));
        assert_eq!(
            backoff.next(second * 4, 0.0),
            Some(Duration::from_millis(3200))
        );
        assert_eq!(backoff.attempt(), 4);
        assert_eq!(backoff.next(second * 30, 0.5), None);
    }

    #[test]
    fn chance_is_between_zero_and_one() {
        for _ in 0..100 {
            assert!((0.0..1.0).contains(&chance()));
        }
    }
}
