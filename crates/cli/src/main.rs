//! The `lexiform` command: search, classify, compare and describe 3D shapes by text and images; train and measure the models.

mod classifier;
mod commands;
mod display_path;
mod embed_inputs;
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
mod progress;
mod prompt;
mod scene_file;
mod sheet_labels;
mod similarity;
mod software_mark;
mod unknown_argument;
mod up_axis;
mod updated_library;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use error::{Outcome, UsageError};
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
    Mcp(commands::mcp::McpArgs),
    Classify(commands::classify::ClassifyArgs),
    Caption(commands::caption::CaptionArgs),
    Embed(commands::embed::EmbedArgs),
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

fn main() -> ExitCode {
    error::run_to_exit_code(run)
}

fn run() -> anyhow::Result<Outcome> {
    let cli = Cli::try_parse().unwrap_or_else(|error| unknown_argument::with_reference_name(error).exit());
    SimdLimit::from_environment().map_err(|error| UsageError(error.to_string()))?;
    match cli.command {
        Command::Search(args) => args.run(),
        Command::Index(args) => args.run(),
        Command::Serve(args) => args.run(),
        Command::Mcp(args) => args.run(),
        Command::Classify(args) => args.run(),
        Command::Caption(args) => args.run(),
        Command::Embed(args) => args.run(),
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
