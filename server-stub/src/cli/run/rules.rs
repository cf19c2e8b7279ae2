//! Groups and settings.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{first_line, value};
use crate::{
    cli::{
        CliError, Context, Report,
        args::{GroupCommand, SettingsCommand},
    },
    domain::policy::Setting,
};

pub(super) async fn group(context: &Context, command: &GroupCommand) -> Result<Report, CliError> {
    let (admin, now) = (&context.admin, context.clock.now());
    match command {
        GroupCommand::Add { name, policy } => {
            let policy = assignments(policy)?.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            let group = admin.add_group(name, &policy, now).await?;
            Ok(Report::line(value(&group), format!("Added {}.", group.name)))
        }
        GroupCommand::Set { name, policy } => {
            let group = admin.change_group(name, &assignments(policy)?, now).await?;
            Ok(Report::line(value(&group), format!("Changed {}.", group.name)))
        }
        GroupCommand::Delete { name } => {
            admin.delete_group(name, now).await?;
            Ok(Report::line(json!({ "deleted": name }), format!("Deleted {name}.")))
        }
        GroupCommand::List => {
            let groups = admin.groups().await?;
            let rows: Vec<Vec<String>> = groups
                .iter()
                .map(|group| {
                    let policy: Vec<String> =
                        group.policy.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    vec![group.name.clone(), group.users.to_string(), policy.join(" ")]
                })
                .collect();
            Ok(Report::table(value(&groups), &["GROUP", "USERS", "DIFFERS IN"], &rows))
        }
    }
}

/// Reads `SETTING=VALUE`; an empty value is `None`.
fn assignments(texts: &[String]) -> Result<BTreeMap<String, Option<String>>, CliError> {
    texts
        .iter()
        .map(|text| {
            let (name, value) =
                text.split_once('=').ok_or_else(|| CliError::Usage(format!("{text:?} is not SETTING=VALUE")))?;
            Ok((name.to_owned(), Some(value.to_owned()).filter(|value| !value.is_empty())))
        })
        .collect()
}

pub(super) async fn settings(context: &Context, command: &SettingsCommand) -> Result<Report, CliError> {
    let admin = &context.admin;
    match command {
        SettingsCommand::Get { name: Some(name) } => {
            let setting = admin.setting(name).await?;
            Ok(Report::line(json!({ name: setting.value }), setting.value))
        }
        SettingsCommand::Get { name: None } => {
            let all = admin.settings().await?;
            let rows: Vec<Vec<String>> = all
                .iter()
                .map(|setting| vec![setting.name.to_owned(), setting.value.clone(), setting.about.to_owned()])
                .collect();
            let json: serde_json::Map<String, Value> =
                all.into_iter().map(|setting| (setting.name.to_owned(), setting.value.into())).collect();
            Ok(Report::table(json.into(), &["SETTING", "VALUE", "WHAT IT IS"], &rows))
        }
        SettingsCommand::Set { name, value } => {
            // A secret from standard input, where no other user of the machine sees it.
            let value = match value.as_deref() {
                Some("-") if Setting::find(name).is_ok_and(|setting| setting.secret) => Some(first_line("-".as_ref())?),
                value => value.map(|value| Zeroizing::new(value.to_owned())),
            };
            let value = value.as_ref().map(|value| value.as_str());
            let setting = admin.set(name, value, context.clock.now()).await?;
            let mut report = Report::line(json!({ name: setting.value }), format!("{name} is {}.", setting.value));
            if let Some(warning) = setting.warning {
                report.notes = format!("Note: {warning}\n");
                report.json["warning"] = warning.into();
            }
            Ok(report)
        }
    }
}
