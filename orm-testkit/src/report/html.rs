//! `report.html`: one file, without anything from elsewhere.

use super::{Cell, Record, Report, millis, rerun, terminal};
use crate::api::API_ITEMS;
use crate::verdict::Verdict;
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page.
pub(super) fn page(report: &Report) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Conformance report</title>\n<style>\n",
    );
    page.push_str(STYLE);
    page.push_str("</style>\n</head>\n<body>\n<header>\n<h1>Conformance report</h1>\n");
    // Writing to a String cannot fail.
    let _ = writeln!(
        page,
        "<p>Suite {}, {} cases, {:.1} s</p>\n</header>\n<main>",
        escaped(env!("CARGO_PKG_VERSION")),
        report.cases,
        report.time.as_secs_f64()
    );
    backends(&mut page, report);
    cases(&mut page, report);
    items(&mut page, report);
    capabilities(&mut page, report);
    let _ = write!(
        page,
        "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    );
    page
}

fn backends(page: &mut String, report: &Report) {
    page.push_str("<section class=\"cards\">\n");
    for column in &report.columns {
        let cell = report.cell(column.name, |_| true);
        let _ = write!(
            page,
            "<article class=\"card {}\"><h2>{}</h2>",
            if column.missing.is_some() {
                "none"
            } else {
                tone(&cell)
            },
            escaped(column.name)
        );
        match &column.missing {
            Some(why) => {
                let _ = write!(page, "<p class=\"big\">NOT RUN</p><p>{}</p>", escaped(why));
            }
            None => {
                let _ = write!(page, "<p class=\"big\">{}/{}</p>", cell.good(), cell.all());
                let _ = write!(page, "<p>{}</p>", escaped(&terminal::sums(&cell)));
            }
        }
        let _ = write!(page, "<p class=\"dim\">level {}", column.level);
        for version in [&column.driver, &column.server] {
            if !version.is_empty() {
                let _ = write!(page, "<br>{}", escaped(version));
            }
        }
        page.push_str("</p></article>\n");
    }
    page.push_str("</section>\n");
}

fn cases(page: &mut String, report: &Report) {
    page.push_str("<section>\n<h2>Cases</h2>\n<form id=\"filter\">\n");
    let backends: Vec<&str> = report.columns.iter().map(|column| column.name).collect();
    let verdicts = Verdict::ALL.map(Verdict::name);
    select(page, "area", &report.areas());
    select(page, "backend", &backends);
    select(page, "verdict", &verdicts);
    page.push_str(
        "<label>text <input name=\"text\" type=\"search\" placeholder=\"id, item or message\"></label>\n\
         <output id=\"shown\"></output>\n</form>\n<table id=\"cases\">\n<thead><tr><th>case</th>\
         <th>backend</th><th>verdict</th><th class=\"num\">statements</th>\
         <th class=\"num\">ms</th></tr></thead>\n<tbody>\n",
    );
    let (bad, good): (Vec<_>, Vec<_>) = report
        .records
        .iter()
        .partition(|record| record.is_failure() || record.verdict == Verdict::NotRun);
    for record in bad.into_iter().chain(good) {
        case(page, record);
    }
    page.push_str("</tbody>\n</table>\n</section>\n");
}

fn case(page: &mut String, record: &Record) {
    let advisory = if record.advisory { " (advisory)" } else { "" };
    let _ = write!(
        page,
        "<tr data-area=\"{}\" data-backend=\"{}\" data-verdict=\"{}\"><td><code>{}</code>\
         <div class=\"dim\">{}</div>",
        escaped(record.case.area()),
        escaped(record.backend),
        record.verdict,
        escaped(record.case.id),
        escaped(&record.case.covers.join(", ")),
    );
    if !record.message.is_empty() {
        let _ = write!(
            page,
            "<p class=\"message\">{}</p>",
            escaped(&record.message)
        );
    }
    if record.is_failure() {
        let _ = write!(page, "<pre class=\"run\">{}</pre>", escaped(&rerun(record)));
        if !record.sql.is_empty() {
            let _ = write!(
                page,
                "<details><summary>the last {} statements</summary><pre>{}</pre></details>",
                record.sql.len(),
                escaped(&record.sql.join("\n"))
            );
        }
    }
    let _ = writeln!(
        page,
        "</td><td>{}</td><td><span class=\"badge {}\">{}</span>{advisory}</td>\
         <td class=\"num\">{}</td><td class=\"num\">{}</td></tr>",
        escaped(record.backend),
        class(record.verdict),
        record.verdict,
        record.statements,
        millis(record.time),
    );
}

fn items(page: &mut String, report: &Report) {
    page.push_str("<section>\n<h2>Documented items</h2>\n<table>\n<thead><tr><th>item</th>");
    for column in &report.columns {
        let _ = write!(page, "<th>{}</th>", escaped(column.name));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for item in API_ITEMS {
        let _ = write!(page, "<tr><td><code>{}</code></td>", escaped(item.name));
        for column in &report.columns {
            let cell = report.cell(column.name, |case| case.covers.contains(&item.name));
            let (tone, text) = (tone(&cell), terminal::cell(&cell));
            let _ = write!(page, "<td class=\"{tone}\">{}</td>", escaped(&text));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n</section>\n");
}

fn capabilities(page: &mut String, report: &Report) {
    let asked: Vec<_> = report
        .columns
        .iter()
        .filter(|column| !column.facts.is_empty())
        .collect();
    let Some(first) = asked.first() else {
        return;
    };
    page.push_str("<section>\n<h2>Capabilities</h2>\n<table>\n<thead><tr><th>capability</th>");
    for column in &asked {
        let _ = write!(page, "<th>{}</th>", escaped(column.name));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for (at, fact) in first.facts.iter().enumerate() {
        let _ = write!(page, "<tr><td><code>{}</code></td>", fact.capability);
        for column in &asked {
            let Some(fact) = column.facts.get(at) else {
                continue;
            };
            let more = match fact.underclaimed {
                true => " (the engine can)",
                false => "",
            };
            let _ = write!(page, "<td>{}{more}</td>", escaped(&fact.text()));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n</section>\n");
}

fn select(page: &mut String, name: &str, values: &[&str]) {
    let _ = write!(
        page,
        "<label>{name} <select name=\"{name}\"><option value=\"\">all</option>"
    );
    for value in values {
        let _ = write!(page, "<option>{}</option>", escaped(value));
    }
    page.push_str("</select></label>\n");
}

fn tone(cell: &Cell) -> &'static str {
    if cell.ran() == 0 {
        "none"
    } else if cell.failures() > 0 {
        "bad"
    } else if cell.good() == cell.all() && cell.count(Verdict::Supported) > 0 {
        "good"
    } else {
        "mild"
    }
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supported => "good",
        Verdict::Refused | Verdict::Underclaim | Verdict::KnownIssue => "mild",
        Verdict::NotRun | Verdict::NotApplicable => "none",
        _ => "bad",
    }
}

/// Text for the content of an element or a quoted attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not allowed in a page: shown as the symbol of the character.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
