//! What libFuzzer said of a run, in one line; and where it found something, how to see it again.

use std::fmt;
use std::path::{Path, PathBuf};

/// Lines of the log's end that are shown where it says nothing that is known.
const LINES_SHOWN: usize = 15;

/// How a run went.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    target: String,
    runs: u64,
    per_second: u64,
    /// Inputs that each take a way of their own.
    corpus: u64,
    /// Branches and the like that were seen.
    features: u64,
    found: Option<Found>,
}

/// What broke it.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    what: &'static str,
    /// The input, if libFuzzer could keep it.
    input: Option<PathBuf>,
    program: PathBuf,
    log: PathBuf,
    said: Vec<String>,
}

impl Report {
    /// Reads what `program` wrote to its log.
    pub(super) fn read(target: &str, success: bool, said: &str, program: &Path, log: &Path) -> Self {
        let number = |name: &str| said.lines().rev().find_map(|line| number_behind(line, name)).unwrap_or(0);
        let found = (!success).then(|| {
            let input = said.lines().find_map(|line| line.split_once("Test unit written to "));
            let input = input.map(|(_, path)| PathBuf::from(path.trim()));
            Found {
                what: what(input.as_deref()),
                input,
                program: program.to_owned(),
                log: log.to_owned(),
                said: told(said),
            }
        });
        Self {
            target: target.to_owned(),
            runs: number("stat::number_of_executed_units:"),
            per_second: number("stat::average_exec_per_sec:"),
            corpus: number(" corp:"),
            features: number(" ft:"),
            found,
        }
    }

    /// Whether every property held.
    pub(super) fn holds(&self) -> bool {
        self.found.is_none()
    }
}

/// The number that stands behind a name, blanks between them.
fn number_behind(line: &str, name: &str) -> Option<u64> {
    let (_, behind) = line.split_once(name)?;
    let behind = behind.trim_start();
    let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
    behind[..digits].parse().ok()
}

/// libFuzzer's names for what an input did.
fn what(input: Option<&Path>) -> &'static str {
    let name = input.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    match name.as_deref().and_then(|name| name.split('-').next()) {
        Some("crash") => "a property does not hold",
        Some("timeout") => "it does not end in time",
        Some("oom") => "it takes too much memory",
        Some("leak") => "it leaks memory",
        _ => "the program ended in another way",
    }
}

/// The panic with its message, else the end of the log.
fn told(said: &str) -> Vec<String> {
    let lines: Vec<&str> = said.lines().collect();
    let panic = lines.iter().position(|line| line.contains(" panicked at "));
    let range = match panic {
        Some(at) => {
            let end = lines[at..]
                .iter()
                .position(|line| line.starts_with("note: run with") || line.contains("==ERROR"));
            at..at + end.unwrap_or(2).min(LINES_SHOWN)
        }
        None => lines.len().saturating_sub(LINES_SHOWN)..lines.len(),
    };
    lines[range].iter().map(|line| (*line).to_owned()).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, runs, per_second, corpus, features, found } = self;
        let word = if found.is_none() { "ok" } else { "FAILED" };
        write!(
            f,
            "fuzz {target}: {word} runs={runs} per_s={per_second} corpus={corpus} features={features}"
        )?;
        let Some(Found { what, input, program, log, said }) = found else { return Ok(()) };
        write!(f, "\n  {what}")?;
        for line in said {
            write!(f, "\n  | {line}")?;
        }
        write!(f, "\n  log: {}", log.display())?;
        let Some(input) = input else { return Ok(()) };
        let input = input.display();
        write!(f, "\n  input: {input}")?;
        write!(f, "\n  replay: {} {input}", program.display())?;
        write!(
            f,
            "\n  keep it as a test: cp {input} fuzz/corpus/{target}/found-WHAT && \
             cargo nextest run -p payonce-fuzz-targets replay::{target}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(success: bool, said: &str) -> Report {
        Report::read("xml", success, said, Path::new("target/xml"), Path::new("target/xml.log"))
    }

    #[test]
    fn a_good_run_is_one_line() {
        let said = "\
#2\tINITED cov: 1 ft: 1 corp: 1/1b exec/s: 0 rss: 30Mb
#70211\tDONE   cov: 1200 ft: 5131 corp: 230/45Kb lim: 4096 exec/s: 11701 rss: 60Mb
Done 70211 runs in 6 second(s)
stat::number_of_executed_units: 70211
stat::average_exec_per_sec:     11701
stat::new_units_added:          431
stat::slowest_unit_time_sec:    0
stat::peak_rss_mb:              60
";
        let report = report(true, said);
        assert!(report.holds());
        assert_eq!(report.to_string(), "fuzz xml: ok runs=70211 per_s=11701 corpus=230 features=5131");
    }

    #[test]
    fn a_find_says_what_it_is_and_how_to_see_it_again() {
        let said = "\
#2\tINITED cov: 1 ft: 1 corp: 1/1b exec/s: 0 rss: 30Mb

thread '<unnamed>' (7) panicked at crates/fuzz-targets/src/v2/xml.rs:50:5:
a name is there twice
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
==7== ERROR: libFuzzer: deadly signal
artifact_prefix='found/xml/'; Test unit written to found/xml/crash-da39a3ee
stat::number_of_executed_units: 3
";
        let report = report(false, said);
        assert!(!report.holds());
        let lines: Vec<_> = report.to_string().lines().map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "fuzz xml: FAILED runs=3 per_s=0 corpus=1 features=1",
                "  a property does not hold",
                "  | thread '<unnamed>' (7) panicked at crates/fuzz-targets/src/v2/xml.rs:50:5:",
                "  | a name is there twice",
                "  log: target/xml.log",
                "  input: found/xml/crash-da39a3ee",
                "  replay: target/xml found/xml/crash-da39a3ee",
                "  keep it as a test: cp found/xml/crash-da39a3ee fuzz/corpus/xml/found-WHAT && \
                 cargo nextest run -p payonce-fuzz-targets replay::xml",
            ]
        );
    }

    #[test]
    fn hangs_and_other_ends_are_told_apart() {
        for (said, expected) in [
            ("Test unit written to found/xml/timeout-1", "it does not end in time"),
            ("Test unit written to found/xml/oom-1", "it takes too much memory"),
            ("ParseDictionaryFile: error in line 3", "the program ended in another way"),
        ] {
            let report = report(false, said);
            assert!(report.to_string().contains(&format!("\n  {expected}\n")), "{report}");
        }
    }
}
