//! Options that take several files each time they are given: files given together belong together.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

/// The name and help of an option whose values are grouped.
pub(crate) trait GroupedOption {
    /// Name of the option, without dashes.
    const NAME: &'static str;
    /// Its help.
    const HELP: &'static str;
}

/// The files of an option, one group for each time it is given.
#[derive(Clone, Debug)]
pub(crate) struct PathGroups<O> {
    /// Files, as grouped on the command line.
    pub(crate) groups: Vec<Vec<PathBuf>>,
    option: PhantomData<O>,
}

impl<O> PathGroups<O> {
    /// All files.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.groups.iter().flatten().map(PathBuf::as_path)
    }

    /// Removes the last value if it is not the only one of its group and `is_other` accepts it: an option with several
    /// values also takes the arguments after it that are meant for others.
    pub(crate) fn take_last(&mut self, is_other: impl Fn(&Path) -> bool) -> Option<PathBuf> {
        let group = self.groups.last_mut()?;
        let is_other = group.len() > 1 && group.last().is_some_and(|path| is_other(path));
        if is_other { group.pop() } else { None }
    }
}

impl<O: GroupedOption> FromArgMatches for PathGroups<O> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let occurrences = matches.get_occurrences::<PathBuf>(O::NAME);
        let groups =
            occurrences.map_or(Vec::new(), |groups| groups.map(|group| group.cloned().collect()).collect());
        Ok(Self { groups, option: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<O: GroupedOption> Args for PathGroups<O> {
    fn augment_args(command: Command) -> Command {
        let option = Arg::new(O::NAME).long(O::NAME).help(O::HELP).value_name("FILE");
        command.arg(option.num_args(1..).action(ArgAction::Append).value_parser(value_parser!(PathBuf)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
