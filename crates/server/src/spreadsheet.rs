//! Lists for spreadsheets: CSV as they read it, and no cell that they would run.

/// The mark of UTF-8, without which spreadsheets take a file for their own encoding.
pub const MARK: &str = "\u{feff}";

/// A cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe before it. A phone number keeps
/// its `+`.
pub fn harmless(cell: &str) -> String {
    let number =
        cell.strip_prefix('+').is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == ' '));
    if !number && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn no_cell_is_a_formula() {
        for begins in ["=1+1", "+1+cmd", "+1+1", "-1", "@SUM(A1)", "\tx", "\rx", "=HYPERLINK(\"x\")"] {
            assert_eq!(harmless(begins), format!("'{begins}"));
        }
        for fine in ["+47 915 00 123", "+4791500123", "Kari", "Berg, \"Nora\"", ""] {
            assert_eq!(harmless(fine), fine);
        }
    }
}
