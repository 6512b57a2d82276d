//! `lexiform token`: tokens for the people and programs that use a server.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand, ValueEnum};
use lexiform_server::{NewToken, Scope, StoredToken, add_token, read_tokens, remove_token};
use serde::Serialize;

use crate::error::{Outcome, UsageError, WithHint as _};
use crate::output;

/// 9999-01-01 in seconds since 1970: times are written with four digits of the year.
const LAST_SECOND: u64 = 253_370_764_800;

/// Add, list and remove tokens for `lexiform serve --tokens`
#[derive(Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Add(AddArgs),
    List(ListArgs),
    Remove(RemoveArgs),
}

/// Make a token and print it, once: the file has only its hash
#[derive(Args)]
struct AddArgs {
    /// Name of who gets it, for lists and logs
    name: String,
    /// What it permits: to search and download, or to change the library as well
    #[arg(long, value_enum, default_value = "read")]
    scope: ScopeArg,
    /// Time until it ends, such as 12h, 30d or 1y [default: it does not]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    expires: Option<Duration>,
    #[command(flatten)]
    file: FileArg,
}

/// List the tokens: names, scopes and times
#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    file: FileArg,
    /// Print a JSON object per line
    #[arg(long)]
    json: bool,
}

/// Remove a token; running servers refuse it at once
#[derive(Args)]
struct RemoveArgs {
    /// Name of the token
    name: String,
    #[command(flatten)]
    file: FileArg,
}

#[derive(Args)]
struct FileArg {
    /// File of tokens [default: lexiform/tokens.json in the folder for configuration]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScopeArg {
    Read,
    Write,
}

/// A token as `token list --json` prints it.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    scope: Scope,
    created: String,
    expires: Option<String>,
    expired: bool,
}

impl TokenArgs {
    /// Runs the subcommand.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.action {
            Action::Add(args) => args.run(),
            Action::List(args) => args.run(),
            Action::Remove(args) => args.run(),
        }
    }
}

impl AddArgs {
    fn run(self) -> anyhow::Result<Outcome> {
        let path = self.file.path()?;
        let scope = match self.scope {
            ScopeArg::Read => Scope::Read,
            ScopeArg::Write => Scope::Write,
        };
        let now = SystemTime::now();
        let too_late = || UsageError("--expires: expected a time before the year 9999".to_owned());
        let is_early = |end: &SystemTime| {
            end.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.as_secs() < LAST_SECOND)
        };
        let expires = match self.expires {
            Some(time) => Some(now.checked_add(time).filter(is_early).ok_or_else(too_late)?),
            None => None,
        };
        let new = NewToken { name: self.name, scope, expires };
        let token = add_token(&path, new, now)?;
        output::line(token)?;
        output::note(format!(
            "note: this token is shown once; use it with `lexiform serve … --tokens {}`",
            path.display()
        ));
        Ok(Outcome::Done)
    }
}

impl ListArgs {
    fn run(self) -> anyhow::Result<Outcome> {
        let now = SystemTime::now();
        for token in read_tokens(&self.file.path()?)? {
            match self.json {
                true => output::json(&Row::of(&token, now))?,
                false => output::line(text(&Row::of(&token, now)))?,
            }
        }
        Ok(Outcome::Done)
    }
}

impl<'a> Row<'a> {
    fn of(token: &'a StoredToken, now: SystemTime) -> Self {
        let time = |time| humantime::format_rfc3339_seconds(time).to_string();
        Self {
            name: &token.name,
            scope: token.scope,
            created: time(token.created),
            expires: token.expires.map(time),
            expired: token.is_expired(now),
        }
    }
}

fn text(Row { name, scope, created, expires, expired }: &Row<'_>) -> String {
    let end = match (expires, expired) {
        (None, _) => "does not expire".to_owned(),
        (Some(time), false) => format!("expires {time}"),
        (Some(time), true) => format!("expired {time}"),
    };
    format!("{name}  {}  created {created}  {end}", scope.name())
}

impl RemoveArgs {
    fn run(self) -> anyhow::Result<Outcome> {
        remove_token(&self.file.path()?, &self.name)?;
        Ok(Outcome::Done)
    }
}

impl FileArg {
    /// The file, or the one in the user's folder for configuration.
    fn path(&self) -> anyhow::Result<PathBuf> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = || match cfg!(windows) {
            true => variable("APPDATA"),
            // XDG Base Directory Specification; relative paths are invalid there.
            false => variable("XDG_CONFIG_HOME")
                .filter(|path| path.is_absolute())
                .or_else(|| Some(variable("HOME")?.join(".config"))),
        };
        let given = self.file.clone().or_else(|| Some(folder()?.join("lexiform/tokens.json")));
        let unknown = UsageError("the folder for configuration is not known: HOME is not set".to_owned());
        given.ok_or(unknown).hint("name the file: `--file tokens.json`")
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let invalid = || format!("expected a time such as 12h, 30d or 1y, found {text:?}");
    humantime::parse_duration(text).ok().filter(|time| !time.is_zero()).ok_or_else(invalid)
}
