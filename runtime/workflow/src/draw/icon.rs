//! Small line icons, each drawn in a square of 16 by 16.

/// What an icon says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Icon {
    Call,
    Run,
    Set,
    Clock,
    Bell,
    Person,
    Parallel,
    Fork,
    Map,
    Loop,
    Inputs,
    Output,
    Undo,
    Coin,
    Warning,
    Tag,
    Dots,
    Play,
    Check,
    Cross,
    Skip,
    Bars,
    Back,
}

impl Icon {
    /// Its strokes, as data of an SVG path.
    pub(super) fn path(self) -> &'static str {
        match self {
            Icon::Call => "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z",
            Icon::Run => {
                "M4 2.5h8A1.5 1.5 0 0 1 13.5 4v8a1.5 1.5 0 0 1-1.5 1.5H4A1.5 1.5 0 0 1 2.5 12V4A1.5 1.5 0 0 1 4 2.5zM6.7 5.7v4.6L10.4 8z"
            }
            Icon::Set => {
                "M6 2.5H5.2A1.5 1.5 0 0 0 3.7 4v2.5L2.2 8l1.5 1.5V12a1.5 1.5 0 0 0 1.5 1.5H6\
                 M10 2.5h.8A1.5 1.5 0 0 1 12.3 4v2.5L13.8 8l-1.5 1.5V12a1.5 1.5 0 0 1-1.5 1.5H10"
            }
            Icon::Clock => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.8V8l2.2 1.5",
            Icon::Bell => "M8 2a4 4 0 0 1 4 4c0 3.5 1.5 4.7 1.5 4.7h-11S4 9.5 4 6a4 4 0 0 1 4-4zM6.7 13.2a1.5 1.5 0 0 0 2.6 0",
            Icon::Person => "M8 7.8a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4zM2.8 13.8c.5-2.6 2.6-4 5.2-4s4.7 1.4 5.2 4",
            Icon::Parallel => "M8 2v11.5M3 13.5V8a2 2 0 0 1 2-2h6a2 2 0 0 1 2 2v5.5",
            Icon::Fork => "M8 1.8 14.2 8 8 14.2 1.8 8zM6 8h4M8.6 6.5 10.1 8 8.6 9.5",
            Icon::Map => "M8 2 14 5.2 8 8.4 2 5.2zM2.6 8.3 8 11.2l5.4-2.9M2.6 11.2 8 14.1l5.4-2.9",
            Icon::Loop => "M13.5 8a5.5 5.5 0 0 1-9.9 3.3M2.5 8a5.5 5.5 0 0 1 9.9-3.3M12.7 1.8v3h-3M3.3 14.2v-3h3",
            Icon::Inputs => "M8 2v7.5M4.8 6.5 8 9.7l3.2-3.2M2.5 10.5V12A1.5 1.5 0 0 0 4 13.5h8a1.5 1.5 0 0 0 1.5-1.5v-1.5",
            Icon::Output => "M4 14V2.5M4 3h8.5l-2 2.7 2 2.8H4",
            Icon::Undo => "M5.5 3l-3 3 3 3M2.5 6h7a3.7 3.7 0 0 1 0 7.4H6",
            Icon::Coin => "M6.3 2a4.3 4.3 0 1 0 0 8.6 4.3 4.3 0 0 0 0-8.6zM11.9 6.2a4.3 4.3 0 1 1-5.7 5.9",
            Icon::Warning => "M8 2.2 14.5 13.5h-13zM8 6.5v3M8 11.6v.1",
            Icon::Tag => "M2.5 2.5h5.2l5.8 5.8-5.2 5.2-5.8-5.8zM5.3 5.3v.1",
            Icon::Dots => "M4.5 8v.1M8 8v.1M11.5 8v.1",
            Icon::Play => "M6.5 5v6l4.7-3z",
            Icon::Check => "M4.5 8.3 7 10.7l4.5-5",
            Icon::Cross => "M5.3 5.3l5.4 5.4M10.7 5.3l-5.4 5.4",
            Icon::Skip => "M4.5 5l3 3-3 3M8.5 5l3 3-3 3",
            Icon::Bars => "M6.2 5v6M9.8 5v6",
            Icon::Back => "M6.3 4.5 4.2 6.6l2.1 2.1M4.2 6.6h4.5a2.3 2.3 0 0 1 0 4.6H6.5",
        }
    }
}
