//! The help of every verb as one page.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// The page.
pub(super) fn page() -> String {
    let mut root = planthread::cli::command();
    root.build();
    let mut page = format!(
        "# Commands\n\n{}. This page is made from `planthread VERB --help`; a test keeps it \
         fresh.\n\n## Options of every verb\n",
        about(&root)
    );
    options(&mut page, root.get_arguments().filter(|one| shows(one)));
    for verb in root.get_subcommands() {
        section(&mut page, verb, "planthread", 2);
    }
    page
}

fn section(page: &mut String, verb: &Command, before: &str, depth: usize) {
    if verb.get_name() == "help" {
        return;
    }
    let name = format!("{before} {}", verb.get_name());
    let usage = verb.clone().render_usage().to_string();
    let usage = usage.split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = write!(page, "\n{} {name}\n\n{}.\n", "#".repeat(depth), about(verb));
    let _ = write!(page, "\n```text\n{usage}\n```\n");
    options(page, verb.get_arguments().filter(|one| shows(one) && !one.is_global_set()));
    for inner in verb.get_subcommands() {
        section(page, inner, &name, depth + 1);
    }
}

fn about(command: &Command) -> String {
    let text = command.get_long_about().or(command.get_about()).map(ToString::to_string);
    one_line(&text.unwrap_or_default()).trim_end_matches('.').to_owned()
}

/// Everybody knows what `--help` and `--version` do.
fn shows(one: &Arg) -> bool {
    !one.is_hide_set() && !["help", "version"].contains(&one.get_id().as_str())
}

fn options<'a>(page: &mut String, all: impl Iterator<Item = &'a Arg>) {
    let rows: Vec<String> = all.map(row).collect();
    if !rows.is_empty() {
        let _ = write!(page, "\n| option | meaning | default |\n|---|---|---|\n{}", rows.concat());
    }
}

fn row(one: &Arg) -> String {
    let values: Vec<&str> =
        one.get_value_names().unwrap_or_default().iter().map(AsRef::as_ref).collect();
    let values = match one.get_action().takes_values() {
        true => values.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" "),
        false => String::new(),
    };
    let short = one.get_short().map(|short| format!("-{short}"));
    let long = one.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let name = format!("{} {values}", names.join(", "));
    let help = one.get_long_help().or(one.get_help()).map(ToString::to_string);
    let mut help = one_line(&help.unwrap_or_default());
    let possible: Vec<String> =
        one.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if !possible.is_empty() && one.get_action().takes_values() {
        let _ = write!(help, ": {}", possible.join(", "));
    }
    let defaults: Vec<String> =
        one.get_default_values().iter().map(|value| format!("`{}`", value.display())).collect();
    let default = if one.get_action().takes_values() { defaults.join(", ") } else { String::new() };
    format!("| `{}` | {} | {} |\n", name.trim(), cell(&help), cell(&default))
}

/// Text without line ends.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text within a table.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
