//! The comparison as one static page: no script, nothing from elsewhere, a word and a
//! sign beside each colour, tables that a keyboard and a screen reader can walk.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{
    Gap, GapRow, TargetGap, Verdict,
    fields::{COLUMNS, DATA, FIRM_DATA, LINE, STATE, WEEK},
    served, words,
};

/// How a page of this verb begins: such a file may be written again.
pub(super) const BEGINS: &str = "<!doctype html>\n<!-- planthread gap -->\n";

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 16px/1.45 system-ui, sans-serif; color: #1b1f24; background: #fff; margin: 0 auto; max-width: 110rem; padding: 1rem 1.5rem 3rem; }
h1 { font-size: 1.6rem; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .4rem; }
p { margin: .3rem 0; max-width: 75ch; }
.warn { border-left: .4rem solid #a33b2e; padding: .3rem .8rem; background: #fbeae7; }
.scroll { overflow-x: auto; }
.scroll:focus { outline: 3px solid #1f5fbf; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { border: 1px solid #c6ccd3; padding: .25rem .5rem; text-align: left; vertical-align: top; }
thead th { background: #e6ebf1; position: sticky; top: 0; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tbody th, td.w { white-space: nowrap; }
td.s { white-space: nowrap; font-weight: 600; }
.short td.s, .k-short { background: #f6c9c2; }
.proven td.s, .k-proven { background: #cdebd1; }
.unknown td.s, .hatched, .k-unknown { background: repeating-linear-gradient(45deg, #fff 0 6px, #dde2e8 6px 12px); }
.open td.s, .k-open { background: #fff; border-style: dashed; }
.key span { display: inline-block; border: 1px solid #8a929b; padding: 0 .5rem; margin: 0 .6rem .3rem 0; }
a { color: #174f9e; }
@media print { thead th { position: static; } body { max-width: none; } }
";

/// The page of every target that was compared.
pub(super) fn page(gap: &Gap) -> String {
    let mut out = String::from(BEGINS);
    let title = match gap.targets.as_slice() {
        [only] if gap.unread.is_empty() => only.headline.clone(),
        _ => "What is short".to_owned(),
    };
    out.push_str("<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    );
    add(&mut out, &format!("<title>{}</title>\n<style>{STYLE}</style>\n", escaped(&title)));
    add(&mut out, &format!("</head>\n<body>\n<main>\n<h1>{}</h1>\n", escaped(&title)));
    for (number, target) in gap.targets.iter().enumerate() {
        section(&mut out, gap, number, target);
    }
    for (name, why) in &gap.unread {
        let why = why.as_deref().unwrap_or("the first round is under way");
        let (name, why) = (escaped(name), escaped(why));
        add(&mut out, &format!("<section>\n<h2>Plan of {name}</h2>\n"));
        add(&mut out, &format!("<p class=\"warn\"><strong>Not read yet:</strong> {why}</p>\n"));
        out.push_str("</section>\n");
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn section(out: &mut String, gap: &Gap, number: usize, target: &TargetGap) {
    let scope = if target.scope.is_empty() { "base" } else { &target.scope };
    let (name, scope) = (escaped(&target.target), escaped(scope));
    add(out, &format!("<section aria-labelledby=\"t{number}\">\n<h2 id=\"t{number}\">"));
    if gap.targets.len() > 1 {
        add(out, &format!("{name} ({scope}): {}</h2>\n", escaped(&target.headline)));
    } else {
        add(out, &format!("Plan of {name} ({scope})</h2>\n"));
    }
    let at = escaped(&words::local(gap.at, &target.zone));
    match &target.age {
        None => add(out, &format!("<p>As of {at}.")),
        Some(age) => aged(out, gap, target, age),
    }
    out.push_str(" Hours. Each week begins in its plant's own zone.</p>\n");
    if let Some(failure) = &target.stopped {
        let told = escaped(&failure.to_string());
        add(out, &format!("<p class=\"warn\"><strong>Not read:</strong> {told}</p>\n"));
    }
    out.push_str("<p class=\"key\"><span class=\"k-short\">! short</span><span class=\"k-unknown\">? not known, or old</span><span class=\"k-proven\">+ fits, proven by a read-back</span><span class=\"k-open\">= fits, not proven</span></p>\n");
    totals(out, target);
    for (verdict, caption) in [
        (Verdict::Short, "Short, the worst first"),
        (Verdict::Unknown, "Not known: these lines are in no total"),
        (Verdict::Fits, "Fits, the fullest first: unused hours make up for nothing that is short"),
    ] {
        let rows: Vec<&GapRow> = target.rows.iter().filter(|row| row.verdict == verdict).collect();
        table(out, gap.at, &format!("{caption} ({})", words::line_weeks(rows.len())), &rows);
    }
    sources(out, target);
    out.push_str("</section>\n");
}

/// How old a reading is that was kept; the paragraph stays open.
fn aged(out: &mut String, gap: &Gap, target: &TargetGap, age: &served::Age) {
    let ago = words::age(gap.at, age.read_at);
    if let Some(why) = &age.late {
        let why = escaped(why);
        add(
            out,
            &format!(
                "<p class=\"warn\"><strong>Old, {ago}:</strong> {why}. What was read back then proves nothing now.</p>\n"
            ),
        );
    }
    let read = escaped(&words::local(age.read_at, &target.zone));
    add(out, &format!("<p>The target was read {ago} ago, {read}; this page asks it nothing."));
}

fn table(out: &mut String, at: Timestamp, caption: &str, rows: &[&GapRow]) {
    let caption = escaped(caption);
    if rows.is_empty() {
        add(out, &format!("<p>{caption}</p>\n"));
        return;
    }
    begin(out, &caption, &COLUMNS);
    for row in rows {
        let class = match (row.verdict, row.proven) {
            (Verdict::Short, _) => "short",
            (Verdict::Unknown, _) => "unknown",
            (Verdict::Fits, true) => "proven",
            (Verdict::Fits, false) => "open",
        };
        add(out, &format!("<tr class=\"{class}\">"));
        for (column, field) in row.fields().iter().enumerate() {
            let text = escaped(&field.text());
            let cell = match column {
                STATE => format!("<td class=\"s\">{text}</td>"),
                LINE => format!("<th scope=\"row\">{text}</th>"),
                WEEK => format!("<td class=\"w\">{text}</td>"),
                DATA if row.is_doubtful() => format!("<td class=\"hatched\">{text}</td>"),
                FIRM_DATA if !row.firm_stands(at) => format!("<td class=\"hatched\">{text}</td>"),
                _ if field.is_number() => format!("<td class=\"n\">{text}</td>"),
                _ => format!("<td>{text}</td>"),
            };
            out.push_str(&cell);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

/// A table that scrolls by keyboard, up to its first row.
fn begin(out: &mut String, caption: &str, columns: &[&str]) {
    add(
        out,
        &format!(
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}\">\n"
        ),
    );
    add(out, &format!("<table>\n<caption>{caption}</caption>\n<thead><tr>"));
    for column in columns {
        add(out, &format!("<th scope=\"col\">{}</th>", escaped(column)));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

fn totals(out: &mut String, target: &TargetGap) {
    let caption = "In sum: only lines and weeks that have both figures";
    begin(out, caption, &words::TOTALS);
    for words::Summed { name, asked, has, total, sure } in words::totals(target) {
        let left = words::left_out(&total.left_out, &target.not_connected).join(", ");
        let class = if sure { "" } else { " class=\"hatched\"" };
        add(out, &format!("<tr><th scope=\"row\">{name}: {asked} against what {has}</th>"));
        let lines = format!("{} of {}", total.lines, target.lines);
        add(out, &format!("<td{class}>{lines}</td>"));
        let numbers = [words::hours(total.asked), words::hours(total.has), words::percent(total)];
        let more = [
            words::hours(total.short),
            total.short_line_weeks.to_string(),
            words::hours(total.unused),
        ];
        for number in numbers.iter().chain(&more) {
            let number = if total.line_weeks == 0 { "-" } else { number };
            add(out, &format!("<td class=\"n\">{number}</td>"));
        }
        add(out, &format!("<td>{}</td></tr>\n", escaped(&left)));
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

fn sources(out: &mut String, target: &TargetGap) {
    let caption = "Where each figure is from, and whom to ask";
    begin(out, caption, &["Figure", "Called in the plan", "Owner", "Read"]);
    for (what, source) in words::sources(&target.sources) {
        add(out, &format!("<tr><th scope=\"row\">{what}</th>"));
        match source {
            None => out.push_str("<td class=\"hatched\" colspan=\"3\">no measure holds it</td>"),
            Some(source) => {
                let read = words::read(source, &target.zone);
                let read = read.strip_prefix("read ").unwrap_or(&read);
                for text in [source.surface.as_str(), &source.owner, read] {
                    add(out, &format!("<td>{}</td>", escaped(text)));
                }
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

fn add(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{text}");
}

/// Names come from records and from the target: none of them is markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
