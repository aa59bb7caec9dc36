// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rewrites timers and clocks.

use super::{CSource, Replacement, Site, parameter_name, replace};

/// Writes `timer_setup(T, F, 0)` for `setup_timer(T, F, DATA)`, and gives the handler its new
/// parameter.
pub(crate) fn setup_timer(site: &Site<'_>) -> Vec<Replacement> {
    let Site { source, line } = site;
    let statement = source.statement(*line);
    let names = ["setup_timer", "setup_timer_on_stack"].into_iter();
    let call = names
        .filter_map(|name| source.call(name, statement.clone()))
        .next();
    let Some(call) = call.filter(|c| c.arguments.len() == 3) else {
        return Vec::new();
    };
    let text = |i: usize| source.text(call.arguments[i].clone());
    let name = match source
        .code(call.range.clone())
        .starts_with("setup_timer_on_stack")
    {
        true => "timer_setup_on_stack",
        false => "timer_setup",
    };
    let new = format!("{name}({}, {}, 0)", text(0), text(1));
    let mut all = handler(source, text(1));
    all.push(replace(call.range.clone(), new));
    all
}

/// Writes `timer_setup(T, F, 0)` for `init_timer(T)` and the assignments of `function` and
/// `data`.
pub(crate) fn init_timer(site: &Site<'_>) -> Vec<Replacement> {
    let Site { source, line } = site;
    let Some(call) = source.call("init_timer", source.line(*line)) else {
        return Vec::new();
    };
    let [timer] = &call.arguments[..] else {
        return Vec::new();
    };
    let timer = source.text(timer.clone());
    let variable = match timer.strip_prefix('&') {
        Some(name) => format!("{name}."),
        None => format!("{timer}->"),
    };
    let Some((function, name)) = assignment(source, &variable, "function") else {
        return Vec::new();
    };
    let mut all = handler(source, &name);
    all.push(replace(
        call.range,
        format!("timer_setup({timer}, {name}, 0)"),
    ));
    all.push(function);
    all.extend(assignment(source, &variable, "data").map(|(data, _)| data));
    all
}

/// Removes the assignment of a timer's `data`.
pub(crate) fn drop_data(site: &Site<'_>) -> Vec<Replacement> {
    let Site { source, line } = site;
    let code = source.code(source.line(*line));
    let start = source.line(*line).start;
    let statement = code.find("data").and_then(|at| {
        let from = code[..at].rfind([';', '{', '}']).map_or(0, |i| i + 1);
        let from = from + (code[from..].len() - code[from..].trim_start().len());
        let is_assigned = code[at + "data".len()..].trim_start().starts_with('=');
        let end = at + code[at..].find(';')? + 1;
        is_assigned.then(|| replace(start + from..start + end, ""))
    });
    statement.into_iter().collect()
}

/// Gives the handler that a timer is made with its new parameter.
pub(crate) fn timer_handler(site: &Site<'_>) -> Vec<Replacement> {
    let Site { source, line } = site;
    let calls = ["DEFINE_TIMER", "timer_setup"].into_iter();
    let mut calls = calls.filter_map(|name| source.call(name, source.statement(*line)));
    let Some(call) = calls.next() else {
        return Vec::new();
    };
    let argument = call.arguments.get(1).cloned();
    argument.map_or(Vec::new(), |name| handler(source, source.text(name)))
}

/// Returns the parameter of a timer's handler in its new form, unless the handler uses it.
fn handler(source: &CSource, name: &str) -> Vec<Replacement> {
    let name = name.trim_start_matches('&');
    let Some(function) = source.function(name) else {
        return Vec::new();
    };
    let [parameter] = &function.parameters[..] else {
        return Vec::new();
    };
    let old = parameter_name(source, parameter);
    match source.words(old, function.body.clone()).is_empty() {
        true => vec![replace(parameter.clone(), "struct timer_list *t")],
        false => Vec::new(),
    }
}

/// Returns the removal of `VARIABLE.member = VALUE;`, and the value.
fn assignment(source: &CSource, variable: &str, member: &str) -> Option<(Replacement, String)> {
    let wanted = format!("{variable}{member}");
    let code = source.code(0..source.len());
    let at = code.find(&wanted)?;
    let rest = code[at + wanted.len()..].trim_start().strip_prefix('=')?;
    let value = code.len() - rest.len();
    let end = value + rest.find(';')?;
    let name = source.text(value..end).trim().to_owned();
    Some((replace(at..end + 1, ""), name))
}

/// Writes `ktime_get_coarse_real_ts64(&T)` for `T = current_kernel_time()`.
pub(crate) fn kernel_time(site: &Site<'_>) -> Vec<Replacement> {
    let Site { source, line } = site;
    let range = source.line(*line);
    let code = source.code(range.clone());
    let at = ["current_kernel_time64", "current_kernel_time"]
        .iter()
        .find_map(|name| source.call(name, range.clone()));
    let rewritten = at.and_then(|call| {
        let at = call.range.start - range.start;
        let from = code[..at].rfind([';', '{', '}']).map_or(0, |i| i + 1);
        let from = from + (code[from..].len() - code[from..].trim_start().len());
        let variable = code[from..at].trim_end().strip_suffix('=')?.trim();
        let end = call.range.end + source.code(call.range.end..range.end).find(';')? + 1;
        let declared = ["struct timespec64 ", "struct timespec "]
            .iter()
            .find_map(|tag| variable.strip_prefix(tag));
        let indent = &code[..from];
        let indent = if indent.trim().is_empty() {
            indent
        } else {
            " "
        };
        let new = match declared {
            Some(name) => {
                format!("struct timespec64 {name};\n{indent}ktime_get_coarse_real_ts64(&{name});")
            }
            None => format!("ktime_get_coarse_real_ts64(&{variable});"),
        };
        Some(replace(range.start + from..end, new))
    });
    rewritten.into_iter().collect()
}
