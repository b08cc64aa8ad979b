//! The command line `hansa`. Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 not done, 2 wrong usage.

mod cli;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(done) = hansa_host::compile_if_asked() {
        return done;
    }
    let options = cli::Options::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::output::fail(&format!("cannot start: {error}"), options.json),
    };
    let json = options.json;
    let done = runtime.block_on(cli::run(options));
    // Blocking work that nobody waits for must not hold up the exit.
    runtime.shutdown_background();
    match done {
        Ok(code) => code,
        Err(message) => cli::output::fail(&message, json),
    }
}
