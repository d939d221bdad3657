//! Which kinds of authentication the communication scenario SAP_COM_0720
//! takes inbound.

use planthread_kit::target::{Takes, auth::Kind};

/// A technical communication user with a password is what every public sample
/// uses; a client certificate is the documented other way (§2).
pub(crate) const TAKES: Takes = Takes {
    kinds: &[Kind::Basic, Kind::ClientCertificate, Kind::Oauth2ClientCredentials],
    unconfirmed_oauth2: Some(
        "a blog post of 2023-08-07 states and shows that the inbound side of SAP_COM_0720 does not \
         offer it, later lists claim otherwise",
    ),
    exchange: None,
    requests_per_minute: None,
};
