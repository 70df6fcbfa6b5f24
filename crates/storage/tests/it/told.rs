//! Every function that writes leaves an entry in the audit, or stands here with the reason why it leaves none.

use std::collections::{BTreeMap, BTreeSet};

/// Why nobody is told.
#[derive(Clone, Copy, Debug)]
enum Because {
    /// It is one's own: sign-ins, how oneself is reached, one's own home as far as the policy leaves it to residents.
    Own,
    /// The service does it by itself when its time has come, or between what administrators did and what they are told.
    Service,
    /// Only the service reaches it: the demo's town, and what tests begin with.
    SetUp,
    /// A draft that changes nothing before it is applied, which is told.
    Draft,
}

const UNTOLD: &[(&str, Because)] = &[
    ("accept_invitation", Because::Own),
    ("add_membership", Because::SetUp),
    ("add_my_card", Because::Own),
    ("alarm_mailed", Because::Service),
    ("ask_guest_mail", Because::Own),
    ("ask_import", Because::Draft),
    ("assign", Because::SetUp),
    ("came_once", Because::Service),
    ("came_to_door", Because::Service),
    ("change_me", Because::Own),
    ("change_my_bell", Because::Own),
    ("change_my_card", Because::Own),
    ("raise_at_panel", Because::Service),
    ("discard_import", Because::Draft),
    ("done", Because::Service),
    ("edit_import", Because::Draft),
    ("end_expired", Because::Service),
    ("end_my_code", Because::Own),
    ("erase_from_audit", Because::Service),
    ("forget_alarms", Because::Service),
    ("forget_guest_mail", Because::Service),
    ("forget_guests", Because::Service),
    ("forget_imports", Because::Service),
    ("forget_records", Because::Service),
    ("give_button", Because::Own),
    ("give_unit_door", Because::SetUp),
    ("give_up_import", Because::Service),
    ("hand_on", Because::Own),
    ("insert_account", Because::SetUp),
    ("insert_import", Because::Draft),
    ("insert_person", Because::SetUp),
    ("invite_member", Because::Own),
    ("end_forgotten", Because::Service),
    ("keep_my_number", Because::Own),
    ("keep_record", Because::Service),
    ("keep_wrong_codes", Because::Service),
    ("orphaned_imports", Because::Service),
    ("remove_membership", Because::SetUp),
    ("remove_my_number", Because::Own),
    ("renew_my_code", Because::Own),
    ("sending", Because::Service),
    ("set_active", Because::SetUp),
    ("set_my_picture", Because::Own),
    ("sign_in", Because::Own),
    ("sign_out", Because::Own),
    ("sign_out_others", Because::Own),
    ("take", Because::Service),
    ("take_alarm_mail", Because::Service),
    ("take_in", Because::Own),
    ("take_news", Because::Service),
    ("take_out", Because::Own),
    ("take_uses", Because::Service),
    ("take_webhook", Because::Service),
    ("turn_hours", Because::Service),
];

/// How an entry is written: at once, or by a function of the same file that does.
const TELLS: &[&str] = &[
    "append(",
    "add_panel(&tx, (scope, stamp)",
    "write_edit(&tx, scope, stamp",
    "tell(&tx, scope, stamp, person, \"person.",
    "tell(&tx, scope, stamp, \"guest.",
];

#[test]
fn every_function_that_writes_is_told_or_stands_here() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/repo");
    let (mut untold, mut told) = (BTreeMap::new(), 0);
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        for method in source.split("\n    pub async fn ").skip(1) {
            let (name, body) = method.split_once('(').unwrap();
            let body = body.split("\n    }\n").next().unwrap();
            if !body.contains("tx::write(") {
                continue;
            }
            if TELLS.iter().any(|tells| body.contains(tells)) {
                told += 1;
            } else {
                untold.insert(name.to_owned(), path.file_name().unwrap().to_owned());
            }
        }
    }
    assert!(told > 50, "only {told} functions are told");
    let listed: BTreeSet<_> = UNTOLD.iter().map(|(name, _)| (*name).to_owned()).collect();
    let found: BTreeSet<_> = untold.keys().cloned().collect();
    let new: Vec<_> = found.difference(&listed).map(|name| (name, &untold[name])).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "write and tell nobody: {new:?}; listed and not so: {gone:?}");
    for (name, because) in UNTOLD {
        let set_up = untold[*name] == "set_up.rs";
        assert_eq!(set_up, matches!(because, Because::SetUp), "{name}: {because:?}");
    }
}
