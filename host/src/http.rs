//! The client everything is asked and posted with: our own TLS, deadlines, no surprises.

use std::time::Duration;

use reqwest::header::{HeaderValue, USER_AGENT};
use reqwest::redirect::Policy;
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client for one place.
///
/// # Errors
/// The system's certificates cannot be used: the reason.
pub fn client(
    place: &Url,
    redirects: Policy,
    timeout: Duration,
) -> Result<reqwest::Client, String> {
    // Somebody else may have installed it already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder();
    if is_loopback(place) {
        // Proxy settings are for the world outside.
        builder = builder.no_proxy();
    }
    let agent = concat!("changelings/", env!("CARGO_PKG_VERSION"));
    builder
        .redirect(redirects)
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .default_headers(
            [(USER_AGENT, HeaderValue::from_static(agent))]
                .into_iter()
                .collect(),
        )
        .build()
        .map_err(|error| reasons(&error))
}

/// It never leaves this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Why a request failed, without the URL, which may be a secret.
pub fn reasons(error: &reqwest::Error) -> String {
    let mut reasons = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        reasons.push(error.to_string());
        cause = error.source();
    }
    reasons.dedup();
    match reasons.last() {
        // The last one names the reason, the ones before it say "error" in other words.
        Some(last) => crate::names::printable(last),
        None => "the request failed".into(),
    }
}
