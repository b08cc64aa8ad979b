//! Colours, for light and for dark, and the style sheet made of them. Each is written out where it is used: not every reader of SVG knows
//! variables. Tests hold texts to a contrast of 4.5 and lines to 3 (WCAG 2.2, 1.4.3 and 1.4.11).

use std::fmt::Write;

use super::State;
use super::measure::Font;

/// What something is drawn as, by its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accent {
    Call,
    Run,
    Set,
    Wait,
    Approve,
    Parallel,
    Fork,
    Map,
    Loop,
    Ends,
}

impl Accent {
    pub(super) const ALL: [Accent; 10] = [
        Accent::Call,
        Accent::Run,
        Accent::Set,
        Accent::Wait,
        Accent::Approve,
        Accent::Parallel,
        Accent::Fork,
        Accent::Map,
        Accent::Loop,
        Accent::Ends,
    ];

    /// Its class, and its colour in light and in dark.
    fn colours(self) -> (&'static str, Colour, Colour) {
        match self {
            Accent::Call => ("call", Colour(0x25_63eb), Colour(0x7a_a7ff)),
            Accent::Run => ("run", Colour(0x4f_46e5), Colour(0xa5_a1ff)),
            Accent::Set => ("set", Colour(0x52_6072), Colour(0xa9_b5c3)),
            Accent::Wait => ("wait", Colour(0xb4_5309), Colour(0xf5_b454)),
            Accent::Approve => ("approve", Colour(0xbe_185d), Colour(0xff_8fc0)),
            Accent::Parallel => ("parallel", Colour(0x0e_7490), Colour(0x5b_d0e8)),
            Accent::Fork => ("fork", Colour(0xc2_410c), Colour(0xff_9d6b)),
            Accent::Map => ("map", Colour(0x0f_766e), Colour(0x4f_d6c4)),
            Accent::Loop => ("loop", Colour(0x7c_3aed), Colour(0xbd_9cff)),
            Accent::Ends => ("ends", Colour(0x15_803d), Colour(0x6a_d58f)),
        }
    }

    pub(super) fn class(self) -> &'static str {
        self.colours().0
    }
}

impl State {
    pub(super) const ALL: [State; 7] =
        [State::Waiting, State::Running, State::Done, State::Failed, State::Skipped, State::Paused, State::Compensated];

    fn colours(self) -> (&'static str, Colour, Colour) {
        match self {
            State::Waiting => ("waiting", Colour(0x64_748b), Colour(0x94_a3b8)),
            State::Running => ("running", Colour(0x25_63eb), Colour(0x7a_a7ff)),
            State::Done => ("done", Colour(0x15_803d), Colour(0x4a_de80)),
            State::Failed => ("failed", Colour(0xdc_2626), Colour(0xff_8080)),
            State::Skipped => ("skipped", Colour(0x64_748b), Colour(0x94_a3b8)),
            State::Paused => ("paused", Colour(0xb4_5309), Colour(0xfb_bf24)),
            State::Compensated => ("compensated", Colour(0x7c_3aed), Colour(0xbd_9cff)),
        }
    }

    pub(super) fn class(self) -> &'static str {
        self.colours().0
    }
}

/// Red, green and blue, a byte each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour(pub(super) u32);

impl Colour {
    /// So many hundredths of this one, and the rest of `other`.
    fn over(self, other: Colour, percent: u32) -> Colour {
        let channel = |shift: u32| {
            let of = |colour: Colour| (colour.0 >> shift) & 0xff;
            ((of(self) * percent + of(other) * (100 - percent)) / 100) << shift
        };
        Colour(channel(16) | channel(8) | channel(0))
    }
}

/// The colours that are not of a kind or a state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scheme {
    dark: bool,
    page: Colour,
    panel: Colour,
    card: Colour,
    border: Colour,
    ink: Colour,
    muted: Colour,
    edge: Colour,
    /// Behind a term, and its text.
    term: (Colour, Colour),
    money: (Colour, Colour),
    fault: (Colour, Colour),
}

pub(super) const LIGHT: Scheme = Scheme {
    dark: false,
    page: Colour(0xff_ffff),
    panel: Colour(0xf5_f7fa),
    card: Colour(0xff_ffff),
    border: Colour(0xc8_d0da),
    ink: Colour(0x1b_2430),
    muted: Colour(0x55_6172),
    edge: Colour(0x7d_8a9c),
    term: (Colour(0xee_f1f5), Colour(0x46_5160)),
    money: (Colour(0xe2_f5e9), Colour(0x17_603a)),
    fault: (Colour(0xfd_eaea), Colour(0x9b_1c1c)),
};

pub(super) const DARK: Scheme = Scheme {
    dark: true,
    page: Colour(0x0d_1117),
    panel: Colour(0x14_1a22),
    card: Colour(0x1b_222c),
    border: Colour(0x3a_4552),
    ink: Colour(0xe6_ebf1),
    muted: Colour(0x9d_aab9),
    edge: Colour(0x73_8194),
    term: (Colour(0x2b_333e), Colour(0xc3_ccd7)),
    money: (Colour(0x15_3325), Colour(0x84_dfa8)),
    fault: (Colour(0x3c_1d20), Colour(0xff_aaa5)),
};

/// A rule of the style sheet: what, which property, which colour.
type Rule = (String, &'static str, Colour);

impl Scheme {
    fn pick(&self, (_, light, dark): (&'static str, Colour, Colour)) -> Colour {
        if self.dark { dark } else { light }
    }

    /// Behind the texts of a box in this state.
    fn tinted(&self, state: State) -> Colour {
        let percent = if matches!(state, State::Waiting | State::Skipped) { 0 } else { 7 };
        self.pick(state.colours()).over(self.card, percent)
    }

    fn tile(&self, accent: Accent) -> Colour {
        self.pick(accent.colours()).over(self.card, 14)
    }

    fn rules(&self) -> Vec<Rule> {
        let mut rules = self.plain_rules();
        for accent in Accent::ALL {
            let (colour, class) = (self.pick(accent.colours()), accent.class());
            rules.push((format!(".tile.{class}"), "fill", self.tile(accent)));
            rules.push((format!(".icon.{class},.mark.{class}"), "stroke", colour));
            rules.push((format!(".frame.{class},.lane.{class}"), "stroke", colour.over(self.page, 50)));
        }
        for state in State::ALL {
            let (colour, class) = (self.pick(state.colours()), state.class());
            rules.push((format!(".card.{class}"), "fill", self.tinted(state)));
            rules.push((format!(".card.{class},.frame.{class},.side.{class}"), "stroke", colour));
            rules.push((format!(".badge.{class}"), "fill", colour));
        }
        rules
    }

    fn plain_rules(&self) -> Vec<Rule> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut add = |what: &str, property, colour| rules.push((what.to_owned(), property, colour));
        add(".page,.frame.odd,.lane.odd", "fill", self.page);
        add(".frame.even,.lane.even", "fill", self.panel);
        add(".card,.label,.side,.gate", "fill", self.card);
        add(".page,.card,.label,.rule", "stroke", self.border);
        add(".edge,.side,.gate,.icon.muted", "stroke", self.edge);
        add(".head,.bar", "fill", self.edge);
        add("text", "fill", self.ink);
        add("text.muted", "fill", self.muted);
        add(".glyph", "stroke", self.card);
        for (class, (behind, ink)) in [("term", self.term), ("money", self.money), ("fault", self.fault)] {
            add(&format!(".chip.{class}"), "fill", behind);
            add(&format!("text.{class}"), "fill", ink);
            add(&format!(".icon.{class}"), "stroke", ink);
        }
        rules
    }
}

/// The content of the drawing's style element.
pub(super) fn style_sheet() -> String {
    let mut sheet = String::from(
        ".hansa-workflow text{font-family:ui-sans-serif,system-ui,sans-serif}\
         .hansa-workflow .edge,.hansa-workflow .icon,.hansa-workflow .glyph,.hansa-workflow .mark{fill:none;stroke-linecap:round;stroke-linejoin:round}\
         .hansa-workflow .edge{stroke-width:1.5}.hansa-workflow .icon{stroke-width:1.5}.hansa-workflow .glyph{stroke-width:2}\
         .hansa-workflow .mark{stroke-width:1.5}.hansa-workflow .dashed,.hansa-workflow .side{stroke-dasharray:4 3}\
         .hansa-workflow .gate{stroke-width:1.5}\n",
    );
    for font in Font::ALL {
        let (class, size, style) = font.style();
        // Writing to a text cannot fail.
        let _ = writeln!(sheet, ".hansa-workflow .{class}{{font-size:{size}px;{style}}}");
    }
    for state in State::ALL {
        let class = state.class();
        let line = match state {
            State::Waiting => "stroke-width:1",
            State::Skipped => "stroke-width:1.5;stroke-dasharray:4 3",
            _ => "stroke-width:2",
        };
        let _ = writeln!(sheet, ".hansa-workflow .card.{class},.hansa-workflow .frame.{class}{{{line}}}");
    }
    write_rules(&mut sheet, &LIGHT);
    sheet.push_str("@media (prefers-color-scheme:dark){\n");
    write_rules(&mut sheet, &DARK);
    sheet.push_str("}\n");
    sheet
}

fn write_rules(sheet: &mut String, scheme: &Scheme) {
    for (what, property, Colour(colour)) in scheme.rules() {
        let selectors: Vec<String> = what.split(',').map(|one| format!(".hansa-workflow {one}")).collect();
        let _ = writeln!(sheet, "{}{{{property}:#{colour:06x}}}", selectors.join(","));
    }
}

#[cfg(test)]
mod tests {
    //! Texts and lines stand out from what is behind them.

    use super::*;

    /// Relative luminance (WCAG 2.2).
    fn luminance(Colour(colour): Colour) -> f64 {
        let channel = |shift: u32| {
            let part = f64::from((colour >> shift) & 0xff) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
    }

    fn contrast(one: Colour, other: Colour) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn contrast_is_as_the_guideline_computes_it() {
        assert!((contrast(Colour(0), Colour(0xff_ffff)) - 21.0).abs() < 0.01);
        assert!((contrast(Colour(0x77_7777), Colour(0xff_ffff)) - 4.48).abs() < 0.01);
    }

    #[test]
    fn texts_can_be_read_and_lines_seen_in_both_schemes() {
        for scheme in [LIGHT, DARK] {
            let behind = [scheme.page, scheme.panel, scheme.card].into_iter().chain(State::ALL.map(|state| scheme.tinted(state)));
            for behind in behind {
                for ink in [scheme.ink, scheme.muted] {
                    assert!(contrast(ink, behind) >= 4.5, "{ink:x?} on {behind:x?}");
                }
            }
            for (behind, ink) in [scheme.term, scheme.money, scheme.fault] {
                assert!(contrast(ink, behind) >= 4.5, "{ink:x?} on {behind:x?}");
            }
            for behind in [scheme.page, scheme.panel] {
                assert!(contrast(scheme.edge, behind) >= 3.0, "edges on {behind:x?}");
            }
            for accent in Accent::ALL {
                assert!(contrast(scheme.pick(accent.colours()), scheme.tile(accent)) >= 3.0, "{accent:?}");
            }
            for state in State::ALL {
                assert!(contrast(scheme.pick(state.colours()), scheme.card) >= 3.0, "{state:?}");
            }
        }
    }
}
