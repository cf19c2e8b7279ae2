//! Gateways that answer as they are told to, and remember what they were asked.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
    server::TlsStream,
};

/// What a gateway was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What it answers: status, headers, body, and after how long.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) after: Duration,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: vec![], body: body.into(), after: Duration::ZERO }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    asked: Vec<Asked>,
}

/// An HTTP server that answers from a script, and 200 when that is over.
#[derive(Clone)]
pub(crate) struct HttpTwin {
    pub(crate) url: String,
    script: Arc<Mutex<Script>>,
}

impl HttpTwin {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self::serve(listener, url)
    }

    /// One that speaks HTTPS, as localhost.
    pub(crate) async fn start_tls(authority: &Authority) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", tcp.local_addr().unwrap().port());
        Self::serve(TlsListener { tcp, tls: authority.acceptor() }, url)
    }

    fn serve<L: axum::serve::Listener<Addr: std::fmt::Debug>>(listener: L, url: String) -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let router = Router::new().fallback(answer).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, script }
    }

    pub(crate) fn will(&self, answer: Answer) {
        self.script.lock().unwrap().answers.push_back(answer);
    }

    /// Whether nobody has asked.
    pub(crate) fn script_is_untouched(&self) -> bool {
        self.script.lock().unwrap().asked.is_empty()
    }

    /// What it was asked since this was looked at last.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script.lock().unwrap().asked)
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let asked = Asked {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let answer = {
        let mut script = script.lock().unwrap();
        script.asked.push(asked);
        script.answers.pop_front().unwrap_or_else(|| Answer::new(200, ""))
    };
    tokio::time::sleep(answer.after).await;
    let mut response = (StatusCode::from_u16(answer.status).unwrap(), answer.body).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
    }
    response
}

struct TlsListener {
    tcp: TcpListener,
    tls: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, peer) = self.tcp.accept().await.unwrap();
            // Whoever does not trust the certificate goes.
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// A certificate authority of the test's own, and a certificate of it for localhost.
pub(crate) struct Authority(std::path::PathBuf);

impl Authority {
    /// Made by openssl in a folder; `None` where that is not installed.
    pub(crate) fn new(folder: &std::path::Path) -> Option<Self> {
        const EC: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        std::fs::write(folder.join("ext"), "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n").unwrap();
        for arguments in [
            format!(
                "req -x509 {EC} -keyout ca.key -out ca.pem -subj /CN=test -addext basicConstraints=critical,CA:TRUE"
            ),
            format!("req {EC} -keyout key.pem -out request.pem -subj /CN=localhost"),
            "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile ext"
                .into(),
        ] {
            let made = std::process::Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
            let made = made.ok()?;
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        Some(Self(folder.to_owned()))
    }

    /// The file of what trusts it.
    pub(crate) fn root(&self) -> std::path::PathBuf {
        self.0.join("ca.pem")
    }

    fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = vec![CertificateDer::from_pem_file(self.0.join("cert.pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(self.0.join("key.pem")).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// What a mail server was given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) text: String,
}

#[derive(Default)]
struct MailScript {
    /// For the next command of this beginning: this answer.
    answers: VecDeque<(&'static str, &'static str)>,
    login: Vec<String>,
    mails: Vec<Mail>,
}

/// A mail server (RFC 5321) that takes everything but what it is told to refuse.
#[derive(Clone)]
pub(crate) struct SmtpTwin {
    pub(crate) port: u16,
    script: Arc<Mutex<MailScript>>,
}

impl SmtpTwin {
    pub(crate) async fn start() -> Self {
        Self::serve(None).await
    }

    /// One that speaks TLS from the first byte, as localhost.
    pub(crate) async fn start_tls(authority: &Authority) -> Self {
        Self::serve(Some(authority.acceptor())).await
    }

    async fn serve(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(Mutex::new(MailScript::default()));
        let shared = script.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, tls) = (shared.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => converse(stream, &script).await,
                        Some(tls) => converse(tls.accept(stream).await?, &script).await,
                    }
                });
            }
        });
        Self { port, script }
    }

    /// Answers the next command that begins so with this line.
    pub(crate) fn will(&self, command: &'static str, answer: &'static str) {
        self.script.lock().unwrap().answers.push_back((command, answer));
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        std::mem::take(&mut self.script.lock().unwrap().mails)
    }

    pub(crate) fn logins(&self) -> Vec<String> {
        std::mem::take(&mut self.script.lock().unwrap().login)
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite, script: &Mutex<MailScript>) -> std::io::Result<()> {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 twin ESMTP\r\n").await?;
    let mut mail = Mail::default();
    while let Some(line) = lines.next_line().await? {
        let scripted = {
            let mut script = script.lock().unwrap();
            if let Some(login) = line.strip_prefix("AUTH PLAIN ") {
                script.login.push(login.to_owned());
            }
            let next = script.answers.front().filter(|(command, _)| line.starts_with(command)).copied();
            if next.is_some() {
                script.answers.pop_front();
            }
            next
        };
        let answer = match scripted {
            Some((_, answer)) => answer,
            None if line.starts_with("EHLO") => "250-twin\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            None if line.starts_with("AUTH") => "235 in",
            None if line.starts_with("MAIL FROM:") => {
                mail = Mail { from: line[10..].to_owned(), ..Mail::default() };
                "250 ok"
            }
            None if line.starts_with("RCPT TO:") => {
                mail.to.push(line[8..].to_owned());
                "250 ok"
            }
            None if line == "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    mail.text.push_str(&line);
                    mail.text.push('\n');
                }
                let mut script = script.lock().unwrap();
                script.mails.push(std::mem::take(&mut mail));
                let next = script.answers.front().filter(|(command, _)| *command == ".").copied();
                next.map_or("250 taken", |(_, answer)| {
                    script.answers.pop_front();
                    answer
                })
            }
            None if line == "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            None => "250 ok",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
