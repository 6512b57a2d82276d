//! The `lexiform` command: search, classify, compare and describe 3D shapes by text and images; train and measure the models.
//!
//! [`run`] is the whole command, for programs that have it built in, such as the Python package.

mod access;
mod classifier;
mod commands;
mod display_path;
mod embed_inputs;
mod embedding_captioner;
mod embedding_output;
mod embedding_sources;
mod error;
mod indexing;
mod input;
mod jobs;
mod line_editor;
mod models;
mod mpi_job;
mod output;
mod output_file;
mod path_groups;
mod place;
mod point_language_model;
mod progress;
mod prompt;
mod scene_file;
mod sheet_labels;
mod similarity;
mod software_mark;
mod unknown_argument;
mod up_axis;
mod updated_library;
mod view_captioner;

use std::ffi::OsString;

use clap::{CommandFactory as _, Parser, Subcommand};

use error::{Outcome, UsageError};
pub use error::{error_hint, error_message};
use lexiform_model::SimdLimit;

/// Search, classify and compare 3D shapes by text, image or shape
#[derive(Parser)]
#[command(name = "lexiform", version, propagate_version = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  lexiform search models/ \"a chair with armrests\"
  lexiform search models/ --image photo.jpg --not \"metal\" --sheet answers.png
  lexiform classify lamp.glb --labels lamp,chair,table
  lexiform render lamp.glb -o views/ --sheet";

#[derive(Subcommand)]
enum Command {
    Search(commands::search::SearchArgs),
    Index(commands::index::IndexArgs),
    Serve(commands::serve::ServeArgs),
    Token(commands::token::TokenArgs),
    Mcp(commands::mcp::McpArgs),
    Classify(commands::classify::ClassifyArgs),
    Caption(commands::caption::CaptionArgs),
    Ask(commands::ask::AskArgs),
    Embed(commands::embed::EmbedArgs),
    Scene(commands::scene::SceneArgs),
    Compare(commands::compare::CompareArgs),
    Duplicates(commands::duplicates::DuplicatesArgs),
    Render(commands::render::RenderArgs),
    Sample(commands::sample::SampleArgs),
    Convert(commands::convert::ConvertArgs),
    Info(commands::info::InfoArgs),
    Model(commands::model::ModelArgs),
    Data(commands::data::DataArgs),
    Train(commands::train::TrainArgs),
    Eval(commands::eval::EvalArgs),
    Completions(commands::completions::CompletionsArgs),
    Man(commands::man::ManArgs),
}

/// Runs the command with arguments, the first of which is the name of the program, and returns its exit code: 0 success, 1 failure, 2
/// wrong usage, 141 broken pipe. Help and errors in the arguments end the process.
///
/// The hook for panics is replaced, so that one is reported as an internal error.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    error::run_to_exit_code(|| run_command(&arguments))
}

fn run_command(arguments: &[OsString]) -> anyhow::Result<Outcome> {
    let cli = Cli::try_parse_from(arguments)
        .unwrap_or_else(|error| unknown_argument::with_reference_name(error).exit());
    SimdLimit::from_environment().map_err(|error| UsageError(error.to_string()))?;
    match cli.command {
        Command::Search(args) => args.run(),
        Command::Index(args) => args.run(),
        Command::Serve(args) => args.run(),
        Command::Token(args) => args.run(),
        Command::Mcp(args) => args.run(),
        Command::Classify(args) => args.run(),
        Command::Caption(args) => args.run(),
        Command::Ask(args) => args.run(),
        Command::Embed(args) => args.run(),
        Command::Scene(args) => args.run(),
        Command::Compare(args) => args.run(),
        Command::Duplicates(args) => args.run(),
        Command::Render(args) => args.run(),
        Command::Sample(args) => args.run(),
        Command::Convert(args) => args.run(),
        Command::Info(args) => args.run(),
        Command::Model(args) => args.run(),
        Command::Data(args) => args.run(),
        Command::Train(args) => args.run(),
        Command::Eval(args) => args.run(),
        Command::Completions(args) => args.run(Cli::command()),
        Command::Man(args) => args.run(Cli::command()),
    }
}
