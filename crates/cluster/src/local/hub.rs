// SPDX-License-Identifier: GPL-2.0-or-later
//! The hub's sockets: reads frames, asks [`Order`] what is to be done, and does it.
//!
//! Everything that is decided happens under one lock, and is put on the way to the daemons under the same lock: so the
//! order in which it was decided is the order in which all hear it.

use super::control;
use super::frame::{Frame, FrameReader};
use super::order::{Delivery, LinkId, Order, QuorumRule, Refusal};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// How long a daemon may take to say who it is.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes that may wait for a daemon before it is taken for dead.
const BACKLOG_BYTES_MAX: usize = 512 << 20;

/// What a hub is told.
#[derive(Clone, Debug)]
pub struct HubOptions {
    /// The socket the daemons come to.
    pub socket: PathBuf,
    /// The socket for people and tests, if wanted.
    pub control: Option<PathBuf>,
    /// The nodes' names; their ids are their places, from 1.
    pub nodes: Vec<String>,
    /// Votes there are in all; the number of nodes unless said otherwise.
    pub expected_votes: Option<usize>,
    /// See [`QuorumRule::two_node`].
    pub two_node: bool,
}

impl HubOptions {
    /// A hub at a socket for these nodes.
    pub fn new(socket: impl Into<PathBuf>, nodes: &[&str]) -> HubOptions {
        HubOptions {
            socket: socket.into(),
            control: None,
            nodes: nodes.iter().map(ToString::to_string).collect(),
            expected_votes: None,
            two_node: false,
        }
    }
}

/// The hub cannot start.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// There is one already.
    #[error("a hub is running at {0} already")]
    InUse(PathBuf),
    /// The path does not fit a socket's address.
    #[error("the path {0} is too long for a socket (at most 107 bytes)")]
    TooLong(PathBuf),
    /// The system refused.
    #[error("cannot listen at {path}: {source}")]
    Io {
        /// The socket.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// A running hub. Dropping it ends it: every daemon loses the cluster.
#[derive(Debug)]
pub struct Hub {
    shared: Arc<Shared>,
    sockets: Vec<PathBuf>,
    _tasks: JoinSet<()>,
}

/// What all connections have in common.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    order: Order,
    links: BTreeMap<LinkId, Line>,
    next_link: u64,
}

/// The way to one daemon.
#[derive(Debug)]
struct Line {
    frames: mpsc::UnboundedSender<Vec<u8>>,
    waiting_bytes: Arc<AtomicUsize>,
    /// Dropped to hang up.
    _open: oneshot::Sender<()>,
}

impl Hub {
    /// Starts it in the background. Must be called inside a Tokio runtime, and lives as long as that runs.
    pub fn start(options: &HubOptions) -> Result<Hub, HubError> {
        let rule = QuorumRule {
            expected_votes: options.expected_votes.unwrap_or(options.nodes.len()),
            two_node: options.two_node,
        };
        let order = Order::new(&options.nodes, rule);
        let state = State { order, links: BTreeMap::new(), next_link: 1 };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        let mut hub = Hub { shared: Arc::clone(&shared), sockets: Vec::new(), _tasks: JoinSet::new() };
        let daemons = hub.listen(&options.socket)?;
        let people = options.control.as_deref().map(|path| hub.listen(path)).transpose()?;
        hub._tasks
            .spawn(accept(Arc::clone(&shared), daemons, |shared, stream| Box::pin(serve(shared, stream))));
        if let Some(people) = people {
            hub._tasks
                .spawn(accept(shared, people, |shared, stream| Box::pin(control::serve(shared, stream))));
        }
        Ok(hub)
    }

    fn listen(&mut self, path: &Path) -> Result<UnixListener, HubError> {
        let failed = |source| HubError::Io { path: path.to_owned(), source };
        if path.as_os_str().len() > 107 {
            return Err(HubError::TooLong(path.to_owned()));
        }
        if path.exists() {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(HubError::InUse(path.to_owned()));
            }
            std::fs::remove_file(path).map_err(failed)?;
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        self.sockets.push(path.to_owned());
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(listener)
    }

    /// Cuts all connections of a node, which is then lost to the others. It may come back at once.
    pub fn kill(&self, node: &str) -> Result<(), Refusal> {
        self.shared.change(|order| order.kill(node))
    }

    /// Cuts all connections of a node and keeps it away until [`Hub::up`].
    pub fn down(&self, node: &str) -> Result<(), Refusal> {
        self.shared.change(|order| order.down(node))
    }

    /// Lets a node come back.
    pub fn up(&self, node: &str) -> Result<(), Refusal> {
        self.shared.change(|order| order.up(node))
    }

    /// Makes sides that do not see each other; nodes that are not named are one side more.
    pub fn cut(&self, sides: &[Vec<String>]) -> Result<(), Refusal> {
        self.shared.change(|order| order.cut(sides))
    }

    /// Lets all nodes see each other.
    pub fn heal(&self) {
        self.shared.change(Order::heal);
    }

    /// A line for every node: id, name, `up`, `gone` or `down`, side, groups.
    pub fn list(&self) -> String {
        self.shared.change(|order| order.list())
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shared.lock().links.clear();
        for socket in &self.sockets {
            let _ = std::fs::remove_file(socket);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and does all that follows from it.
    pub fn change<T>(&self, change: impl FnOnce(&mut Order) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state.order);
        state.deliver();
        result
    }

    fn join(&self, line: Line, node: &str, group: &str) -> Result<LinkId, Refusal> {
        let mut state = self.lock();
        let link = LinkId(state.next_link);
        state.next_link += 1;
        let local = state.order.join(link, node, group)?;
        // Before anything else it is told.
        line.queue(Frame::Welcome { local }.to_bytes());
        state.links.insert(link, line);
        state.deliver();
        Ok(link)
    }

    fn leave(&self, link: LinkId) {
        let mut state = self.lock();
        state.links.remove(&link);
        state.order.leave(link);
        state.deliver();
    }
}

impl State {
    fn deliver(&mut self) {
        while let Some(delivery) = self.order.poll() {
            let (link, bytes) = match delivery {
                Delivery::Cut { link } => {
                    self.links.remove(&link);
                    continue;
                }
                Delivery::Membership { link, membership } => (link, Frame::Membership(membership).to_bytes()),
                Delivery::Message { link, from, text } => (link, Frame::Message { from, text }.to_bytes()),
            };
            let taken = self.links.get(&link).is_some_and(|line| line.queue(bytes));
            if !taken {
                // Its reader notices and reports it gone; the others must not wait for that.
                self.links.remove(&link);
                self.order.leave(link);
            }
        }
    }
}

impl Line {
    fn queue(&self, bytes: Vec<u8>) -> bool {
        let waiting = self.waiting_bytes.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
        waiting <= BACKLOG_BYTES_MAX && self.frames.send(bytes).is_ok()
    }
}

type Serving = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Whether who connected may: the same user, or root.
fn is_trusted(stream: &UnixStream) -> bool {
    let Ok(peer) = stream.peer_cred() else { return false };
    let trusted = peer.uid() == 0 || peer.uid() == nix::unistd::geteuid().as_raw();
    if !trusted {
        tracing::warn!("Refused a connection to the hub by user {}", peer.uid());
    }
    trusted
}

async fn accept(shared: Arc<Shared>, listener: UnixListener, serve: fn(Arc<Shared>, UnixStream) -> Serving) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _address)) if is_trusted(&stream) => {
                    connections.spawn(serve(Arc::clone(&shared), stream));
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!("The hub could not accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

/// Serves one daemon to its end.
async fn serve(shared: Arc<Shared>, stream: UnixStream) {
    let (mut read, mut write) = stream.into_split();
    let mut reader = FrameReader::default();
    let hello = tokio::time::timeout(HELLO_TIMEOUT, reader.next(&mut read)).await;
    let Ok(Ok(Some(Frame::Hello { node, group }))) = hello else { return };
    let (frames, queue) = mpsc::unbounded_channel();
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    let (open, mut closed) = oneshot::channel();
    let line = Line { frames, waiting_bytes: Arc::clone(&waiting_bytes), _open: open };
    let link = match shared.join(line, &node, &group) {
        Ok(link) => link,
        Err(refusal) => {
            let refused = Frame::Refused { reason: refusal.to_string() };
            let _ = write.write_all(&refused.to_bytes()).await;
            return;
        }
    };
    let listening = async {
        while let Ok(Some(frame)) = reader.next(&mut read).await {
            let Frame::Say { to, text } = frame else { return };
            shared.change(|order| order.say(link, to.as_deref(), &text));
        }
    };
    tokio::select! {
        _ = &mut closed => {}
        () = listening => {}
        () = speak(&mut write, queue, &waiting_bytes) => {}
    }
    shared.leave(link);
}

async fn speak(
    write: &mut OwnedWriteHalf,
    mut queue: mpsc::UnboundedReceiver<Vec<u8>>,
    waiting_bytes: &AtomicUsize,
) {
    while let Some(bytes) = queue.recv().await {
        if write.write_all(&bytes).await.is_err() {
            return;
        }
        waiting_bytes.fetch_sub(bytes.len(), Ordering::Relaxed);
    }
}
