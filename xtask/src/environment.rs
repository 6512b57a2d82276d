//! Virtual environments of Python.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// A virtual environment.
pub struct Environment(PathBuf);

impl Environment {
    /// The environment in a folder, with these packages; it is created once.
    ///
    /// # Errors
    ///
    /// If Python is missing or a package cannot be installed.
    pub fn create(python: &Path, folder: &Path, packages: &[&str]) -> Result<Self> {
        let environment = Self(folder.to_owned());
        let (ready, listed) = (folder.join("ready"), packages.join("\n"));
        if std::fs::read_to_string(&ready).is_ok_and(|installed| installed == listed) {
            return Ok(environment);
        }
        let created = Command::new(python).args(["-m", "venv"]).arg(folder).status();
        let created = created.with_context(|| format!("cannot run {}", python.display()))?;
        ensure!(created.success(), "{} -m venv failed", python.display());
        environment.pip(|pip| pip.args(packages))?;
        // Written last, so that an interrupted installation is repeated.
        std::fs::write(ready, listed)?;
        Ok(environment)
    }

    /// Installs a wheel in place of an older one.
    ///
    /// # Errors
    ///
    /// If it cannot be installed.
    pub fn install(&self, wheel: &Path) -> Result<()> {
        self.pip(|pip| pip.args(["--force-reinstall", "--no-deps"]).arg(wheel))
    }

    /// The interpreter, or a tool of an installed package.
    pub fn path(&self, tool: &str) -> PathBuf {
        self.0.join(if cfg!(windows) { "Scripts" } else { "bin" }).join(tool)
    }

    /// A command that runs a tool.
    pub fn command(&self, tool: &str) -> Command {
        Command::new(self.path(tool))
    }

    fn pip(&self, arguments: impl Fn(&mut Command) -> &mut Command) -> Result<()> {
        let mut pip = self.command("python");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        let status = arguments(&mut pip).status().context("cannot run pip")?;
        ensure!(status.success(), "{pip:?} failed");
        Ok(())
    }
}
