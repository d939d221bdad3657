//! What the pages say is true: command lines parse, configurations validate,
//! links lead somewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::error::ErrorKind;
use planthread::{cli, config};

/// One page.
struct Page {
    path: PathBuf,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page below the root, build output left out.
fn pages() -> Vec<Page> {
    let (mut pages, mut open) = (Vec::new(), vec![root().to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules"
            {
                open.push(path);
            } else if name.ends_with(".md") {
                pages.push(Page { text: fs::read_to_string(&path).unwrap(), path });
            }
        }
    }
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(pages.len() > 5, "{} pages", pages.len());
    pages
}

/// What each connector's page says, in this order; it may say more in between.
const SECTIONS: [&str; 9] = [
    "Which tenant it fits",
    "What is not built",
    "What happens in a push",
    "What happens in a read",
    "What `check` proves",
    "Packs",
    "Example",
    "Options",
    "Sources",
];

#[test]
fn connectors_have_pages_of_one_form() {
    let mut found = 0;
    for Page { path, text } in pages() {
        if !path.starts_with(root().join("connectors")) || !path.ends_with("README.md") {
            continue;
        }
        let heads: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let mut wanted = SECTIONS.iter().peekable();
        for head in &heads {
            wanted.next_if(|section| *section == head);
        }
        assert_eq!(wanted.next(), None, "{}: {heads:?}", path.display());
        assert!(text.contains("No live") || text.contains("no tenant was"), "{}", path.display());
        found += 1;
    }
    assert_eq!(found, planthread::registry::TARGETS.len());
}

impl Page {
    /// Fenced blocks: language, first line's number, text.
    fn blocks(&self) -> Vec<(String, usize, String)> {
        let mut blocks = Vec::new();
        let mut open: Option<(String, usize, String)> = None;
        for (number, line) in (1..).zip(self.text.lines()) {
            match (line.trim_start().strip_prefix("```"), &mut open) {
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(language), None) => {
                    open = Some((language.trim().to_owned(), number + 1, String::new()));
                }
                (None, Some((.., text))) => {
                    text.push_str(line);
                    text.push('\n');
                }
                (None, None) => {}
            }
        }
        blocks
    }

    /// Text outside the fences, with as many lines as before.
    fn prose(&self) -> String {
        let mut fenced = false;
        let line = |line: &str| {
            let fence = line.trim_start().starts_with("```");
            let keep = !fenced && !fence;
            fenced ^= fence;
            if keep { format!("{line}\n") } else { "\n".to_owned() }
        };
        self.text.lines().map(line).collect()
    }

    /// `code` in the prose: number of its line, text on one line.
    fn codes(&self) -> Vec<(usize, String)> {
        let (mut codes, mut line) = (Vec::new(), 1);
        for (place, part) in self.prose().split('`').enumerate() {
            if place % 2 == 1 {
                codes.push((line, part.split_whitespace().collect::<Vec<_>>().join(" ")));
            }
            line += part.matches('\n').count();
        }
        codes
    }

    /// Command lines of the program, with the number of their line.
    fn commands(&self) -> Vec<(usize, String)> {
        // The name of a verb in a sentence is no command line.
        let named = |(_, line): &(usize, String)| line.split(' ').count() > 2 || line.contains('-');
        let mut found: Vec<(usize, String)> = self.codes().into_iter().filter(named).collect();
        for (_, first, text) in self.blocks() {
            let joined = text.replace("\\\n", " ");
            found.extend((first..).zip(joined.lines().map(|line| {
                line.split_once(" # ")
                    .or_else(|| line.split_once("  #"))
                    .map_or(line, |(l, _)| l)
                    .to_owned()
            })));
        }
        let each = |(number, line): (usize, String)| {
            let parts: Vec<String> =
                line.split("&&").flat_map(|part| part.split(" | ")).map(str::to_owned).collect();
            parts.into_iter().map(move |part| (number, part))
        };
        let ours = |(number, part): (usize, String)| {
            let part = part.trim().trim_start_matches("$ ");
            let direct = part.strip_prefix("planthread ").filter(|rest| is_verb(rest));
            let cargo = part.strip_prefix("cargo run").and_then(|rest| rest.split_once(" -- "));
            Some((number, direct.or(cargo.map(|(_, rest)| rest))?.to_owned()))
        };
        found.into_iter().flat_map(each).filter_map(ours).collect()
    }

    /// Links of the prose: number of their line, where they lead.
    fn links(&self) -> Vec<(usize, String)> {
        let mut links = Vec::new();
        for (number, line) in (1..).zip(self.prose().lines()) {
            for part in line.split("](").skip(1) {
                let to = part.split([')', ' ']).next().unwrap_or_default();
                links.push((number, to.to_owned()));
            }
        }
        links
    }

    fn at(&self, line: usize) -> String {
        let path = self.path.strip_prefix(root()).unwrap_or(&self.path);
        format!("{}:{line}", path.display())
    }
}

/// A table of what a crate does begins with its name, too: a command line goes
/// on with a verb or an option.
fn is_verb(rest: &str) -> bool {
    let first = rest.split_whitespace().next().unwrap_or_default();
    first.starts_with('-') || first.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// Words of a command line; quotes hold words together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars().chain([' ']) {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (' ', None) if word.is_empty() => {}
            (' ', None) => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    // What a shell takes for itself.
    let end = words.iter().position(|word| [">", ">>", "<", "&"].contains(&word.as_str()));
    words.truncate(end.unwrap_or(words.len()));
    words
}

/// What a reader would write where a page says `NUMBER`.
fn filled_in(word: String) -> String {
    let example = match word.as_str() {
        "NUMBER" | "SECONDS" => "1",
        "INSTANT" => "2026-12-01T00:00:00Z",
        "ADDR" => "127.0.0.1:0",
        "RULE" => "429=7:Trans@2",
        _ => return word,
    };
    example.to_owned()
}

#[test]
fn every_command_line_of_the_pages_parses() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for page in pages() {
        for (number, line) in page.commands() {
            count += 1;
            let words = words(&line).into_iter().map(filled_in);
            let arguments = ["planthread".to_owned()].into_iter().chain(words);
            let Err(error) = cli::command().try_get_matches_from(arguments) else { continue };
            if !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
                let why = error.to_string();
                let why = why.lines().next().unwrap_or_default();
                wrong.push(format!("{}: planthread {line}: {why}", page.at(number)));
            }
        }
    }
    assert!(count > 20, "{count} command lines");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_configuration_of_the_pages_validates() {
    let mut wrong = Vec::new();
    for page in pages() {
        for (language, number, text) in page.blocks() {
            if language == "yaml" && text.trim_start().starts_with("version: 1") {
                let file = page.path.with_file_name("planthread.yaml");
                if let Err(faults) = config::parse(&text, &file, None) {
                    let faults = faults.iter().map(|fault| format!("{}: {fault}", page.at(number)));
                    wrong.extend(faults);
                }
            }
        }
    }
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path().join("planthread.yaml");
        if !path.exists() {
            continue;
        }
        let faults = config::read(&path, None).err().unwrap_or_default();
        wrong.extend(faults.iter().map(ToString::to_string));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The name that a heading gets as the end of a link.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn has_heading(file: &Path, anchor: &str) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut headings = text.lines().filter(|line| line.starts_with('#'));
    headings.any(|line| slug(line.trim_start_matches('#')) == anchor)
}

#[test]
fn every_link_of_the_pages_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        for (number, link) in page.links() {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let file = match path {
                "" => page.path.clone(),
                path => page.path.parent().unwrap_or(root()).join(path),
            };
            let known = file.exists()
                && (anchor.is_empty()
                    || file.extension().is_none_or(|kind| kind != "md")
                    || has_heading(&file, anchor));
            if !known {
                broken.push(format!("{}: {link}", page.at(number)));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
