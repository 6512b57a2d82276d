//! The `lexiform` command: words, pictures and 3D shapes in one space.

mod array_file;
mod commands;
mod failure;
mod heads;
mod indexing;
mod jobs;
mod models;
mod output;
mod progress;
mod reading;
mod shown;
mod target;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Verdict;

/// Find, name, compare and describe 3D shapes by language
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
    Classify(commands::classify::ClassifyArgs),
    Embed(commands::embed::EmbedArgs),
    Compare(commands::compare::CompareArgs),
    Duplicates(commands::duplicates::DuplicatesArgs),
    Render(commands::render::RenderArgs),
    Sample(commands::sample::SampleArgs),
    Info(commands::info::InfoArgs),
    Model(commands::model::ModelArgs),
    Data(commands::data::DataArgs),
    Train(commands::train::TrainArgs),
    Eval(commands::eval::EvalArgs),
    Completions(commands::completions::CompletionsArgs),
    Man(commands::man::ManArgs),
}

fn main() -> ExitCode {
    failure::guarded(run)
}

fn run() -> anyhow::Result<Verdict> {
    match Cli::parse().command {
        Command::Search(args) => args.run(),
        Command::Index(args) => args.run(),
        Command::Classify(args) => args.run(),
        Command::Embed(args) => args.run(),
        Command::Compare(args) => args.run(),
        Command::Duplicates(args) => args.run(),
        Command::Render(args) => args.run(),
        Command::Sample(args) => args.run(),
        Command::Info(args) => args.run(),
        Command::Model(args) => args.run(),
        Command::Data(args) => args.run(),
        Command::Train(args) => args.run(),
        Command::Eval(args) => args.run(),
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
    }
}
