//! What a person can want, and where.

/// Where a key works. Keys of an inner scope win over those of the scopes around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everywhere but in a text field.
    Global,
    /// Any list or form: moving about.
    Move,
    /// The gallery of samples.
    Gallery,
    /// Data pane, list of columns.
    Columns,
    /// Data pane, the rows.
    Table,
    /// Data pane, findings.
    Findings,
    /// Data pane, SQL.
    Sql,
    /// Data pane, correlations.
    Correlations,
    /// Model pane.
    Model,
    /// Training pane.
    Training,
    /// Evaluation pane.
    Evaluation,
    /// Compare screen.
    Compare,
    /// Rows behind a number.
    Rows,
    /// The network editor.
    Network,
    /// Explain screen.
    Explain,
    /// Serve screen.
    Serve,
    /// Monitor screen.
    Monitor,
}

impl Scope {
    /// Every scope, in the order of the help screen.
    pub const ALL: &'static [Self] = &[
        Self::Global,
        Self::Move,
        Self::Gallery,
        Self::Columns,
        Self::Table,
        Self::Findings,
        Self::Sql,
        Self::Correlations,
        Self::Model,
        Self::Training,
        Self::Evaluation,
        Self::Compare,
        Self::Rows,
        Self::Network,
        Self::Explain,
        Self::Serve,
        Self::Monitor,
    ];

    /// What the help screen and the README call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Global => "everywhere",
            Self::Move => "moving",
            Self::Gallery => "gallery",
            Self::Columns => "data · columns",
            Self::Table => "data · table",
            Self::Findings => "data · findings",
            Self::Sql => "data · sql",
            Self::Correlations => "data · correlations",
            Self::Model => "model",
            Self::Training => "training",
            Self::Evaluation => "evaluation",
            Self::Compare => "compare",
            Self::Rows => "rows behind a number",
            Self::Network => "network editor",
            Self::Explain => "explain",
            Self::Serve => "serve",
            Self::Monitor => "monitor",
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// What a person wants. Plain data: it can be compared and printed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[$doc])* $name),+ }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
        }
    };
}

actions! {
    /// Go up by one.
    Up,
    /// Go down by one.
    Down,
    /// Go left, or make a value smaller.
    Left,
    /// Go right, or make a value larger.
    Right,
    /// Go up by a page, or left by a large step.
    PageUp,
    /// Go down by a page, or right by a large step.
    PageDown,
    /// Go to the first.
    First,
    /// Go to the last.
    Last,
    /// Go in: open, edit, apply.
    Enter,
    /// Go out: close, leave, stop a search.
    Back,
    /// The next tab of this pane.
    NextTab,
    /// The tab before.
    PrevTab,
    /// Show every key of this place.
    Help,
    /// Find any action or command by its words.
    Palette,
    /// Leave the program.
    Quit,
    /// Stop what is under way, or ask to leave.
    Interrupt,
    /// Hand the terminal back to the shell for a while.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Take back the latest change.
    Undo,
    /// Bring back what was taken back.
    Redo,
    /// The next pane.
    NextPane,
    /// The pane before.
    PrevPane,
    /// The Data pane.
    PaneData,
    /// The Model pane.
    PaneModel,
    /// The Training pane.
    PaneTraining,
    /// The Evaluation pane.
    PaneEvaluation,
    /// Let one pane fill the screen, or all share it.
    Zoom,
    /// Open another table.
    Open,
    /// Train with the settings as they are.
    Train,
    /// Train every kind and compare.
    TrainAll,
    /// Train over a grid of penalties.
    Sweep,
    /// Cross-validate with five folds.
    CrossValidate,
    /// Cancel the running job.
    Cancel,
    /// Let the training rest, or go on.
    Pause,
    /// End the training early and keep what there is.
    Finish,
    /// Compare runs.
    Compare,
    /// Save the model of the shown run.
    Save,
    /// Write the experiment as TOML.
    Export,
    /// Edit the experiment in the person's own editor.
    Edit,
    /// Show the command log.
    History,
    /// Draw plots with other characters.
    Glyphs,
    /// Search.
    Search,
    /// The next match.
    NextMatch,
    /// The match before.
    PrevMatch,
    /// Say what a column is for.
    SetRole,
    /// Say what a column holds.
    SetKind,
    /// Predict this column.
    SetTarget,
    /// Leave a column out, or take it in.
    ToggleFeature,
    /// Declare codes that mean missing.
    SpecialCodes,
    /// Mark a column protected, or not.
    ToggleProtected,
    /// Add a computed column.
    Compute,
    /// Show only some rows.
    Filter,
    /// Show only rows like this cell.
    FilterLike,
    /// Sort by this column.
    SortBy,
    /// Go to a row by its number.
    GoToRow,
    /// Hide this column.
    HideColumn,
    /// Keep the columns up to this one in sight.
    FreezeColumns,
    /// Show every row and column.
    ShowAll,
    /// Copy this cell.
    CopyCell,
    /// Copy this row.
    CopyRow,
    /// Replace the table by the answer of the query.
    OpenAnswer,
    /// Give a setting its default back.
    ResetField,
    /// Show the formula with its coefficients.
    Formula,
    /// Show what the numbers mean.
    Definitions,
    /// Mark a run.
    Mark,
    /// Delete a run.
    DeleteRun,
    /// Write a note to a run.
    NoteRun,
    /// Switch the axis between linear and logarithmic.
    LogAxis,
    /// Smooth the curves more, or not at all.
    Smooth,
    /// Leap along the curve to the left.
    FarLeft,
    /// Leap along the curve to the right.
    FarRight,
    /// Show a shorter stretch of the curve.
    ZoomIn,
    /// Show a longer stretch of the curve.
    ZoomOut,
    /// Show the whole curve.
    ZoomAll,
    /// Find the threshold that costs least.
    Optimum,
    /// Show training beside test, or test alone.
    Sides,
    /// Compare the others with this run.
    Yardstick,
    /// Rank by the next metric, or draw the next quantity.
    NextMetric,
    /// Show how two experiments differ.
    Differences,
    /// Write a layer behind this one.
    LayerBehind,
    /// Write a layer before this one.
    LayerBefore,
    /// Move this layer up.
    LayerUp,
    /// Move this layer down.
    LayerDown,
    /// Take this layer out.
    DeleteLayer,
    /// Use the network as it is.
    UseNetwork,
    /// Explain the decision on one row.
    Explain,
    /// Explain in the next way.
    NextWay,
    /// Explain the score of the next class.
    NextClass,
    /// Compare the person with the other group.
    Background,
    /// Let the other outcome be the one that goes against the person.
    Outcome,
    /// Give the whole row its own values back.
    ResetRow,
    /// Named models and the server that serves them.
    Serve,
    /// How served models fare: drift, performance, alerts.
    Monitor,
    /// Start the server, or stop it.
    StartStop,
    /// Register a run under a name.
    Register,
    /// Let an alias point to a version.
    Promote,
    /// Let an alias point where it pointed before.
    Rollback,
    /// Take a version or a key out of service.
    Retire,
    /// Make a key.
    NewKey,
    /// Give the challenger a share of the requests.
    ChallengerShare,
    /// Set how a model is served.
    ServeSettings,
    /// Give a key another secret.
    RotateKey,
    /// Let changes wait for a second person, or no longer.
    SecondPerson,
    /// Copy a request to the clipboard.
    CopyRequest,
    /// Ask the server as hard as it goes for a while.
    LoadTest,
    /// Say that someone has taken notice of an alert.
    Acknowledge,
    /// Train a served model again, now or from time to time.
    TrainAgain,
    /// Erase what is kept of a subject.
    EraseSubject,
    /// Read everything anew.
    Refresh,
    /// Show the rows behind a window.
    ShowRows,
}
