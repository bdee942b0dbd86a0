//! Requests to a store, counted by what came of them: those that fail are made again by the client above. Changes no request.

use async_trait::async_trait;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, SpawnedReqwestConnector,
};
use tokio::runtime::Handle;

/// Makes clients whose requests are counted, and run on one runtime.
#[derive(Debug)]
pub(super) struct CountedConnector(SpawnedReqwestConnector);

impl CountedConnector {
    pub(super) fn new(runtime: Handle) -> Self {
        CountedConnector(SpawnedReqwestConnector::new(runtime))
    }
}

impl HttpConnector for CountedConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Counted(self.0.connect(options)?)))
    }
}

#[derive(Debug)]
struct Counted(HttpClient);

#[async_trait]
impl HttpService for Counted {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.0.execute(request).await;
        let outcome = match &answer {
            Ok(answer) => outcome(answer.status().as_u16()),
            Err(_) => "unreachable",
        };
        metrics::counter!("archive_store_requests_total", "outcome" => outcome).increment(1);
        answer
    }
}

/// `busy` and `unreachable` are tried again.
fn outcome(status: u16) -> &'static str {
    match status {
        408 | 429 | 500.. => "busy",
        404 => "missing",
        400.. => "refused",
        _ => "done",
    }
}

#[cfg(test)]
mod tests {
    use super::outcome;

    #[test]
    fn answers_are_told_apart() {
        let all = [200, 206, 404, 403, 429, 503].map(outcome);
        assert_eq!(all, ["done", "done", "missing", "refused", "busy", "busy"]);
    }
}
