//! The guide for authors shows the code of this driver: what it shows must be in it.

/// Blocks of Rust that come from the driver.
fn blocks(guide: &str) -> impl Iterator<Item = &str> {
    let parts = guide.split("```rust\n").skip(1);
    parts.filter_map(|part| part.split("```").next())
}

fn squeezed(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with("// guide:"));
    code.collect::<Vec<_>>().join("\n")
}

const GUIDE: &str = include_str!("../../../docs/write-a-driver.md");

#[test]
fn every_block_of_the_guide_is_code_of_the_driver() {
    let sources = [
        include_str!("driver.rs"),
        include_str!("dialect.rs"),
        include_str!("main.rs"),
    ];
    let sources = sources.map(squeezed);
    for block in blocks(GUIDE).map(squeezed) {
        let known = sources.iter().any(|source| source.contains(&block));
        assert!(known, "not in the driver:\n{block}");
    }
}

/// Whoever follows the guide has the whole driver.
#[test]
fn all_code_of_the_driver_is_in_the_guide() {
    let shown: String = blocks(GUIDE).map(|block| squeezed(block) + "\n").collect();
    for source in [include_str!("driver.rs"), include_str!("dialect.rs")] {
        let source = squeezed(source);
        let lines = source.lines().filter(|line| !line.starts_with("//!"));
        for line in lines {
            assert!(shown.contains(line), "not in the guide: {line}");
        }
    }
}
