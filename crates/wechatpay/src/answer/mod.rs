//! WeChat Pay's answers to requests: verified before they are read, errors with a hint.

/// A verified answer that is not what WeChat Pay documents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The body is not the JSON that belongs to the call. The source quotes nothing of it.
    #[error("the answer is not what WeChat Pay documents for this call: {0}")]
    Malformed(#[source] serde_json::Error),
}
