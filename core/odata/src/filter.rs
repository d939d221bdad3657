//! Predicates of `$filter`.

use crate::literal::string;

/// `NAME eq 'value'`.
#[must_use]
pub fn equals(name: &str, value: &str) -> String {
    format!("{name} eq {}", string(value))
}

/// The terms joined by `or`, in brackets where there are several; nothing for
/// none.
#[must_use]
pub fn any_of(terms: &[String]) -> String {
    match terms {
        [] => String::new(),
        [only] => only.clone(),
        several => format!("({})", several.join(" or ")),
    }
}

/// The terms joined by `and`, those that say nothing left out.
#[must_use]
pub fn all_of(terms: &[String]) -> String {
    let said: Vec<&str> =
        terms.iter().map(String::as_str).filter(|term| !term.is_empty()).collect();
    said.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_joined_and_bracketed() {
        let terms = [equals("A", "x'y"), equals("B", "2")];
        assert_eq!(any_of(&terms), "(A eq 'x''y' or B eq '2')");
        assert_eq!(any_of(&terms[..1]), "A eq 'x''y'");
        assert_eq!(
            all_of(&[terms[0].clone(), String::new(), any_of(&terms)]).matches(" and ").count(),
            1
        );
        assert_eq!(all_of(&[]), "");
    }
}
