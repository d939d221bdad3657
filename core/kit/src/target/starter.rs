//! What a new user begins with before there is a tenant: a commented target
//! that fits its sandbox.

/// The starting point of a target. `init` writes it, and `demo` runs on it.
#[derive(Debug, Clone, Copy)]
pub struct Starter {
    /// YAML of one target as it stands below `targets:`, with comments: the
    /// line of its name, indented by two, and everything below it. Its sandbox
    /// listens where `host` says. `${file:secrets/sandbox-password}` is there.
    pub section: &'static str,
    /// What another environment changes of it, as a YAML map in one line.
    pub qa: &'static str,
    /// Other files that the section names: path beside the configuration, and text.
    pub files: &'static [(&'static str, &'static str)],
}

impl Starter {
    /// The name that the target has in the section.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.section.lines().next().unwrap_or_default().trim().trim_end_matches(':')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_the_target() {
        let starter = Starter { section: "  erp:\n    scope: base\n", qa: "{}", files: &[] };
        assert_eq!(starter.name(), "erp");
    }
}
