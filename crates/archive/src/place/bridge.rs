//! A store as DataFusion reads it: it asks through the trait of an older release of the same library, which has no client that uses
//! our TLS. It reads; what would write or remove is refused.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion_object_store::path::Path;
use datafusion_object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store as newer;

/// A store of the newer release behind the trait of the older.
#[derive(Debug)]
pub(crate) struct Bridge(Arc<dyn newer::ObjectStore>);

impl Bridge {
    pub(super) fn new(store: Arc<dyn newer::ObjectStore>) -> Bridge {
        Bridge(store)
    }
}

impl fmt::Display for Bridge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

fn older(error: newer::Error) -> Error {
    match error {
        newer::Error::NotFound { path, source } => Error::NotFound { path, source },
        newer::Error::PermissionDenied { path, source } => Error::PermissionDenied { path, source },
        newer::Error::Unauthenticated { path, source } => Error::Unauthenticated { path, source },
        other => Error::Generic { store: "S3", source: other.into() },
    }
}

fn meta_of(location: Path, meta: newer::ObjectMeta) -> ObjectMeta {
    let newer::ObjectMeta { last_modified, size, e_tag, version, .. } = meta;
    ObjectMeta { location, last_modified, size, e_tag, version }
}

fn refused<T>() -> Result<T> {
    Err(Error::NotImplemented { operation: "writing".to_owned(), implementer: "hunts".to_owned() })
}

#[async_trait]
impl ObjectStore for Bridge {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let range = options.range.map(|range| match range {
            GetRange::Bounded(range) => newer::GetRange::Bounded(range),
            GetRange::Offset(from) => newer::GetRange::Offset(from),
            GetRange::Suffix(length) => newer::GetRange::Suffix(length),
        });
        let asked = newer::GetOptions {
            if_match: options.if_match,
            if_none_match: options.if_none_match,
            if_modified_since: options.if_modified_since,
            if_unmodified_since: options.if_unmodified_since,
            range,
            version: options.version,
            head: options.head,
            ..newer::GetOptions::default()
        };
        let wanted = newer::path::Path::parse(location.as_ref()).map_err(|error| older(error.into()))?;
        let answer = self.0.get_opts(&wanted, asked).await.map_err(older)?;
        let (meta, range) = (meta_of(location.clone(), answer.meta.clone()), answer.range.clone());
        let payload = GetResultPayload::Stream(answer.into_stream().map_err(older).boxed());
        Ok(GetResult { payload, meta, range, attributes: Attributes::default() })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        refused()
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        refused()
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::once(async { refused() }).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::once(async { refused() }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        refused()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        refused()
    }
}
