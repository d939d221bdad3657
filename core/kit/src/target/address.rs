//! Addresses in settings: whole, and never plain text over a network.

use std::net::IpAddr;

use url::Url;

use super::SettingsFault;

/// Checks the address of a host: scheme and name, no path and no user.
///
/// # Errors
/// Names `field`; the address itself is not repeated, it may carry a password.
pub fn origin(field: &str, text: &str) -> Result<(), SettingsFault> {
    let name = text.strip_prefix("https://").or(text.strip_prefix("http://"));
    if name.is_none_or(|name| name.is_empty() || name.contains(['/', '?', '#', '@'])) {
        return Err(SettingsFault::new(field, "must be a scheme and a name, without path or user")
            .cure("write it as https://NAME"));
    }
    endpoint(field, text)
}

/// Checks a whole address, path included. Credentials and values never cross a
/// network as plain text; this machine's own sandbox is no network.
///
/// # Errors
/// Names `field`, and the host where it is reached as plain text.
pub fn endpoint(field: &str, text: &str) -> Result<(), SettingsFault> {
    let url = Url::parse(text).map_err(|error| {
        SettingsFault::new(field, format!("is no address: {error}"))
            .cure("write a scheme and a name: https://NAME")
    })?;
    let host = url.host_str().unwrap_or_default();
    if url.scheme() == "https" && !host.is_empty() {
        return Ok(());
    }
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let own = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "http" if own => Ok(()),
        "http" => Err(SettingsFault::new(
            field,
            format!("is plain http: everybody on the way to {host} reads the password"),
        )
        .cure("write https://; plain http is for a sandbox on this machine")),
        _ => Err(SettingsFault::new(field, "is no web address").cure("write it as https://NAME")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_for_this_machine() {
        for own in ["http://127.0.0.1:9101", "http://localhost", "http://[::1]:9101"] {
            origin("host", own).unwrap();
        }
        for far in [
            "http://planning.example.com",
            "http://10.0.0.7:9101",
            "http://[fe80::1]",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com:80",
            "HTTP://planning.example.com",
        ] {
            let fault = endpoint("host", far).unwrap_err();
            assert!(fault.reason.contains("plain http") && fault.cure.is_some(), "{far}: {fault}");
        }
        origin("host", "https://planning.example.com:8443").unwrap();
        endpoint("token_url", "https://login.example.com/token").unwrap();
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_name() {
        for wrong in [
            "",
            "planning",
            "ptdemo/path",
            "https://",
            "https://a b",
            "ftp://a",
            "https://me:hunter2@a",
            "https://a/path",
            "https://a?x=1",
        ] {
            let fault = origin("host", wrong).unwrap_err();
            assert_eq!(fault.field, "host");
            assert!(!fault.to_string().contains("hunter2"), "{fault}");
        }
    }
}
