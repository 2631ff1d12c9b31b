//! Names of constraints and indexes: readable, within the limit, and never two alike.

/// `kind_table_columns_hash`, cut to `max` bytes before the hash. The hash tells apart what the
/// readable part does not, such as the columns `a_b`, `c` and `a`, `b_c`.
pub(super) fn derive(kind: &str, table: &str, columns: &[&str], max: usize) -> String {
    let mut name = format!("{kind}_{table}_{}", columns.join("_"));
    let hash = fnv(std::iter::once(table).chain(columns.iter().copied()));
    let room = max.saturating_sub(9);
    if name.len() > room {
        let cut = (0..=room).rev().find(|at| name.is_char_boundary(*at));
        name.truncate(cut.unwrap_or(0));
    }
    format!("{name}_{hash:08x}")
}

/// FNV-1a over the parts, each ended by a zero byte: the same in every process and release.
fn fnv<'a>(parts: impl Iterator<Item = &'a str>) -> u32 {
    parts
        .flat_map(|part| part.bytes().chain([0]))
        .fold(0x811c_9dc5, |hash: u32, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_where_their_readable_parts_agree() {
        let (one, two) = (
            derive("idx", "t", &["a_b", "c"], 63),
            derive("idx", "t", &["a", "b_c"], 63),
        );
        assert!(one.starts_with("idx_t_a_b_c_") && two.starts_with("idx_t_a_b_c_"));
        assert_ne!(one, two);
    }

    #[test]
    fn long_names_fit_the_limit() {
        let name = derive("fk", &"\u{e9}".repeat(50), &["column"], 30);
        assert!(name.len() <= 30, "{name}");
    }
}
