//! Which of a target's servers is connected to, by libpq's rules: host after host, address after address, until one lets us in and is
//! of the kind that is wanted.

use super::connection::Connection;
use super::explain::failure;
use super::failure::Failure;
use super::login::{Login, asks_for_default, open};
use crate::config::target::{Dialled, PgHost, PgPlace, PgTls, PostgresConnect, SessionAttrs};
use crate::core::report::{PollError, PollErrorKind};
use crate::sources::dial;
use secrecy::ExposeSecret;
use std::hash::{BuildHasher, RandomState};
use tokio::time::Instant;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, Error};

/// Whether a server is chosen, or the chosen one is joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Elect,
    Follow,
}

/// A server that was not to be had, and whether the next one may be asked.
enum Trouble {
    Next(PollError),
    Stop(PollError),
    /// The session cannot be set as it must be.
    Settings(PollError),
}

/// Why there is no connection.
pub(super) enum Refused {
    /// The session cannot be set as it must be.
    Settings(PollError),
    /// Anything else.
    Other(PollError),
}

/// Connects to the first server that will do.
pub(super) async fn reach(login: &Login<'_>, which: Which) -> Result<Connection, Refused> {
    let connect = login.connect;
    if let (Which::Follow, Some((host, address))) = (which, connect.elected.now()) {
        return attempt(login, host, &address, SessionAttrs::Any, login.until).await.map_err(|trouble| {
            match trouble {
                Trouble::Settings(error) => Refused::Settings(error),
                Trouble::Next(error) | Trouble::Stop(error) => Refused::Other(error),
            }
        });
    }
    let passes: &[SessionAttrs] = match connect.session {
        SessionAttrs::PreferStandby => &[SessionAttrs::Standby, SessionAttrs::Any],
        SessionAttrs::Any => &[SessionAttrs::Any],
        SessionAttrs::ReadWrite => &[SessionAttrs::ReadWrite],
        SessionAttrs::ReadOnly => &[SessionAttrs::ReadOnly],
        SessionAttrs::Primary => &[SessionAttrs::Primary],
        SessionAttrs::Standby => &[SessionAttrs::Standby],
    };
    let mut failures: Vec<PollError> = Vec::new();
    for (pass, wanted) in passes.iter().enumerate() {
        let order = order(connect);
        for (nth, host) in order.iter().enumerate() {
            // What is left is shared by those that are left, so that one that hangs does not take the others' time.
            let after = order.len() - nth - 1 + (passes.len() - pass - 1) * order.len();
            let addresses = match resolve(&connect.hosts[*host], connect.balance, login.until).await {
                Ok(addresses) => addresses,
                Err(error) => {
                    failures.push(error);
                    continue;
                }
            };
            for (at, address) in addresses.iter().enumerate() {
                let left = login.until.saturating_duration_since(Instant::now());
                let share = left / u32::try_from(after + addresses.len() - at).unwrap_or(1).max(1);
                let limit = connect.host_timeout.map_or(share, |most| most.min(share));
                match attempt(login, *host, address, *wanted, Instant::now() + limit).await {
                    Ok(connection) => return Ok(connection),
                    Err(Trouble::Next(error)) => failures.push(error),
                    Err(Trouble::Stop(error)) => return Err(Refused::Other(error)),
                    Err(Trouble::Settings(error)) => return Err(Refused::Settings(error)),
                }
            }
        }
    }
    Err(Refused::Other(summary(failures)))
}

/// One sentence about all of them.
fn summary(mut failures: Vec<PollError>) -> PollError {
    let mut seen = Vec::new();
    failures.retain(|error| {
        !seen.contains(&error.message) && {
            seen.push(error.message.clone());
            true
        }
    });
    let Some(first) = failures.first().cloned() else {
        return PollError::new(PollErrorKind::Internal, "no way to connect was tried");
    };
    if failures.len() == 1 {
        return first;
    }
    let text = seen.join("; ");
    let all = PollError::new(first.kind, format!("none of its servers will do: {text}"));
    match first.remedy {
        Some(remedy) => all.remedy(remedy),
        None => all,
    }
}

/// The hosts in the order in which they are tried.
fn order(connect: &PostgresConnect) -> Vec<usize> {
    let mut order: Vec<usize> = (0..connect.hosts.len()).collect();
    if connect.balance {
        shuffle(&mut order);
    }
    order
}

/// Any order will do; the standard library has no other dice than the seeds of its hashers.
fn shuffle<T>(list: &mut [T]) {
    for at in (1..list.len()).rev() {
        let dice = RandomState::new().hash_one(at) as usize;
        list.swap(at, dice % (at + 1));
    }
}

async fn resolve(host: &PgHost, balance: bool, until: Instant) -> Result<Vec<Dialled>, PollError> {
    let name = match &host.place {
        PgPlace::Socket(folder) => {
            return Ok(vec![Dialled::Unix(folder.join(format!(".s.PGSQL.{}", host.port)))]);
        }
        PgPlace::Address(address, _) => return Ok(vec![Dialled::Tcp((*address, host.port).into())]),
        PgPlace::Name(name) => name,
    };
    let unknown = |why: String| {
        PollError::new(PollErrorKind::Unreachable, format!("{host} cannot be found: {why}"))
            .remedy("check the name of the host")
    };
    match tokio::time::timeout_at(until, dial::addresses(name, host.port)).await {
        Ok(Ok(mut addresses)) => {
            if balance {
                shuffle(&mut addresses);
            }
            Ok(addresses.into_iter().map(Dialled::Tcp).collect())
        }
        Ok(Err(error)) => Err(unknown(error.to_string())),
        Err(_) => Err(unknown("its name could not be looked up in time".to_owned())),
    }
}

/// The ways to encrypt that are tried, one after the other.
fn modes(login: &Login<'_>, address: &Dialled) -> &'static [SslMode] {
    match login.connect.tls {
        _ if matches!(address, Dialled::Unix(_)) => &[SslMode::Disable],
        PgTls::Disable => &[SslMode::Disable],
        PgTls::Allow => &[SslMode::Disable, SslMode::Require],
        PgTls::Prefer => &[SslMode::Prefer, SslMode::Disable],
        PgTls::Require | PgTls::VerifyCa | PgTls::VerifyFull => &[SslMode::Require],
    }
}

/// Whether libpq would try the other way after this: where TLS could not be begun, or where the server does not let us in this way. What
/// comes after the handshake is an answer, also where TLS tells it: by its version 1.3 a certificate of ours is refused, or missed, only
/// then. A password that was refused is not shown again in the open.
fn another_way(failure: &Failure) -> bool {
    match failure {
        Failure::Wire(_) | Failure::Peer(_) | Failure::Unwanted(_) | Failure::Settings { .. } => false,
        Failure::Postgres(error) => match error.code() {
            Some(code) => *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            None => error.to_string().contains("TLS handshake"),
        },
    }
}

async fn attempt(
    login: &Login<'_>,
    host: usize,
    address: &Dialled,
    wanted: SessionAttrs,
    until: Instant,
) -> Result<Connection, Trouble> {
    let connect = login.connect;
    let place = format!("{}/{}", connect.hosts[host], connect.database);
    let began = Instant::now();
    let mut last = None;
    for mode in modes(login, address) {
        let config = configure(login, host, wanted, *mode);
        let name = connect.hosts[host].place.tls_name().unwrap_or_else(|| match address {
            Dialled::Tcp(address) => address.ip().to_string(),
            Dialled::Unix(_) => String::from("localhost"),
        });
        let opening = open(login, &config, (host, address.clone()), name, wanted);
        match tokio::time::timeout_at(until, opening).await {
            Ok(Ok(connection)) => return settle(login, connection, wanted, &place),
            Ok(Err(error)) => {
                let again = another_way(&error);
                last = Some(error);
                if !again {
                    break;
                }
            }
            Err(_) => {
                let spent = began.elapsed().as_secs_f64();
                let message = format!("{place} does not answer as Postgres does within {spent:.1} s");
                return Err(Trouble::Next(
                    PollError::new(PollErrorKind::TimedOut, message).remedy(super::explain::SILENT),
                ));
            }
        }
    }
    let Some(error) = last else {
        return Err(Trouble::Next(PollError::new(PollErrorKind::Internal, "no way to connect was tried")));
    };
    let words = failure(&error, &place, &connect.user);
    Err(match &error {
        Failure::Wire(_) => Trouble::Next(words),
        Failure::Settings { .. } => Trouble::Settings(words),
        Failure::Postgres(error) if error.code() == Some(&SqlState::CANNOT_CONNECT_NOW) => {
            Trouble::Next(words)
        }
        Failure::Postgres(error) if !login.pooled && takes_no_settings(error) => Trouble::Settings(words),
        Failure::Peer(_) | Failure::Unwanted(_) | Failure::Postgres(_) => Trouble::Stop(words),
    })
}

/// Whether what stands before the server refuses settings in the start-up packet, as poolers do.
fn takes_no_settings(error: &Error) -> bool {
    error.as_db_error().is_some_and(|db| {
        [SqlState::PROTOCOL_VIOLATION, SqlState::FEATURE_NOT_SUPPORTED].contains(db.code())
            || db.message().contains("unsupported startup parameter")
    })
}

fn configure(login: &Login<'_>, host: usize, wanted: SessionAttrs, mode: SslMode) -> Config {
    let mut config = login.config.clone();
    config.ssl_mode(mode);
    if let Some(password) = login.passwords.get(host).and_then(Option::as_ref) {
        config.password(password.expose_secret());
    }
    if let (Some(settings), false) = (login.settings, login.pooled) {
        // Ours come last, and win.
        let theirs = login.connect.options.as_deref().unwrap_or_default();
        let ours =
            if asks_for_default(wanted) { settings.options_that_may_write() } else { settings.options() };
        config.options(format!("{theirs} {ours}").trim());
    }
    config
}

/// Whether the server is of the kind that is wanted.
fn settle(
    login: &Login<'_>,
    connection: Connection,
    wanted: SessionAttrs,
    place: &str,
) -> Result<Connection, Trouble> {
    let Some((standby, read_only)) = connection.role else { return Ok(connection) };
    let fits = match wanted {
        SessionAttrs::Any | SessionAttrs::PreferStandby => true,
        SessionAttrs::ReadWrite => !standby && !read_only,
        SessionAttrs::ReadOnly => standby || read_only,
        SessionAttrs::Primary => !standby,
        SessionAttrs::Standby => standby,
    };
    if fits {
        return Ok(connection);
    }
    let is = match (standby, read_only) {
        (true, _) => "is a standby",
        (false, true) => "is a primary whose sessions only read",
        (false, false) => "is a primary",
    };
    let message =
        format!("{place} {is}, and target_session_attrs={} is asked for", login.connect.session.word());
    Err(Trouble::Next(
        PollError::new(PollErrorKind::NotReady, message)
            .remedy("name every server of this system in its url"),
    ))
}

/// Whether a server in this state is still the kind that is wanted; what `connect` left to the server's default is not looked at again.
pub(super) const fn still_fits(wanted: SessionAttrs, in_recovery: bool) -> bool {
    match wanted {
        SessionAttrs::Primary | SessionAttrs::ReadWrite => !in_recovery,
        SessionAttrs::Standby => in_recovery,
        SessionAttrs::Any | SessionAttrs::ReadOnly | SessionAttrs::PreferStandby => true,
    }
}
