//! `planthread flows`

use std::path::{Path, PathBuf};

use planthread_kit::{Carries, Flow, target::Network};

use super::Context;
use crate::{
    config::{Alerts, Loaded},
    failure::{Exit, Failure},
    operate,
    report::flows::{Connection, Direction, Flows, Place},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The digest of the sheet that was signed: end with 1 when this one differs
    #[arg(long, value_name = "DIGEST")]
    signed: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let mut connections = Vec::new();
    for name in loaded.config.targets.keys() {
        let target = context.open_offline(&loaded, Some(name))?;
        let folder = folder_of(&loaded);
        let of = format!("targets.{}", target.name);
        let network = &target.config.network;
        connections.extend(target.flows.iter().map(|flow| outgoing(&of, network, flow, folder)));
    }
    if let Some(alerts) = &loaded.config.run.alerts {
        connections.extend(of_alerts(context, &loaded, alerts)?);
    }
    connections.extend(second_places(&loaded));
    connections.extend(incoming(&loaded));
    context.screen.show(&Flows::of(connections, places(&loaded), args.signed.as_deref()))
}

/// What the messages to people ask for.
fn of_alerts(
    context: &Context,
    loaded: &Loaded,
    alerts: &Alerts,
) -> Result<Vec<Connection>, Failure> {
    let (folder, mut connections) = (folder_of(loaded), Vec::new());
    if let Some(webhook) = &alerts.webhook {
        let flows = operate::alerts::flows(webhook, loaded, &context.clock)?;
        let of = "run.alerts.webhook";
        connections.extend(flows.iter().map(|flow| outgoing(of, &webhook.network, flow, folder)));
    }
    if let Some(email) = &alerts.email {
        let flow = operate::alerts::mail_flow(email);
        let protocol = email.security.spoken().to_owned();
        let connection = outgoing("run.alerts.email", &email.network, &flow, folder);
        connections.push(Connection { protocol, ..connection });
    }
    Ok(connections)
}

/// What a target's connector, the webhook or e-mails ask for.
fn outgoing(of: &str, network: &Network, flow: &Flow, folder: &Path) -> Connection {
    let Flow { origin, path, carries, credential } = flow.clone();
    // Plain HTTP is for this machine, and goes through no proxy.
    let proxy = network.proxy.as_ref().filter(|_| origin.scheme == "https");
    let through = proxy.map(|proxy| {
        let login = match (&network.proxy_user, &network.proxy_password) {
            (Some(user), Some(password)) => format!(", user {user}, password {password}"),
            _ => String::new(),
        };
        match network.no_proxy.as_str() {
            "" => format!("{proxy}{login}"),
            without => format!("{proxy}{login} (but for {without})"),
        }
    });
    let plain = |text: &str| text.replace(&format!("{}/", folder.display()), "");
    Connection {
        of: of.to_owned(),
        direction: Direction::Out,
        path: plain(&path),
        protocol: spoken(&origin.scheme).to_owned(),
        through,
        host: origin.host,
        port: origin.port,
        credential: plain(&credential),
        carries,
    }
}

/// The folder of the configuration: the sheet says the same wherever it lies.
fn folder_of(loaded: &Loaded) -> &Path {
    loaded.file.parent().unwrap_or(Path::new(""))
}

fn spoken(scheme: &str) -> &'static str {
    if scheme == "https" { "HTTPS, TLS 1.2 or 1.3" } else { "HTTP on this machine" }
}

/// Where packs are copied to.
fn second_places(loaded: &Loaded) -> impl Iterator<Item = Connection> {
    loaded.config.targets.iter().filter_map(|(name, target)| {
        let place = target.pack.as_ref()?.sftp.as_ref()?;
        let key = &place.key_file;
        let key = key.strip_prefix(folder_of(loaded)).unwrap_or(key);
        Some(Connection {
            of: format!("targets.{name}.pack.sftp"),
            direction: Direction::Out,
            host: place.machine().to_owned(),
            port: place.port,
            path: place.path.clone(),
            protocol: "SFTP, by the OpenSSH client".to_owned(),
            through: None,
            credential: format!("user {}, key ${{file:{}}}", place.user, key.display()),
            carries: Carries::Figures,
        })
    })
}

/// What listens.
fn incoming(loaded: &Loaded) -> Vec<Connection> {
    let intake = loaded.config.intake.http.as_ref().map(|http| http.listen);
    let operations = loaded.config.run.operations.as_ref().map(|door| door.listen);
    let page = loaded.config.run.page.as_ref().map(|page| page.listen);
    let doors = [
        ("intake.http", intake, Carries::Records),
        ("run.operations", operations, Carries::Notices),
        ("run.page", page, Carries::Figures),
    ];
    let listening = doors.into_iter().filter_map(|(of, listen, carries)| {
        let listen = listen?;
        Some(Connection {
            of: of.to_owned(),
            direction: Direction::In,
            host: listen.ip().to_string(),
            port: listen.port(),
            path: String::new(),
            protocol: "HTTP".to_owned(),
            through: None,
            credential: "none".to_owned(),
            carries,
        })
    });
    listening.collect()
}

/// Files and folders that may lie on another machine.
fn places(loaded: &Loaded) -> Vec<Place> {
    let config = &loaded.config;
    let folder = folder_of(loaded);
    let place = |of: String, path: PathBuf, written: bool| {
        let path = path.strip_prefix(folder).map_or_else(|_| path.clone(), Path::to_path_buf);
        Place { of, path, written }
    };
    let sources = config.plant.sources.iter().flat_map(|source| {
        let of = format!("plant.sources.{}", source.name);
        source.files.iter().map(move |file| place(of.clone(), file.into(), false))
    });
    let packs = config.targets.iter().filter_map(|(name, target)| {
        let pack = target.pack.as_ref()?;
        Some(place(format!("targets.{name}.pack"), pack.folder.clone(), true))
    });
    sources.chain(packs).collect()
}
