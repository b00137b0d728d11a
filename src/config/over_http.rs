//! The keys that every entry has which is asked over HTTP, for entries with keys of their own beside these.

/// Makes the type of an entry: the keys of all, those of its own, and the entry as that of a plain HTTP source.
macro_rules! http_entry {
    ($(#[$about:meta])* $Name:ident $(#[$url:meta])* url { $($(#[$own:meta])* $key:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $Name {
            /// Its name.
            pub name: Option<toml::Spanned<String>>,
            /// Where it is.
            $(#[$url])*
            pub url: toml::Spanned<String>,
            /// User of basic authentication.
            pub user: Option<String>,
            /// File with the password.
            pub password_file: Option<std::path::PathBuf>,
            /// Command that prints the password.
            pub password_command: Option<String>,
            /// File with a bearer token.
            pub token_file: Option<std::path::PathBuf>,
            /// PEM file of trusted roots.
            pub ca: Option<std::path::PathBuf>,
            /// PEM file of our own certificate, for a server that asks for one.
            pub client_cert: Option<std::path::PathBuf>,
            /// PEM file of its key.
            pub client_key: Option<std::path::PathBuf>,
            /// Headers sent with every request.
            #[serde(default)]
            pub headers: std::collections::BTreeMap<String, String>,
            /// SHA-256 of the certificate that is believed, in hex.
            pub certificate_fingerprint: Option<String>,
            /// How often it is polled.
            pub interval: Option<$crate::config::entry::Lasting>,
            /// After this a poll is given up.
            pub timeout: Option<$crate::config::entry::Lasting>,
            $($(#[$own])* pub $key: $type,)*
        }

        impl $Name {
            /// The same as an entry of a plain HTTP source, at this URL.
            fn plain(&self, url: toml::Spanned<String>) -> $crate::config::entry::HttpFile {
                $crate::config::entry::HttpFile {
                    name: None,
                    url,
                    user: self.user.clone(),
                    password_file: self.password_file.clone(),
                    password_command: self.password_command.clone(),
                    token_file: self.token_file.clone(),
                    api_key_file: None,
                    ca: self.ca.clone(),
                    client_cert: self.client_cert.clone(),
                    client_key: self.client_key.clone(),
                    headers: self.headers.clone(),
                    certificate_fingerprint: self.certificate_fingerprint.clone(),
                    requests: None,
                    operations: std::collections::BTreeMap::new(),
                    interval: None,
                    timeout: self.timeout,
                    read_only: None,
                    local: None,
                }
            }

            fn what_all_have(&self) -> $crate::config::entry::Common<'_> {
                $crate::config::entry::Common {
                    name: self.name.as_ref(),
                    begins: self.url.span().start,
                    interval: self.interval,
                    timeout: self.timeout,
                    read_only: None,
                    local: None,
                    user: self.user.as_deref(),
                    password_command: self.password_command.as_deref(),
                }
            }

            fn files(&mut self) -> Vec<(&'static str, &mut Option<std::path::PathBuf>)> {
                vec![
                    ("password_file", &mut self.password_file),
                    ("token_file", &mut self.token_file),
                    ("ca", &mut self.ca),
                    ("client_cert", &mut self.client_cert),
                    ("client_key", &mut self.client_key),
                ]
            }
        }
    };
}

pub(super) use http_entry;
