// SPDX-License-Identifier: MIT OR Apache-2.0

//! From the names of modules to the rows of a report.

use koru_error::{Error, Kind, Result};
use koru_kernels::KernelTree;
use koru_protocol::Counts;

use super::{
    guest::{OperationResult, Plan, Subject, SubjectResults, measure},
    operation::NamedOperation,
    profile::profiles,
    report::{Report, Row, Unit, Value},
    sizes::{code, without_debug_info},
};
use crate::{
    cli::BenchArgs, context::Context, loadable::loadable_modules, target::request::ModuleRequest,
};

/// The rows for the load of a module, its unload, and both.
const LOADING: [&str; 3] = [LOAD, UNLOAD, "load + unload"];
const LOAD: &str = "load";
const UNLOAD: &str = "unload";

/// The operations that show what the kernel and the counting themselves take.
const FLOORS: [&str; 3] = ["getpid", "read /dev/zero 1", "pread /proc/uptime 64"];

/// Reads operations.
pub fn named(texts: &[impl AsRef<str>], samples: u32) -> Result<Vec<NamedOperation>> {
    let parsed = texts
        .iter()
        .map(|t| NamedOperation::parse(t.as_ref(), samples));
    parsed.collect()
}

/// Builds a module.
pub fn subject(
    context: &Context,
    tree: &KernelTree,
    label: &str,
    source: &str,
    params: &[String],
    operations: Vec<NamedOperation>,
) -> Result<Subject> {
    let request = ModuleRequest {
        source: Some(source.to_owned()),
        module: None,
        params: params.to_vec(),
    };
    let (mut modules, _) = loadable_modules(context, || Ok(tree.clone()), &[request])?;
    let missing = || Error::new(Kind::Usage, "measuring", "there is no module");
    let module = modules.pop().ok_or_else(missing)?;
    Ok(Subject {
        label: label.to_owned(),
        file: without_debug_info(&module.path)?,
        module,
        needs: modules,
        operations,
    })
}

/// Measures modules that do the same operations, and arranges the results.
pub fn measured(
    context: &Context,
    tree: &KernelTree,
    subjects: &[Subject],
    args: &BenchArgs,
) -> Result<Report> {
    let plan = Plan {
        floors: &named(&FLOORS, args.samples)?,
        loads: args.loads,
    };
    let results = measure(context, tree, subjects, &plan)?;
    let mut report = report(tree, subjects, &plan, &results.floors, &results.subjects)?;
    if args.profile {
        let profiles = profiles(context, tree, subjects, &results)?;
        for (n, profiles) in profiles.into_iter().enumerate() {
            let mut profiles = profiles.into_iter();
            let load = profiles.next().flatten();
            for (row, profile) in report.rows.iter_mut().zip(profiles) {
                row.values[n].profile = profile;
            }
            if let Some(row) = report.rows.iter_mut().find(|row| row.name == LOAD) {
                row.values[n].profile = load;
            }
        }
    }
    Ok(report)
}

/// Measures groups of modules in one machine. Those of a group do the same operations, and the
/// group's report has only what is equal in each run: no loads.
pub fn measured_together(
    context: &Context,
    tree: &KernelTree,
    groups: &[Vec<Subject>],
) -> Result<Vec<Report>> {
    let plan = Plan {
        floors: &[],
        loads: 1,
    };
    let all = groups.concat();
    let results = measure(context, tree, &all, &plan)?;
    let mut rest = results.subjects.as_slice();
    let reports = groups.iter().map(|subjects| {
        let (these, others) = rest.split_at(subjects.len());
        rest = others;
        let mut report = report(tree, subjects, &plan, &[], these)?;
        report.rows.retain(|row| !LOADING.contains(&&*row.name));
        Ok(report)
    });
    reports.collect()
}

/// Arranges the results in rows.
fn report(
    tree: &KernelTree,
    subjects: &[Subject],
    plan: &Plan,
    floors: &[Option<Counts>],
    results: &[SubjectResults],
) -> Result<Report> {
    let mut rows = Vec::new();
    let operations = subjects.first().map_or(&[][..], |s| &s.operations);
    for (n, operation) in operations.iter().enumerate() {
        let values = results.iter().map(|s| match &s.operations[n] {
            OperationResult::Counted(counts) => Value {
                median: Some(counts.median),
                least: Some(counts.least),
                most: Some(counts.most),
                returned: Some(counts.returned),
                ..Value::default()
            },
            OperationResult::Failed(error) => Value {
                error: Some(error.clone()),
                ..Value::default()
            },
        });
        rows.push(Row::new(
            &operation.name,
            Unit::Instructions,
            values.collect(),
        ));
    }
    let loads = || results.iter().map(|s| &s.loads);
    let loading = |name: &str, values: Vec<Value>| Row::new(name, Unit::Instructions, values);
    rows.push(loading(
        LOAD,
        loads().map(|l| Value::number(l.load)).collect(),
    ));
    rows.push(loading(
        UNLOAD,
        loads().map(|l| Value::number(l.unload)).collect(),
    ));
    rows.push(loading(
        "load + unload",
        loads().map(|l| Value::number(l.load + l.unload)).collect(),
    ));
    let mut instructions = Vec::new();
    for subject in subjects {
        instructions.push(Value::number(code(&subject.file)?));
    }
    let bytes = |name: &str, values: Vec<Value>| Row::new(name, Unit::Bytes, values);
    let files = subjects.iter().map(|s| Value::number(s.file.len() as u64));
    rows.push(bytes("code, bytes", instructions));
    rows.push(bytes("file, bytes", files.collect()));
    rows.push(bytes(
        "resident, bytes",
        loads().map(|l| Value::number(l.resident)).collect(),
    ));
    let floors = plan.floors.iter().zip(floors).map(|(floor, counts)| {
        let value = counts.as_ref().map(|c| Value::number(c.median));
        Row::new(&floor.name, Unit::Instructions, value.into_iter().collect())
    });
    Ok(Report {
        kernel: tree.release.clone(),
        modules: subjects.iter().map(|s| s.label.clone()).collect(),
        floors: floors.collect(),
        rows,
    })
}
