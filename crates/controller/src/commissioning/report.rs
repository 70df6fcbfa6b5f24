//! The report as a page to print: one file, nothing loaded from anywhere.

use super::{Checked, Outcome, Verdict};
use std::fmt::Write;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#14201c;background:#fff}\
h1{margin:0;font-size:1.6rem}h2{margin:1.6rem 0 .4rem;font-size:1.1rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem;margin:1rem 0}dt{color:#53635d}dd{margin:0}\
table{width:100%;border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.45rem .6rem;border-bottom:1px solid #d6dedb}\
th{font-weight:600;color:#53635d}td:first-child{width:45%}\
.sum{padding:.8rem 1rem;border-left:6px solid;border-radius:4px}.good{border-color:#0f5f4c;background:#e3f1ec}.bad{border-color:#b3261e;background:#fbe9e7}\
.failed{color:#b3261e;font-weight:600}.skipped{color:#7a5b00;font-weight:600}.passed{color:#0f5f4c;font-weight:600}\
.sign{display:grid;grid-template-columns:1fr 1fr;gap:3rem;margin-top:4rem}.sign p{border-top:1px solid #14201c;padding-top:.3rem}\
@media print{body{margin:0}tr,h2{break-inside:avoid}}";

/// The page. `facts` are name and value of what stands above: the place, the day, the machine.
pub fn page(facts: &[(&str, String)], checked: &Checked) -> String {
    let (passed, failed, skipped) = checked.count();
    let mut page = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    // writing to a String does not fail
    let _ = write!(page, "<title>Commissioning report</title><style>{STYLE}</style></head><body>");
    page.push_str("<h1>Commissioning report</h1><dl>");
    for (name, value) in facts {
        let _ = write!(page, "<dt>{}</dt><dd>{}</dd>", Safe(name), Safe(value));
    }
    let (class, words) = if checked.is_whole() {
        ("good", "Everything was checked and is as it should be.")
    } else if failed > 0 {
        ("bad", "Not ready for use: something is not as it should be.")
    } else {
        ("bad", "Not everything was checked.")
    };
    let _ = write!(
        page,
        "</dl><p class=\"sum {class}\"><strong>{words}</strong><br>{passed} passed, {failed} failed, {skipped} skipped.</p>"
    );
    for item in &checked.items {
        let _ = write!(page, "<h2>{} · {}</h2>", Safe(&item.what), Safe(&item.is));
        page.push_str("<table><thead><tr><th>Checked</th><th>Result</th></tr></thead><tbody>");
        for Outcome { checked, verdict } in &item.results {
            let (class, word, seen) = match verdict {
                Verdict::Passed(seen) => ("passed", "Passed", seen.as_str()),
                Verdict::Failed(seen) => ("failed", "Failed", seen.as_str()),
                Verdict::Skipped => ("skipped", "Skipped", ""),
            };
            let colon = if seen.is_empty() { "" } else { ": " };
            let _ = write!(
                page,
                "<tr><td>{}</td><td><span class=\"{class}\">{word}</span>{colon}{}</td></tr>",
                Safe(checked),
                Safe(seen)
            );
        }
        page.push_str("</tbody></table>");
    }
    page.push_str("<div class=\"sign\"><p>Installer</p><p>For the building</p></div></body></html>\n");
    page
}

/// Text as it stands in HTML.
struct Safe<'a>(&'a str);

impl std::fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Item;
    use super::*;

    fn of(verdicts: &[Verdict]) -> Checked {
        let results =
            verdicts.iter().map(|verdict| Outcome { checked: "opens", verdict: verdict.clone() }).collect();
        Checked { items: vec![Item { what: "Output 0".to_owned(), is: "fail-secure".to_owned(), results }] }
    }

    #[test]
    fn only_what_was_seen_makes_a_report_whole() {
        let passed = Verdict::Passed(String::new());
        let said = |checked: &Checked| {
            let page = page(&[], checked);
            ["is as it should be", "Not ready for use", "Not everything was checked"]
                .map(|words| page.contains(words))
        };
        assert_eq!(said(&of(std::slice::from_ref(&passed))), [true, false, false]);
        assert_eq!(said(&of(&[passed.clone(), Verdict::Skipped])), [false, false, true]);
        assert_eq!(said(&of(&[passed, Verdict::Failed("no".to_owned())])), [false, true, false]);
        assert_eq!(said(&Checked::default()), [false, false, true], "nothing was checked");
    }

    #[test]
    fn what_an_installer_types_stays_text() {
        let page = page(&[("Place", "A & B".to_owned())], &of(&[Verdict::Failed("<script>".to_owned())]));
        assert!(page.contains("A &amp; B") && page.contains("&lt;script&gt;") && !page.contains("<script"));
    }
}
