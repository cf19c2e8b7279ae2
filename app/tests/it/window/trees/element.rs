//! One element of an accessibility tree.

use i_slint_core::{
    accessibility::{AccessibleStringProperty as Property, SupportedAccessibilityAction, accessible_descendents},
    item_tree::ParentItemTraversalMode,
    items::{AccessibleRole, ItemRc, TouchArea},
    lengths::LogicalRect,
};

/// What a screen reader is told of it, and where it is.
pub(super) struct Element {
    pub(super) item: ItemRc,
    pub(super) depth: usize,
    pub(super) role: AccessibleRole,
    pub(super) label: String,
    pub(super) enabled: bool,
    actions: SupportedAccessibilityAction,
}

impl Element {
    /// Everything below `root` that a screen reader knows, in its order.
    pub(super) fn collect(root: &ItemRc, depth: usize, into: &mut Vec<Self>) {
        for item in accessible_descendents(root) {
            if !item.is_visible() {
                continue;
            }
            let text = |what| item.accessible_string_property(what).unwrap_or_default().to_string();
            let role = item.accessible_role();
            let inside = if role == AccessibleRole::None { depth } else { depth + 1 };
            if role != AccessibleRole::None {
                into.push(Self {
                    depth,
                    role,
                    label: text(Property::Label),
                    enabled: text(Property::Enabled) != "false",
                    actions: item.supported_accessibility_actions(),
                    item: item.clone(),
                });
            }
            Self::collect(&item, inside, into);
        }
    }

    /// `button "Lock"`
    pub(super) fn name(&self) -> String {
        let role = format!("{:?}", self.role);
        let mut kebab = String::new();
        for (at, c) in role.char_indices() {
            if at > 0 && c.is_uppercase() {
                kebab.push('-');
            }
            kebab.extend(c.to_lowercase());
        }
        format!("{kebab} {:?}", self.label)
    }

    /// ` value, described, checked`: what else is told, by kind.
    pub(super) fn states(&self) -> String {
        let text = |what| self.item.accessible_string_property(what).unwrap_or_default();
        let is = |what| text(what) == "true";
        let mut states = Vec::new();
        if !text(Property::Value).is_empty() {
            states.push("value");
        }
        if !text(Property::Description).is_empty() {
            states.push("described");
        }
        if is(Property::Checkable) {
            states.push(if is(Property::Checked) { "checked" } else { "not checked" });
        }
        if is(Property::ItemSelected) {
            states.push("selected");
        }
        if is(Property::Expandable) {
            states.push(if is(Property::Expanded) { "expanded" } else { "folded" });
        }
        if matches!(&*text(Property::LiveRegion), "polite" | "assertive") {
            states.push("told by itself");
        }
        if !self.enabled {
            states.push("disabled");
        }
        if states.is_empty() { String::new() } else { format!(" {}", states.join(", ")) }
    }

    /// Whether a person does something with it.
    pub(super) fn is_control(&self) -> bool {
        use AccessibleRole as Role;
        self.is_pressed()
            || matches!(
                self.role,
                Role::Button
                    | Role::Checkbox
                    | Role::Combobox
                    | Role::RadioButton
                    | Role::Slider
                    | Role::Spinbox
                    | Role::Switch
                    | Role::Tab
                    | Role::TextInput
            )
    }

    /// Whether a screen reader can press it or write into it.
    pub(super) fn is_pressed(&self) -> bool {
        use SupportedAccessibilityAction as Action;
        self.actions.intersects(Action::Default | Action::SetValue | Action::Increment)
    }

    pub(super) fn is_in_a_list(&self) -> bool {
        matches!(self.role, AccessibleRole::ListItem | AccessibleRole::RadioButton | AccessibleRole::Tab)
    }

    /// Width and height of what can be hit: the element, the touch areas in it, and those of the line that it stands in.
    pub(super) fn target(&self) -> (f32, f32) {
        let own = place(&self.item);
        let mut widest = own;
        let mut grow = |item: &ItemRc| {
            let area = place(item);
            if item.clone().downcast::<TouchArea>().is_some() && area.contains(own.center()) {
                widest = widest.union(&area);
            }
        };
        every_child(&self.item, &mut grow);
        let mut around = self.item.clone();
        for _ in 0..3 {
            let Some(parent) = around.parent_item(ParentItemTraversalMode::StopAtPopups) else { break };
            // No higher than a line: what lies under a whole page belongs to no control.
            if place(&parent).height() > 3.0 * super::TARGET {
                break;
            }
            children(&parent).iter().for_each(&mut grow);
            around = parent;
        }
        (widest.width(), widest.height())
    }
}

/// What an item is in the sources, for a message.
pub(super) fn describe(item: &ItemRc) -> String {
    let label = item.accessible_string_property(Property::Label).unwrap_or_default();
    format!("{label:?} {:?}", item.element_type_names_and_ids(0).unwrap_or_default())
}

fn place(item: &ItemRc) -> LogicalRect {
    let geometry = item.geometry();
    LogicalRect::new(item.map_to_window(geometry.origin), geometry.size)
}

fn children(item: &ItemRc) -> Vec<ItemRc> {
    std::iter::successors(item.first_child(), ItemRc::next_sibling).collect()
}

fn every_child(item: &ItemRc, visit: &mut impl FnMut(&ItemRc)) {
    for child in children(item) {
        visit(&child);
        every_child(&child, visit);
    }
}
