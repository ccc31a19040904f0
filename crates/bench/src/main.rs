//! What `cargo xtask bench` runs: the load generator, the ceiling, and the rate of the store alone.
mod store_rate;
fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    store_rate::run(args[1].parse()?, args[2].parse()?, args[3].parse()?, args[4].parse()?)
}
