//! Keys and words of the notes that an attempt keeps.

/// Key: the transaction's id.
pub(crate) const TRANSACTION: &str = "transaction";
/// Key: how far the attempt came.
pub(crate) const STAGE: &str = "stage";
/// Key: when the commit was about to be sent.
pub(crate) const COMMIT_AT: &str = "commit_at";
/// Rows are being staged; nothing can take effect.
pub(crate) const STAGING: &str = "staging";
/// The commit was about to be sent; its fate is unknown.
pub(crate) const COMMITTING: &str = "committing";
/// The service took the commit.
pub(crate) const COMMITTED: &str = "committed";
