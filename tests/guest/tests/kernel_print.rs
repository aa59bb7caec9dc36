// SPDX-License-Identifier: MIT OR Apache-2.0

//! The print macros, on the module `kt_print`.

use koru_testing::{Log, LogRecord, Module};

koru_testing::test_file!(one_cpu);

const PREFIX: &str = "kt_print: ";
/// `kernel::print::MAX_MESSAGE`, less the newline, which is not stored.
const MAX_RECORD_LEN: usize = 972;

/// What the module prints for these parameters.
#[track_caller]
fn records(params: &[&str]) -> Vec<LogRecord> {
    let log = Log::from_now();
    drop(Module::load("kt_print", params).unwrap());
    let mut records = log.records();
    records.retain(|r| r.text.starts_with(PREFIX));
    // Not what the loader says of it the first time.
    records.retain(|r| !r.text.contains("taint"));
    records
}

#[track_caller]
fn texts(params: &[&str]) -> Vec<String> {
    let text = |r: &LogRecord| r.text.clone();
    records(params).iter().map(text).collect()
}

#[test]
fn levels() {
    let records = records(&["what=levels"]);
    let got: Vec<(u8, &str)> = records.iter().map(|r| (r.level, r.text.as_str())).collect();
    assert_eq!(
        got,
        [
            (0, "kt_print: emerg"),
            (1, "kt_print: alert"),
            (2, "kt_print: crit"),
            (3, "kt_print: err"),
            (4, "kt_print: warn"),
            (5, "kt_print: notice"),
            (6, "kt_print: info"),
            // pr_debug! prints in debug builds only.
        ]
    );
}

#[test]
fn a_long_message_is_one_record_cut_at_the_end() {
    for length in [900, MAX_RECORD_LEN, 2000, 60_000] {
        let texts = texts(&["what=ascii", &format!("length={length}")]);
        let wanted = length.min(MAX_RECORD_LEN - PREFIX.len());
        assert_eq!(texts, vec![format!("{PREFIX}{}", "x".repeat(wanted)); 3]);
    }
}

#[test]
fn a_cut_leaves_whole_characters() {
    let mut shorter = 0;
    // The limit falls on each byte of a letter of two.
    for length in 930..934 {
        let texts = texts(&["what=long", &format!("length={length}")]);
        let room = MAX_RECORD_LEN - PREFIX.len() - length;
        let wanted = format!("{PREFIX}{}{}", "x".repeat(length), "é".repeat(room / 2));
        assert_eq!(texts, [wanted.as_str(), "kt_print: next"]);
        shorter += MAX_RECORD_LEN - wanted.len();
    }
    assert_eq!(shorter, 2, "two of four were cut before a letter");
}

#[test]
fn newlines_of_the_format_are_kept() {
    assert_eq!(texts(&["what=newline"]), ["kt_print: one\ntwo\tthree"]);
}

#[test]
fn an_argument_is_never_a_format() {
    let texts = texts(&["what=argument", "text=%s%n{}"]);
    assert_eq!(
        texts,
        [
            "kt_print: [%s%n{}] [\"%s%n{}\"]",
            "kt_print: %s %d %n {} [  %s%n{}]"
        ]
    );
}

#[test]
fn an_argument_cannot_forge_records() {
    let records = records(&["what=control"]);
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(
        records[0].text,
        r"kt_print: [a\nb\r\t\u{0}\u{1b}[2J\u{9b}c\]"
    );
    // What C reads as a level at a message's start.
    let records = self::records(&["what=level"]);
    assert_eq!((records.len(), records[0].level), (1, 6), "{records:?}");
    assert_eq!(records[0].text, r"kt_print: \u{1}3forged");
}

#[test]
fn numbers() {
    assert_eq!(
        texts(&["what=numbers"]),
        [
            "kt_print: -9223372036854775808 340282366920938463463374607431768211455 \
          0xff 00000101 1.5e3 Some(1) EINVAL"
        ]
    );
    // Messages whose arguments are all integers are formatted by other code.
    assert_eq!(
        texts(&["what=integers", "length=7"]),
        [
            "kt_print: -9223372036854775808 18446744073709551615 -1%d 0",
            "kt_print: 7 {}",
            "kt_print: 2 1",
            "kt_print: 7, -2",
            "kt_print: one 2 18446744073709551615",
        ]
    );
}

/// Asserts that the texts are pairs of the same: by pieces, and by core's formatting.
#[track_caller]
fn pairs(texts: &[String]) -> Vec<&str> {
    assert_eq!(texts.len() % 2, 0, "{texts:?}");
    let pair = |pair: &'_ [String]| assert_eq!(pair[0], pair[1]);
    texts.chunks(2).for_each(pair);
    let first = texts.iter().step_by(2);
    first.map(|text| &text[PREFIX.len()..]).collect()
}

#[test]
fn integers_texts_and_errors_need_no_formatting_of_core() {
    let texts = texts(&["what=pieces"]);
    let wide = |n: i64, width: usize| format!("{n:0width$}");
    let numbers = [0, 7, -7, i64::from(i32::MIN), 12345]
        .map(|n| format!("{n} {n:03} 5 {} {}", wide(-n.abs(), 20), wide(n, 255)));
    let mut wanted = vec![
        "[]",
        "<1> ",
        "[plain]",
        "<1> plain",
        r"[é\u{9b}€\u{7f}\]",
        r"<1> \xc3\xa9\xc2\x9b\xe2\x82\xac\x7f\",
        r"[\n\t\r\u{0}\u{1}3\u{1f}]",
        r"<1> \n\t\r\x00\x013\x1f",
        "[100 %s%n]",
        "<1> 100 %s%n",
        "EINVAL EINVAL -22",
        "ENOMEM ENOMEM -12",
        "Error(4000) Error(4000) -4000",
        "EPERM EPERM -1",
    ];
    wanted.extend(numbers.iter().map(String::as_str));
    assert_eq!(pairs(&texts), wanted);
}

#[test]
fn long_text_is_cut_as_by_core() {
    // The limit falls on all bytes of these.
    for shift in 0..10 {
        let text = format!("text={}{}", "x".repeat(shift), "aé\u{1b}".repeat(120));
        let texts = texts(&["what=cut", &text]);
        assert!(pairs(&texts)[0].len() > 900, "{texts:?}");
    }
}

#[test]
fn continued_messages() {
    assert_eq!(
        texts(&["what=cont"]),
        ["kt_print: one two three", "kt_print: next"]
    );
}

#[test]
fn once_is_once_a_load() {
    for _ in 0..2 {
        let records = records(&["what=once"]);
        let got: Vec<(u8, &str)> = records.iter().map(|r| (r.level, r.text.as_str())).collect();
        assert_eq!(
            got,
            [(6, "kt_print: once 0"), (4, "kt_print: warned once 0")]
        );
    }
}

#[test]
fn an_argument_that_fails_to_format() {
    let texts = texts(&["what=fails"]);
    assert_eq!(texts, ["kt_print: so far", "kt_print: so far good and on"]);
}

#[test]
fn dbg_says_where() {
    let texts = texts(&["what=dbg"]);
    assert_eq!(texts.len(), 2, "{texts:?}");
    let place = &texts[0];
    assert!(place.contains("kt_print/src/lib.rs:"), "{place}");
    assert!(place.ends_with("] 2 * 21 = 42"), "{place}");
    assert_eq!(texts[1], "kt_print: 43");
}

#[test]
fn a_message_without_its_newline_is_not_lost() {
    let log = Log::from_now();
    drop(Module::load("kt_print", &["what=unended"]).unwrap());
    // The next record closes it.
    drop(Module::load("kt_print", &["what=newline"]).unwrap());
    assert_eq!(log.messages(PREFIX), ["no newline", "one\ntwo\tthree"]);
}

#[test]
fn many_records_in_order() {
    let texts = texts(&["what=many", "length=500"]);
    let wanted: Vec<String> = (0..500).map(|n| format!("{PREFIX}record {n}")).collect();
    assert_eq!(texts, wanted);
}

/// The tests' own way to write there: the test's runner reads it.
#[test]
fn an_announcement_is_one_record() {
    let log = Log::from_now();
    koru_testing::kernel_may_say("nothing of this kind");
    let texts: Vec<String> = log.records().into_iter().map(|r| r.text).collect();
    assert_eq!(texts, ["koru: the kernel may say: nothing of this kind"]);
}
