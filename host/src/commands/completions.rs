use clap_complete::Shell;

use crate::context::Context;
use crate::error::Result;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// The shell to complete in
    shell: Shell,
}

const AFTER: &str = "\
Where the script goes:
  bash  ~/.local/share/bash-completion/completions/changeling
  zsh   _changeling, in a folder of $fpath
  fish  ~/.config/fish/completions/changeling.fish";

pub fn run(args: &Args, context: &Context) -> Result<()> {
    let mut script = Vec::new();
    let mut command = crate::cli::command();
    clap_complete::generate(args.shell, &mut command, "changeling", &mut script);
    context.ui.out(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
