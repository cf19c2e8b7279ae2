//! What texts may be, for the OpenAPI document. The program's own checks decide; these say the same to readers.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use crate::domain::scope::SCOPES;

/// Declares the schema of a text.
macro_rules! text {
    ($name:ident, $about:literal, $least:literal..=$most:literal, $pattern:expr) => {
        #[doc = $about]
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($about))
                    .min_length(Some($least))
                    .max_length(Some($most))
                    .pattern(Some($pattern));
                RefOr::T(Schema::Object(text.build()))
            }
        }

        impl ToSchema for $name {}
    };
}

text!(
    NameText,
    "A name; spelling, case and Unicode form make no difference. Something of it must be seen, and . and .. are none",
    1..=128,
    concat!(
        r"^(?!\s*\.{1,2}\s*$)[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*",
        r"[^\s\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f]",
        r"[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*$"
    )
);
text!(ViaText, "`sms`, `email` or `link`", 3..=5, "^(sms|email|link)$");
text!(GroupText, "A group's name; empty for none", 0..=128, r"^[^\x00-\x1f\x7f-\x9f]*$");
text!(
    PhoneText,
    "A phone number, as in +49 170 1234567; empty for none",
    0..=40,
    r"^(\+[ ()/.-]*[1-9]([ ()/.-]*[0-9]){6,14}[ ()/.-]*)?$"
);
text!(
    EmailText,
    "A mail address; empty for none",
    0..=254,
    r"^([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)?$"
);
text!(LinkText, "An otpauth:// link of a TOTP or HOTP token", 1..=4096, r"^\s*otpauth://(totp|hotp)/.+$");

/// What an API key may do.
pub(crate) struct ScopeText;

impl PartialSchema for ScopeText {
    fn schema() -> RefOr<Schema> {
        let about: Vec<String> = SCOPES.iter().map(|(_, name, about)| format!("`{name}`: {about}")).collect();
        let names: Vec<&str> = SCOPES.iter().map(|(_, name, _)| *name).collect();
        let text = ObjectBuilder::new().schema_type(Type::String).description(Some(about.join("; ")));
        RefOr::T(Schema::Object(text.enum_values(Some(names)).build()))
    }
}

impl ToSchema for ScopeText {}
