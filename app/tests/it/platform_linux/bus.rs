//! A private message bus, and programs on it, that end with the test.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use countersign::platform::desktop::linux::bus::Bus;
use zbus::connection::Builder;

/// A bus on which nothing is started by itself.
pub(super) struct PrivateBus {
    daemon: Child,
    pub(super) address: String,
    pub(super) folder: tempfile::TempDir,
}

impl PrivateBus {
    /// `None`, said aloud, where there is no `dbus-daemon`.
    pub(super) fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("bus.conf");
        fs::write(
            &config,
            format!(
                r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
                "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
                <busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>
                <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
                <allow own="*"/></policy></busconfig>"#,
                folder.path().join("bus").display()
            ),
        )
        .unwrap();
        let mut command = Command::new("dbus-daemon");
        command
            .arg("--config-file")
            .arg(&config)
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let Ok(mut daemon) = command.spawn() else {
            skipped("dbus-daemon");
            return None;
        };
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Some(Self { daemon, address: address.trim().to_owned(), folder })
    }

    pub(super) fn bus(&self) -> Bus {
        Bus::Address(self.address.clone())
    }

    pub(super) fn client(&self) -> Builder<'_> {
        Builder::address(self.address.as_str()).unwrap()
    }

    /// Stops the bus while its clients still hold on to it.
    pub(super) fn stop(&mut self) {
        end(&mut self.daemon);
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(super) fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// A test that could not run says so and passes.
pub(super) fn skipped(program: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {program} is not installed");
}

/// GNOME Keyring on that bus, with its login keyring open.
pub(super) struct GnomeKeyring(Child);

impl GnomeKeyring {
    pub(super) fn start(bus: &PrivateBus) -> Option<Self> {
        let home = bus.folder.path();
        let Some(child) = spawn_keyring(bus, home) else {
            skipped("gnome-keyring-daemon");
            return None;
        };
        let keyring = Self(child);
        async_io::block_on(async {
            let client = bus.client().build().await.unwrap();
            let names = zbus::fdo::DBusProxy::new(&client).await.unwrap();
            for _ in 0..200 {
                if names.name_has_owner("org.freedesktop.secrets".try_into().unwrap()).await.unwrap() {
                    return;
                }
                async_io::Timer::after(Duration::from_millis(50)).await;
            }
            panic!("gnome-keyring-daemon does not come onto the bus");
        });
        Some(keyring)
    }
}

fn spawn_keyring(bus: &PrivateBus, home: &Path) -> Option<Child> {
    let mut child = Command::new("gnome-keyring-daemon")
        .args(["--foreground", "--components=secrets", "--unlock"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH")?)
        .env("HOME", home)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_RUNTIME_DIR", home)
        .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(b"password of the test").ok()?;
    Some(child)
}

impl Drop for GnomeKeyring {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}
