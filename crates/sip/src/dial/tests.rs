use super::*;
use proptest::prelude::*;

#[test]
fn numbers_are_read_as_people_write_them() {
    for (typed, number) in [
        ("+4721600000", "+4721600000"),
        ("+47 21 60 00 00", "+4721600000"),
        ("0047 216 00 000", "+4721600000"),
        (" +46 (8) 123-456 78 ", "+46812345678"),
        ("+46.70.123.45.67", "+46701234567"),
        ("+45 32 12 34 56", "+4532123456"),
        ("+358 40 123 4567", "+358401234567"),
        ("+354 551 2345", "+3545512345"),
        ("+47\u{a0}916\u{a0}00\u{a0}000", "+4791600000"),
    ] {
        assert_eq!(
            Countries::default().read(typed).map(|n| n.as_str().to_owned()),
            Ok(number.to_owned()),
            "{typed}"
        );
    }
}

#[test]
fn what_costs_extra_or_is_elsewhere_is_not_rung() {
    for (typed, why) in [
        // T14, as it stands
        ("+47 829 12 345", Barred::Premium),
        ("+881 6 1234 5678", Barred::Country),
        ("+1900 555 1234", Barred::Country),
        ("+47 815 00 000", Barred::Premium),
        ("+47 820 12 345", Barred::Premium),
        ("+46 900 123 4567", Barred::Premium),
        ("+46 939 123 456", Barred::Premium),
        ("+46 944 123 456", Barred::Premium),
        ("+45 90 12 34 56", Barred::Premium),
        ("+358 600 12345", Barred::Premium),
        ("+358 700 12345", Barred::Premium),
        ("+358 75 123 4567", Barred::Premium),
        ("+354 901 2345", Barred::Premium),
        ("+354 907 2345", Barred::Premium),
        ("+882 16 1234 5678", Barred::Country),
        ("+883 510 0123 4567", Barred::Country),
        ("+979 1 2345 6789", Barred::Country),
        ("+44 20 7946 0000", Barred::Country),
        ("+371 20 000 000", Barred::Country),
        ("00882 16 1234 5678", Barred::Country),
        ("0047 829 12 345", Barred::Premium),
        ("+4 7 8 2 9 1 2 3 4 5", Barred::Premium),
        // the trunk zero that people leave in would make another number of it
        ("+46 (0)8 123 456 78", Barred::Premium),
    ] {
        assert_eq!(Countries::default().read(typed), Err(why), "{typed}");
    }
}

#[test]
fn tricks_are_no_numbers() {
    for typed in [
        "",
        "+",
        "00",
        "21600000",
        "112",
        "+47 112",
        "+47 2160000",
        "sip:+4721600000@example.org",
        "tel:+4721600000",
        "+4721600000@example.org",
        "+4721600000;phone-context=+881",
        "+4721600000,,5",
        "+4721600000#",
        "+4721600000*5",
        "+4721600000p9",
        "+47 CALL-NOW-1",
        "++4721600000",
        "+0047 21600000",
        "+00 47 21600000",
        "000047 21600000",
        "+4721600000\r\nTo: <sip:x@y>",
        "+47２１６０００００",
        "+47216000001234567",
        "+47                                          21600000",
        "٠٠٤٧٢١٦٠٠٠٠٠",
        "+47%2021600000",
        "0",
        "00000000000",
    ] {
        assert_eq!(Countries::default().read(typed), Err(Barred::NotANumber), "{typed:?}");
    }
}

#[test]
fn other_countries_can_be_allowed_but_nothing_that_is_none() {
    let countries = Countries::new(["44", "1", "881", "979", "0", "", "4711", "x"]);
    assert!(countries.read("+44 20 7946 0000").is_ok());
    assert!(countries.read("+1 212 555 0100").is_ok());
    assert_eq!(countries.read("+1 900 555 1234"), Err(Barred::Premium));
    assert_eq!(countries.read("+44 900 123 4567"), Err(Barred::Premium));
    assert_eq!(countries.read("+881 6 1234 5678"), Err(Barred::Country));
    assert_eq!(countries.read("+4721600000"), Err(Barred::Country));
    assert_eq!(Countries::new([]).read("+4721600000"), Err(Barred::Country));
    // nor by the beginning of one
    let short = Countries::new(["8", "88", "97"]);
    for satellite in ["+881 6 1234 5678", "+882 16 123 4567", "+979 1 2345 6789"] {
        assert_eq!(short.read(satellite), Err(Barred::Country), "{satellite}");
    }
}

#[test]
fn a_number_tells_nobody_what_it_is() {
    let number = Countries::default().read("+4721600000").unwrap();
    assert!(!format!("{number:?}").contains("2160"));
}

proptest! {
    /// Whatever is typed: what comes out is an allowed number in E.164, made of the typed digits in their order.
    #[test]
    fn only_numbers_come_out(typed in "[+0-9 a-z:@().;-]{0,24}") {
        if let Ok(number) = Countries::default().read(&typed) {
            let digits = number.as_str().strip_prefix('+').unwrap();
            prop_assert!(digits.bytes().all(|b| b.is_ascii_digit()));
            prop_assert!((8..=15).contains(&digits.len()));
            let of_typed: String = typed.chars().filter(char::is_ascii_digit).collect();
            prop_assert!(of_typed.ends_with(digits));
            prop_assert!(of_typed.len() == digits.len() || of_typed.len() == digits.len() + 2);
        }
    }

    /// A premium range stays one, wherever spaces are put.
    #[test]
    fn spaces_open_no_premium_range(rest in "[0-9]{5}", at in 1usize..8) {
        let mut typed = format!("+47829{rest}");
        typed.insert(at, ' ');
        prop_assert_eq!(Countries::default().read(&typed), Err(Barred::Premium));
    }
}

fn at(seconds: u64) -> Mono {
    Mono::from_millis(seconds * 1000)
}

#[test]
fn one_number_is_rung_six_times_an_hour() {
    let mut caps = Caps::new(Limits::default());
    for call in 0..6 {
        assert_eq!(caps.may([1; 32], 'a', at(call * 60)), Ok(()));
    }
    assert_eq!(caps.may([1; 32], 'a', at(3599)), Err(Capped::Number));
    // from another building it is the same number
    assert_eq!(caps.may([1; 32], 'b', at(3599)), Err(Capped::Number));
    assert_eq!(caps.may([2; 32], 'a', at(3599)), Ok(()));
    // the first of the six is an hour old: one more, and not two
    assert_eq!(caps.may([1; 32], 'a', at(3600)), Ok(()));
    assert_eq!(caps.may([1; 32], 'a', at(3601)), Err(Capped::Number));
}

#[test]
fn a_building_is_capped_by_the_hour_and_all_together_by_the_day() {
    let limits = Limits { number_hour: 6, building_hour: 60, day: 101 };
    let mut caps = Caps::new(limits);
    let number = |n: u64| {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&n.to_be_bytes());
        hash
    };
    for call in 0..60 {
        assert_eq!(caps.may(number(call), 'a', at(call)), Ok(()));
    }
    assert_eq!(caps.may(number(60), 'a', at(100)), Err(Capped::BuildingHour));
    assert_eq!(caps.may(number(60), 'b', at(100)), Ok(()));
    for call in 0..40 {
        assert_eq!(caps.may(number(100 + call), 'a', at(4000 + call)), Ok(()));
    }
    for building in ['a', 'b', 'c'] {
        assert_eq!(caps.may(number(200), building, at(4100)), Err(Capped::Day));
        assert_eq!(caps.may(number(200), building, at(86_399)), Err(Capped::Day));
    }
    assert_eq!(caps.may(number(200), 'c', at(86_401)), Ok(()));
}

#[test]
fn a_thousand_presses_ring_no_more_than_the_cap() {
    let mut caps = Caps::new(Limits::default());
    let rung = (0..1000).filter(|press| caps.may([7; 32], 'a', at(press * 3)).is_ok()).count();
    assert_eq!(rung, 6);
}

#[test]
fn what_was_rung_long_ago_is_forgotten() {
    let mut caps = Caps::new(Limits { number_hour: 6, building_hour: usize::MAX, day: usize::MAX });
    for n in 0..1000_u32 {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&n.to_be_bytes());
        caps.may(hash, n, at(0)).unwrap();
    }
    caps.may([9; 32], 0, at(90_000)).unwrap();
    assert_eq!((caps.numbers.len(), caps.buildings.len()), (1, 1));
}
