//! The `changeling` program: parse, run, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    changelings::cli::main(std::env::args_os())
}
