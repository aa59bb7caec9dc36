use koru_testing::{Log, Module};

#[test]
fn says_hello_and_goodbye() {
    let log = Log::from_now();
    let module = Module::load("@NAME@", &[]).unwrap();
    module.unload().unwrap();
    assert_eq!(log.messages("@NAME@: "), ["Hello world", "Goodbye world"]);
}
