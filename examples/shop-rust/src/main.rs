//! Serves the shop: `shop-rust 127.0.0.1:8000`, with payonce's configuration in `payonce.toml`.

use std::process::ExitCode;

use anyhow::Context as _;
use payonce_core::store::Owner;
use payonce_server::config::{Config, Environment};
use tokio::{net::TcpListener, sync::oneshot};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shop-rust: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a program's own arguments and environment")]
fn run() -> anyhow::Result<()> {
    // Names a point to die at; heeded only by builds for tests.
    if let Ok(point) = std::env::var("PAYONCE_FAULT") {
        payonce_core::fault::arm(&point);
    }
    let addr = std::env::args().nth(1).context("say where to listen, such as 127.0.0.1:8000")?;
    let config = Config::load(None, &Environment::default())?.config;
    config.ready_to_serve()?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(&addr, config))
}

async fn serve(addr: &str, config: Config) -> anyhow::Result<()> {
    // Each process has a name of its own, for ever: here the time tells them apart, on one machine.
    let started = payonce_core::Clock::now(&payonce_core::SystemClock).0;
    let owner = Owner(format!("shop-rust-{}-{started}", std::process::id()));
    let (shop, mut mounted) = shop_rust::open(config, owner).await?;
    let listener = TcpListener::bind(addr).await?;
    eprintln!("shop-rust listens addr={}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let served = axum::serve(listener, shop).with_graceful_shutdown(async {
        // Also when it is dropped.
        let _ = stopped.await;
    });
    let served = tokio::spawn(served.into_future());
    let broken = tokio::select! {
        // Without signals it is ended otherwise, which does no harm.
        _ = tokio::signal::ctrl_c() => None,
        broken = mounted.broken() => Some(broken),
    };
    // Order matters: who reads messages as a stream would be waited for; what waits is written once nothing is served.
    mounted.end_streams();
    drop(stop);
    served.await??;
    mounted.stop().await;
    broken.map_or(Ok(()), |broken| Err(broken.into()))
}
