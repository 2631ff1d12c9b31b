//! The guide for authors shows the code of this driver: what it shows must be in it.

/// Blocks of Rust in the guide, but for those that begin with a comment that says otherwise.
fn blocks(guide: &str) -> impl Iterator<Item = &str> {
    let parts = guide.split("```rust\n").skip(1);
    parts.filter_map(|part| part.split("```").next())
}

fn squeezed(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with("// guide:"));
    code.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_block_of_the_guide_is_code_of_the_driver() {
    let guide = include_str!("../../../docs/write-a-driver.md");
    let sources = [
        include_str!("driver.rs"),
        include_str!("dialect.rs"),
        include_str!("main.rs"),
    ];
    let sources = sources.map(squeezed);
    let mut found = 0;
    for block in blocks(guide) {
        // `// ...` stands for what is left out.
        for part in squeezed(block).split("// ...") {
            let part = part.trim();
            let known = sources.iter().any(|source| source.contains(part));
            assert!(known, "not in the driver:\n{part}");
            found += 1;
        }
    }
    assert!(found > 10, "{found} blocks");
}
