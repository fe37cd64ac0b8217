// SPDX-License-Identifier: GPL-2.0-or-later
//! What agents say of themselves, kept until their files change: asking one means running it.

use crate::find::BadName;
use crate::{Description, End, Finder, Invocation, MetadataError, fence, ocf, run};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// How long a fence agent may take to describe itself.
const FENCE_TIMEOUT_MS: u64 = 10_000;

/// Descriptions by file, as old as the file was then.
#[derive(Debug)]
pub struct Catalogue {
    finder: Finder,
    known: BTreeMap<PathBuf, (SystemTime, Arc<Description>)>,
}

/// The agent cannot be described.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescribeError {
    /// It cannot be named.
    #[error(transparent)]
    Name(#[from] BadName),
    /// It could not be run to its end.
    #[error("{0}")]
    NotRun(String),
    /// It failed.
    #[error("{file}: meta-data action returned error code {code}")]
    Failed {
        /// The agent.
        file: String,
        /// What it returned.
        code: i32,
    },
    /// What it printed makes no sense.
    #[error("{file}: {error}")]
    Metadata {
        /// The agent.
        file: String,
        /// What is wrong.
        error: MetadataError,
    },
}

impl Catalogue {
    /// With nothing known yet.
    pub const fn new(finder: Finder) -> Catalogue {
        Catalogue { finder, known: BTreeMap::new() }
    }

    /// Of a resource agent.
    pub async fn ocf(&mut self, provider: &str, agent: &str) -> Result<Arc<Description>, DescribeError> {
        let invocation = ocf::describe(&self.finder, provider, agent)?;
        self.describe(invocation, "Resource agent").await
    }

    /// Of a fence agent.
    pub async fn fence(&mut self, agent: &str) -> Result<Arc<Description>, DescribeError> {
        let invocation = fence::describe(&self.finder, agent, FENCE_TIMEOUT_MS)?;
        self.describe(invocation, "Fence agent").await
    }

    async fn describe(
        &mut self,
        invocation: Invocation,
        kind: &str,
    ) -> Result<Arc<Description>, DescribeError> {
        // A file that cannot be looked at says why when it is run.
        let changed = std::fs::metadata(&invocation.program).and_then(|data| data.modified()).ok();
        if let Some((then, description)) = self.known.get(&invocation.program)
            && changed == Some(*then)
        {
            return Ok(Arc::clone(description));
        }
        let outcome = run::run(&invocation, std::future::pending()).await;
        if let Some(verdict) = crate::verdict_without_code(kind, &invocation, &outcome) {
            return Err(DescribeError::NotRun(verdict.reason.unwrap_or_default()));
        }
        let file = invocation.program.display().to_string();
        if let End::Exited(code) = outcome.end
            && code != 0
        {
            return Err(DescribeError::Failed { file, code });
        }
        let description =
            Description::parse(&outcome.stdout).map_err(|error| DescribeError::Metadata { file, error })?;
        let description = Arc::new(description);
        if let Some(changed) = changed {
            self.known.insert(invocation.program, (changed, Arc::clone(&description)));
        }
        Ok(description)
    }
}
