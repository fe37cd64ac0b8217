// SPDX-License-Identifier: GPL-2.0-or-later
//! A lab on disk: programs, agents, a state folder for each node, shared data. All below one folder.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The agents we ship, by their place below `OCF_ROOT`.
const AGENTS: [(&str, &str); 2] = [
    ("resource.d/pacemaker/Dummy", include_str!("../../../agents/ocf/pacemaker/Dummy")),
    ("resource.d/systole/process", include_str!("../../../agents/ocf/systole/process")),
];

/// Where everything of a lab is.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Below this folder, which exists.
    pub fn new(root: &Path) -> Layout {
        Layout { root: root.to_owned() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The tools, each by its name.
    pub fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// The daemons, each by its name.
    pub fn libexec(&self) -> PathBuf {
        self.root.join("libexec")
    }

    /// The root of the resource agents.
    pub fn ocf(&self) -> PathBuf {
        self.root.join("ocf")
    }

    /// The state folder of a node.
    pub fn node(&self, node: &str) -> PathBuf {
        self.root.join(node)
    }

    /// What all nodes share: data, and traces.
    pub fn shared(&self, file: &str) -> PathBuf {
        self.root.join("shared").join(file)
    }

    /// The socket of the hub, of its control, or of the power switch.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}.sock"))
    }

    /// The script that runs a tool on a node: `on NODE TOOL [ARGUMENT]...`.
    pub fn on(&self) -> PathBuf {
        self.root.join("on")
    }

    /// The CIB file of a node.
    pub fn cib(&self, node: &str) -> PathBuf {
        self.node(node).join("var/lib/pacemaker/cib/cib.xml")
    }

    /// The log of a node.
    pub fn log(&self, node: &str) -> PathBuf {
        self.node(node).join("var/log/pacemaker/pacemaker.log")
    }

    /// Lays it out, with `binary` under all its names.
    pub fn lay(&self, binary: &Path, nodes: &[String]) -> Result<()> {
        for folder in [self.bin(), self.libexec(), self.root.join("shared")] {
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let names = Command::new(binary).arg("names").output().context("cannot run the program itself")?;
        anyhow::ensure!(names.status.success(), "{} names: {}", binary.display(), names.status);
        // Copied once, so that the hard links stay within this folder's file system.
        let own = self.bin().join("systole");
        std::fs::copy(binary, &own).with_context(|| format!("cannot copy {}", binary.display()))?;
        for line in String::from_utf8(names.stdout)?.lines() {
            let (place, name) = line.split_once(' ').context("unexpected output of 'names'")?;
            let folder = if place == "libexec" { self.libexec() } else { self.bin() };
            std::fs::hard_link(&own, folder.join(name)).with_context(|| format!("cannot link {name}"))?;
        }
        for (place, text) in AGENTS {
            write_executable(&self.ocf().join(place), text)?;
        }
        for node in nodes {
            for folder in
                ["var/lib/pacemaker/cib", "var/lib/pacemaker/pengine", "var/log/pacemaker", "run/crm"]
            {
                std::fs::create_dir_all(self.node(node).join(folder))?;
            }
        }
        Ok(())
    }
}

/// Writes a script that can be run.
pub fn write_executable(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}
