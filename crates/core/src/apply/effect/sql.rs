//! An effect that is SQL alone: statements of the configuration, their parameters filled in from the message.

use async_trait::async_trait;

use super::{Effect, EffectError, EffectMessage, EffectTx, Parameter, Prepared, Rows, Statement};

/// Statements that are executed in their order, each for as many rows as are expected.
#[derive(Clone, Debug)]
pub struct SqlEffect {
    name: String,
    steps: Vec<Step>,
}

/// A statement of a [`SqlEffect`].
#[derive(Clone, Debug)]
pub struct Step {
    place: String,
    statement: Statement,
    parameters: Vec<Parameter>,
    rows: Rows,
}

/// A statement names what no message has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no parameter :{name}")]
pub struct UnknownParameter {
    /// The name.
    pub name: String,
}

impl Step {
    /// A statement that stands at `place`.
    ///
    /// # Errors
    /// [`UnknownParameter`] if it names what is no [`Parameter`].
    pub fn new(place: String, statement: Statement, rows: Rows) -> Result<Self, UnknownParameter> {
        let parameter =
            |name: &String| Parameter::named(name).ok_or_else(|| UnknownParameter { name: name.clone() });
        let parameters = statement.names().iter().map(parameter).collect::<Result<_, _>>()?;
        Ok(Self { place, statement, parameters, rows })
    }
}

impl SqlEffect {
    /// An effect of these statements. Its name is kept with what fails.
    #[must_use]
    pub fn new(name: String, steps: Vec<Step>) -> Self {
        Self { name, steps }
    }
}

#[async_trait]
impl Effect for SqlEffect {
    fn name(&self) -> &str {
        &self.name
    }

    fn prepared(&self) -> Vec<Prepared<'_>> {
        let prepared = |step: &'_ Step| step.parameters.iter().map(|parameter| parameter.none()).collect();
        self.steps
            .iter()
            .map(|step| Prepared {
                place: &step.place,
                statement: &step.statement,
                arguments: prepared(step),
            })
            .collect()
    }

    async fn run(&self, tx: &mut EffectTx<'_>, message: &EffectMessage<'_>) -> Result<(), EffectError> {
        for (step, number) in self.steps.iter().zip(1..) {
            let arguments: Vec<_> = step.parameters.iter().map(|parameter| parameter.of(message)).collect();
            let found = tx.execute_in_order(&step.statement, &arguments).await?;
            if !step.rows.contains(found) {
                return Err(EffectError::Rows { number, expected: step.rows, found });
            }
        }
        Ok(())
    }
}
