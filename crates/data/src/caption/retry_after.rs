//! The HTTP header `Retry-After`: seconds or a date ([RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Maximum wait that a server may request.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Days from the first of March of the year 0 to the first of January 1970.
const DAYS_TO_1970: i64 = 719_468;

/// The wait that `Retry-After` requests, at most ten minutes. A date is relative to the server's own `date` or, if it sends none, to
/// the local clock.
pub(super) fn parse(retry_after: &str, date: Option<&str>) -> Option<Duration> {
    let seconds = match retry_after.trim().parse::<f64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let until = parse_http_date(retry_after)?;
            // With the clock of the server both times are consistent, even if the local clock is wrong.
            (until - date.and_then(parse_http_date).or_else(now)?) as f64
        }
    };
    let longest = MAX_RETRY_AFTER.as_secs_f64();
    seconds.is_finite().then(|| Duration::from_secs_f64(seconds.clamp(0.0, longest)))
}

fn now() -> Option<i64> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs().try_into().ok()
}

/// Seconds from 1970 to a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn parse_http_date(date: &str) -> Option<i64> {
    // Only IMF-fixdate: RFC 9110 requires senders to use it; the two obsolete forms are not parsed.
    let parts: Vec<&str> = date.trim().split([' ', ':']).collect();
    let [_, day, month, year, hour, minute, second, "GMT"] = parts[..] else { return None };
    let number = |text: &str, least: i64, most: i64| {
        text.parse::<i64>().ok().filter(|number| (least..=most).contains(number))
    };
    let (day, year) = (number(day, 1, 31)?, number(year, 1970, 9999)?);
    let month = MONTHS.iter().position(|name| *name == month)? as i64;
    // With years that start in March, the leap day is the last day of the year.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - DAYS_TO_1970;
    // 60 is a leap second.
    let (hour, minute, second) = (number(hour, 0, 23)?, number(minute, 0, 59)?, number(second, 0, 60)?);
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds_since_1970() {
        for (date, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Tue, 29 Feb 2000 23:59:59 GMT", Some(951_868_799)),
            ("Wed, 01 Mar 2000 00:00:00 GMT", Some(951_868_800)),
            ("Fri, 31 Dec 2100 12:00:00 GMT", Some(4_133_937_600)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 32 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Now 1994 08:49:37 GMT", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse_http_date(date), seconds, "{date}");
        }
    }

    #[test]
    fn waits_are_seconds_or_dates_and_bounded() {
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (text, seconds) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("-3", Some(0)),
            ("99999999999", Some(600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("Mon, 07 Nov 1994 08:49:37 GMT", Some(600)),
            ("NaN", None),
            ("later", None),
        ] {
            assert_eq!(parse(text, now), seconds.map(Duration::from_secs), "{text}");
        }
        let by_our_clock = parse("Fri, 31 Dec 9999 23:59:59 GMT", None);
        assert_eq!(by_our_clock, Some(MAX_RETRY_AFTER));
    }
}
