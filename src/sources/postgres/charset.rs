//! Text of a server whose databases are written in different ways. No question may fail because of one letter that has no equivalent:
//! such a server is asked for the bytes as they are, and they are read here.
//!
//! Names of databases and roles are shared by all databases, each written as somebody's was; what a session runs is written as its
//! own database is.

use encoding_rs::{self as known, Encoding};

/// How text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// In UTF-8, or nobody knows how (`SQL_ASCII` is whatever the clients sent).
    #[default]
    Utf8,
    /// As this says.
    Other(&'static Encoding),
}

impl Charset {
    /// From the server's name of it. One that is not read here is read as UTF-8, lossily.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::Other(match name {
            // The superset: the letters between 0x80 and 0x9f are no letters in the other.
            "LATIN1" | "WIN1252" => known::WINDOWS_1252,
            "LATIN2" => known::ISO_8859_2,
            "LATIN3" => known::ISO_8859_3,
            "LATIN4" => known::ISO_8859_4,
            "LATIN5" | "WIN1254" => known::WINDOWS_1254,
            "LATIN6" => known::ISO_8859_10,
            "LATIN7" => known::ISO_8859_13,
            "LATIN8" => known::ISO_8859_14,
            "LATIN9" => known::ISO_8859_15,
            "LATIN10" => known::ISO_8859_16,
            "ISO_8859_5" => known::ISO_8859_5,
            "ISO_8859_6" => known::ISO_8859_6,
            "ISO_8859_7" => known::ISO_8859_7,
            "ISO_8859_8" => known::ISO_8859_8,
            "WIN866" => known::IBM866,
            "WIN874" => known::WINDOWS_874,
            "WIN1250" => known::WINDOWS_1250,
            "WIN1251" => known::WINDOWS_1251,
            "WIN1253" => known::WINDOWS_1253,
            "WIN1255" => known::WINDOWS_1255,
            "WIN1256" => known::WINDOWS_1256,
            "WIN1257" => known::WINDOWS_1257,
            "WIN1258" => known::WINDOWS_1258,
            "KOI8R" => known::KOI8_R,
            "KOI8U" => known::KOI8_U,
            "EUC_JP" | "EUC_JIS_2004" => known::EUC_JP,
            "EUC_KR" => known::EUC_KR,
            "EUC_CN" => known::GBK,
            _ => return Self::Utf8,
        })
    }

    /// Text that is written so. What cannot be read becomes `�`.
    #[must_use]
    pub fn read(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Other(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        }
    }

    /// A name that may come from a database of another charset: UTF-8 is never UTF-8 by accident.
    #[must_use]
    pub fn read_name(self, bytes: &[u8]) -> String {
        std::str::from_utf8(bytes).map_or_else(|_| self.read(bytes), str::to_owned)
    }
}

/// `name` quoted for a statement that is sent as bytes to a server of any charset.
#[must_use]
pub fn identifier(name: &str) -> String {
    if name.is_ascii() {
        return format!("\"{}\"", name.replace('"', "\"\""));
    }
    let letter = |c: char| match c {
        '"' => "\"\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if c.is_ascii() => c.to_string(),
        c => format!("\\+{:06X}", u32::from(c)),
    };
    format!("U&\"{}\"", name.chars().map(letter).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_charset_is_read_as_it_is_written() {
        for (name, bytes, text) in [
            ("UTF8", "Zürich".as_bytes(), "Zürich"),
            ("WIN1252", b"Z\xfcrich \x80", "Zürich €"),
            ("LATIN1", b"Z\xfcrich", "Zürich"),
            ("LATIN9", b"\xa4", "€"),
            ("WIN1251", b"\xcf\xf0\xe8", "При"),
            ("KOI8R", b"\xf0\xd2\xc9", "При"),
            ("EUC_JP", b"\xc6\xfc\xcb\xdc", "日本"),
            ("EUC_KR", b"\xc7\xd1", "한"),
            ("EUC_CN", b"\xd6\xd0", "中"),
            ("SQL_ASCII", b"Z\xfcrich", "Z\u{fffd}rich"),
            ("MULE_INTERNAL", b"x", "x"),
            // Cut in the middle of a letter.
            ("EUC_JP", b"\xc6\xfc\xcb", "日\u{fffd}"),
        ] {
            assert_eq!(Charset::named(name).read(bytes), text, "{name}");
        }
        assert_eq!(Charset::named("WIN1252").read_name("données".as_bytes()), "données");
        assert_eq!(Charset::named("WIN1252").read_name(b"donn\xe9es"), "données");
    }

    #[test]
    fn a_name_is_quoted_in_letters_that_every_charset_has() {
        assert_eq!(identifier("a \"b\""), "\"a \"\"b\"\"\"");
        assert_eq!(identifier("Zü\\"), "U&\"Z\\+0000FC\\\\\"");
    }
}
