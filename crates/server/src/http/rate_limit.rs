//! A limit on the requests of each client: a token bucket, as [RFC 2697](https://www.rfc-editor.org/rfc/rfc2697) describes it for
//! packets.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::lru::lock;

/// Clients that are remembered. More are those of an attack, and the oldest are forgotten.
const MAX_CLIENTS: usize = 16_384;

/// Requests per time, as in `50/s`. As many may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests.
    pub requests: u32,
    /// The time for them.
    pub per: Duration,
}

impl std::str::FromStr for RateLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (requests, unit) = text.split_once('/')?;
            let seconds = match unit {
                "s" | "second" => 1,
                "m" | "min" | "minute" => 60,
                "h" | "hour" => 3600,
                _ => return None,
            };
            let requests = requests.parse().ok().filter(|requests| *requests > 0)?;
            Some(Self { requests, per: Duration::from_secs(seconds) })
        };
        parse().ok_or_else(|| format!("expected a rate such as 50/s, 600/m or 10000/h, found {text:?}"))
    }
}

/// Whose requests are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// All requests with a token.
    Token(Arc<str>),
    /// Requests without one.
    Address(IpAddr),
}

impl Client {
    /// The client at an address. Whoever has one address of IPv6 has all of its network, so these are one.
    pub(super) fn at(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
            address => address,
        })
    }
}

/// Counts requests.
pub(super) struct Limiter {
    limit: RateLimit,
    buckets: Mutex<HashMap<Client, Bucket>>,
}

struct Bucket {
    /// Requests that may come now.
    level: f64,
    updated: Instant,
}

impl Limiter {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self { limit, buckets: Mutex::default() }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// If it is too early; the time until the next one is not.
    pub(super) fn take(&self, client: Client, now: Instant) -> Result<(), Duration> {
        let full = f64::from(self.limit.requests);
        let rate = full / self.limit.per.as_secs_f64();
        let level = |bucket: &Bucket| {
            (bucket.level + rate * now.saturating_duration_since(bucket.updated).as_secs_f64()).min(full)
        };
        let mut buckets = lock(&self.buckets);
        if buckets.len() >= MAX_CLIENTS && !buckets.contains_key(&client) {
            // Full ones say nothing.
            buckets.retain(|_, bucket| level(bucket) < full);
            if buckets.len() >= MAX_CLIENTS {
                buckets.retain(|client, _| matches!(client, Client::Token(_)));
            }
        }
        let bucket = buckets.entry(client).or_insert(Bucket { level: full, updated: now });
        (bucket.level, bucket.updated) = (level(bucket), now);
        if bucket.level < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.level) / rate));
        }
        bucket.level -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_per_unit() {
        let rate = |text: &str| text.parse::<RateLimit>().map(|rate| (rate.requests, rate.per.as_secs()));
        assert_eq!((rate("50/s"), rate("600/min"), rate("9/h")), (Ok((50, 1)), Ok((600, 60)), Ok((9, 3600))));
        for text in ["", "50", "0/s", "-1/s", "50/day", "1.5/s", "/s"] {
            assert!(rate(text).unwrap_err().contains("expected a rate"), "{text}");
        }
    }

    #[test]
    fn each_client_has_its_own_bucket_which_fills_again() {
        let limiter = Limiter::new("2/s".parse().unwrap());
        let start = Instant::now();
        let at = |milliseconds: u64| start + Duration::from_millis(milliseconds);
        let anna = || Client::Token("anna".into());
        assert_eq!([0, 1].map(|_| limiter.take(anna(), at(0))), [Ok(()), Ok(())]);
        assert_eq!(limiter.take(anna(), at(100)), Err(Duration::from_millis(400)));
        assert_eq!(limiter.take(Client::Token("ben".into()), at(100)), Ok(()));
        assert_eq!(limiter.take(anna(), at(500)), Ok(()));
        assert_eq!(limiter.take(anna(), at(501)), Err(Duration::from_millis(499)));
        // Not more than a second's worth after an hour.
        let later = at(3_600_000);
        assert_eq!([0, 1, 2].map(|_| limiter.take(anna(), later).is_ok()), [true, true, false]);
    }

    #[test]
    fn addresses_of_one_network_are_one_client_and_memory_is_bounded() {
        let at = |text: &str| Client::at(text.parse().unwrap());
        assert_eq!(at("2001:db8::1"), at("2001:db8::2:1"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        let limiter = Limiter::new("1/h".parse().unwrap());
        let now = Instant::now();
        limiter.take(Client::Token("anna".into()), now).unwrap();
        for number in 0..40_000_u32 {
            let _ = limiter.take(Client::Address(IpAddr::V4(number.into())), now);
        }
        assert!(lock(&limiter.buckets).len() <= MAX_CLIENTS);
        assert!(limiter.take(Client::Token("anna".into()), now).is_err(), "tokens are not forgotten");
    }
}
