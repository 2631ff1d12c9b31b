//! Instants as text: one fixed layout, written and parsed without a format interpreter.

use chrono::{DateTime, Datelike, NaiveDate, SubsecRound, Timelike, Utc};

/// Cuts an instant to whole microseconds, the precision of every backend. A leap second becomes
/// the last microsecond before it, since no backend stores second 60.
pub fn truncate_to_micros(v: DateTime<Utc>) -> DateTime<Utc> {
    if v.nanosecond() >= 1_000_000_000 {
        return v.with_nanosecond(999_999_000).unwrap_or(v);
    }
    match v.nanosecond() % 1_000 {
        0 => v,
        _ => v.trunc_subsecs(6),
    }
}

/// Whether [`format_datetime`] can write the year.
pub(super) fn has_written_year(v: DateTime<Utc>) -> bool {
    (1..=9999).contains(&v.year())
}

/// Writes `2024-02-29 23:59:59.123456+00:00`: 32 characters, which sort as time does.
///
/// `None` for years outside 0001 to 9999, which the layout (and most databases) cannot hold.
pub fn format_datetime(v: DateTime<Utc>) -> Option<String> {
    let text = write_datetime(v)?;
    std::str::from_utf8(&text).ok().map(str::to_owned)
}

/// As [`format_datetime`], without allocating: the characters are ASCII.
pub fn write_datetime(v: DateTime<Utc>) -> Option<[u8; 32]> {
    // Taken apart once: each getter of a `DateTime` would apply its offset again.
    let v = v.naive_utc();
    let (day, time) = (v.date(), v.time());
    let year = u32::try_from(day.year())
        .ok()
        .filter(|y| (1..=9999).contains(y))?;
    let mut out = *b"0000-00-00 00:00:00.000000+00:00";
    let micros = (time.nanosecond() % 1_000_000_000) / 1_000;
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    put(&mut out[0..4], year);
    put(&mut out[5..7], day.month());
    put(&mut out[8..10], day.day());
    put(&mut out[11..13], hour);
    put(&mut out[14..16], minute);
    put(&mut out[17..19], second);
    put(&mut out[20..26], micros);
    Some(out)
}

fn put(out: &mut [u8], mut v: u32) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (v % 10) as u8;
        v /= 10;
    }
}

/// Reads an instant: our own layout by fixed columns, else any RFC 3339 spelling, else a date-time
/// without zone, which is taken as UTC.
pub fn parse_datetime(text: &str) -> Option<DateTime<Utc>> {
    fixed(text.as_bytes()).or_else(|| lenient(text))
}

fn fixed(b: &[u8]) -> Option<DateTime<Utc>> {
    let micros = match b.len() {
        32 if &b[26..] == b"+00:00" => number(&b[20..26])?,
        26 if b[19] == b'.' => number(&b[20..26])?,
        19 => 0,
        _ => return None,
    };
    let fraction_ok = b.len() == 19 || b[19] == b'.';
    if !(b[4] == b'-' && b[7] == b'-' && b[13] == b':' && b[16] == b':' && fraction_ok) {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(
        i32::try_from(number(&b[0..4])?).ok()?,
        number(&b[5..7])?,
        number(&b[8..10])?,
    )?;
    let time = day.and_hms_micro_opt(
        number(&b[11..13])?,
        number(&b[14..16])?,
        number(&b[17..19])?,
        micros,
    )?;
    Some(time.and_utc())
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |n, d| {
        let digit = d.wrapping_sub(b'0');
        (digit < 10).then(|| n * 10 + u32::from(digit))
    })
}

fn lenient(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(v) = DateTime::parse_from_rfc3339(text) {
        return Some(truncate_to_micros(v.with_timezone(&Utc)));
    }
    let text = text.strip_suffix('Z').unwrap_or(text);
    [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|layout| chrono::NaiveDateTime::parse_from_str(text, layout).ok())
    .or_else(|| {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    })
    .map(|v| truncate_to_micros(v.and_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_layout_round_trips_and_sorts() {
        let a = parse_datetime("2024-02-29 23:59:59.123456+00:00").expect("own layout");
        let b = parse_datetime("2024-03-01T05:30:00+05:30").expect("RFC 3339");
        assert_eq!(
            format_datetime(a).as_deref(),
            Some("2024-02-29 23:59:59.123456+00:00")
        );
        assert!(a < b && format_datetime(a) < format_datetime(b));
    }

    #[test]
    fn nonsense_is_none_not_a_panic() {
        for text in [
            "",
            "x",
            "2024-13-01 00:00:00",
            "2024-02-30 00:00:00.000000+00:00",
            "ü".repeat(16).as_str(),
        ] {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
    }
}
