//! The webhook: a CloudEvent by POST, over the transport of the targets.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use planthread_contracts::Scope;
use planthread_kit::{
    Carries, Clock, Flow, FlowBook, Origin, QuotaBook, QuotaConfig, Secret,
    http::{Call, HttpSettings, HttpStack, Lane, Safety, TokenBook},
    mask,
    target::{Nothing, SettingsFault, TargetContext, address},
};
use serde_json::{Value, json};

use super::{Way, not_built};
use crate::{
    config::{Loaded, WEBHOOK_TAKES, Webhook},
    failure::Failure,
};

/// What our events are called.
const TYPE: &str = "planthread.alert.v1";

/// Where messages go.
#[derive(Debug)]
pub(super) struct Hook {
    stack: HttpStack,
    url: Secret,
    source: String,
}

impl Hook {
    /// The configured webhook.
    ///
    /// # Errors
    /// A secret or file that can't be read, an address that is none.
    pub(super) fn open(
        config: &Webhook,
        loaded: &Loaded,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let flows = FlowBook::default();
        let built = build(config, loaded, clock, (&flows, false));
        let (stack, url) = built.map_err(|fault| not_built(Way::Webhook, fault))?;
        Ok(Self { stack, url, source: format!("planthread/{}", loaded.config.plant.id) })
    }

    /// Posts `data` as the event `id` of `now`. The same id twice is the same event:
    /// it may be sent again.
    ///
    /// # Errors
    /// When it could not be sent, or was not taken.
    pub(super) async fn post(&self, id: &str, data: &Value, now: Timestamp) -> Result<(), Failure> {
        let event = json!({
            "specversion": "1.0", "id": id, "source": self.source, "type": TYPE,
            "time": now, "datacontenttype": "application/json", "data": data,
        });
        // What a target said stands in it.
        let body = mask::text(&event.to_string()).into_owned();
        let request = Request::post(self.url.expose())
            .header("content-type", "application/cloudevents+json")
            .body(Bytes::from(body))
            .map_err(|_| Failure::usage("run.alerts.webhook.url: is no address"))?;
        let call = Call::new("post an alert", Safety::Repeatable, request).lane(Lane::Risk);
        let answer = self.stack.send(call).await?;
        if answer.status().is_success() {
            return Ok(());
        }
        let text = format!("post an alert: the webhook answered {}", answer.status());
        Err(Failure::usage(text).cure("see `run.alerts.webhook` and what listens there"))
    }
}

/// The request stack, and the address. No other secret than the address is asked for
/// when it is `offline`.
fn build(
    config: &Webhook,
    loaded: &Loaded,
    clock: &Arc<dyn Clock>,
    (flows, offline): (&FlowBook, bool),
) -> Result<(HttpStack, Secret), SettingsFault> {
    let folder = loaded.file.parent().unwrap_or(Path::new("."));
    let url = match config.reference() {
        Some(reference) => reference.resolve(folder).map_err(|error| error.of("url"))?,
        None => Secret::new(config.url.clone()),
    };
    address::endpoint("url", url.expose())?;
    let none = || SettingsFault::new("url", "is no address that a request can name");
    let host = Origin::of(url.expose()).ok_or_else(none)?.to_string();
    let (quotas, tokens) = (QuotaBook::new(Arc::clone(clock)), TokenBook::default());
    let (settings, quota) = (Value::Null, QuotaConfig::default());
    let http = HttpSettings::default();
    let context = TargetContext {
        target: "alerts",
        settings: &settings,
        scope: Scope::base(),
        measures: &[],
        folder,
        clock,
        quotas: &quotas,
        tokens: &tokens,
        flows,
        known: Arc::new(Nothing),
        quota: &quota,
        network: &config.network,
        http: &http,
        transport: None,
        permit: None,
        offline,
    };
    Ok((context.stack(&host, &config.auth, &WEBHOOK_TAKES, &http)?, url))
}

/// The connections that the webhook asks for.
///
/// # Errors
/// As [`Hook::open`].
pub(crate) fn flows(
    config: &Webhook,
    loaded: &Loaded,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Flow>, Failure> {
    let book = FlowBook::default();
    build(config, loaded, clock, (&book, true)).map_err(|fault| not_built(Way::Webhook, fault))?;
    // An address that is a secret is told by where it is kept.
    let path = config
        .reference()
        .map_or_else(|| Origin::path_of(&config.url), |reference| reference.to_string());
    let notice = |flow: Flow| match flow.carries {
        Carries::Figures => Flow { carries: Carries::Notices, path: path.clone(), ..flow },
        _ => flow,
    };
    Ok(book.all().into_iter().map(notice).collect())
}
