//! `serve`: the socket, TLS, and a clean end.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use hyper::service::{Service as _, service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self,
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject as _},
        },
    },
};
use tracing_subscriber::EnvFilter;

use super::{
    CliError, Context,
    args::{Place, Serve},
};
use crate::{
    http::{self, App, Peer},
    outbox::{self, Outbox},
};

/// Connections that are open at once; more wait to be taken.
const MOST_CONNECTIONS: usize = 8192;
/// How long a connection may take to say what it wants, and may rest between two requests.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// How long a TLS handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// What is wrong with a file that should have a key.
const NO_KEY: &str = "there is no private key in it. It is PEM that begins with PRIVATE KEY (PKCS #8), EC PRIVATE KEY (SEC 1) or \
    RSA PRIVATE KEY (PKCS #1), and is not encrypted";
/// How long requests that are under way may take when the server ends.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Answers requests until the process is told to end.
pub(super) async fn serve(place: &Place, options: &Serve, json: bool) -> Result<(), CliError> {
    let filter = EnvFilter::try_new(&options.log).map_err(|error| CliError::Usage(format!("--log: {error}")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    if json {
        log.json().init();
    } else {
        log.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).init();
    }

    let tls = match (&options.tls_certificate, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(tls(certificate, key)?),
        _ => None,
    };
    many_connections();
    let context = Context::open(place).await?;
    for warning in &context.warnings {
        tracing::warn!("{warning}");
    }
    let no_listener = |source| CliError::Listen { address: options.listen.clone(), source };
    let listener = TcpListener::bind(&options.listen).await.map_err(no_listener)?;
    let bound = listener.local_addr().map_err(no_listener)?;
    let written = Arc::new(Notify::new());
    let app = App::new(
        context.store.clone(),
        context.keys.clone(),
        context.clock.clone(),
        context.random.clone(),
        written.clone(),
    )?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let app = http::app(app.over_tls(tls.is_some()).listening_at(&format!("{scheme}://{}", on_this_machine(bound))));

    let address = format!("{scheme}://{bound}");
    let told = if json {
        let object = serde_json::json!({ "event": "listening", "address": address, "database": context.place });
        format!("{object}\n")
    } else {
        format!("Listening on {address}, with {}.\n", context.place)
    };
    // Whoever started it waits for this line.
    io::Write::write_all(&mut io::stdout(), told.as_bytes()).map_err(|error| CliError::Io("standard output", error))?;
    if tls.is_none() && !bound.ip().is_loopback() {
        tracing::warn!(
            "without TLS anybody on the way reads everything: put a proxy with TLS before this address, or name a certificate"
        );
    }
    let outbox = Outbox::new(
        context.store.clone(),
        context.keys.clone(),
        context.clock.clone(),
        context.random.clone(),
        outbox::PATIENCE,
    )
    .map_err(|error| CliError::Tls(error.to_string()))?
    .showing_json(json);
    let end = Arc::new(Notify::new());
    let ended = end.clone();
    let sender = tokio::spawn(async move { outbox.run(&written, &ended).await });
    accept(listener, tls, app).await?;
    end.notify_one();
    let _ = sender.await;
    context.store.close().await;
    Ok(())
}

/// An address that listens to everybody, as this machine itself reaches it.
fn on_this_machine(bound: SocketAddr) -> SocketAddr {
    let own = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(own, bound.port())
}

/// Lets the process have as many connections as the system grants it, instead of the few that a shell starts with.
fn many_connections() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let granted = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, Rlimit { current: granted.maximum, maximum: granted.maximum });
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, app: Router) -> Result<(), CliError> {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = Arc::new(GracefulShutdown::new());
    let mut end = Box::pin(told_to_end());
    loop {
        let place = places.clone().acquire_owned().await;
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Out of file descriptors: what is open will close.
                Err(error) => {
                    tracing::warn!(%error, "a connection was not taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            ended = &mut end => {
                ended?;
                break;
            }
        };
        let (app, tls, watcher) = (app.clone(), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            let _ = stream.set_nodelay(true);
            match tls {
                None => connection(stream, peer, app, watcher).await,
                Some(tls) => {
                    if let Some(stream) = handshake(&tls, stream).await {
                        connection(stream, peer, app, watcher).await;
                    }
                }
            }
        });
    }
    tracing::info!("ending");
    drop(listener);
    if let Some(graceful) = Arc::into_inner(graceful) {
        let _ = timeout(END_WITHIN, graceful.shutdown()).await;
    }
    Ok(())
}

async fn handshake(
    tls: &TlsAcceptor,
    stream: TcpStream,
) -> Option<impl AsyncRead + AsyncWrite + Unpin + Send + 'static> {
    match timeout(HANDSHAKE_WITHIN, tls.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "no TLS");
            None
        }
        Err(_) => None,
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    app: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let app = TowerToHyperService::new(app);
    // Who is at the other end, for what only this machine may see.
    let app = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        app.call(request)
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(32 * 1024)
        .serve_connection(TokioIo::new(stream), app);
    if let Err(error) = watcher.watch(served).await {
        tracing::debug!(%error, "a connection broke");
    }
}

async fn told_to_end() -> Result<(), CliError> {
    let wrong = |error| CliError::Io("signals", error);
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate()).map_err(wrong)?, signal(SignalKind::interrupt()).map_err(wrong)?);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(wrong)
}

fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor, CliError> {
    let wrong = |path: &Path, error: &dyn std::fmt::Display| CliError::Tls(format!("{}: {error}", path.display()));
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong(certificate, &"there is no certificate in it"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| match error {
        pem::Error::NoItemsFound => wrong(key, &NO_KEY),
        error => wrong(key, &error),
    })?;
    let provider = rustls::crypto::ring::default_provider();
    provider.key_provider.load_private_key(private.clone_key()).map_err(|error| wrong(key, &error))?;
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| CliError::Tls(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                let whose = format!("it is not the key of the certificate in {}", certificate.display());
                wrong(key, &whose)
            }
            error => wrong(certificate, &error),
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
