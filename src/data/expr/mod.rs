//! Expressions as a person types them: `credit_amount / duration_months`, `log(income)`,
//! `diff(price)`, `age > 30 and housing = "own"`.
//!
//! The language is polars' SQL with some kindness: names may stand in backticks or in another
//! case, `==` and `&&` are understood, text may stand in double quotes, `log(x)` is natural, and
//! `lag`, `lead` and `diff` follow the order of the file. A division by zero gives a missing value.

use polars::prelude::{DataType, Series};

use super::{Column, Error, ROW, Table, nearest, sql};
use crate::jobs::Ctx;

#[cfg(test)]
mod tests;

/// What is said beside an expression that cannot be understood.
const EXAMPLE: &str = "write for example `credit_amount / duration_months`, `log(income)` or `age > 30 and housing = 'own'`";

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A bare word: a name, a function or a keyword.
    Word(String),
    /// Within backticks or double quotes.
    Quoted(String, char),
    /// Text within single quotes, as it was written.
    Text(String),
    /// A number or a sign.
    Other(String),
}

/// Cuts a text into pieces; spaces and comments fall away.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    let chars: Vec<char> = text.chars().collect();
    let mut list = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let start = at;
        if c.is_whitespace() {
            at += 1;
        } else if matches!(c, '\'' | '"' | '`') {
            let mut inner = String::new();
            at += 1;
            loop {
                match chars.get(at) {
                    None => return Err(query(format!("a {c} is opened and never closed"))),
                    Some(d) if *d == c && chars.get(at + 1) == Some(&c) => {
                        inner.push(c);
                        at += 2;
                    }
                    Some(d) if *d == c => break,
                    Some(d) => {
                        inner.push(*d);
                        at += 1;
                    }
                }
            }
            at += 1;
            list.push(if c == '\'' { Token::Text(inner) } else { Token::Quoted(inner, c) });
        } else if c.is_ascii_digit()
            || (c == '.' && chars.get(at + 1).is_some_and(char::is_ascii_digit))
        {
            while at < chars.len() && (chars[at].is_alphanumeric() || chars[at] == '.') {
                let exponent =
                    matches!(chars[at], 'e' | 'E') && matches!(chars.get(at + 1), Some('+' | '-'));
                at += if exponent { 2 } else { 1 };
            }
            list.push(Token::Other(chars[start..at.min(chars.len())].iter().collect()));
        } else if c.is_alphabetic() || c == '_' {
            while at < chars.len() && (chars[at].is_alphanumeric() || chars[at] == '_') {
                at += 1;
            }
            list.push(Token::Word(chars[start..at].iter().collect()));
        } else {
            let pair: String = chars[at..(at + 2).min(chars.len())].iter().collect();
            let sign = match pair.as_str() {
                "--" => {
                    while at < chars.len() && chars[at] != '\n' {
                        at += 1;
                    }
                    continue;
                }
                "==" | "!=" | "<>" | "<=" | ">=" | "&&" | "||" | "::" => pair,
                _ => c.to_string(),
            };
            at += sign.chars().count();
            list.push(Token::Other(sign));
        }
    }
    Ok(list)
}

/// Tokens as text that polars reads.
pub(super) fn join(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        match token {
            Token::Word(word) => text.push_str(word),
            Token::Quoted(name, _) => text.extend(["\"", &name.replace('"', "\"\""), "\""]),
            Token::Text(inner) => text.extend(["'", &inner.replace('\'', "''"), "'"]),
            Token::Other(sign) => text.push_str(sign),
        }
        text.push(' ');
    }
    text
}

/// An expression that is understood, for one table.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    /// The expression as polars reads it.
    sql: String,
    /// The columns it mentions, in order of appearance.
    pub(super) columns: Vec<String>,
    /// Whether it draws on all rows, by an average or a sum.
    pub(super) uses_all_rows: bool,
}

/// Words that are no columns.
const KEYWORDS: &[&str] = &[
    "and",
    "or",
    "not",
    "in",
    "is",
    "null",
    "like",
    "ilike",
    "between",
    "case",
    "when",
    "then",
    "else",
    "end",
    "true",
    "false",
    "as",
    "cast",
    "over",
    "partition",
    "by",
    "order",
    "asc",
    "desc",
    "date",
    "timestamp",
    "interval",
    "distinct",
    "integer",
    "int",
    "bigint",
    "float",
    "double",
    "varchar",
    "text",
    "string",
    "boolean",
    "similar",
    "to",
    "regexp",
    "rlike",
    "div",
    "extract",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "quarter",
    "week",
    "doy",
    "dow",
    "from",
    "escape",
    "precision",
    "rows",
    "range",
    "unbounded",
    "preceding",
    "following",
    "current",
    "row",
];

/// Functions that mix rows.
const AGGREGATES: &[&str] = &[
    "avg",
    "sum",
    "min",
    "max",
    "median",
    "stddev",
    "std",
    "stdev",
    "variance",
    "var",
    "count",
    "first",
    "last",
    "corr",
    "covar",
    "total",
    "quantile_cont",
    "quantile_disc",
    "rank",
    "dense_rank",
    "mean",
];

/// Understands an expression over the columns of `table`.
pub(super) fn compile(table: &Table, text: &str) -> Result<Compiled, Error> {
    let list = tokens(text)?;
    if list.is_empty() {
        return Err(query("the expression is empty".to_owned()));
    }
    let mut depth = 0_usize;
    for token in &list {
        if is_sign(Some(token), "(") {
            depth += 1;
        } else if is_sign(Some(token), ")") {
            depth = depth
                .checked_sub(1)
                .ok_or_else(|| query("a parenthesis is closed that was never opened".to_owned()))?;
        }
    }
    if depth > 0 {
        return Err(query("a parenthesis is opened and never closed".to_owned()));
    }
    let mut compiled = Compiled { sql: String::new(), columns: Vec::new(), uses_all_rows: false };
    let mut named = Vec::with_capacity(list.len());
    for (i, token) in list.iter().enumerate() {
        let is_call = list.get(i + 1) == Some(&Token::Other("(".to_owned()));
        named.push(match token {
            Token::Word(word) => {
                let lower = word.to_lowercase();
                if let Some(column) = table.column(word).filter(|_| !is_call) {
                    column_token(column, &mut compiled.columns)?
                } else if is_call {
                    compiled.uses_all_rows |= AGGREGATES.contains(&lower.as_str());
                    token.clone()
                } else if let Some(column) =
                    alike(table, word).filter(|_| !KEYWORDS.contains(&lower.as_str()))
                {
                    column_token(column, &mut compiled.columns)?
                } else if KEYWORDS.contains(&lower.as_str()) {
                    token.clone()
                } else {
                    return Err(unknown(word, table));
                }
            }
            Token::Quoted(name, sign) => match table.column(name).or_else(|| alike(table, name)) {
                Some(column) => column_token(column, &mut compiled.columns)?,
                None if *sign == '"' => Token::Text(name.clone()),
                None => return Err(unknown(name, table)),
            },
            Token::Other(sign) if sign == "==" => Token::Other("=".to_owned()),
            Token::Other(sign) if sign == "&&" => Token::Word("AND".to_owned()),
            Token::Other(sign) if sign == ";" => {
                return Err(query("an expression holds no `;`".to_owned()));
            }
            other => other.clone(),
        });
    }
    compiled.sql = join(&calls(&named)?);
    Ok(compiled)
}

fn column_token(column: &Column, mentioned: &mut Vec<String>) -> Result<Token, Error> {
    if let Some(sort) = column.personal {
        return Err(Error::Query {
            what: format!(
                "`{}` holds personal data ({sort}) and is kept out of expressions",
                column.name
            ),
            hint: "declare the column not personal first, if that is wrong".to_owned(),
        });
    }
    if !mentioned.contains(&column.name) {
        mentioned.push(column.name.clone());
    }
    Ok(Token::Quoted(column.name.clone(), '"'))
}

/// The one column with this name in another case.
fn alike<'a>(table: &'a Table, name: &str) -> Option<&'a Column> {
    let lower = name.to_lowercase();
    let mut found = table.columns.iter().filter(|c| c.name.to_lowercase() == lower);
    found.next().filter(|_| found.next().is_none())
}

fn unknown(name: &str, table: &Table) -> Error {
    let names = table.columns.iter().map(|c| c.name.as_str());
    match nearest(name, names) {
        Some(near) => Error::NoColumn {
            name: name.to_owned(),
            hint: format!("did you mean `{near}`? {EXAMPLE}"),
        },
        None => Error::no_column(name, &table.columns),
    }
}

/// Rewrites the calls that polars writes differently.
fn calls(list: &[Token]) -> Result<Vec<Token>, Error> {
    let mut out = Vec::with_capacity(list.len());
    let mut at = 0;
    while at < list.len() {
        let name = match &list[at] {
            Token::Word(word) if is_sign(list.get(at + 1), "(") => word.to_lowercase(),
            other => {
                out.push(other.clone());
                at += 1;
                continue;
            }
        };
        let close = closing(list, at + 1)?;
        let args: Vec<Vec<Token>> =
            arguments(&list[at + 2..close]).into_iter().map(calls).collect::<Result<_, _>>()?;
        let over =
            matches!(list.get(close + 1), Some(Token::Word(w)) if w.eq_ignore_ascii_case("over"));
        let word = |text: &str| Token::Word(text.to_owned());
        match (name.as_str(), args.as_slice()) {
            ("log", [one]) => call(&mut out, "LN", std::slice::from_ref(one)),
            ("mean", args) => call(&mut out, "AVG", args),
            ("std", args) => call(&mut out, "STDDEV", args),
            ("missing", [one]) => {
                out.push(sign("("));
                out.extend(one.iter().cloned());
                out.extend([word("IS"), word("NULL"), sign(")")]);
            }
            ("lag" | "lead", args) if !over && matches!(args.len(), 1 | 2) => {
                call(&mut out, &name.to_uppercase(), args);
                out.extend(in_file_order());
            }
            ("diff", args) if matches!(args.len(), 1 | 2) => {
                out.extend([sign("("), sign("(")]);
                out.extend(args[0].iter().cloned());
                out.extend([sign(")"), sign("-")]);
                call(&mut out, "LAG", args);
                out.extend(in_file_order());
                out.push(sign(")"));
            }
            _ => call(&mut out, &name, &args),
        }
        at = close + 1;
    }
    Ok(out)
}

fn is_sign(token: Option<&Token>, wanted: &str) -> bool {
    matches!(token, Some(Token::Other(s)) if s == wanted)
}

fn sign(text: &str) -> Token {
    Token::Other(text.to_owned())
}

fn call(out: &mut Vec<Token>, name: &str, args: &[Vec<Token>]) {
    out.extend([Token::Word(name.to_owned()), sign("(")]);
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            out.push(sign(","));
        }
        out.extend(arg.iter().cloned());
    }
    out.push(sign(")"));
}

fn in_file_order() -> Vec<Token> {
    let mut list: Vec<Token> =
        ["OVER", "(", "ORDER", "BY"].iter().map(|w| Token::Word((*w).to_owned())).collect();
    list.extend([Token::Quoted(ROW.to_owned(), '"'), sign(")")]);
    list
}

/// Where the parenthesis that opens at `open` is closed.
fn closing(list: &[Token], open: usize) -> Result<usize, Error> {
    let mut depth = 0_usize;
    for (at, token) in list.iter().enumerate().skip(open) {
        if is_sign(Some(token), "(") {
            depth += 1;
        } else if is_sign(Some(token), ")") {
            depth -= 1;
            if depth == 0 {
                return Ok(at);
            }
        }
    }
    Err(query("a parenthesis is opened and never closed".to_owned()))
}

/// The parts between commas that stand in no parenthesis of their own.
fn arguments(list: &[Token]) -> Vec<&[Token]> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, token) in list.iter().enumerate() {
        match token {
            Token::Other(s) if s == "(" => depth += 1,
            Token::Other(s) if s == ")" => depth -= 1,
            Token::Other(s) if s == "," && depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < list.len() || !parts.is_empty() {
        parts.push(&list[start..]);
    }
    parts
}

/// The value of an expression in every row: infinite ones are missing, and so are the special
/// codes of the columns that it mentions.
pub(super) fn evaluate(table: &Table, expr: &Compiled, ctx: &Ctx) -> Result<Series, Error> {
    let frame =
        table.frame.select(expr.columns.iter().map(String::as_str).chain(std::iter::once(ROW)))?;
    let frame = sql::without_special_codes(table, frame)?;
    let text = format!("SELECT {} AS __value, \"{ROW}\" FROM data", expr.sql);
    let result = sql::run(&frame, &text, ctx).map_err(|err| explain(&err))?;
    let series = result.column("__value")?.as_materialized_series().clone();
    if series.len() != table.n_rows() {
        return Err(query("the expression does not give one value for each row".to_owned()));
    }
    Ok(if series.dtype().is_float() { finite(&series)? } else { series })
}

/// Infinite and undefined values become missing ones.
fn finite(series: &Series) -> Result<Series, Error> {
    let values = series.cast(&DataType::Float64)?;
    let values = values.f64()?.iter().map(|v| v.filter(|v| v.is_finite()));
    let mut finite: polars::prelude::Float64Chunked = values.collect();
    finite.rename(series.name().clone());
    Ok(polars::prelude::IntoSeries::into_series(finite))
}

fn query(what: String) -> Error {
    Error::Query { what, hint: EXAMPLE.to_owned() }
}

fn explain(err: &Error) -> Error {
    match err {
        Error::Query { what, .. } => query(what.clone()),
        other => query(other.to_string().lines().next().unwrap_or_default().to_owned()),
    }
}
