//! A llama.cpp server, or another that speaks the same OpenAI-compatible API. It is asked to reword facts, nothing
//! else. Its time is bounded here: the server's own limits are hours.

use std::time::Duration;

use event::FactSheet;
use event::summary::Fact;
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spans::TracePoint;
use zeroize::Zeroizing;

use crate::grammar::{FACTS_MAX, grammar};
use crate::verify::Answer;

/// Changes whenever the prompt or the schema does: summaries are cached by it.
pub(crate) const PROMPT_VERSION: &str = "2";
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Tokens that the answer may have.
const TOKENS_MAX: u32 = 400;
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
const INSTRUCTIONS: &str = "You reword facts about a security incident for an analyst. Say only what the facts say. Keep \
placeholders in braces, such as {ip1}, exactly as they are. Use the numbers of the facts and no others. Do not guess causes, \
intentions or results. For each sentence list the ids of the facts that it rests on.";

/// Where the model is.
#[derive(Clone, Debug)]
pub struct LlmOptions {
    /// Such as `http://127.0.0.1:8000`.
    pub url: String,
    /// Name of the model, as the server knows it.
    pub model: String,
    /// Sent as a bearer token. Overwritten when it is let go.
    pub api_key: Option<Zeroizing<String>>,
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// How the answer is held to its shape.
    pub constrain: Constrain,
}

/// How the server is told what an answer looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Constrain {
    /// By a grammar (GBNF): llama.cpp.
    #[default]
    Grammar,
    /// By a JSON schema: servers that know no grammars.
    Schema,
}

/// A model server with an OpenAI-compatible interface. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Llm {
    client: reqwest::Client,
    options: LlmOptions,
}

/// Why there is no answer. Causes are part of the message, not the error's source.
#[derive(Debug, thiserror::Error)]
pub enum LlmError {
    /// No connection, or none that lasted until the answer was there.
    #[error("the model server does not answer: {0}")]
    Down(reqwest::Error),
    /// HTTP 503: to be asked again soon.
    #[error("the model is being loaded")]
    Loading,
    /// Any other status that is no success.
    #[error("the model server refuses the request ({0}): check its key and its settings")]
    Refused(StatusCode),
    /// An answer that cannot be used.
    #[error("the answer is not what was asked for: {0}")]
    Wrong(BadAnswer),
}

/// What is wrong with an answer of the model server. The cause is part of the message, not the error's source.
#[derive(Debug, thiserror::Error)]
pub enum BadAnswer {
    /// It is longer than any answer that was asked for.
    #[error("more than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    /// It is no JSON, or has another shape.
    #[error("{0}")]
    Json(serde_json::Error),
    /// It holds no text of the model.
    #[error("no message in it")]
    NoMessage,
}

impl LlmError {
    /// For metrics.
    pub fn name(&self) -> &'static str {
        match self {
            LlmError::Down(_) => "down",
            LlmError::Loading => "loading",
            LlmError::Refused(_) => "refused",
            LlmError::Wrong(_) => "wrong",
        }
    }
}

impl Llm {
    /// Makes the client; nothing is sent. Errors: the HTTP client cannot be made.
    pub fn new(options: LlmOptions) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(options.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Llm { client, options })
    }

    /// Name of the model.
    pub fn model(&self) -> &str {
        &self.options.model
    }

    /// Whether it could answer now.
    pub async fn health(&self) -> Result<(), LlmError> {
        let url = format!("{}/health", self.options.url.trim_end_matches('/'));
        let sent = self.client.get(url).timeout(Duration::from_secs(2)).send().await;
        match sent.map_err(LlmError::Down)?.status() {
            status if status.is_success() => Ok(()),
            StatusCode::SERVICE_UNAVAILABLE => Err(LlmError::Loading),
            status => Err(LlmError::Refused(status)),
        }
    }

    /// The facts in other words, not yet verified.
    /// The server is told of `place`, the span that waits for it.
    pub(crate) async fn reword(
        &self,
        sheet: &FactSheet,
        attempt: u64,
        place: Option<&TracePoint>,
    ) -> Result<Answer, LlmError> {
        let url = format!("{}/v1/chat/completions", self.options.url.trim_end_matches('/'));
        let mut request = self.client.post(url).json(&self.question(sheet, attempt));
        if let Some(key) = &self.options.api_key {
            request = request.bearer_auth(key.as_str());
        }
        if let Some(place) = place {
            request = request.header(spans::TRACEPARENT, place.traceparent());
        }
        let mut answer = request.send().await.map_err(LlmError::Down)?;
        match answer.status() {
            status if status.is_success() => {}
            StatusCode::SERVICE_UNAVAILABLE => return Err(LlmError::Loading),
            status => return Err(LlmError::Refused(status)),
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(LlmError::Down)? {
            body.extend_from_slice(&part);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(LlmError::Wrong(BadAnswer::TooLong));
            }
        }
        let wrong = |error| LlmError::Wrong(BadAnswer::Json(error));
        let envelope: Value = serde_json::from_slice(&body).map_err(wrong)?;
        let content = envelope["choices"][0]["message"]["content"].as_str();
        let content = content.ok_or_else(|| LlmError::Wrong(BadAnswer::NoMessage))?;
        serde_json::from_str(content).map_err(wrong)
    }

    fn question(&self, sheet: &FactSheet, attempt: u64) -> Value {
        let facts: Vec<_> = sheet.facts.iter().take(FACTS_MAX).collect();
        let listed: Vec<String> = facts.iter().map(|fact| format!("{}: {}.", fact.id, fact.text)).collect();
        let mut question = json!({
            "model": self.options.model,
            "messages": [
                {"role": "system", "content": INSTRUCTIONS},
                {"role": "user", "content": format!("Facts:\n{}\n\nWrite a headline and one sentence for each fact.", listed.join("\n"))},
            ],
            // With equal parameters the model repeats the answer that failed: each attempt has another seed and temperature.
            "temperature": 0.4 * attempt.min(2) as f64, "seed": attempt + 1,
            "max_tokens": TOKENS_MAX, "cache_prompt": true, "stream": false,
        });
        match self.options.constrain {
            Constrain::Grammar => question["grammar"] = grammar(sheet).into(),
            Constrain::Schema => question["response_format"] = json!({"type": "json_object", "schema": schema(&facts)}),
        }
        question
    }
}

fn schema(facts: &[&Fact]) -> Value {
    let ids: Vec<&str> = facts.iter().map(|fact| fact.id.as_str()).collect();
    json!({
            "type": "object",
            "properties": {
                "headline": {"type": "string", "maxLength": 160},
                "sentences": {
                    "type": "array", "minItems": 1, "maxItems": FACTS_MAX,
                    "items": {
                        "type": "object",
                        "properties": {
                            "text": {"type": "string", "maxLength": 300},
                            "facts": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string", "enum": ids}},
                        },
                        "required": ["text", "facts"], "additionalProperties": false,
                    },
                },
            },
            "required": ["headline", "sentences"], "additionalProperties": false,
    })
}
