//! How many tests passed: read from what test runners print.

use std::ops::AddAssign;

/// Tests of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Did what they should.
    pub passed: u64,
    /// Did not.
    pub failed: u64,
    /// Were not run.
    pub skipped: u64,
}

impl Counts {
    /// `n` checks that passed.
    pub const fn passed(n: u64) -> Self {
        Self { passed: n, failed: 0, skipped: 0 }
    }

    /// No test at all was found.
    pub const fn is_empty(self) -> bool {
        self.passed == 0 && self.failed == 0
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// `Summary [ 1.2s] 5 tests run: 3 passed (1 slow), 1 failed, 1 timed out, 2 skipped` of cargo-nextest.
/// Nothing when there is no such line: it did not build.
pub fn nextest(text: &str) -> Option<Counts> {
    let (_, rest) =
        text.lines().rfind(|line| line.trim_start().starts_with("Summary ["))?.split_once("run:")?;
    let mut counts = Counts::default();
    // "(1 slow, 1 leaky)" tells how the passed ones passed
    let outside: String =
        rest.split('(').map(|piece| piece.split_once(')').map_or(piece, |(_, after)| after)).collect();
    for part in outside.split(',') {
        let Some((number, what)) = part.trim().split_once(' ') else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match what.trim() {
            "passed" => counts.passed += number,
            "skipped" => counts.skipped += number,
            // failed, timed out, exec failed: all the same to us
            _ => counts.failed += number,
        }
    }
    Some(counts)
}

/// All lines `test result: ok. 3 passed; 0 failed; 1 ignored; …` of `cargo test`.
pub fn cargo_test(text: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    let mut found = false;
    for line in text.lines().filter_map(|line| line.strip_prefix("test result: ")) {
        found = true;
        for part in line.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next().and_then(|n| n.parse::<u64>().ok()), words.next())
            else {
                continue;
            };
            match what {
                "passed" => counts.passed += number,
                "failed" => counts.failed += number,
                "ignored" => counts.skipped += number,
                _ => {}
            }
        }
    }
    found.then_some(counts)
}

/// The closing lines `ℹ pass 3`, `ℹ fail 0`, `ℹ cancelled 0`, `ℹ skipped 0`, `ℹ todo 0` of node's runner.
pub fn node_test(text: &str) -> Option<Counts> {
    let number = |what: &str| {
        let line = text.lines().rfind(|line| line.starts_with(['ℹ', '#']) && line.contains(what));
        line.and_then(|line| line.rsplit(' ').next()).and_then(|n| n.parse::<u64>().ok())
    };
    Some(Counts {
        passed: number(" pass ")?,
        failed: number(" fail ")? + number(" cancelled ").unwrap_or(0),
        skipped: number(" skipped ").unwrap_or(0) + number(" todo ").unwrap_or(0),
    })
}

/// Names of failed tests as cargo-nextest, `cargo test` and node print them, each once.
pub fn failed_names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim) {
        let nextest = ["FAIL [", "TIMEOUT [", "SIGABRT ["].iter().find_map(|word| line.strip_prefix(word));
        let name = if let Some(rest) = nextest {
            // "   0.129s] (136/323) klinke-calls plan::tests::rings"
            rest.split_once("] ").map(|(_, name)| name.split_once(") ").map_or(name, |(_, name)| name))
        } else if let Some(rest) = line.strip_prefix("test ") {
            rest.strip_suffix(" ... FAILED")
        } else {
            line.strip_prefix("✖ ").filter(|name| *name != "failing tests:")
        };
        if let Some(name) = name.map(|name| format!("failed: {}", name.trim()))
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// What node's runner says at its end of the tests that failed, one complaint for each line; at most `most` lines.
pub fn node_failures(text: &str, most: usize) -> Vec<String> {
    let said = text.lines().skip_while(|line| line.trim() != "✖ failing tests:").skip(1);
    said.filter(|line| !line.trim().is_empty()).take(most).map(str::to_owned).collect()
}

/// The JSON report of vitest.
pub fn vitest(json: &str) -> Option<Counts> {
    let report: serde_json::Value = serde_json::from_str(json).ok()?;
    Some(Counts {
        passed: report["numPassedTests"].as_u64()?,
        failed: report["numFailedTests"].as_u64()? + report["numFailedTestSuites"].as_u64()?.min(1),
        skipped: report["numPendingTests"].as_u64()? + report["numTodoTests"].as_u64().unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_lines() {
        let good =
            "   Compiling x\n     Summary [   0.412s] 12 tests run: 12 passed (1 slow, 1 leaky), 3 skipped\n";
        assert_eq!(nextest(good), Some(Counts { passed: 12, failed: 0, skipped: 3 }));
        let bad = "     Summary [   9.1s] 6 tests run: 3 passed, 1 failed, 2 timed out, 0 skipped\n        FAIL x\n";
        assert_eq!(nextest(bad), Some(Counts { passed: 3, failed: 3, skipped: 0 }));
        assert_eq!(nextest("error: could not compile `x`"), None);
    }

    #[test]
    fn cargo_test_lines_add_up() {
        let text = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(cargo_test(text), Some(Counts { passed: 4, failed: 2, skipped: 1 }));
        assert_eq!(cargo_test("error: could not compile"), None);
    }

    #[test]
    fn node_closing_lines() {
        let text = "ok\nℹ tests 9\nℹ suites 2\nℹ pass 6\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\nℹ todo 0\nℹ duration_ms 5";
        assert_eq!(node_test(text), Some(Counts { passed: 6, failed: 2, skipped: 1 }));
        assert_eq!(node_test("SyntaxError"), None);
    }

    #[test]
    fn failed_tests_have_names() {
        let text = "        FAIL [   0.129s] (136/323) klinke-calls plan::rings\n        PASS [ 0.1s] x y\n\
                    test src/a.rs - a (line 3) ... FAILED\ntest b ... ok\n✖ rings (4.2ms)\n✖ failing tests:\n\
                    \n  FAIL [   0.129s] (136/323) klinke-calls plan::rings\n";
        assert_eq!(
            failed_names(text),
            ["failed: klinke-calls plan::rings", "failed: src/a.rs - a (line 3)", "failed: rings (4.2ms)"]
        );
    }

    #[test]
    fn what_node_says_of_a_failure_is_kept() {
        let text = "✖ rings (4.2ms)\n  once\nℹ fail 1\n\n✖ failing tests:\n\ntest at a.mjs:1:1\n✖ rings (4.2ms)\n  Error: no\n";
        assert_eq!(node_failures(text, 2), ["test at a.mjs:1:1", "✖ rings (4.2ms)"]);
        assert_eq!(node_failures(text, 9).last().unwrap(), "  Error: no");
        assert!(node_failures("ℹ fail 0\n", 9).is_empty());
    }

    #[test]
    fn a_suite_that_does_not_load_is_a_failure() {
        let json = r#"{"numPassedTests":4,"numFailedTests":0,"numFailedTestSuites":1,"numPendingTests":0,"numTodoTests":0}"#;
        assert_eq!(vitest(json), Some(Counts { passed: 4, failed: 1, skipped: 0 }));
    }
}
