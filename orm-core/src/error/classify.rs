//! Tables from database codes to error kinds. The kind never depends on message text.

use super::{ConstraintKind, ErrorKind};

/// Kind of a five-character SQLSTATE (PostgreSQL manual, appendix "Error Codes").
///
/// The second part is the constraint's kind for integrity errors.
pub fn kind_from_sqlstate(state: &str) -> (ErrorKind, Option<ConstraintKind>) {
    let constraint = match state {
        "23505" => Some(ConstraintKind::Unique),
        "23503" | "23001" => Some(ConstraintKind::ForeignKey),
        "23502" => Some(ConstraintKind::NotNull),
        "23514" => Some(ConstraintKind::Check),
        _ if state.starts_with("23") => Some(ConstraintKind::Other),
        _ => None,
    };
    let kind = match (state, state.get(..2).unwrap_or("")) {
        ("40001" | "40P01", _) => ErrorKind::Serialization,
        ("55P03" | "57014", _) => ErrorKind::Timeout,
        ("57P01" | "57P02" | "57P03", _) | (_, "08") => ErrorKind::ConnectionLost,
        ("25006", _) => ErrorKind::ReadOnly,
        ("3D000", _) | (_, "28") => ErrorKind::Auth,
        (_, "23") => ErrorKind::Integrity,
        (_, "22") => ErrorKind::Data,
        (_, "42" | "26" | "0A") => ErrorKind::Statement,
        (_, "53" | "54") => ErrorKind::Resource,
        _ => ErrorKind::Operational,
    };
    (kind, constraint)
}

/// Kind of a MySQL or MariaDB error number (MySQL manual, "Server Error Message Reference").
pub fn kind_from_mysql(number: u16) -> (ErrorKind, Option<ConstraintKind>) {
    match number {
        1062 | 1586 => (ErrorKind::Integrity, Some(ConstraintKind::Unique)),
        1216 | 1217 | 1451 | 1452 => (ErrorKind::Integrity, Some(ConstraintKind::ForeignKey)),
        1048 | 1364 => (ErrorKind::Integrity, Some(ConstraintKind::NotNull)),
        3819 | 4025 => (ErrorKind::Integrity, Some(ConstraintKind::Check)),
        1213 => (ErrorKind::Serialization, None),
        1205 | 1317 | 1969 | 3024 | 3572 => (ErrorKind::Timeout, None),
        1053 | 1158..=1161 | 1927 | 2006 | 2013 | 4031 => (ErrorKind::ConnectionLost, None),
        1264 | 1265 | 1292 | 1365 | 1366 | 1406 | 1411 | 1690 | 3140 | 3988 => {
            (ErrorKind::Data, None)
        }
        1290 | 1792 | 1836 => (ErrorKind::ReadOnly, None),
        1050 | 1051 | 1052 | 1054 | 1060 | 1061 | 1064 | 1091 | 1093 | 1136 | 1146 | 1170
        | 1235 | 1267 | 1295 | 1305 => (ErrorKind::Statement, None),
        1040 | 1041 | 1114 | 1153 | 1203 | 1226 | 1301 | 1390 | 1436 | 1461 => {
            (ErrorKind::Resource, None)
        }
        1044 | 1045 | 1049 | 1129 | 1130 | 1142 | 1143 | 1698 => (ErrorKind::Auth, None),
        _ => (ErrorKind::Operational, None),
    }
}

/// Kind of an SQLite *extended* result code (SQLite documentation, "Result and Error Codes").
pub fn kind_from_sqlite(code: i32) -> (ErrorKind, Option<ConstraintKind>) {
    match code {
        1555 | 2067 | 2579 => (ErrorKind::Integrity, Some(ConstraintKind::Unique)),
        787 => (ErrorKind::Integrity, Some(ConstraintKind::ForeignKey)),
        1299 => (ErrorKind::Integrity, Some(ConstraintKind::NotNull)),
        275 => (ErrorKind::Integrity, Some(ConstraintKind::Check)),
        // A value of the wrong type in a STRICT table (SQLITE_CONSTRAINT_DATATYPE).
        3091 => (ErrorKind::Data, None),
        _ => match code & 0xff {
            19 => (ErrorKind::Integrity, Some(ConstraintKind::Other)),
            5 | 6 => (ErrorKind::Serialization, None),
            8 => (ErrorKind::ReadOnly, None),
            9 => (ErrorKind::Timeout, None),
            10 | 11 => (ErrorKind::ConnectionLost, None),
            7 | 13 | 18 => (ErrorKind::Resource, None),
            14 | 23 | 26 => (ErrorKind::Auth, None),
            20 => (ErrorKind::Data, None),
            1 | 25 => (ErrorKind::Statement, None),
            _ => (ErrorKind::Operational, None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_give_the_documented_kinds() {
        assert_eq!(
            kind_from_sqlstate("23505"),
            (ErrorKind::Integrity, Some(ConstraintKind::Unique))
        );
        assert_eq!(kind_from_sqlstate("40P01").0, ErrorKind::Serialization);
        assert_eq!(kind_from_sqlstate("42P01").0, ErrorKind::Statement);
        assert_eq!(kind_from_sqlstate("").0, ErrorKind::Operational);
        assert_eq!(kind_from_mysql(1213).0, ErrorKind::Serialization);
        assert_eq!(kind_from_mysql(1452).1, Some(ConstraintKind::ForeignKey));
        assert_eq!(kind_from_sqlite(2067).1, Some(ConstraintKind::Unique));
        assert_eq!(kind_from_sqlite(517).0, ErrorKind::Serialization);
        assert_eq!(kind_from_sqlite(3091).0, ErrorKind::Data);
        assert_eq!(kind_from_sqlite(13).0, ErrorKind::Resource);
    }
}
