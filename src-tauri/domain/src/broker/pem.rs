//! What a PEM text holds: certificates with their names and dates, private keys.

use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use x509_parser::prelude::{FromDer, X509Certificate};

/// What people want to know of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Common name, or the whole subject when it has none.
    pub subject: String,
    /// Common name of the issuer, or the whole issuer.
    pub issuer: String,
    /// Begin of validity, Unix seconds.
    pub not_before: i64,
    /// End of validity, Unix seconds.
    pub not_after: i64,
    /// Host names and addresses it is for.
    pub names: Vec<String>,
}

impl Certificate {
    /// Reads a DER certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, String> {
        let (_, cert) =
            X509Certificate::from_der(der).map_err(|_| "This is not a readable X.509 certificate.".to_owned())?;
        let common = |name: &x509_parser::x509::X509Name<'_>| {
            let first = name.iter_common_name().next().and_then(|attribute| attribute.as_str().ok()).map(str::to_owned);
            first.unwrap_or_else(|| name.to_string())
        };
        let names =
            cert.subject_alternative_name().ok().flatten().map_or_else(Vec::new, |extension| {
                extension.value.general_names.iter().filter_map(general_name).collect()
            });
        // Certificates made by machines may have names only.
        let subject = Some(common(cert.subject())).filter(|subject| !subject.is_empty());
        let subject =
            subject.or_else(|| names.first().cloned()).unwrap_or_else(|| "a certificate without a name".to_owned());
        Ok(Self {
            subject,
            issuer: common(cert.issuer()),
            not_before: cert.validity().not_before.timestamp(),
            not_after: cert.validity().not_after.timestamp(),
            names,
        })
    }

    /// The day it ends, as `2026-11-01`.
    pub fn not_after_date(&self) -> String {
        date(self.not_after)
    }

    /// Why clients refuse a server with it at `now`, Unix seconds.
    pub fn refused_at(&self, now: i64) -> Option<String> {
        if self.not_after < now {
            return Some(format!("Expired on {}. Clients would refuse it; choose a newer one.", self.not_after_date()));
        }
        (self.not_before > now).then(|| {
            format!(
                "Valid from {} only. Clients would refuse it; check the clock of this computer.",
                self.not_before_date()
            )
        })
    }

    /// The day it begins, as `2026-11-01`.
    pub fn not_before_date(&self) -> String {
        date(self.not_before)
    }
}

fn general_name(name: &x509_parser::extensions::GeneralName<'_>) -> Option<String> {
    match name {
        x509_parser::extensions::GeneralName::DNSName(host) => Some((*host).to_owned()),
        x509_parser::extensions::GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|octets| std::net::Ipv4Addr::from(octets).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|octets| std::net::Ipv6Addr::from(octets).to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// The civil date of a Unix time (proleptic Gregorian, after Howard Hinnant's `civil_from_days`).
fn date(unix: i64) -> String {
    let days = unix.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// All certificates of a PEM text, leaf first as it stands; an error in words when there is none.
pub fn certificates(pem: &str) -> Result<Vec<Certificate>, String> {
    let ders: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let ders = ders.map_err(|_| "This file is not valid PEM.".to_owned())?;
    if ders.is_empty() {
        return Err(if pem.contains("PRIVATE KEY") {
            "This file holds a private key; the certificate is wanted here.".into()
        } else {
            "This file holds no certificate in PEM form (-----BEGIN CERTIFICATE-----).".into()
        });
    }
    ders.iter().map(|der| Certificate::from_der(der)).collect()
}

/// Checks that a PEM text is a private key that can be used without a passphrase. Whether it belongs to the
/// certificate is decided by the TLS library when the connection is made.
pub fn check_key(pem: &str) -> Result<(), String> {
    if pem.contains("ENCRYPTED") {
        return Err("This key is encrypted; export it without a passphrase. It is kept sealed here.".into());
    }
    PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map(drop)
        .map_err(|_| "This file holds no private key in PEM form (-----BEGIN PRIVATE KEY-----).".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    fn made(common_name: Option<&str>, names: &[&str]) -> (String, String) {
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.not_before = date_time_ymd(2020, 2, 29);
        params.not_after = date_time_ymd(2031, 4, 2);
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn dates_are_civil() {
        for (unix, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_793_491_199, "2026-10-31"),
            (-1, "1969-12-31"),
            (253_402_300_799, "9999-12-31"),
        ] {
            assert_eq!(date(unix), expected);
        }
    }

    #[test]
    fn certificates_are_read_with_names_and_dates() {
        let (first, key) = made(Some("Plant Root CA"), &["mqtt.plant.example", "127.0.0.1", "::1"]);
        let (second, _) = made(None, &["only.a.name"]);
        // Keys and comments between certificates are common in files that people have.
        let read = certificates(&format!("# made by hand\r\n{first}{key}{second}")).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].subject.as_str(), read[0].issuer.as_str()), ("Plant Root CA", "Plant Root CA"));
        assert_eq!((read[0].not_before_date(), read[0].not_after_date()), ("2020-02-29".into(), "2031-04-02".into()));
        assert_eq!(read[0].names, ["mqtt.plant.example", "127.0.0.1", "::1"]);
        assert_eq!(read[1].subject, "only.a.name");
        assert_eq!(certificates(&first.replace('\n', "\r\n")).unwrap(), read[..1]);
    }

    #[test]
    fn files_that_are_no_certificate_are_named() {
        let (cert, key) = made(Some("x"), &[]);
        let words = |text: &str| certificates(text).unwrap_err();
        assert!(words(&key).contains("private key"));
        for nothing in ["", "\0\u{1}binary", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
            assert!(words(nothing).contains("no certificate"), "{nothing:?}");
        }
        assert!(words(&cert.replace("-----END CERTIFICATE-----", "")).contains("not valid PEM"));
        assert!(words("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").contains("X.509"));
    }

    #[test]
    fn keys_are_told_from_what_is_none() {
        let (cert, key) = made(Some("x"), &[]);
        assert_eq!(check_key(&key), Ok(()));
        assert_eq!(check_key(&format!("{cert}{key}")), Ok(()), "one file with both");
        let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        assert_eq!(check_key(&format!("{parameters}{key}")), Ok(()), "as openssl ecparam writes it");
        for encrypted in [
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
        ] {
            assert!(check_key(encrypted).unwrap_err().contains("passphrase"));
        }
        for nothing in ["", cert.as_str()] {
            assert!(check_key(nothing).unwrap_err().contains("no private key"));
        }
    }
}
