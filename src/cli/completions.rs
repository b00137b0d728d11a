//! `stacktop completions` and `stacktop man`: from the arguments as they are, so that they cannot lag behind.

use super::arguments::command;
use super::print::print;
use clap_complete::Shell;
use clap_mangen::Man;
use std::process::ExitCode;

/// Prints the completions for `shell`.
pub(super) fn run(shell: Shell) -> Result<ExitCode, String> {
    print(&completions(shell)?);
    Ok(ExitCode::SUCCESS)
}

/// Prints the man page.
pub(super) fn man() -> Result<ExitCode, String> {
    print(&page()?);
    Ok(ExitCode::SUCCESS)
}

fn completions(shell: Shell) -> Result<String, String> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut command(), "stacktop", &mut bytes);
    text(bytes)
}

/// One page for all commands: what a command takes stands in a part of its own.
fn page() -> Result<String, String> {
    let mut command = command();
    command.build();
    let page = Man::new(command.clone());
    let mut all = rendered(|to| {
        page.render_title(to)?;
        page.render_name_section(to)?;
        page.render_synopsis_section(to)?;
        page.render_description_section(to)?;
        page.render_options_section(to)
    })?;
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        let part = Man::new(verb.clone());
        let written = rendered(|to| {
            part.render_description_section(to)?;
            part.render_synopsis_section(to)?;
            part.render_options_section(to)
        })?;
        all.push_str(&format!(".SH \"{}\"\n", verb.get_name().to_uppercase()));
        let written = written.replacen(".SH DESCRIPTION\n", "", 1);
        all.push_str(&written.replace("\n.SH ", "\n.SS "));
    }
    all.push_str(&rendered(|to| page.render_extra_section(to))?.replacen(".SH EXTRA", ".SH NOTES", 1));
    Ok(all)
}

fn rendered(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Result<String, String> {
    let mut bytes = Vec::new();
    write(&mut bytes).map_err(|error| format!("the page cannot be written: {error}"))?;
    text(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| format!("what was made is no text: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::spoken::lines;
    use clap::ValueEnum;

    #[test]
    fn what_is_made_goes_through_the_door_unchanged() {
        assert_eq!(Shell::value_variants().len(), 5);
        for shell in Shell::value_variants() {
            let text = completions(*shell).expect("text");
            assert_eq!(lines(&text), text, "{shell}");
        }
        let text = page().expect("text");
        assert_eq!(lines(&text), text);
    }
}
