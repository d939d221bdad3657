//! What to do about an agreement that does not let a target be written.

pub(super) const READ: &str = "let this user read the file beside the agreement's; where it is damaged, remove \
    it, and let somebody probe and enable anew";
pub(super) const ABSENT: &str = "put the file there that `planthread agreement sign` wrote, and let this user \
    read it, or correct `agreement.file`";
pub(super) const DAMAGED: &str = "put the file there again as `planthread agreement sign` wrote it; what can't \
    be read as an agreement can't be signed, either";
pub(super) const UNSIGNED: &str = "let the integration lead sign it, and name the signed file: `planthread \
    agreement sign DRAFT --key KEY --output FILE`";
pub(super) const STRANGER: &str = "name the public half of the signer's key under `agreement.trusts`, or let \
    somebody sign it whose key stands there";
pub(super) const ALTERED: &str = "put the file back as it was signed, or let the integration lead sign what it \
    says now: `planthread agreement sign`";
pub(super) const RENEW: &str = "let the integration lead state a later `approved.expires` and sign it again: \
    `planthread agreement sign`";
pub(super) const AGAIN: &str = "find out what the target makes of our writes; then prove it anew: `planthread \
    agreement probe --who YOU`";
pub(super) const CORRECT: &str =
    "correct it; then let it be signed again: `planthread agreement sign`";
pub(super) const OWN_KEY: &str = "sign it with a key of your own: `planthread agreement key`, then \
    `planthread agreement sign`";
