//! `lexiform serve`: search a library in the browser, and over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use clap::Args;
use lexiform_search::{Library, UpRule};
use lexiform_server::{Service, Surface, TextBatcher};

use crate::access::{AccessArgs, listen};
use crate::error::Outcome;
use crate::jobs::JobsArg;
use crate::models::ModelArg;
use crate::output;
use crate::place::Place;
use crate::up_axis::UpArg;
use crate::updated_library::UpdatedLibrary;

/// Serve a folder of 3D files: a page to search it in the browser, and an HTTP API
///
/// A folder without a library is indexed first, and later updated at each start. Only this machine can reach the server, unless
/// --listen names another address, which needs a --token or --tokens. Language models find their tools at /mcp.
#[derive(Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    library: ServedLibrary,
    /// Address and port; port 0 for any that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    #[command(flatten)]
    access: AccessArgs,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
}

/// The library that is served, and how it is opened.
#[derive(Args)]
pub(crate) struct ServedLibrary {
    /// Folder of 3D files, data set, or library made by `lexiform index`
    #[arg(value_name = "FOLDER|LIBRARY")]
    target: PathBuf,
    /// Start without updating the library
    #[arg(long)]
    no_update: bool,
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    up_arg: UpArg,
    #[command(flatten)]
    jobs: JobsArg,
}

impl ServeArgs {
    /// Opens the library and serves it until the process is interrupted.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let options = self.access.options(self.listen, Surface::All)?;
        let (server, url) = listen(self.library.open()?, &options)?;
        // Standard output, where scripts find the port.
        output::line(&url)?;
        output::note("press Ctrl-C to stop");
        if self.open {
            open_in_browser(&url);
        }
        server.run()?;
        Ok(Outcome::Done)
    }
}

impl ServedLibrary {
    /// Opens the library, up to date with its files, and leaves it to others to write.
    pub(crate) fn open(&self) -> anyhow::Result<Service> {
        let place = Place::of(&self.target)?;
        if !self.no_update {
            Library::migrate(&place.library)?;
        }
        let model = self.model.names_for(&place.library)?.swap_remove(0);
        let texts = Arc::new(TextBatcher::start(self.model.open_args.for_answers().open(&model, None)?)?);
        let library = match place.is_fixed(self.no_update) {
            true => Library::open_for_reading(place.library.clone(), texts.clone())?,
            false => {
                let (up, jobs): (Option<UpRule>, usize) = (self.up_arg.up, self.jobs.count());
                UpdatedLibrary { place: &place, model: &model, up, jobs, keeps_lock: false }
                    .open(texts.clone())?
            }
        };
        Ok(Service::new(library, &texts, place.within))
    }
}

/// Asks the desktop to open the page. On a machine without one, the address has been printed.
fn open_in_browser(url: &str) {
    let (program, arguments) = match std::env::consts::OS {
        "macos" => ("open", &[][..]),
        "windows" => ("cmd", &["/C", "start", ""][..]),
        _ => ("xdg-open", &[][..]),
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        output::note(format!("note: cannot open the browser: {program}: {error}"));
    }
}
