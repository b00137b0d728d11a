//! URLs as drivers and frameworks of other languages write them, turned into libpq's: `postgresql+asyncpg://`, `postgis://`,
//! `jdbc:postgresql:`, and quotes that a file or a shell left around them. What is behind the scheme is not understood here.

/// Schemes that mean Postgres, where only the driver or an extension differs (Django, Rails, Laravel, Doctrine).
const POSTGRES: [&str; 7] =
    ["postgres", "postgresql", "postgis", "pgsql", "psql", "timescale", "timescaledb"];

/// Takes away quotes that stand around the whole of it.
pub(super) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// The URL without quotes and without what names a driver; what names none of ours stays as it is.
pub(super) fn plain(text: &str) -> String {
    let text = unquoted(text);
    let lower = text.to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix("jdbc:postgresql:").map(|rest| &text[text.len() - rest.len()..]) {
        // With no host before it, what stands there is the database.
        return match rest.strip_prefix("//") {
            Some(place) => format!("postgresql://{place}"),
            None => format!("postgresql://localhost/{}", rest.trim_start_matches('/')),
        };
    }
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let base = scheme.split('+').next().unwrap_or_default().to_ascii_lowercase();
    if POSTGRES.contains(&base.as_str()) { format!("postgresql://{rest}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_and_quotes_are_taken_away() {
        for (text, expected) in [
            ("postgres://a@h/d", "postgresql://a@h/d"),
            ("postgresql+asyncpg://a:p@h/d", "postgresql://a:p@h/d"),
            ("postgresql+psycopg2://a@h/d", "postgresql://a@h/d"),
            ("PostGIS://a@h/d", "postgresql://a@h/d"),
            ("pgsql://a@h/d", "postgresql://a@h/d"),
            // That asks for encryption: it is not understood, and not weakened.
            ("postgresqls://a@h/d", "postgresqls://a@h/d"),
            ("\"postgres://a@h/d\"", "postgresql://a@h/d"),
            (" 'postgres://a@h/d'\n", "postgresql://a@h/d"),
            ("jdbc:postgresql://h:5433/d?user=a&password=B", "postgresql://h:5433/d?user=a&password=B"),
            ("JDBC:postgresql:shop", "postgresql://localhost/shop"),
            ("jdbc:postgresql:/", "postgresql://localhost/"),
            ("mysql+pymysql://a@h/d", "mysql+pymysql://a@h/d"),
            ("jdbc:mysql://h/d", "jdbc:mysql://h/d"),
            ("host=h user='a'", "host=h user='a'"),
            ("'", "'"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
