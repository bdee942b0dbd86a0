//! A bucket of an S3-compatible store as a place. The store keeps an object whole or not at all, and checks its sum; requests that
//! fail are made again, a bounded number of times for a bounded time. Keys and tokens are in no message.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use event::Timestamp;
use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum, S3ConditionalPut};
use object_store::path::Path as ObjectPath;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
    RetryConfig,
};
use tokio::runtime::Handle;

use super::bridge::Bridge;
use super::counted::CountedConnector;
use super::found::FoundFile;
use super::settings::PlaceSettings;
use crate::error::ArchiveError;

/// Longest wait for a connection, and for one request with its answer.
const CONNECT_MAX: Duration = Duration::from_secs(5);
const REQUEST_MAX: Duration = Duration::from_secs(60);

/// How often a request is made again, and for how long: whoever waits then tells of it, and tries anew.
const RETRIES_MAX: usize = 6;
const RETRY_MAX: Duration = Duration::from_secs(15);

/// Pauses between tries: they double from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// A bucket, and the prefix below which the archive lies.
#[derive(Debug)]
pub struct Bucket {
    /// `s3://BUCKET`.
    root: String,
    /// Without slashes at its ends; may be empty.
    prefix: String,
    store: Arc<dyn ObjectStore>,
    runtime: Handle,
}

impl Bucket {
    pub(super) fn open(settings: &PlaceSettings, runtime: Handle) -> Result<Bucket, ArchiveError> {
        settings.check().map_err(ArchiveError::Settings)?;
        let (bucket, prefix) = settings.bucket().map_err(ArchiveError::Settings)?;
        let failed = |error| ArchiveError::away("use", &settings.folder, error);
        // Variables and roles that every tool of this kind knows; settings go before them.
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_retry(retries())
            .with_http_connector(CountedConnector::new(runtime.clone()))
            .with_checksum_algorithm(Checksum::SHA256)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_disable_bulk_delete(true)
            .with_client_options(client(settings)?);
        for (key, value) in [
            (AmazonS3ConfigKey::Endpoint, settings.endpoint.trim_end_matches('/')),
            (AmazonS3ConfigKey::Region, &settings.region),
            (AmazonS3ConfigKey::AccessKeyId, &settings.access_key_id),
            (AmazonS3ConfigKey::SecretAccessKey, &settings.secret_access_key),
            (AmazonS3ConfigKey::Token, &settings.session_token),
        ] {
            if !value.is_empty() {
                builder = builder.with_config(key, value);
            }
        }
        // Amazon's own endpoint has the bucket in the name of its host; others know it by the path.
        let is_amazon = builder.get_config_value(&AmazonS3ConfigKey::Endpoint).is_none();
        let builder = builder.with_virtual_hosted_style_request(is_amazon);
        let store = Arc::new(builder.build().map_err(failed)?);
        Ok(Bucket { root: format!("s3://{bucket}"), prefix: prefix.to_owned(), store, runtime })
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// `s3://BUCKET/PREFIX`.
    pub(super) fn address(&self) -> String {
        if self.prefix.is_empty() { self.root.clone() } else { format!("{}/{}", self.root, self.prefix) }
    }

    /// The bucket as DataFusion reads it.
    pub(super) fn bridge(&self) -> Arc<Bridge> {
        Arc::new(Bridge::new(Arc::clone(&self.store)))
    }

    fn location(&self, below: &str) -> ObjectPath {
        match self.prefix.as_str() {
            "" => ObjectPath::from(below),
            prefix => ObjectPath::from(format!("{prefix}/{below}")),
        }
    }

    /// Asks, and asks again where an answer was lost or cut: the client itself does so only where it knows that a request does
    /// no harm when it is done twice, as all of ours do none.
    fn ask<T, F: Future<Output = Result<T, Error>>>(&self, mut request: impl FnMut() -> F) -> Result<T, Error> {
        let (started, mut pause) = (Instant::now(), PAUSES.0);
        loop {
            match self.runtime.block_on(request()) {
                Err(Error::Generic { .. }) if started.elapsed() + pause < RETRY_MAX => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(PAUSES.1);
                }
                answer => return answer,
            }
        }
    }

    fn failed(&self, what: &'static str, below: &str) -> impl Fn(Error) -> ArchiveError + use<> {
        let place = format!("{}/{below}", self.address());
        move |error| ArchiveError::away(what, &place, error)
    }

    pub(super) fn put(&self, below: &str, bytes: Vec<u8>) -> Result<(), ArchiveError> {
        let location = self.location(below);
        let payload = PutPayload::from(bytes);
        self.ask(|| self.store.put(&location, payload.clone())).map(drop).map_err(self.failed("write", below))
    }

    pub(super) fn put_first(&self, below: &str, bytes: &[u8]) -> Result<bool, ArchiveError> {
        let location = self.location(below);
        let payload = PutPayload::from(bytes.to_vec());
        let first = || PutOptions::from(PutMode::Create);
        match self.ask(|| self.store.put_opts(&location, payload.clone(), first())) {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
            // A store that knows no conditions: the caller reads what is there in the end.
            Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => {
                self.put(below, bytes.to_vec()).map(|()| true)
            }
            Err(error) => Err(self.failed("write", below)(error)),
        }
    }

    pub(super) fn get(&self, below: &str) -> Result<Option<Bytes>, ArchiveError> {
        let location = self.location(below);
        let fetched = self.ask(|| async { self.store.get(&location).await?.bytes().await });
        match fetched {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("read", below)(error)),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<FoundFile>, ArchiveError> {
        let prefix = (!self.prefix.is_empty()).then(|| ObjectPath::from(self.prefix.as_str()));
        let all = self.ask(|| self.store.list(prefix.as_ref()).try_collect::<Vec<_>>());
        let all = all.map_err(self.failed("list the files of", ""))?;
        let found = |object: object_store::ObjectMeta| {
            let below = object.location.as_ref().strip_prefix(self.prefix.as_str())?.trim_start_matches('/');
            Some(FoundFile { path: below.to_owned(), written_at: Timestamp(object.last_modified.timestamp_micros()) })
        };
        Ok(all.into_iter().filter_map(found).collect())
    }

    pub(super) fn remove(&self, paths: &[String]) -> Result<(), ArchiveError> {
        for path in paths {
            let location = self.location(path);
            match self.ask(|| self.store.delete(&location)) {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(self.failed("remove", path)(error)),
            }
        }
        Ok(())
    }
}

fn retries() -> RetryConfig {
    let (init_backoff, max_backoff) = PAUSES;
    RetryConfig {
        backoff: BackoffConfig { init_backoff, max_backoff, base: 2.0 },
        max_retries: RETRIES_MAX,
        retry_timeout: RETRY_MAX,
    }
}

fn client(settings: &PlaceSettings) -> Result<ClientOptions, ArchiveError> {
    let mut options = ClientOptions::new()
        .with_connect_timeout(CONNECT_MAX)
        .with_timeout(REQUEST_MAX)
        .with_allow_http(settings.allow_http);
    if settings.ca_file.as_os_str().is_empty() {
        return Ok(options);
    }
    let path = &settings.ca_file;
    let pem = std::fs::read(path).map_err(|error| ArchiveError::io("read the certificates", path, error))?;
    let failed = |error| ArchiveError::away("read the certificates", &path.display().to_string(), error);
    for certificate in Certificate::from_pem_bundle(&pem).map_err(failed)? {
        options = options.with_root_certificate(certificate);
    }
    Ok(options)
}
