//! How patient and how large the requests to a target are: the settings that
//! every target has, whatever its vendor.

use std::time::Duration;

use http::HeaderValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{call::RequestPolicy, paging::Bounds};
use crate::{
    Backoff,
    target::{SettingsFault, fault::within},
};

/// Seconds that a request may take when neither settings nor connector say.
const USUAL_SECONDS: u64 = 60;

/// Limits of the requests to a target. The defaults suit most of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// Seconds that name resolution, connection and handshake may take.
    pub connect_seconds: u64,
    /// Seconds that one read may take, its body included. By default what the
    /// connector knows its vendor to need, else 60.
    pub read_seconds: Option<u64>,
    /// Seconds that one write may take. By default what the connector knows
    /// its vendor to need, else 60.
    pub write_seconds: Option<u64>,
    /// Times that a request is sent again, where that is safe.
    pub resends: u32,
    /// Upper end of the wait before the first of them, in milliseconds; it
    /// doubles each time.
    pub backoff_ms: u64,
    /// Upper end of every such wait, in seconds.
    pub backoff_max_seconds: u64,
    /// Longest wait of one request for quota, blackout and the target's
    /// `Retry-After` together, in seconds. Beyond it the target is left alone
    /// until it may be asked again.
    pub patience_seconds: u64,
    /// Longest answer that is taken, unpacked, in MiB.
    pub answer_max_mib: usize,
    /// Most pages of one listing. A connector that knows how many rows a
    /// listing can have bounds it by those instead.
    pub pages_max: usize,
    /// The `User-Agent` of every request: some fronts refuse requests without
    /// one, or without one that they know.
    pub user_agent: String,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_seconds: 15,
            read_seconds: None,
            write_seconds: None,
            resends: 3,
            backoff_ms: 250,
            backoff_max_seconds: 10,
            patience_seconds: 120,
            answer_max_mib: 256,
            pages_max: 10_000,
            user_agent: concat!("planthread/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl HttpSettings {
    /// Checks each limit.
    ///
    /// # Errors
    /// The first that is out of its range.
    pub fn validate(&self) -> Result<(), SettingsFault> {
        const DAY: u64 = 86_400;
        within("connect_seconds", self.connect_seconds, 1, 600)?;
        for (field, seconds) in
            [("read_seconds", self.read_seconds), ("write_seconds", self.write_seconds)]
        {
            within(field, seconds.unwrap_or(USUAL_SECONDS), 1, 3_600)?;
        }
        within("resends", self.resends, 0, 20)?;
        within("backoff_ms", self.backoff_ms, 1, 60_000)?;
        within("backoff_max_seconds", self.backoff_max_seconds, 1, 3_600)?;
        within("patience_seconds", self.patience_seconds, 0, DAY)?;
        within("answer_max_mib", self.answer_max_mib, 1, 4_096)?;
        within("pages_max", self.pages_max, 1, 1_000_000)?;
        self.agent().map(|_| ())
    }

    fn agent(&self) -> Result<HeaderValue, SettingsFault> {
        let plain = |byte: &u8| (b' '..=b'~').contains(byte);
        let text = self.user_agent.trim();
        let fits = !text.is_empty() && text.bytes().all(|byte| plain(&byte));
        fits.then(|| HeaderValue::try_from(text).ok()).flatten().ok_or_else(|| {
            SettingsFault::new("user_agent", "can't stand in a header")
                .cure("write a name and a version, in plain letters: planthread/1.0")
        })
    }

    /// The same settings with the seconds that a connector knows its vendor to
    /// need, where the configuration says nothing else.
    #[must_use]
    pub fn or_seconds(mut self, read: u64, write: u64) -> Self {
        self.read_seconds = self.read_seconds.or(Some(read));
        self.write_seconds = self.write_seconds.or(Some(write));
        self
    }

    /// The part that the request stack follows.
    #[must_use]
    pub fn policy(&self) -> RequestPolicy {
        let seconds = |given: Option<u64>| Duration::from_secs(given.unwrap_or(USUAL_SECONDS));
        RequestPolicy {
            resends: self.resends,
            backoff: Backoff {
                base: Duration::from_millis(self.backoff_ms),
                cap: Duration::from_secs(self.backoff_max_seconds),
            },
            patience: Duration::from_secs(self.patience_seconds),
            read_timeout: seconds(self.read_seconds),
            write_timeout: seconds(self.write_seconds),
            // What can't stand in a header was refused by `validate`.
            user_agent: self.agent().unwrap_or(HeaderValue::from_static("planthread")),
        }
    }

    /// Bounds of a listing that is read `parallel` pages of `size` rows at a
    /// time.
    #[must_use]
    pub const fn bounds(&self, size: usize, parallel: usize) -> Bounds {
        Bounds { parallel, ..Bounds::new(size, self.pages_max) }
    }

    /// Longest answer, in bytes.
    #[must_use]
    pub(crate) const fn answer_max(&self) -> usize {
        self.answer_max_mib << 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_out_of_range_are_named() {
        HttpSettings::default().validate().unwrap();
        let wrong = |settings: HttpSettings| settings.validate().unwrap_err().field;
        let usual = HttpSettings::default;
        assert_eq!(wrong(HttpSettings { read_seconds: Some(0), ..usual() }), "read_seconds");
        assert_eq!(wrong(HttpSettings { pages_max: 0, ..usual() }), "pages_max");
        for agent in ["", "a\nb", "Zürich/1"] {
            let named = HttpSettings { user_agent: agent.to_owned(), ..usual() };
            assert_eq!(wrong(named), "user_agent", "{agent:?}");
        }
    }

    #[test]
    fn what_is_configured_goes_before_what_the_connector_needs() {
        let timeouts = |settings: HttpSettings| {
            let policy = settings.or_seconds(90, 120).policy();
            (policy.read_timeout.as_secs(), policy.write_timeout.as_secs())
        };
        assert_eq!(timeouts(HttpSettings::default()), (90, 120));
        let mine = HttpSettings { write_seconds: Some(7), ..HttpSettings::default() };
        assert_eq!(timeouts(mine), (90, 7));
        assert_eq!(RequestPolicy::default().read_timeout.as_secs(), USUAL_SECONDS);
    }

    #[test]
    fn the_schema_has_a_text_for_each_field() {
        let schema = schemars::schema_for!(HttpSettings).to_value();
        let fields = schema["properties"].as_object().unwrap();
        assert_eq!(fields.len(), 10);
        assert!(fields.values().all(|field| field["description"].is_string()));
    }
}
