//! The ring plan: who is rung, in which order. Built once when the visitor taps, never changed.
//!
//! ```text
//! individual   [ its one member ]
//! sequential   [ first ] → [ second ] → [ third ]      one step a member
//! parallel     [ first, second, third ]
//! family       [ the chosen member ]   or, nobody chosen,   [ first, second, third ]
//! ```
//!
//! A member's telephone rings with their devices, after them, or instead of them: as the building's [`PhoneRule`] says.
//!
//! Invariants: no step is empty, a leg is in the plan once (where it comes first), and a phone that waits for silence
//! stands in the step of the devices that it waits for.

use klinke_model::ids::{DeviceId, PersonId};
use klinke_model::intercom::BellKind;
use std::collections::HashSet;
use std::time::Duration;

/// One way a person can be rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Leg {
    /// An app or station; reached over its WebSocket.
    Device(DeviceId),
    /// The ordinary telephone of a person; reached by a call over a trunk.
    Phone(PersonId),
}

impl Leg {
    /// Whether it is an ordinary telephone.
    pub const fn is_phone(self) -> bool {
        matches!(self, Self::Phone(_))
    }
}

/// When a member's telephone is rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneRule {
    /// When no device is signed in for them.
    WithoutDevice,
    /// When none of their devices has said within [`Limits::silent`] that it rings; at once when none can be rung.
    WhenSilent,
    /// Always, together with their devices.
    Both,
}

/// A person behind a button with the ways they can be rung just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: PersonId,
    /// Their devices that are connected.
    pub legs: Vec<Leg>,
    /// Whether any device is signed in for them, connected or not.
    pub signed_in: bool,
    /// When their telephone is rung; `None`: never.
    pub phone: Option<PhoneRule>,
}

impl Member {
    /// Their telephone, when it is to be rung at all, and whether it waits for their devices to be silent.
    fn phone(&self) -> Option<(Leg, bool)> {
        let waits = match self.phone? {
            PhoneRule::WithoutDevice if self.signed_in => return None,
            PhoneRule::WhenSilent => !self.legs.is_empty(),
            PhoneRule::WithoutDevice | PhoneRule::Both => false,
        };
        Some((Leg::Phone(self.person), waits))
    }
}

/// Time limits of a call. Durations, configurable per installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All ringing together, default 60 s.
    pub ring: Duration,
    /// Talking, default 120 s.
    pub talk: Duration,
    /// One step of a sequential button while another waits behind it, default 20 s. The last step rings until
    /// [`Limits::ring`] is over.
    pub step: Duration,
    /// How long a panel or an answering device may be away (a reload) before the call is lost, default 10 s.
    pub away: Duration,
    /// How long devices may be silent before the telephone of their person rings too, default 3 s.
    pub silent: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ring: Duration::from_secs(60),
            talk: Duration::from_secs(120),
            step: Duration::from_secs(20),
            away: Duration::from_secs(10),
            silent: Duration::from_secs(3),
        }
    }
}

/// Members that are rung together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who is rung in this step, and how. Never empty.
    pub legs: Vec<(Leg, PersonId)>,
    /// Those of the legs that ring only when the devices of their person are silent.
    pub when_silent: Vec<Leg>,
}

/// Who is rung, in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingPlan {
    pub(crate) steps: Vec<Step>,
}

impl RingPlan {
    /// The plan of a button (R4). `chosen` is the member picked behind a family button, `None` there rings all;
    /// the other kinds don't look at it. Members without a way to be rung make no step, so a sequence goes to
    /// the next at once. Somebody chosen who is not a member: nobody is rung.
    pub fn new(kind: BellKind, members: &[Member], chosen: Option<PersonId>) -> Self {
        let together: Vec<&[Member]> = match (kind, chosen) {
            (BellKind::Individual, _) => members.chunks(1).take(1).collect(),
            (BellKind::Sequential, _) => members.chunks(1).collect(),
            (BellKind::Family, Some(chosen)) => {
                members.chunks(1).filter(|m| m.iter().any(|m| m.person == chosen)).collect()
            }
            (BellKind::Parallel, _) | (BellKind::Family, None) => vec![members],
        };
        let mut taken = HashSet::new();
        let steps = together
            .into_iter()
            .map(|members| {
                let (mut legs, mut when_silent) = (Vec::new(), Vec::new());
                for member in members {
                    let phone = member.phone();
                    let all = member.legs.iter().copied().chain(phone.map(|(phone, _)| phone));
                    legs.extend(all.filter(|leg| taken.insert(*leg)).map(|leg| (leg, member.person)));
                    when_silent.extend(phone.filter(|(_, waits)| *waits).map(|(phone, _)| phone));
                }
                Step { legs, when_silent }
            })
            .filter(|step| !step.legs.is_empty())
            .collect();
        Self { steps }
    }

    /// Steps one after another. Empty: nobody can be reached.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Every leg of every step with its person, in the order of the plan.
    pub fn legs(&self) -> impl Iterator<Item = (Leg, PersonId)> + '_ {
        self.steps.iter().flat_map(|step| step.legs.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{device, member, person, phone};

    /// `[(person, [devices])]` to members.
    fn members(of: &[(u8, &[u8])]) -> Vec<Member> {
        let member = |(who, legs): &(u8, &[u8])| member(*who, legs, None);
        of.iter().map(member).collect()
    }

    /// The steps as `[[(device, person)]]`.
    fn steps(kind: BellKind, of: &[(u8, &[u8])], chosen: Option<u8>) -> Vec<Vec<(Leg, PersonId)>> {
        let plan = RingPlan::new(kind, &members(of), chosen.map(person));
        plan.steps().iter().map(|step| step.legs.clone()).collect()
    }

    fn expected(of: &[&[(u8, u8)]]) -> Vec<Vec<(Leg, PersonId)>> {
        of.iter().map(|step| step.iter().map(|(leg, who)| (device(*leg), person(*who))).collect()).collect()
    }

    #[test]
    fn each_kind_rings_as_it_should() {
        use BellKind::{Family, Individual, Parallel, Sequential};
        let three: &[(u8, &[u8])] = &[(1, &[11, 12]), (2, &[21]), (3, &[31])];
        let all: &[&[(u8, u8)]] = &[&[(11, 1), (12, 1), (21, 2), (31, 3)]];
        let in_turn: &[&[(u8, u8)]] = &[&[(11, 1), (12, 1)], &[(21, 2)], &[(31, 3)]];
        for (kind, chosen, wanted) in [
            (Individual, None, &in_turn[..1]),
            (Sequential, None, in_turn),
            (Parallel, None, all),
            (Family, None, all),
            (Family, Some(2), &in_turn[1..2]),
            (Family, Some(9), &[]),
            // only a family button has somebody to choose
            (Individual, Some(2), &in_turn[..1]),
            (Sequential, Some(2), in_turn),
            (Parallel, Some(2), all),
        ] {
            assert_eq!(steps(kind, three, chosen), expected(wanted), "{kind:?} {chosen:?}");
        }
    }

    #[test]
    fn who_can_not_be_reached_makes_no_step() {
        for kind in [BellKind::Individual, BellKind::Sequential, BellKind::Parallel, BellKind::Family] {
            assert_eq!(steps(kind, &[], None), expected(&[]), "{kind:?}");
            assert_eq!(steps(kind, &[(1, &[])], None), expected(&[]), "{kind:?}");
        }
        let gap: &[(u8, &[u8])] = &[(1, &[]), (2, &[21]), (3, &[]), (4, &[41])];
        assert_eq!(steps(BellKind::Sequential, gap, None), expected(&[&[(21, 2)], &[(41, 4)]]));
        assert_eq!(steps(BellKind::Family, gap, Some(3)), expected(&[]));
        // an individual button has one member: nobody else answers for one who can't be reached
        assert_eq!(steps(BellKind::Individual, gap, None), expected(&[]));
    }

    #[test]
    fn a_leg_is_in_the_plan_once() {
        let shared: &[(u8, &[u8])] = &[(1, &[11, 11]), (2, &[11]), (3, &[11, 31])];
        assert_eq!(steps(BellKind::Sequential, shared, None), expected(&[&[(11, 1)], &[(31, 3)]]));
        assert_eq!(steps(BellKind::Parallel, shared, None), expected(&[&[(11, 1), (31, 3)]]));
        let plan = RingPlan::new(BellKind::Sequential, &members(shared), None);
        assert_eq!(plan.legs().collect::<Vec<_>>(), [(device(11), person(1)), (device(31), person(3))]);
    }

    #[test]
    fn a_telephone_rings_as_the_rule_says() {
        use PhoneRule::{Both, WhenSilent, WithoutDevice};
        // rule, connected devices, whether one is signed in: rung with the step, after silence
        for (rule, devices, signed_in, at_once, after) in [
            (None, &[][..], false, false, false),
            (Some(WithoutDevice), &[][..], false, true, false),
            (Some(WithoutDevice), &[], true, false, false),
            (Some(WithoutDevice), &[11], true, false, false),
            (Some(WhenSilent), &[], false, true, false),
            (Some(WhenSilent), &[], true, true, false),
            (Some(WhenSilent), &[11, 12], true, false, true),
            (Some(Both), &[], false, true, false),
            (Some(Both), &[11], true, true, false),
        ] {
            let one = Member { signed_in, ..member(1, devices, rule) };
            let plan = RingPlan::new(BellKind::Individual, &[one], None);
            let (legs, waits) = match plan.steps() {
                [] => (Vec::new(), Vec::new()),
                [step] => (step.legs.clone(), step.when_silent.clone()),
                more => panic!("{more:?}"),
            };
            let told = format!("{rule:?} {devices:?} {signed_in}");
            assert_eq!(legs.contains(&(phone(1), person(1))), at_once || after, "{told}");
            assert_eq!(waits, if after { vec![phone(1)] } else { Vec::new() }, "{told}");
            assert_eq!(legs.len(), devices.len() + usize::from(at_once || after), "{told}");
        }
    }

    #[test]
    fn somebody_with_a_telephone_only_has_a_step() {
        let members = [member(1, &[11], None), member(2, &[], Some(PhoneRule::WithoutDevice))];
        let plan = RingPlan::new(BellKind::Sequential, &members, None);
        let legs: Vec<_> = plan.steps().iter().map(|step| step.legs.clone()).collect();
        assert_eq!(legs, [[(device(11), person(1))], [(phone(2), person(2))]]);
    }
}
