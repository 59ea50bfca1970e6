//! Posting to a webhook.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use url::Url;

use super::NotifyError;
use crate::http;

const TIMEOUT: Duration = Duration::from_secs(15);

/// Posts JSON, and takes any 2xx for a yes. Redirects are not followed: they would carry the message
/// elsewhere. The URL is in no error: whoever knows it can post.
pub(super) fn post(url: &str, json: String) -> Result<(), NotifyError> {
    post_within(url, json, TIMEOUT)
}

pub(super) fn post_within(url: &str, json: String, timeout: Duration) -> Result<(), NotifyError> {
    let url = Url::parse(url).map_err(|_| NotifyError::Url)?;
    if url.scheme() != "https" && !(url.scheme() == "http" && http::is_loopback(&url)) {
        return Err(NotifyError::Url);
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    let network = |error: reqwest::Error| {
        if error.is_timeout() {
            NotifyError::TimedOut {
                host: host.clone(),
                timeout,
            }
        } else {
            NotifyError::Network {
                host: host.clone(),
                reason: http::reasons(&error.without_url()),
            }
        }
    };
    let unusable = |reason: String| NotifyError::Network {
        host: host.clone(),
        reason,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| unusable(error.to_string()))?;
    // Within the runtime: a client's timers belong to one.
    runtime.block_on(async {
        let client = http::client(&url, Policy::none(), timeout).map_err(unusable)?;
        let request = client
            .post(url)
            .timeout(timeout)
            .header(CONTENT_TYPE, "application/json")
            .body(json);
        let status = request.send().await.map_err(network)?.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(NotifyError::Refused {
                host: host.clone(),
                status: status.as_u16(),
            })
        }
    })
}
