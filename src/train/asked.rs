//! A resolved experiment put to its table: truth, weights and features, ready to be fitted on any
//! of its rows.

use std::time::Instant;

use ndarray::Array2;

use super::measure::threshold_by_costs;
use super::resolve::{features_of, target_of};
use super::{Error, Experiment, Scores};
use crate::data::{Role, Split, Table, Target, Task};
use crate::features::sight::{self, FittedSight, InputKind, Layout};
use crate::features::{self, FittedRecipe, Plan};
use crate::files;
use crate::jobs::Ctx;
use crate::models::linear::Problem;
use crate::models::network::{self, Seen};
use crate::models::{self, Aim, Fitted, Model, Predictor, Settings};
use crate::nn::spec::{Layer, Shape};
use crate::rng::Seed;

/// The question with everything that it needs of the table.
pub(super) struct Asked<'a> {
    pub(super) table: &'a Table,
    pub(super) experiment: &'a Experiment,
    pub(super) target: Target,
    /// The truth of every row of the table; NaN where the target is missing.
    pub(super) truth: Vec<f64>,
    weights: Option<Vec<f64>>,
    /// The columns of the matrix: of a network that looks at more only the static ones.
    features: Vec<String>,
    /// What a network looks at besides the matrix.
    layout: Option<Layout>,
    classes: Vec<String>,
    settings: Settings,
    /// The 1-based source row of every row.
    source_rows: Vec<u32>,
}

/// A fit on some rows.
pub(super) struct Answer {
    pub(super) model: Model,
    pub(super) fitted: Fitted,
    pub(super) train: Scores,
    /// Empty when there are no validation rows.
    pub(super) valid: Scores,
    pub(super) seconds: f64,
    /// The mean of each column of the training rows' matrix; empty for networks.
    pub(super) means: Vec<f64>,
}

impl<'a> Asked<'a> {
    /// Puts a resolved experiment to its table.
    pub(super) fn new(table: &'a Table, experiment: &'a Experiment) -> Result<Self, Error> {
        let target = target_of(table, experiment)
            .ok_or_else(|| Error::question("no target is named", "name the column to predict"))?;
        let truth = target.truth(table)?;
        let settings = models::check(&experiment.model.kind, &experiment.model.set)?;
        let settings = settings.seeded(Seed(experiment.split.seed));
        let mut features = match settings {
            Settings::Baseline => Vec::new(),
            Settings::Linear(_) | Settings::Network(_) => features_of(table, experiment)?,
        };
        let layout = layout_of(table, experiment)?;
        if let Some(layout) = &layout {
            features.clone_from(&layout.statics);
        }
        let source_rows = table.rows();
        Ok(Self {
            weights: weights(table, &truth, &source_rows)?,
            classes: classes(table, &target)?,
            table,
            experiment,
            target,
            truth,
            features,
            layout,
            settings,
            source_rows,
        })
    }

    /// Fits recipe and model on `train`; the rows of `valid` are only scored.
    pub(super) fn fit(&self, train: &[u32], valid: &[u32], ctx: &Ctx) -> Result<Answer, Error> {
        let recipe = self.recipe(train, ctx)?;
        if let Settings::Network(params) = &self.settings {
            return self.fit_network(params, recipe, train, valid, ctx);
        }
        let names = recipe.names();
        let x = recipe.matrix(self.table, train, ctx)?;
        let valid_x = recipe.matrix(self.table, valid, ctx)?;
        let (of_train, of_valid) = (self.scores(train), self.scores(valid));
        let problem = problem(&x, &of_train, &names);
        let watched = problem_if_any(&valid_x, &of_valid, &names);
        let start = Instant::now();
        let fitted = models::fit(&self.settings, self.aim(), &problem, watched.as_ref(), ctx)?;
        let seconds = start.elapsed().as_secs_f64();
        let of_train = of_train.told(&fitted.predictor.outputs(x.view(), &[]));
        let of_valid = of_valid.told(&fitted.predictor.outputs(valid_x.view(), &[]));
        let means = models::means(x.view(), of_train.weight.as_deref());
        let model = self.model(recipe, None, fitted.predictor.clone());
        Ok(Answer { model, fitted, train: of_train, valid: of_valid, seconds, means })
    }

    /// The recipe as these rows teach it; `baseline` needs none.
    pub(super) fn recipe(&self, train: &[u32], ctx: &Ctx) -> Result<FittedRecipe, Error> {
        let recipe = &self.experiment.recipe;
        // A network may look at nothing but its series or image.
        if self.settings == Settings::Baseline || self.layout.is_some() && self.features.is_empty()
        {
            return Ok(FittedRecipe { recipe: recipe.clone(), ..FittedRecipe::default() });
        }
        Ok(features::fit(self.table, recipe, &self.features, train, ctx)?)
    }

    /// The same for a network, which also looks at the table itself.
    fn fit_network(
        &self,
        params: &network::Params,
        recipe: FittedRecipe,
        train: &[u32],
        valid: &[u32],
        ctx: &Ctx,
    ) -> Result<Answer, Error> {
        let sight = match &self.layout {
            Some(layout) => {
                let mut sight = sight::fit(self.table, layout, train, ctx)?;
                if matches!(params.network.layers.first(), Some(Layer::Embedding { .. })) {
                    // Whole numbers are looked up as they are.
                    for channel in &mut sight.channels {
                        (channel.offset, channel.scale) = (0.0, 1.0);
                    }
                }
                Some(sight)
            }
            None => None,
        };
        let shape = sight.as_ref().map_or([0; 3], FittedSight::shape);
        let look = |rows: &[u32]| match &sight {
            Some(sight) => sight.tensor(self.table, rows, ctx),
            None => Ok(Vec::new()),
        };
        let (x, valid_x) =
            (recipe.matrix(self.table, train, ctx)?, recipe.matrix(self.table, valid, ctx)?);
        let (tensor, valid_tensor) = (look(train)?, look(valid)?);
        let (of_train, of_valid) = (self.scores(train), self.scores(valid));
        let seen = Seen {
            tensor: &tensor,
            shape,
            x: x.view(),
            y: &of_train.truth,
            weights: of_train.weight.as_deref(),
        };
        let watched = Seen {
            tensor: &valid_tensor,
            shape,
            x: valid_x.view(),
            y: &of_valid.truth,
            weights: of_valid.weight.as_deref(),
        };
        let watched = (!valid.is_empty()).then_some(watched);
        let name = self.name(train);
        if let Some(shelf) = ctx.shelf() {
            // What cannot be put aside is said by the training itself.
            let _ = shelf.put(&format!("{name}.toml"), self.experiment.to_toml().as_bytes());
        }
        let start = Instant::now();
        let fitted = network::fit(params, self.aim(), &seen, watched.as_ref(), &name, ctx);
        let seconds = start.elapsed().as_secs_f64();
        if let Some(shelf) = ctx.shelf().filter(|_| ctx.check().is_ok()) {
            // What is finished, or cannot be, is not unfinished any more.
            shelf.forget(&name);
            shelf.forget(&format!("{name}.toml"));
        }
        let fitted = fitted.map_err(models::Error::from)?;
        ctx.note("measuring");
        let of_train = of_train.told(&fitted.predictor.outputs(x.view(), &tensor));
        let of_valid = of_valid.told(&fitted.predictor.outputs(valid_x.view(), &valid_tensor));
        let model = self.model(recipe, sight, fitted.predictor.clone());
        let means = Vec::new();
        Ok(Answer { model, fitted, train: of_train, valid: of_valid, seconds, means })
    }

    /// Names this training of this experiment on these rows, where unfinished work is put aside.
    fn name(&self, train: &[u32]) -> String {
        let rows: Vec<u8> = train.iter().flat_map(|row| row.to_le_bytes()).collect();
        let what = [
            env!("CARGO_PKG_VERSION").to_owned(),
            self.experiment.to_toml(),
            self.table.origin.sha256.clone(),
            files::sha256_hex(&rows),
        ];
        files::sha256_hex(what.concat().as_bytes())[..24].to_owned()
    }

    /// How large matrix and tensor of training and validation rows will be.
    pub(super) fn plan(&self, split: &Split, ctx: &Ctx) -> Result<Plan, Error> {
        let n_rows = split.train.len() + split.valid.len();
        let matrix = self.recipe(&split.train, ctx)?.plan(n_rows);
        let cells = self.layout.as_ref().map_or(0, Layout::cells);
        Ok(Plan {
            rows: n_rows,
            columns: matrix.columns + cells,
            bytes: matrix.bytes + 4 * (n_rows * cells) as u64,
        })
    }

    /// Rows, truth and weights at these positions, without scores yet.
    pub(super) fn scores(&self, positions: &[u32]) -> Scores {
        let at = |values: &[f64]| positions.iter().map(|row| values[*row as usize]).collect();
        Scores {
            rows: positions.iter().map(|row| self.source_rows[*row as usize]).collect(),
            truth: at(&self.truth),
            score: Vec::new(),
            probability: Vec::new(),
            weight: self.weights.as_deref().map(at),
            fold: None,
        }
    }

    fn aim(&self) -> Aim {
        match self.target.task {
            Task::Regression => Aim::Number,
            Task::Binary => Aim::Event,
            Task::Multiclass => Aim::Classes(self.classes.len()),
        }
    }

    fn model(
        &self,
        recipe: FittedRecipe,
        sight: Option<FittedSight>,
        predictor: Predictor,
    ) -> Model {
        Model {
            kind: self.experiment.model.kind.clone(),
            task: self.target.task,
            target: self.target.name.clone(),
            classes: self.classes.clone(),
            threshold: threshold_by_costs(self.experiment.costs),
            protected: self.protected(&recipe, sight.as_ref()),
            recipe,
            sight,
            predictor,
            averages: None,
            reference: None,
        }
    }

    /// The columns with a protected mark that the model looks at nevertheless.
    fn protected(&self, recipe: &FittedRecipe, sight: Option<&FittedSight>) -> Vec<String> {
        let inputs = recipe.inputs.iter().map(|input| input.name.as_str());
        let seen = sight.into_iter().flat_map(FittedSight::columns);
        let is_protected =
            |name: &&str| self.table.column(name).is_some_and(|c| c.protected.is_some());
        inputs.chain(seen).filter(is_protected).map(str::to_owned).collect()
    }
}

/// What the network of an experiment looks at besides the matrix; nothing for other families and
/// for networks of plain tables.
pub(super) fn layout_of(table: &Table, experiment: &Experiment) -> Result<Option<Layout>, Error> {
    let settings = models::check(&experiment.model.kind, &experiment.model.set)?;
    let Settings::Network(params) = settings else { return Ok(None) };
    let features = features_of(table, experiment)?;
    let mut spec = params.sight;
    spec.time = experiment.split.time.clone().or(spec.time);
    let layout = sight::layout(table, &features, &spec)?;
    Ok((layout.kind != InputKind::Table).then_some(layout))
}

/// Refuses a network whose layers do not fit what it looks at, and says what that is.
pub(super) fn check_network(table: &Table, experiment: &Experiment) -> Result<Vec<String>, Error> {
    let settings = models::check(&experiment.model.kind, &experiment.model.set)?;
    let Settings::Network(params) = settings else { return Ok(Vec::new()) };
    let layout = layout_of(table, experiment)?;
    let n_out = match (experiment.question.task, &experiment.question.target) {
        (Some(Task::Multiclass), Some(target)) => table.levels(target)?.names.len(),
        _ => 1,
    };
    let (input, n_static) = match &layout {
        Some(layout) => {
            let [height, width, channels] = layout.shape();
            (Shape { height, width, channels }, layout.statics.len())
        }
        None => (Shape::flat(features_of(table, experiment)?.len()), 0),
    };
    if let Err(mistake) = params.network.trace(input, n_static, n_out) {
        let mut error = models::network::Error::Mistake(mistake).to_string();
        if layout.is_none() && experiment.model.kind != "mlp" {
            error += "; this table is no series and no image: `mlp` takes plain tables, or say \
                      with `input` and `channels` which columns form one";
        }
        let (what, hint) = error.split_once("\nhint: ").unwrap_or((&error, ""));
        return Err(Error::question(what, hint));
    }
    Ok(layout.map_or(Vec::new(), |layout| {
        let mut notes = vec![format!("the network looks at {}", layout.text())];
        notes.extend(layout.notes);
        notes
    }))
}

/// Whether a kind of model can look at this table at all.
pub fn suits(table: &Table, experiment: &Experiment, kind: &str) -> bool {
    let mut asked = experiment.clone();
    kind.clone_into(&mut asked.model.kind);
    asked.model.set.clear();
    check_network(table, &asked).is_ok()
}

fn problem<'a>(x: &'a Array2<f64>, rows: &'a Scores, names: &'a [String]) -> Problem<'a> {
    Problem { x: x.view(), y: &rows.truth, weights: rows.weight.as_deref(), names }
}

fn problem_if_any<'a>(
    x: &'a Array2<f64>,
    rows: &'a Scores,
    names: &'a [String],
) -> Option<Problem<'a>> {
    (!rows.rows.is_empty()).then(|| problem(x, rows, names))
}

/// The weights of the rows, each a number from 0 up wherever the truth is known.
pub(super) fn weights(
    table: &Table,
    truth: &[f64],
    rows: &[u32],
) -> Result<Option<Vec<f64>>, Error> {
    let Some(column) = table.with_role(Role::Weight) else { return Ok(None) };
    let weights = table.numbers(&column.name)?;
    let is_wrong =
        |row: usize| !(truth[row].is_nan() || weights[row].is_finite() && weights[row] >= 0.0);
    if let Some(row) = (0..weights.len()).find(|row| is_wrong(*row)) {
        let value = weights[row];
        let said = if value.is_nan() { "missing".to_owned() } else { format!("`{value}`") };
        let what = format!("row {}: the weight in `{}` is {said}", rows[row], column.name);
        return Err(Error::question(what, "weights are numbers from 0 up; leave out such rows"));
    }
    Ok(Some(weights))
}

/// The negative and the positive class, or all of several in the order of the table's levels, those
/// included that some part of the rows lacks; nothing for a number.
fn classes(table: &Table, target: &Target) -> Result<Vec<String>, Error> {
    if target.task == Task::Multiclass {
        return Ok(table.levels(&target.name)?.names);
    }
    let Some(positive) = target.positive.clone().filter(|_| target.task == Task::Binary) else {
        return Ok(Vec::new());
    };
    let levels = table.levels(&target.name)?.names;
    let others: Vec<_> = levels.into_iter().filter(|level| *level != positive).collect();
    let negative = match <[String; 1]>::try_from(others) {
        Ok([other]) => other,
        Err(_) => format!("not {positive}"),
    };
    Ok(vec![negative, positive])
}
