//! docs/inbox.md shows the programs that the other tests run.

use std::{fs, path::Path};

use super::program::example;

/// What stands on the page, each under a comment that names it: `<!-- python/receiver.py inbox -->`.
const SHOWN: [(&str, &str, &str); 8] = [
    ("python/receiver.py", "inbox", "python"),
    ("node/receiver.js", "inbox", "js"),
    ("node/receiver.js", "ed25519", "js"),
    ("go/main.go", "inbox", "go"),
    ("java/Receiver.java", "inbox", "java"),
    ("php/receiver.php", "inbox", "php"),
    ("csharp/Inbox.cs", "inbox", "csharp"),
    ("csharp/Program.cs", "program", "csharp"),
];

#[test]
fn the_page_shows_what_is_run() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/inbox.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut made = page.clone();
    for (file, region, language) in SHOWN {
        let mark = format!("<!-- {file} {region} -->\n");
        let (before, after) = made.split_once(&mark).unwrap_or_else(|| panic!("no {mark}"));
        let (_, after) = after.split_once("\n```\n").unwrap();
        made = format!("{before}{mark}```{language}\n{}\n```\n{after}", shown(file, region));
    }
    if made != page {
        fs::write(&path, made).unwrap();
        panic!("docs/inbox.md did not show what is run; it was rewritten: look at it and commit it");
    }
}

/// The lines between `[region]` and `[/region]`, as far to the left as they go.
fn shown(file: &str, region: &str) -> String {
    let text = fs::read_to_string(example(file)).unwrap();
    let of_region = |line: &&str| !line.trim_end().ends_with(&format!("[{region}]"));
    let lines = text.lines().skip_while(of_region).skip(1);
    let end = format!("[/{region}]");
    let lines: Vec<_> = lines.take_while(|line| !line.trim_end().ends_with(&end)).collect();
    assert!(!lines.is_empty(), "{file} has no region {region}");
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    let indent = filled.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let lines: Vec<_> = lines.iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}
