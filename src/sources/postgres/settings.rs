//! What a session is set to: asked for in the start-up packet, verified after the login, and put into each transaction where the way
//! to the server takes no settings.
//!
//! The first of them is where names are looked up. A function or an operator that is found in a schema of the database's users runs
//! with *our* rights, and one that fits its arguments better than the server's own is preferred to it.

use tokio_postgres::{Client, Error, SimpleQueryMessage};

/// Where every name of ours is looked up: the server's own schema, and the session's temporary one last. (Left out it would be first.)
const PATH: (&str, &str) = ("search_path", "pg_catalog,pg_temp");
/// A standby refuses whoever begins at `serializable`, and a role or a database may have that as its own default.
const LEVEL: (&str, &str) = ("default_transaction_isolation", "read committed");
/// A setting that is nothing but how a transaction begins.
const READ_ONLY: &str = "default_transaction_read_only";

/// The settings of one kind of session, each as `SHOW` writes it.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Beside the path; name and value.
    pub list: &'static [(&'static str, &'static str)],
    /// The session can go back to the database's own path for one statement ([`OWN_PATH`]). It is pinned by its first statement
    /// instead of the start-up packet: what the packet says becomes the default.
    pub own_path: bool,
    /// Text comes as it is kept. Converted, one letter without an equivalent would take the whole answer away.
    pub raw: bool,
}

/// The charset under which a server converts nothing.
const RAW: (&str, &str) = ("client_encoding", "SQL_ASCII");

/// The connection that polls: it can change nothing, waits for no lock, and gives up soon. Reading any text of pg_stat_statements makes
/// the server collect all of them (5000 of 7 kB: 35 MB); with less `work_mem` it writes them to a temporary file.
pub const POLLING: Settings = Settings {
    list: &[
        ("statement_timeout", "2s"),
        ("lock_timeout", "100ms"),
        (READ_ONLY, "on"),
        ("work_mem", "64MB"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("jit", "off"),
        ("max_parallel_workers_per_gather", "0"),
    ],
    own_path: false,
    raw: true,
};

/// The connection that acts: the signal functions take no lock and are quick.
pub const ACTING: Settings = Settings {
    list: &[("statement_timeout", "5s"), ("lock_timeout", "100ms"), (READ_ONLY, "on"), ("jit", "off")],
    own_path: false,
    raw: false,
};

/// The connection for looks: it changes nothing, waits for no lock, and may take a while.
pub const LOOKING: Settings = Settings {
    list: &[
        ("statement_timeout", "15s"),
        ("lock_timeout", "100ms"),
        (READ_ONLY, "on"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("jit", "off"),
        ("max_parallel_workers_per_gather", "0"),
    ],
    own_path: true,
    raw: false,
};

/// Until the transaction ends, text comes as it is kept.
pub const AS_BYTES: &str = "SET LOCAL client_encoding = 'SQL_ASCII'";

/// Until the transaction ends, names mean what they mean to the users of the database.
pub const OWN_PATH: &str = "SET LOCAL search_path TO DEFAULT";

impl Settings {
    /// For the start-up packet.
    #[must_use]
    pub fn options(&self) -> String {
        let pinned = (!self.own_path).then_some(&PATH);
        let pairs = pinned.into_iter().chain([&LEVEL]).chain(self.list);
        let pairs = pairs.map(|(name, value)| format!("-c {name}={}", value.replace(' ', "\\ ")));
        pairs.collect::<Vec<_>>().join(" ")
    }

    /// The same for a server whose own default for [`READ_ONLY`] has to be seen first.
    #[must_use]
    pub fn options_that_may_write(&self) -> String {
        self.options().replace(&format!("-c {READ_ONLY}=on"), "")
    }

    /// What takes back [`options_that_may_write`](Self::options_that_may_write).
    #[must_use]
    pub fn read_only(&self) -> &'static str {
        let reads = self.list.contains(&(READ_ONLY, "on"));
        if reads { "SET default_transaction_read_only = on" } else { "" }
    }

    /// As the beginning of a transaction; `utf8` is how the database is written.
    #[must_use]
    pub fn begin(&self, utf8: bool) -> String {
        let raw = (self.raw && !utf8).then_some(&RAW);
        let settings = self.list.iter().chain(raw).filter(|(name, _)| *name != READ_ONLY);
        let begin =
            format!("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL search_path = {}", PATH.1);
        settings.fold(begin, |sql, (name, value)| format!("{sql}; SET LOCAL {name} = '{value}'"))
    }

    /// Looks whether a new session has what was asked for; of the first setting that it has not, the name and its value. `SHOW` and
    /// `SET` look nothing up: whatever the path is, nobody's code runs.
    ///
    /// # Errors
    /// What the server says.
    pub async fn verify(
        &self,
        client: &Client,
        pooled: bool,
        utf8: bool,
    ) -> Result<Option<(String, String)>, Error> {
        let mut wanted: Vec<(&str, &str)> = self.list.to_vec();
        if pooled {
            wanted.retain(|(name, _)| *name != READ_ONLY);
        } else {
            wanted.push(LEVEL);
        }
        if pooled || !self.own_path {
            wanted.push(PATH);
        }
        let show: Vec<String> = wanted.iter().map(|(name, _)| format!("SHOW {name}")).collect();
        let sql = format!("{}; SHOW server_version_num", show.join("; "));
        let sql = if pooled { format!("{}; {sql}; COMMIT", self.begin(utf8)) } else { sql };
        let found = shown(client, &sql).await?;
        if let Some(other) = differs(&wanted, &found) {
            return Ok(Some(other));
        }
        let version: u32 = found.last().and_then(|version| version.parse().ok()).unwrap_or_default();
        // What the role or the database has for its transactions would end ours; older servers do not know the word.
        let whole = (version >= 170_000).then_some(("transaction_timeout", "0"));
        // The settings before these are in force, so the session is ours and no pooler's: it keeps these, too.
        let path = self.own_path.then_some(PATH);
        let raw = (self.raw && !utf8).then_some(RAW);
        let more: Vec<(&str, &str)> = path.into_iter().chain(raw).chain(whole).filter(|_| !pooled).collect();
        if more.is_empty() {
            return Ok(None);
        }
        let set = more.iter().map(|(name, value)| format!("SET {name} = {value}; SHOW {name}"));
        let sql = set.collect::<Vec<_>>().join("; ");
        Ok(differs(&more, &shown(client, &sql).await?))
    }
}

async fn shown(client: &Client, sql: &str) -> Result<Vec<String>, Error> {
    let messages = client.simple_query(sql).await?;
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.try_get(0).ok().flatten().unwrap_or_default().to_owned()),
        _ => None,
    });
    Ok(rows.collect())
}

fn differs(wanted: &[(&str, &str)], found: &[String]) -> Option<(String, String)> {
    let plain = |text: &str| text.replace(' ', "");
    wanted.iter().enumerate().find_map(|(at, (name, value))| {
        let found = found.get(at).map(String::as_str).unwrap_or_default();
        (plain(found) != plain(value)).then(|| ((*name).to_owned(), found.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_session_and_every_transaction_has_the_path() {
        for settings in [POLLING, ACTING] {
            assert!(
                settings.options().starts_with(
                    "-c search_path=pg_catalog,pg_temp -c default_transaction_isolation=read\\ committed -c statement_timeout="
                )
            );
        }
        assert!(!LOOKING.options().contains("search_path"));
        for settings in [POLLING, ACTING, LOOKING] {
            let begin = settings.begin(true);
            assert!(
                begin.starts_with(
                    "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL search_path = pg_catalog,pg_temp; SET LOCAL"
                )
            );
            assert!(!begin.contains(READ_ONLY) && !begin.contains("client_encoding"));
            assert_eq!(settings.begin(false).contains("client_encoding = 'SQL_ASCII'"), settings.raw);
        }
    }

    #[test]
    fn a_setting_that_is_not_in_force_is_named() {
        let wanted = [PATH, ("lock_timeout", "100ms")];
        let found = |values: &[&str]| {
            let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            differs(&wanted, &values).map(|(name, value)| format!("{name} {value}"))
        };
        assert_eq!(found(&["pg_catalog, pg_temp", "100ms"]), None);
        assert_eq!(found(&["\"$user\", public", "100ms"]).as_deref(), Some("search_path \"$user\", public"));
        assert_eq!(found(&["pg_catalog,pg_temp", "0"]).as_deref(), Some("lock_timeout 0"));
        assert_eq!(found(&["pg_catalog,pg_temp"]).as_deref(), Some("lock_timeout "));
    }
}
