//! Serves the SAP IBP sandbox: `sandbox ADDRESS [FAULT..]`.
//!
//! A stand-alone way to the sandbox for foreign clients; the program's own
//! `planthread mock sap-ibp` has all options.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use jiff::Timestamp;
use planthread_mocks::{
    Faulty, Rule, SandboxOptions, Time,
    sap_ibp::{Options, SapIbp},
    serve, shared,
};
use tokio::net::TcpListener;

#[derive(Debug)]
struct Wall;

impl Time for Wall {
    #[expect(clippy::disallowed_methods, reason = "a program's main hands in real time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "a program's main hands in real time")]
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the one line that says where it listens")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:9101".to_owned());
    let rules = arguments.map(|text| text.parse()).collect::<Result<Vec<Rule>, _>>()?;
    let simulator = shared(Faulty::new(SapIbp::new(Options::default()), rules, 1));
    let listener = TcpListener::bind(&address).await?;
    println!("sandbox sap-ibp listens on http://{}", listener.local_addr()?);
    let options = SandboxOptions { simulator, tls: None, time: Arc::new(Wall) };
    Ok(serve(options, listener).await?)
}
