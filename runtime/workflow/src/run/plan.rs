//! A workflow that is ready to run: its steps with their expressions compiled, and under which terms each call is bought.

use std::sync::Arc;

use hansa_economy::PublicKey;

use crate::data_class;
use crate::definition::{self, Approval, Fan, Step, Terms, Until, Wait, Workflow};
use crate::eval::{Compiled, CompiledTemplate};
use crate::place::Problem;

/// A workflow, compiled.
pub struct Plan {
    /// As it was read.
    pub workflow: Workflow,
    pub(crate) steps: Vec<PlanStep>,
    pub(crate) output: Option<CompiledTemplate>,
}

pub(crate) struct PlanStep {
    pub(crate) step: Step,
    pub(crate) work: PlanWork,
}

pub(crate) enum PlanWork {
    Call(Arc<PlanCall>),
    Map {
        fan: Fan,
        over: Compiled,
        steps: Vec<PlanStep>,
    },
    Parallel(Vec<(String, Vec<PlanStep>)>),
    Switch {
        cases: Vec<(Compiled, Vec<PlanStep>)>,
        otherwise: Vec<PlanStep>,
    },
    Loop {
        condition: Compiled,
        rounds_max: u32,
        steps: Vec<PlanStep>,
    },
    Wait {
        wait: Wait,
        until: Option<CompiledTemplate>,
    },
    Approve {
        approval: Approval,
        message: CompiledTemplate,
    },
    /// With the only nodes that its calls may go to, where its data is of a class.
    Run {
        workflow: String,
        with: CompiledTemplate,
        nodes: Option<Vec<PublicKey>>,
    },
    Set(CompiledTemplate),
}

pub(crate) struct PlanCall {
    pub(crate) call: definition::Call,
    pub(crate) with: CompiledTemplate,
    pub(crate) wanted: Arc<Wanted>,
    pub(crate) compensate: Option<Arc<PlanCall>>,
}

/// What is bought, and under which terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The interface.
    pub service: String,
    /// The function.
    pub function: String,
    /// The call's own terms, filled up with the workflow's.
    pub terms: Terms,
    /// Only agents on these nodes: the terms' and those of the class of the step's data.
    pub nodes: Option<Vec<PublicKey>>,
}

impl Wanted {
    /// What `call` wants, in a step that `class` holds for.
    pub(crate) fn of(workflow: &Workflow, call: &definition::Call, class: Option<&str>) -> Wanted {
        let (mine, all) = (&call.terms, &workflow.terms);
        let mut labels = all.labels.clone();
        labels.extend(mine.labels.clone());
        let terms = Terms {
            max_price: mine.max_price.or(all.max_price),
            deadline: mine.deadline.or(all.deadline),
            prefer: mine.prefer.or(all.prefer),
            sellers: mine.sellers.clone().or_else(|| all.sellers.clone()),
            labels,
            nodes: None,
        };
        let nodes = workflow.nodes_of(call, class);
        Wanted { service: call.service.clone(), function: call.function.clone(), terms, nodes }
    }
}

impl Plan {
    /// Read and compile a workflow's file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(file: &str) -> Result<Plan, Vec<Problem>> {
        Plan::within(file, None)
    }

    /// The same for a workflow that is run by another one, with data that may go to these nodes only.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn within(file: &str, nodes: Option<&[PublicKey]>) -> Result<Plan, Vec<Problem>> {
        let workflow = Workflow::read(file)?;
        let leaks = data_class::check(&workflow);
        if !leaks.is_empty() {
            return Err(leaks);
        }
        let (steps, output) = {
            let classes = workflow.data_classes();
            let class = |step: &str| classes.get(step).copied();
            let mut compiler = Compiler { workflow: &workflow, class: &class, within: nodes, problems: Vec::new() };
            let steps = compiler.steps(&workflow.steps);
            let output = workflow.output.as_ref().and_then(|output| compiler.template(output));
            if !compiler.problems.is_empty() {
                return Err(compiler.problems);
            }
            (steps, output)
        };
        Ok(Plan { workflow, steps, output })
    }
}

struct Compiler<'a> {
    workflow: &'a Workflow,
    class: &'a dyn Fn(&str) -> Option<&'a str>,
    within: Option<&'a [PublicKey]>,
    problems: Vec<Problem>,
}

impl Compiler<'_> {
    fn steps(&mut self, steps: &[Step]) -> Vec<PlanStep> {
        steps.iter().filter_map(|step| Some(PlanStep { step: step.clone(), work: self.work(step)? })).collect()
    }

    /// Of these nodes, or of all, those that the data may go to.
    fn of_those(&self, nodes: Option<Vec<PublicKey>>) -> Option<Vec<PublicKey>> {
        match (self.within, nodes) {
            (Some(within), Some(nodes)) => Some(nodes.into_iter().filter(|node| within.contains(node)).collect()),
            (Some(within), None) => Some(within.to_vec()),
            (None, nodes) => nodes,
        }
    }

    fn template(&mut self, template: &definition::Template) -> Option<CompiledTemplate> {
        CompiledTemplate::new(template).map_err(|problems| self.problems.extend(problems)).ok()
    }

    fn expression(&mut self, expression: &definition::Expression) -> Option<Compiled> {
        Compiled::new(expression).map_err(|problem| self.problems.push(problem)).ok()
    }

    fn work(&mut self, step: &Step) -> Option<PlanWork> {
        use definition::Work;
        Some(match &step.work {
            Work::Call(call) => PlanWork::Call(Arc::new(self.call(call, step)?)),
            Work::Map(fan) => {
                PlanWork::Map { over: self.expression(&fan.over)?, steps: self.steps(&fan.steps), fan: fan.clone() }
            }
            Work::Parallel(branches) => {
                PlanWork::Parallel(branches.iter().map(|branch| (branch.name.clone(), self.steps(&branch.steps))).collect())
            }
            Work::Switch { cases, otherwise } => {
                let cases = cases.iter().filter_map(|case| Some((self.expression(&case.when)?, self.steps(&case.steps))));
                PlanWork::Switch { cases: cases.collect(), otherwise: self.steps(otherwise) }
            }
            Work::Loop { while_true, rounds_max, steps } => {
                let condition = self.expression(while_true)?;
                PlanWork::Loop { condition, rounds_max: *rounds_max, steps: self.steps(steps) }
            }
            Work::Wait(wait) => {
                let until = match &wait.until {
                    Until::Time(time) => Some(self.template(time)?),
                    _ => None,
                };
                PlanWork::Wait { wait: wait.clone(), until }
            }
            Work::Approve(approval) => {
                PlanWork::Approve { message: self.template(&approval.message)?, approval: approval.clone() }
            }
            Work::Run { workflow, with } => {
                let class = (self.class)(&step.id).and_then(|class| self.workflow.data.get(class));
                let nodes = self.of_those(class.map(|class| class.nodes.clone()));
                PlanWork::Run { workflow: workflow.clone(), with: self.template(with)?, nodes }
            }
            Work::Set(with) => PlanWork::Set(self.template(with)?),
        })
    }

    fn call(&mut self, call: &definition::Call, step: &Step) -> Option<PlanCall> {
        let with = self.template(&call.with)?;
        let compensate = match &call.compensate {
            Some(call) => Some(Arc::new(self.call(call, step)?)),
            None => None,
        };
        let mut wanted = Wanted::of(self.workflow, call, (self.class)(&step.id));
        wanted.nodes = self.of_those(wanted.nodes);
        Some(PlanCall { call: call.clone(), with, wanted: Arc::new(wanted), compensate })
    }
}
