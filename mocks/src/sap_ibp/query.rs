//! System query options and function parameters.

use super::wire::Refusal;

/// The query part of a request, decoded.
#[derive(Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(super) fn parse(text: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(text.unwrap_or_default().as_bytes());
        Self { pairs: pairs.into_owned().collect() }
    }

    /// A query option as it is.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A string parameter of a function import: a literal in quotes.
    pub(super) fn literal(&self, name: &str) -> Result<String, Refusal> {
        let value = self
            .get(name)
            .ok_or_else(|| Refusal::missing(format!("Function parameter {name} is missing")))?;
        let inner = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        inner.map(|text| text.replace("''", "'")).ok_or_else(|| {
            Refusal::missing(format!("Function parameter {name} is no string literal"))
        })
    }

    /// The first parameter of a function import that is none of `declared`. System
    /// options begin with `$`, those of the platform with `sap-`.
    pub(super) fn undeclared(&self, declared: &[&str]) -> Option<&str> {
        let names = self.pairs.iter().map(|(name, _)| name.as_str());
        let system = |name: &str| name.starts_with('$') || name.starts_with("sap-");
        names.into_iter().find(|name| !system(name) && !declared.contains(name))
    }

    /// A number such as `$top`.
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        self.get(name)
            .map(|text| {
                text.parse().map_err(|_| Refusal::bad(format!("Invalid value '{text}' for {name}")))
            })
            .transpose()
    }

    /// A comma list such as `$select`.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let text = self.get(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
    }

    /// The navigation property that is expanded, if one is: `nav`, where it `may`.
    pub(super) fn expands<'n>(&self, nav: &'n str, may: bool) -> Result<Option<&'n str>, Refusal> {
        match self.get("$expand") {
            None => Ok(None),
            Some(name) if name == nav && may => Ok(Some(nav)),
            Some(name) => Err(Refusal::bad(format!("Invalid $expand '{name}'"))),
        }
    }

    /// Whether all results are to be counted.
    pub(super) fn counts(&self) -> bool {
        self.get("$inlinecount") == Some("allpages")
    }
}

/// Cuts one page out of `items`.
pub(super) fn page<T>(items: Vec<T>, query: &Query) -> Result<Vec<T>, Refusal> {
    let skip = query.number("$skip")?.unwrap_or(0);
    let top = query.number("$top")?.unwrap_or(usize::MAX);
    Ok(items.into_iter().skip(skip).take(top).collect())
}

/// Parses `$orderby`: names with `asc` or `desc`.
pub(super) fn orderby<'a>(query: &'a Query) -> Result<Vec<(&'a str, bool)>, Refusal> {
    let parse = |part: &'a str| match part.split_once(' ') {
        None => Ok((part, false)),
        Some((name, order)) if order.trim() == "asc" => Ok((name, false)),
        Some((name, order)) if order.trim() == "desc" => Ok((name, true)),
        Some(_) => Err(Refusal::bad(format!("Invalid $orderby '{part}'"))),
    };
    query.list("$orderby").into_iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_need_quotes_and_double_theirs() {
        let query = Query::parse(Some("A=%27it%27%27s%27&B=bare"));
        assert_eq!(query.literal("A").unwrap(), "it's");
        assert_eq!(query.literal("B").unwrap_err().status, 404);
        assert_eq!(query.literal("C").unwrap_err().status, 404);
    }

    #[test]
    fn pages_and_orders() {
        let query = Query::parse(Some("$skip=1&$top=2&$orderby=A%20desc,B"));
        assert_eq!(page(vec![1, 2, 3, 4], &query).unwrap(), [2, 3]);
        assert_eq!(orderby(&query).unwrap(), [("A", true), ("B", false)]);
        assert!(Query::parse(Some("$top=x")).number("$top").is_err());
        assert!(orderby(&Query::parse(Some("$orderby=A%20up"))).is_err());
    }
}
