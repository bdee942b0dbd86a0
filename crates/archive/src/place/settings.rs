//! How a place is reached, as the configuration names it. Secrets are never shown.

use std::fmt;
use std::path::PathBuf;

/// What the folder of a bucket begins with.
const SCHEME: &str = "s3://";

/// Where an archive lies, and who asks.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PlaceSettings {
    /// A folder, or `s3://BUCKET/PREFIX`.
    pub folder: String,
    /// `https://HOST:PORT` of the store; that of Amazon where it is empty.
    pub endpoint: String,
    /// Of the bucket; `us-east-1` where it is empty and nothing else names one.
    pub region: String,
    /// Empty: what the environment has (variables of AWS, roles of a pod or machine).
    pub access_key_id: String,
    /// Belongs to `access_key_id`.
    pub secret_access_key: String,
    /// Of temporary keys.
    pub session_token: String,
    /// Whether the endpoint may be plain http.
    pub allow_http: bool,
    /// Certificates, in PEM, of who signs the store's; in addition to the known ones. Empty: none.
    pub ca_file: PathBuf,
}

impl fmt::Debug for PlaceSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PlaceSettings { folder, endpoint, region, .. } = self;
        let mut shown = out.debug_struct("PlaceSettings");
        shown.field("folder", folder).field("endpoint", endpoint).field("region", region).finish_non_exhaustive()
    }
}

impl PlaceSettings {
    /// Whether it is a bucket.
    pub fn is_bucket(&self) -> bool {
        self.folder.starts_with(SCHEME)
    }

    /// Another folder or bucket, reached in this way.
    pub fn at(&self, folder: &str) -> PlaceSettings {
        PlaceSettings { folder: folder.to_owned(), ..self.clone() }
    }

    /// Bucket and prefix, or why there are none.
    pub fn bucket(&self) -> Result<(&str, &str), String> {
        let rest = self.folder.strip_prefix(SCHEME).unwrap_or_default().trim_end_matches('/');
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_name = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"-._".contains(&letter);
        if bucket.is_empty() || !bucket.bytes().all(is_name) {
            return Err(format!("`{}` names no bucket: write s3://BUCKET/PREFIX", self.folder));
        }
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-._=".contains(&letter))
        };
        if !prefix.is_empty() && !prefix.split('/').all(|part| is_part(part) && part != "." && part != "..") {
            return Err(format!("`{}`: a prefix has letters, digits and - . _ = between its slashes", self.folder));
        }
        Ok((bucket, prefix))
    }

    /// What is wrong with it, if anything.
    pub fn check(&self) -> Result<(), String> {
        if !self.is_bucket() {
            return match self.folder.split_once("://") {
                Some(_) => Err(format!(
                    "`{}` is no place that this version knows: a folder, or s3://BUCKET/PREFIX",
                    self.folder
                )),
                None => Ok(()),
            };
        }
        self.bucket()?;
        let is_http = self.endpoint.starts_with("http://");
        if !self.endpoint.is_empty() && !is_http && !self.endpoint.starts_with("https://") {
            return Err(format!("`{}` is no endpoint: write https://HOST:PORT", self.endpoint));
        }
        if self.endpoint.contains('@') {
            return Err("an endpoint has no password in it: keys are settings of their own".to_owned());
        }
        if is_http && !self.allow_http {
            return Err(
                "a plain http endpoint needs allow_http = true: lines and names of keys go over it as they are"
                    .to_owned(),
            );
        }
        if self.access_key_id.is_empty() != self.secret_access_key.is_empty() {
            return Err("access_key_id and secret_access_key belong together".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart_and_mistakes_named() {
        let of = |folder: &str, endpoint: &str| PlaceSettings {
            folder: folder.to_owned(),
            endpoint: endpoint.to_owned(),
            ..PlaceSettings::default()
        };
        for (folder, endpoint, wrong) in [
            ("data/archive", "", None),
            ("s3://events", "", None),
            ("s3://events/a/b=c/", "https://s3.example:9000", None),
            ("s3://", "", Some("names no bucket")),
            ("s3://Events/", "", Some("names no bucket")),
            ("s3://events/a//b", "", Some("a prefix has")),
            ("s3://events/../b", "", Some("a prefix has")),
            ("gs://events", "", Some("no place that this version knows")),
            ("s3://events", "s3.example", Some("is no endpoint")),
            ("s3://events", "http://127.0.0.1:9000", Some("allow_http")),
            ("s3://events", "https://key:word@s3.example", Some("no password")),
        ] {
            match (of(folder, endpoint).check(), wrong) {
                (Ok(()), None) => {}
                (Err(found), Some(wrong)) => assert!(found.contains(wrong), "{folder}: {found}"),
                other => panic!("{folder}, {endpoint}: {other:?}"),
            }
        }
        assert_eq!(of("s3://events/a/b/", "").bucket(), Ok(("events", "a/b")));
        let secret = PlaceSettings { secret_access_key: "hidden".to_owned(), ..of("s3://a", "") };
        assert!(!format!("{secret:?}").contains("hidden"));
        assert!(secret.check().is_err());
    }
}
