//! Number and date literals of filters.

/// A decimal number with optional `_` between digits and suffix k, M or G (thousands, millions, billions).
pub(super) fn number(text: &str) -> Option<f64> {
    let (digits, scale) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1e3),
        b'M' => (&text[..text.len() - 1], 1e6),
        b'G' => (&text[..text.len() - 1], 1e9),
        _ => (text, 1.0),
    };
    // `f64::from_str` also accepts words such as `inf` and `nan`.
    let numeric = digits.bytes().all(|byte| byte.is_ascii_digit() || b"+-._eE".contains(&byte));
    let value: f64 = if numeric { digits.replace('_', "").parse().ok()? } else { return None };
    Some(value * scale).filter(|value| value.is_finite())
}

/// `2024-05-31`, optionally followed by `T12:00:00` and `Z`: seconds since 1970-01-01 UTC.
pub(super) fn date(text: &str) -> Option<f64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let [year, month, day] = numbers(day, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // Second 60 is a leap second.
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days in the proleptic Gregorian calendar. Years start on 1 March, so that 29 February is the last day:
    // https://howardhinnant.github.io/date_algorithms.html#days_from_civil
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (m * 153 + 2) / 5 + day - 1;
    // From 0000-03-01 to 1970-01-01.
    let days = days - 719_468;
    Some(f64::from(days) * 86_400.0 + f64::from(hour * 3_600 + minute * 60 + second))
}

/// Three unsigned numbers of given widths.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i32; 3]> {
    let mut parts = text.split(separator);
    let mut read = |width: usize| {
        let part = parts.next().filter(|part| part.len() == width)?;
        if part.bytes().all(|byte| byte.is_ascii_digit()) { part.parse::<i32>().ok() } else { None }
    };
    let numbers = [read(widths[0])?, read(widths[1])?, read(widths[2])?];
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_from_1970() {
        assert_eq!(date("1970-01-01"), Some(0.0));
        assert_eq!(date("2000-02-29T12:30:15Z"), Some(951_827_415.0));
        assert_eq!(date("1969-12-31T23:59:59"), Some(-1.0));
        assert_eq!(date("2100-02-29"), None);
        assert_eq!(date("24-1-1"), None);
    }

    #[test]
    fn numbers_accept_suffixes_and_reject_words() {
        assert_eq!(number("10k"), Some(10_000.0));
        assert_eq!(number("1_000.5"), Some(1_000.5));
        assert_eq!(number("-2e3"), Some(-2_000.0));
        assert_eq!(number("3M"), Some(3e6));
        for text in ["", "k", "inf", "nan", "1e999", "0x10", "1.2.3", "5kk"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
